"""A Flask application with the OpenTelemetry SDK, as an application that was instrumented long before the mesh.

It copies no headers: the library's instrumentation of Flask and requests does. Where spans go and which headers
are used is what the environment says, as the OpenTelemetry specification has it: OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_SERVICE_NAME, OTEL_PROPAGATORS.
"""

import os

import requests
from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

app = Flask(__name__)
FlaskInstrumentor().instrument_app(app)
RequestsInstrumentor().instrument()


@app.get("/shelves/<int:shelf>")
def shelf(shelf):
    with trace.get_tracer(__name__).start_as_current_span("look at the shelf"):
        answer = requests.get(f"{os.environ['CLEW_BOOKS_URL']}/books/{shelf}", timeout=30)
    return {"shelf": shelf, "book": answer.json()}, answer.status_code


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
