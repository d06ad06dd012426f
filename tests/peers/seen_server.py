"""Python's own http.server, which keeps connections, answers everything with 200, and writes each whole request that
it has seen as a line of JSON: status, method, path, body.
"""

import http.server
import json

import request_body


class Seen(request_body.Reads, http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            body = b"".join(self.pieces())
        except (ConnectionError, ValueError):
            # Broken off, or no chunks: it was no whole request.
            self.close_connection = True
            return
        seen = {"status": 200, "method": self.command, "path": self.path, "body": body.decode("latin-1")}
        print(json.dumps(seen), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seen) as server:
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
