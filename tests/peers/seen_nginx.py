"""Becomes nginx, which answers everything with 200 and writes each request that it has seen as a line of JSON: status,
method, path, body.

    seen_nginx.py FOLDER

nginx cannot be told to take any port and to say which: it is given sockets that listen already, as one that is
replaced by a newer one gives its own.
"""

import os
import pathlib
import socket
import sys

CONFIG = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
events { worker_connections 64; }
http {
    # All in its own folder; where the package says is where another may run.
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    log_format seen escape=json '{"status":$status,"method":"$request_method","path":"$request_uri","body":"$request_body"}';
    access_log off;
    keepalive_timeout 60;
    server {
        listen @FRONT@;
        access_log /dev/stdout seen;
        # A body is read, and known to the log, only where it is passed on.
        client_body_buffer_size 64k; client_body_in_single_buffer on;
        location / { proxy_pass http://@BACK@; }
    }
    server { listen @BACK@; location / { return 200 "ok"; } }
}
"""

folder = pathlib.Path(sys.argv[1])
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
front, back = ("127.0.0.1:%d" % each.getsockname()[1] for each in sockets)
(folder / "nginx.conf").write_text(CONFIG.replace("@FRONT@", front).replace("@BACK@", back))
for each in sockets:
    os.set_inheritable(each.fileno(), True)
os.environ["NGINX"] = "".join(f"{each.fileno()};" for each in sockets)
print(f"listening on {front}", flush=True)
os.execvp("nginx", ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")])
