"""A server of large bodies, by Python's own http.server: it holds nothing but the piece that it is about.

    GET /zeros/BYTES    answers with so many
    POST or PUT         takes a body, by its length or in chunks, and answers with its size
"""

import http.server
import json
import os

import request_body

PIECE = bytes(1024 * 1024)


class Bodies(request_body.Reads, http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        left = int(self.path.rsplit("/", 1)[1])
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        while left > 0:
            left -= self.wfile.write(PIECE[:left])

    def do_POST(self):
        size = 0
        for piece in self.pieces():
            size += len(piece)
        answer = json.dumps({"bytes": size}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST

    def log_message(self, *_):
        pass


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
with http.server.ThreadingHTTPServer(address, Bodies) as server:
    print(f"Running on {address}", flush=True)
    server.serve_forever()
