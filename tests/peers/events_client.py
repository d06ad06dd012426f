"""Reads server-sent events with httpx, as they come, and shows every line of them.

    events_client.py URL
"""

import asyncio
import sys

import httpx


async def read():
    async with httpx.AsyncClient(timeout=None) as client, client.stream("GET", sys.argv[1]) as answer:
        print(answer.status_code, answer.headers["content-type"], flush=True)
        async for line in answer.aiter_lines():
            print(line, flush=True)
    print("the end", flush=True)


asyncio.run(read())
