"""A server of large bodies, by Python's own http.server: it holds nothing but the piece that it is about.

    GET /zeros/BYTES    answers with so many
    POST or PUT         takes a body, by its length or in chunks, and answers with its size
"""

import http.server
import json
import os

PIECE = bytes(1024 * 1024)


class Bodies(http.server.BaseHTTPRequestHandler):
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

    def pieces(self):
        """The body of the request."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield from self.read(int(self.headers["Content-Length"]))
            return
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield from self.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def read(self, left):
        while left > 0:
            piece = self.rfile.read(min(left, len(PIECE)))
            if not piece:
                raise ConnectionError("the body has ended too early")
            left -= len(piece)
            yield piece

    def log_message(self, *_):
        pass


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
with http.server.ThreadingHTTPServer(address, Bodies) as server:
    print(f"Running on {address}", flush=True)
    server.serve_forever()
