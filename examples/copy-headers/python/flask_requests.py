"""A Flask application that calls the service books with requests, and copies the headers of the trace."""

import os

import requests
from flask import Flask, request

TRACE_HEADERS = """
    traceparent tracestate baggage
    b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-b3-flags
    uber-trace-id
    x-datadog-trace-id x-datadog-parent-id x-datadog-sampling-priority x-datadog-tags x-datadog-origin
    x-amzn-trace-id
    grpc-trace-bin
""".split()


def trace_headers():
    """Those of the request that is served, for the requests that are made for it."""
    return {name: request.headers[name] for name in TRACE_HEADERS if name in request.headers}


app = Flask(__name__)


@app.get("/pages/<int:book>")
def page(book):
    url = f"{os.environ['CLEW_BOOKS_URL']}/books/{book}"
    answer = requests.get(url, headers=trace_headers(), timeout=30)
    return answer.text, answer.status_code


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
