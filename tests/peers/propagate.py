"""The few lines that an application needs, so that its requests stay in the trace of the request it serves."""

from flask import request

# W3C Trace Context, and the two forms of B3.
HEADERS = (
    "traceparent", "tracestate", "baggage",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
)


def context():
    """The headers of the request that is being served, for the requests that it makes."""
    return {name: request.headers[name] for name in HEADERS if name in request.headers}
