"""TLS of an application's own, and no certificates: the ciphers are anonymous, since nothing is proved here.

    tls.py serve                  answers on $HOST:$PORT, or a port that it tells, which name it was asked for
    tls.py ask HOST PORT [NAME]   asks the server for NAME, if there is one, directly
    tls.py tunnel HOST PORT NAME  the same through a CONNECT to the address at $HTTP_PROXY
"""

import os
import socket
import socketserver
import ssl
import sys
from urllib.parse import urlsplit


def context(purpose):
    tls = ssl.SSLContext(purpose)
    tls.set_ciphers("AECDH:@SECLEVEL=0")
    return tls


class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        asked_for = []
        tls = context(ssl.PROTOCOL_TLS_SERVER)
        # Anonymous ciphers are not for TLS 1.3; what a client says first is the same.
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.sni_callback = lambda connection, name, _: asked_for.append(name)
        with tls.wrap_socket(self.request, server_side=True) as connection:
            question = connection.recv(100).decode()
            connection.sendall(f"{question} of {asked_for[0]}".encode())


def serve():
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "0")))
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(address, Answer) as server:
        print("Running on", server.server_address[1], flush=True)
        server.serve_forever()


def speak(connection, name):
    tls = context(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    with tls.wrap_socket(connection, server_hostname=name) as connection:
        connection.sendall(b"hello")
        print(connection.recv(100).decode())


def ask(host, port, name=None):
    speak(socket.create_connection((host, int(port)), timeout=20), name)


def tunnel(host, port, name):
    proxy = urlsplit(os.environ["HTTP_PROXY"])
    connection = socket.create_connection((proxy.hostname, proxy.port), timeout=20)
    target = f"{host}:{port}"
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert b" 200 " in head, head
    speak(connection, name)


{"serve": serve, "ask": ask, "tunnel": tunnel}[sys.argv[1]](*sys.argv[2:])
