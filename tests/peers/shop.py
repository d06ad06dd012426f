"""A Flask application with every habit that applications have with the headers of a trace: /HABIT/7 asks the service
books for /HABIT/7, with the headers that the habit makes of those that came in.

What nobody asks for over HTTP is asked for by hand: a line on a socket outside of the mesh, whose address is written at
the start. The answer is a line too, once everything is done.

    tick HABIT TIMES    asks books out of the blue, without headers, as a timer does
    release             does the work that requests have left, in a thread of its own
    go_on               lets the request go on that waits, and waits for its end
    take HEADERS        asks books for one of a queue, with these headers (JSON)
"""

import json
import os
import socket
import socketserver
import threading

import requests
from flask import Flask, request
from opentelemetry.context import Context
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider

from propagate import context

app = Flask(__name__)
tracer = TracerProvider().get_tracer(__name__)
work_left = []
go_on = threading.Event()
gone_on = threading.Event()


def ask(habit, item, headers):
    url = f"{os.environ['CLEW_BOOKS_URL']}/{habit}/{item}"
    requests.get(url, headers=headers, timeout=30).raise_for_status()


def only(*names):
    return {name: value for name, value in context().items() if name in names}


def sometimes():
    """Copies for every other item."""
    return context() if request.view_args["item"] % 2 == 0 else {}


def restarts():
    """A library that begins a trace of its own for each request, whatever came with it."""
    headers = {}
    with tracer.start_as_current_span("page", context=Context()):
        inject(headers)
    return headers


def truncates():
    """The ids of a trace in a column that is too short for them."""
    version, trace_id, span_id, flags = context()["traceparent"].split("-")
    return {"traceparent": "-".join((version, trace_id[:16], span_id, flags))}


HABITS = {
    "copies": context,
    "w3c": lambda: only("traceparent", "tracestate"),
    "b3": lambda: only("b3"),
    "restarts": restarts,
    "truncates": truncates,
    "decides": lambda: {"b3": "0"},
    "forgets": dict,
    "sometimes": sometimes,
    "watches": dict,
}


@app.get("/<any(%s):habit>/<int:item>" % ", ".join(HABITS))
def page(habit, item):
    ask(habit, item, HABITS[habit]())
    return {}


@app.get("/leaves/<int:item>")
def leaves(item):
    """The answer comes first, the work after it."""
    work_left.append(("leaves", item, context()))
    return {}


@app.get("/releases/<int:_item>")
def releases(_item):
    """The work of others, while a request is in flight."""
    release("")
    return {}


@app.get("/waits/<int:item>")
def waits(item):
    """The work goes on, whether or not anybody waits for the answer."""
    print("waits", flush=True)
    go_on.wait()
    ask("waits", item, context())
    gone_on.set()
    return {}


@app.get("/queues/<int:item>")
def queues(item):
    """Another application does the work, and gets the headers by a queue."""
    host, port = os.environ["QUEUE"].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as queue, queue.makefile("rw") as lines:
        lines.write(f"take {json.dumps(context())}\n")
        lines.flush()
        return {"taken": lines.readline() == "done\n"}


def tick(words):
    habit, times = words.split()
    for item in range(int(times)):
        ask(habit, item, {})


def release(_words):
    def work():
        while work_left:
            ask(*work_left.pop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def let_go_on(_words):
    go_on.set()
    gone_on.wait()


def take(headers):
    ask("queue", 1, json.loads(headers))


class Hand(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            name, _, words = line.decode().strip().partition(" ")
            {"tick": tick, "release": release, "go_on": let_go_on, "take": take}[name](words)
            self.wfile.write(b"done\n")


if __name__ == "__main__":
    hand = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hand)
    hand.daemon_threads = True
    threading.Thread(target=hand.serve_forever, daemon=True).start()
    print("hand at 127.0.0.1:%d" % hand.server_address[1], flush=True)
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
