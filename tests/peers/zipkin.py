"""A Flask application with py_zipkin, as services had it before OpenTelemetry.

It reads and writes B3 headers. It shares spans: its SERVER span has the id that it received, and says so. Spans go to
the endpoint of ZIPKIN_ENDPOINT, in the encoding of ZIPKIN_ENCODING (V2_JSON or V2_PROTO3), by gzip when ZIPKIN_GZIP is
set; by default to where the mesh says that it takes them in.
"""

import gzip
import os

import requests
from flask import Flask, request
from py_zipkin import Encoding, Kind
from py_zipkin.request_helpers import create_http_headers, extract_zipkin_attrs_from_headers
from py_zipkin.transport import BaseTransportHandler
from py_zipkin.zipkin import zipkin_client_span, zipkin_span

NAME = os.environ.get("OTEL_SERVICE_NAME", "shelf")
ENCODING = Encoding[os.environ.get("ZIPKIN_ENCODING", "V2_JSON")]
ENDPOINT = os.environ.get("ZIPKIN_ENDPOINT") or os.environ["OTEL_EXPORTER_ZIPKIN_ENDPOINT"]

app = Flask(__name__)


class Transport(BaseTransportHandler):
    """py_zipkin leaves the sending to its user: a session that goes past the sidecar, as NO_PROXY says."""

    def get_max_payload_bytes(self):
        return None

    def send(self, payload):
        body = payload.encode() if isinstance(payload, str) else payload
        kind = "application/json" if ENCODING == Encoding.V2_JSON else "application/x-protobuf"
        headers = {"Content-Type": kind}
        if os.environ.get("ZIPKIN_GZIP"):
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        answer = requests.post(ENDPOINT, data=body, headers=headers, timeout=30)
        # What a Zipkin server answers; anything else fails the request, so that a test sees it.
        assert answer.status_code == 202, (answer.status_code, answer.text)


@app.get("/shelves/<int:shelf>")
def shelf(shelf):
    with zipkin_span(
        service_name=NAME,
        span_name="get /shelves",
        zipkin_attrs=extract_zipkin_attrs_from_headers(request.headers),
        transport_handler=Transport(),
        kind=Kind.SERVER,
        encoding=ENCODING,
        binary_annotations={"http.path": request.path},
    ):
        with zipkin_span(service_name=NAME, span_name="look at the shelf") as look:
            look.add_annotation("looked")
            with zipkin_client_span(service_name=NAME, span_name="get /books") as call:
                call.add_sa_binary_annotation(port=80, service_name="books")
                answer = requests.get(
                    f"{os.environ['CLEW_BOOKS_URL']}/books/{shelf}", headers=create_http_headers(), timeout=30
                )
                if answer.status_code >= 400:
                    call.update_binary_annotations({"error": str(answer.status_code)})
    return {"shelf": shelf, "book": answer.json()}, answer.status_code


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
