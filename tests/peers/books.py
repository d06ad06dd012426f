"""A Flask application that calls nobody and knows nothing of the mesh.

It answers with what it received of the trace, so that a test can see it, and has the kinds of answers that a
proxy must not spoil: a failure, a stream of server-sent events, an upload.
"""

import os
import threading

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/books/<int:book>")
def one(book):
    return {
        "book": book,
        "server": os.environ.get("NAME", "books"),
        "traceparent": request.headers.get("traceparent"),
        "b3": request.headers.get("b3"),
        "via": request.headers.get("clew-client"),
    }


@app.get("/broken")
def broken():
    return {"error": "the shelf is locked"}, 500


@app.post("/upload")
def upload():
    size = 0
    while piece := request.stream.read(64 * 1024):
        size += len(piece)
    return {"bytes": size}


# Who reads /events gets the second event when somebody has asked for /continue: a test orders them.
go_on = threading.Event()


@app.get("/continue")
def let_continue():
    go_on.set()
    return {}


@app.get("/events")
def events():
    def stream():
        yield "data: first\n\n"
        go_on.wait()
        yield "data: second\n\n"

    return Response(stream(), mimetype="text/event-stream")


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
