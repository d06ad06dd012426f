"""A WebSocket server of the library websockets. It sends back what it gets, and does what some words ask for:

    ping           pings, and answers when the pong has come
    close CODE     closes with this code, and the words behind it as the reason

It writes with which code and reason each connection was closed.
"""

import asyncio
import contextlib
import os

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def answer(socket, message):
    match message.split(" ", 2) if isinstance(message, str) else []:
        case ["ping"]:
            await (await socket.ping())
            await socket.send("ponged")
        case ["close", code, reason]:
            await socket.close(int(code), reason)
        case _:
            await socket.send(message)


async def echo(socket):
    # Every code but 1000 and 1001 is an exception.
    with contextlib.suppress(ConnectionClosed):
        async for message in socket:
            await answer(socket, message)
    print(f"closed {socket.close_code} {socket.close_reason}".rstrip(), flush=True)


async def main():
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    # It pings only when it is asked to.
    async with serve(echo, *address, ping_interval=None, max_size=None):
        print(f"Running on {address}", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
