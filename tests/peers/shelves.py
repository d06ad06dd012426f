"""A Flask application that has books on shelves of any name, calls nobody and knows nothing of the mesh."""

import os

from flask import Flask, request

app = Flask(__name__)


@app.get("/<shelf>/<int:book>")
def one(shelf, book):
    return {"shelf": shelf, "book": book, "b3": request.headers.get("b3")}


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]))
