"""A WebSocket client of the library websockets: does one thing with the server of socket_server.py, and says how it
went.

    socket_client.py WHAT URL    by the HTTP proxy of the surroundings, where there is one that holds for URL
"""

import asyncio
import os
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def messages(socket):
    """Text and binary, small, empty and larger than any buffer on the way, all sent before the first is read."""
    sent = ["hello", "", "\u00e9\u00e8 \u2713", b"\x00\xff", b"", os.urandom(3 * 1024 * 1024), "x" * 70_000]

    async def send():
        for message in sent:
            await socket.send(message)

    sending = asyncio.create_task(send())
    for message in sent:
        assert await socket.recv() == message, "an answer is what was sent"
    await sending
    return f"{len(sent)} messages"


async def pings(socket):
    latency = await (await socket.ping(b"are you there"))
    assert latency >= 0
    await socket.send("ping")
    return await socket.recv()


async def server_closes(socket):
    await socket.send("close 4001 as you wish")
    try:
        await socket.recv()
    except ConnectionClosed as closed:
        return f"closed {closed.rcvd.code} {closed.rcvd.reason}"


async def client_closes(socket):
    await socket.close(4002, "that is all")
    return f"closed {socket.close_code} {socket.close_reason}"


async def waits(socket):
    """Goes away only when it is killed, which the test does."""
    await socket.send("hello")
    print(await socket.recv(), flush=True)
    await socket.wait_closed()


async def main():
    options = {"ping_interval": None, "max_size": None}
    async with connect(sys.argv[2], **options) as socket:
        print(await globals()[sys.argv[1]](socket), flush=True)


asyncio.run(main())
