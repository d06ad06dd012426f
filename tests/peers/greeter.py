"""A server that speaks first, as databases and mail servers do, and a client that waits for it.

    greeter.py serve            greets on $HOST:$PORT, then sends back what it gets
    greeter.py greet HOST PORT  waits for the greeting, says hello, and shows what came
"""

import os
import socket
import socketserver
import sys


class Greeter(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 greeter\n")
        for line in self.rfile:
            self.wfile.write(line)


def serve():
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"]))
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(address, Greeter) as server:
        print(f"Running on {address}", flush=True)
        server.serve_forever()


def greet(host, port):
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        lines = connection.makefile("rw")
        print(lines.readline(), end="")
        lines.write("hello\n")
        lines.flush()
        print(lines.readline(), end="")


if sys.argv[1] == "serve":
    serve()
else:
    greet(*sys.argv[2:])
