"""An asynchronous server (aiohttp) that keeps every request until as many as $CROWD are there, then answers them all.

It knows nothing of the mesh. Each answer says what was asked, and what came with it of the trace.
"""

import asyncio
import os

from aiohttp import web


class Crowd:
    """A gate that opens for so many at once, again and again."""

    def __init__(self, size):
        self.size = size
        self.here = 0
        self.gate = asyncio.Event()

    async def wait(self):
        gate = self.gate
        self.here += 1
        if self.here == self.size:
            self.here = 0
            self.gate = asyncio.Event()
            gate.set()
        await gate.wait()


async def book(request):
    await request.app["crowd"].wait()
    return web.json_response(
        {"book": int(request.match_info["book"]), "traceparent": request.headers.get("traceparent")}
    )


async def events(request):
    """Server-sent events: the next one is sent when somebody has asked for /continue."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        for number in range(3):
            await response.write(f"id: {number}\ndata: event {number}\n\n".encode())
            await request.app["go_on"].acquire()
    except (asyncio.CancelledError, ConnectionError):
        print("given up", flush=True)
        raise
    return response


async def let_continue(request):
    request.app["go_on"].release()
    return web.json_response({})


async def begin(_app):
    print(f"Running on {HOST}:{PORT}", flush=True)


HOST, PORT = os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])
app = web.Application()
app["crowd"] = Crowd(int(os.environ.get("CROWD", "1")))
app["go_on"] = asyncio.Semaphore(0)
app.add_routes(
    [web.get(r"/books/{book:\d+}", book), web.get("/events", events), web.post("/continue", let_continue)]
)


async def serve():
    # A caller that goes away ends what is done for it.
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, HOST, PORT).start()
    await begin(app)
    await asyncio.Event().wait()


asyncio.run(serve())
