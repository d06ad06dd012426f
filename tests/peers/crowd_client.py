"""Many who ask at once, from outside of the mesh: as many as the second argument says, each so often as the third
says, one request after the other. Writes a line of JSON for each answer, then one with its count.

    crowd_client.py URL CALLERS TIMES
"""

import asyncio
import json
import sys
from collections import Counter

import httpx

URL, CALLERS, TIMES = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


async def caller(client, number, statuses):
    for time in range(TIMES):
        book = 1000 + number * TIMES + time
        answer = await client.get(f"{URL}/pages/{book}")
        statuses[answer.status_code] += 1
        print(json.dumps({"asked": book, "answer": answer.json()}), flush=True)


async def ask():
    statuses = Counter()
    limits = httpx.Limits(max_connections=CALLERS)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        await asyncio.gather(*(caller(client, number, statuses) for number in range(CALLERS)))
    print(json.dumps({"statuses": statuses}), flush=True)


asyncio.run(ask())
