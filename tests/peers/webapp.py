"""A Flask application that calls the service books with requests, and copies the headers of the trace.

BOOKS_URL says how it addresses books; by default as its sidecar tells it (`--to books`).
"""

import os

import requests
from flask import Flask

from propagate import context

BOOKS_URL = os.environ.get("BOOKS_URL") or os.environ.get("CLEW_BOOKS_URL", "http://localhost:7002")

app = Flask(__name__)


@app.get("/books/<int:book>")
def page(book):
    answer = requests.get(f"{BOOKS_URL}/books/{book}", headers=context(), timeout=30)
    return {"page": answer.json()}, answer.status_code


@app.get("/forgetful/<int:book>")
def forgetful(book):
    """The mistake that the mesh cannot undo: the same call, without the context."""
    answer = requests.get(f"{BOOKS_URL}/books/{book}", timeout=30)
    return {"page": answer.json()}, answer.status_code


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
