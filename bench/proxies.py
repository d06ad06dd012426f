"""The server, and every proxy in front of it: one worker each, nothing logged, as close to one another as their
configurations allow."""

import pathlib
import socket
import sys

from processes import LOAD_CORE, PROXY_CORE, free_port

BODY = "x" * 128


class Server:
    """nginx: HTTP/1.1 on one port, HTTP/2 in clear on another, and a collector that takes every span."""

    def __init__(self, processes, directory):
        self.http1, self.http2, self.collector = free_port(), free_port(), free_port()
        # A gRPC message of no bytes: the answer to every export.
        (directory / "exported").write_bytes(bytes(5))
        config = directory / "server.conf"
        config.write_text(f"""
            worker_processes 1; daemon off; pid {directory}/server.pid; error_log stderr crit;
            events {{ worker_connections 8192; }}
            http {{
                access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
                client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
                uwsgi_temp_path {directory}; scgi_temp_path {directory};
                client_max_body_size 64m; client_body_buffer_size 16k; http2_max_requests 1000000000;
                server {{
                    listen 127.0.0.1:{self.http1} reuseport backlog=4096;
                    location / {{ return 200 "{BODY}"; }}
                }}
                server {{
                    listen 127.0.0.1:{self.http2} http2 reuseport backlog=4096;
                    location / {{ return 200 "{BODY}"; }}
                }}
                server {{
                    listen 127.0.0.1:{self.collector} http2;
                    root {directory}; types {{ }} default_type application/grpc;
                    error_page 405 =200 /exported;
                    location / {{ add_header grpc-status 0; try_files /exported =404; }}
                }}
            }}
        """)
        processes.start(LOAD_CORE, ["nginx", "-c", config, "-p", directory], listens_on=self.http1)


def clew(processes, server, binary, spans, audit=True):
    """Per-route metrics, balancing, protocol detection and trace context are always on."""
    port, admin = free_port(), free_port()
    ports = {"http1": port, "http2": free_port()}
    command = [
        binary, "run", "--workload", "bench", "--no-join", "--workers", "1", "--log", "error",
        "--inbound", f"127.0.0.1:{ports['http1']}=127.0.0.1:{server.http1},bench",
        "--inbound", f"127.0.0.1:{ports['http2']}=127.0.0.1:{server.http2},bench2",
        "--admin", f"127.0.0.1:{admin}", "--tap", f"127.0.0.1:{free_port()}",
        # Nobody answers there: what the proxy does without control is part of the design.
        "--control", f"http://127.0.0.1:{free_port()}",
    ]  # fmt: skip
    if not audit:
        command.append("--no-audit")
    if spans:
        command += ["--otlp", f"http://127.0.0.1:{server.collector}"]
    pid = processes.start(PROXY_CORE, command, listens_on=port)
    return {"pid": pid, "admin": admin, **ports}


def roles(processes, binary):
    """Control and observe. Gives where control answers."""
    api, control = free_port(), free_port()
    system = "127.0.0.1:0"
    command = [binary, "roles", "--api", f"127.0.0.1:{api}", "--control", f"127.0.0.1:{control}", "--idle-exit", "0s",
               "--otlp-grpc", system, "--otlp-http", system, "--zipkin", system]  # fmt: skip
    processes.start(LOAD_CORE, command, listens_on=control)
    processes.wait_for(processes.running[-1], api, binary)
    return f"http://127.0.0.1:{control}"


class Silent:
    """An application that takes requests and answers none: they stay in flight."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]


def pair(processes, server, binary, control, name, audit=True, application=None):
    """As in a mesh: a client's sidecar, which load goes to, and the server's sidecar behind it. What is measured is the
    client's. With an application the client is a server too."""
    port, admin, inbound, behind = free_port(), free_port(), free_port(), free_port()

    def sidecar(workload, admin, ways, core, listens_on):
        command = [binary, "run", "--workload", workload, "--workers", "1", "--log", "error", "--control", control,
                   "--admin", f"127.0.0.1:{admin}", "--tap", f"127.0.0.1:{free_port()}", *ways]  # fmt: skip
        if not audit:
            command.append("--no-audit")
        return processes.start(core, command, listens_on=listens_on)

    to_server = ["--inbound", f"127.0.0.1:{inbound}=127.0.0.1:{server.http1},{name}"]
    sidecar(name, behind, to_server, LOAD_CORE, inbound)
    ways, way_in = ["--to", f"{name}=127.0.0.1:{port}"], free_port()
    if application:
        ways += ["--inbound", f"127.0.0.1:{way_in}=127.0.0.1:{application.port},{name}-client"]
    pid = sidecar(f"{name}-client", admin, ways, PROXY_CORE, port)
    return {"pid": pid, "admin": admin, "behind": behind, "http1": port, "way_in": way_in}


def haproxy(processes, server, directory, binary, mode):
    ports = {"http1": free_port(), "http2": free_port()}
    config = directory / f"haproxy-{mode}.cfg"
    h2 = "proto h2" if mode == "http" else ""
    config.write_text(f"""
global
    nbthread 1
    maxconn 8192
defaults
    mode {mode}
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    {"http-reuse always" if mode == "http" else ""}
listen http1
    bind 127.0.0.1:{ports["http1"]}
    server one 127.0.0.1:{server.http1}
listen http2
    bind 127.0.0.1:{ports["http2"]} {h2}
    server one 127.0.0.1:{server.http2} {h2}
""")
    pid = processes.start(PROXY_CORE, [binary, "-db", "-f", config], listens_on=ports["http1"])
    return {"pid": pid, **ports}


def nginx(processes, server, directory):
    """Its upstream side speaks HTTP/1 alone, also for clients of HTTP/2."""
    ports = {"http1": free_port(), "http2": free_port()}
    home = directory / "nginx"
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(f"""
        worker_processes 1; daemon off; pid {home}/nginx.pid; error_log stderr crit;
        events {{ worker_connections 8192; }}
        http {{
            access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; http2_max_requests 1000000000;
            client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
            uwsgi_temp_path {home}; scgi_temp_path {home};
            upstream one {{ server 127.0.0.1:{server.http1}; keepalive 1024; keepalive_requests 1000000000; }}
            server {{
                listen 127.0.0.1:{ports["http1"]} backlog=4096;
                listen 127.0.0.1:{ports["http2"]} http2 backlog=4096;
                location / {{ proxy_pass http://one; proxy_http_version 1.1; proxy_set_header Connection ""; }}
            }}
        }}
    """)
    pid = processes.start(PROXY_CORE, ["nginx", "-c", config, "-p", home], listens_on=ports["http1"])
    return {"pid": pid, **ports}


def envoy(processes, server, directory, binary):
    ports = {"http1": free_port(), "http2": free_port()}

    def listener(name, port):
        return f"""
  - name: {name}
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: {name}
          codec_type: AUTO
          route_config:
            virtual_hosts:
            - {{ name: all, domains: ["*"], routes: [{{ match: {{ prefix: / }}, route: {{ cluster: {name} }} }}] }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}"""

    def cluster(name, port, protocol):
        return f"""
  - name: {name}
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ {protocol}: {{}} }}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}"""

    config = directory / "envoy.yaml"
    config.write_text(
        "static_resources:\n  listeners:"
        + listener("http1", ports["http1"])
        + listener("http2", ports["http2"])
        + "\n  clusters:"
        + cluster("http1", server.http1, "http_protocol_options")
        + cluster("http2", server.http2, "http2_protocol_options")
        + "\n"
    )
    command = [binary, "-c", config, "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    pid = processes.start(PROXY_CORE, command, listens_on=ports["http1"])
    return {"pid": pid, **ports}


def installed(environment, pattern):
    """A program that a Python package ships."""
    found = sorted(pathlib.Path(environment).glob(f"lib/python3*/site-packages/{pattern}"))
    if not found:
        sys.exit(f"{pattern} is not in {environment}: bench/run sets it up")
    return found[0]
