"""An aiohttp application that calls the service books with aiohttp's client, and copies the headers of the trace.

A context variable carries them, so that what calls books needs not be handed the request that is served.
"""

import os
from contextvars import ContextVar

import aiohttp
from aiohttp import web

TRACE_HEADERS = """
    traceparent tracestate baggage
    b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
    uber-trace-id
    x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
    x-amzn-trace-id
    grpc-trace-bin
""".split()

trace_headers = ContextVar("trace_headers", default={})


@web.middleware
async def keep_trace_headers(request, handler):
    trace_headers.set({name: request.headers[name] for name in TRACE_HEADERS if name in request.headers})
    return await handler(request)


async def find_book(client, book):
    url = f"{os.environ['CLEW_BOOKS_URL']}/books/{book}"
    async with client.get(url, headers=trace_headers.get()) as answer:
        return answer.status, await answer.text()


async def page(request):
    status, text = await find_book(request.app["client"], request.match_info["book"])
    return web.Response(status=status, text=text)


async def client(app):
    async with aiohttp.ClientSession() as app["client"]:
        yield


app = web.Application(middlewares=[keep_trace_headers])
app.cleanup_ctx.append(client)
app.add_routes([web.get(r"/pages/{book:\d+}", page)])

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
