"""An asynchronous application (aiohttp) that calls the service books, by httpx or by aiohttp's own client, with many
requests in flight at once. Each call carries the context of the request that it is made for.

    crowd_app.py httpx      addresses http://books, through the HTTP proxy of its surroundings
    crowd_app.py aiohttp    addresses the service's own listener, $CLEW_BOOKS_URL

A second word is a mistake: `forget` the context, or `mix` it: keep it in one place for all requests.
"""

import asyncio
import os
import sys

import aiohttp
import httpx
from aiohttp import web

# W3C Trace Context, and the two forms of B3.
HEADERS = (
    "traceparent", "tracestate", "baggage",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
)


def context(request):
    """The headers of a request that is being served, for the requests that are made for it."""
    return {name: request.headers[name] for name in HEADERS if name in request.headers}


latest = {}


async def mixed(request):
    """The mistake of one place for all: it holds the context of the request that has come last."""
    latest["context"] = context(request)
    await asyncio.sleep(0)
    return latest["context"]


async def forgotten(_request):
    return {}


async def copied(request):
    return context(request)


MISTAKES = {"forget": forgotten, "mix": mixed}


async def by_httpx(client, path, headers):
    answer = await client.get(f"http://books{path}", headers=headers)
    return answer.status_code, answer.json()


async def by_aiohttp(client, path, headers):
    async with client.get(os.environ["CLEW_BOOKS_URL"] + path, headers=headers) as answer:
        return answer.status, await answer.json()


async def page(request):
    path = f"/books/{request.match_info['book']}"
    headers = await request.app["context"](request)
    status, book = await request.app["call"](request.app["client"], path, headers)
    return web.json_response({"page": book}, status=status)


async def serve():
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
    app = web.Application()
    app.add_routes([web.get(r"/pages/{book:\d+}", page)])
    app["context"] = MISTAKES[sys.argv[2]] if sys.argv[2:] else copied
    if sys.argv[1] == "httpx":
        app["call"], client = by_httpx, httpx.AsyncClient(timeout=60)
    else:
        app["call"], client = by_aiohttp, aiohttp.ClientSession()
    async with client:
        app["client"] = client
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        print(f"Running on {host}:{port}", flush=True)
        await asyncio.Event().wait()


asyncio.run(serve())
