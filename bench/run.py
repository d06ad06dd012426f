#!/usr/bin/env python3
"""A first, honest benchmark: one proxy on one core, beside a direct connection.

The load generator (h2load) and the server (nginx) share one core; the proxy has another one to
itself. The cases are run in turn (A B C, A B C, ...), so that what the machine does meanwhile meets
all of them alike. What is printed and written to docs/benchmarks.md are medians over the rounds, and
the spread. CPU time is that of the proxy's whole process, as the kernel counts it.

Needs: h2load (Debian: nghttp2-client), nginx (Debian: nginx-light), taskset, two cores.
"""

import argparse
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process, what):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{what} ended with {process.returncode} before it listened")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"{what} did not listen on port {port} within 10 s")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


class Processes:
    """Everything that was started, ended by process id at the end."""

    def __init__(self):
        self.running = []

    def start(self, core, command, **options):
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            stdout=options.pop("stdout", subprocess.DEVNULL),
            stderr=subprocess.STDOUT,
            **options,
        )
        self.running.append(process)
        return process

    def end(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def start_server(processes, directory, core):
    port = free_port()
    config = directory / "nginx.conf"
    body = "x" * 128
    config.write_text(
        f"""
        worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log stderr crit;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
            client_body_temp_path {directory}; proxy_temp_path {directory};
            fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
            server {{
                listen 127.0.0.1:{port} reuseport backlog=4096;
                location / {{ return 200 "{body}"; }}
            }}
        }}
        """
    )
    server = processes.start(core, ["nginx", "-c", config, "-p", directory])
    wait_for_port(port, server, "nginx")
    return port


def start_proxy(processes, binary, core, server_port, collector, log):
    ports = {name: free_port() for name in ("inbound", "admin", "tap")}
    command = [
        binary, "run", "--workload", "bench", "--no-join", "--workers", "1", "--log", "error",
        "--inbound", f"127.0.0.1:{ports['inbound']}=127.0.0.1:{server_port},bench",
        "--admin", f"127.0.0.1:{ports['admin']}", "--tap", f"127.0.0.1:{ports['tap']}",
        # Nobody answers there: what the proxy does without control is part of the design.
        "--control", f"http://127.0.0.1:{free_port()}",
    ]  # fmt: skip
    if collector:
        command += ["--otlp", f"http://127.0.0.1:{collector}"]
    proxy = processes.start(core, command, stdout=log)
    wait_for_port(ports["inbound"], proxy, "clew-proxy")
    return proxy, ports["inbound"]


def load(core, port, seconds, connections, http2):
    """Runs h2load and gives requests, requests per second and latency percentiles (ms)."""
    version = [] if http2 else ["--h1"]
    streams = ["-m", "20"] if http2 else []
    command = ["taskset", "-c", str(core), "h2load", *version, *streams, "-c", str(connections), "-t", "1",
               "-D", str(seconds), "--warm-up-time", "1", f"http://127.0.0.1:{port}/books/17"]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counts = re.search(
        r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored", output
    )
    succeeded, failed, errored = int(counts[2]), int(counts[3]), int(counts[4])
    if failed or errored or succeeded == 0:
        sys.exit(f"not every request succeeded:\n{output}")
    rate = float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", output)[1])
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+(\S+)", output)[1]
    return succeeded, rate, to_ms(mean)


def to_ms(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def measure(case, options):
    before = cpu_seconds(case["pid"]) if case["pid"] else 0.0
    requests, rate, mean_ms = load(0, case["port"], options.seconds, options.connections, case["http2"])
    result = {"rate": rate, "mean_ms": mean_ms}
    if case["pid"]:
        # The warm-up second is in the CPU time and not in h2load's count: scale by time.
        share = options.seconds / (options.seconds + 1)
        result["cpu_us"] = (cpu_seconds(case["pid"]) - before) * share / requests * 1e6
    return result


def spread(values):
    return f"{statistics.median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"


def table(cases, rounds):
    direct = statistics.median(r["rate"] for r in rounds["direct"])
    lines = [
        "| case | requests/s, median (min to max) | of direct | proxy CPU, us/request | mean latency, ms |",
        "|---|---|---|---|---|",
    ]
    for name in cases:
        rates = [r["rate"] for r in rounds[name]]
        cpu = [r["cpu_us"] for r in rounds[name] if "cpu_us" in r]
        mean = [r["mean_ms"] for r in rounds[name]]
        share = f"{statistics.median(rates) / direct:.2f}"
        lines.append(f"| {name} | {spread(rates)} | {share} | {spread(cpu) if cpu else '-'} | {spread(mean)} |")
    return "\n".join(lines)


def version_of(command):
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    return (output.stdout or output.stderr).strip().splitlines()[0]


def report(rows, idle, options):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"""# Benchmarks

One proxy with one data-plane thread on one core; h2load and nginx on another one. HTTP/1.1 GET, keep-alive,
{options.connections} connections, answers of 128 bytes, closed loop; {options.rounds} rounds of {options.seconds} s
in turn (A B C, A B C, ...). Every answer was checked to be a success. Everything that exists is on: per-route
metrics, histograms, the access log's and tap's checks.

{rows}

An idle `clew-proxy` holds {idle:.1f} MiB (RSS).

- "direct": h2load to nginx without a proxy; both on one core, so its rate is bounded by that core, as is the
  rate through the proxy by the proxy's core. Compare the CPU time, not the rates alone.
- "no spans": no collector is configured. "100% spans": every request begins a trace and its span is encoded and
  sent to a collector; where none answers, the spans are dropped and counted, and the encoding is still paid.
- CPU time is user and system time of the whole process, its control thread included.

Made by `make bench` on {model[1] if model else platform.machine()}, {os.cpu_count()} cores, {platform.release()};
{version_of([options.binary, "--version"])}; {version_of(["h2load", "--version"])}; {version_of(["nginx", "-v"])}.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--binary", default=target / "dist/clew-proxy", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    for tool in ("h2load", "nginx", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing (Debian: apt-get install nghttp2-client nginx-light util-linux)")
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the proxy, one for load and server")
    processes = Processes()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        try:
            server = start_server(processes, directory, 0)
            with open(directory / "proxy.log", "wb") as log:
                plain, plain_port = start_proxy(processes, options.binary, 1, server, None, log)
                spans, spans_port = start_proxy(processes, options.binary, 1, server, free_port(), log)
            time.sleep(1)
            idle = rss_mib(plain.pid)
            cases = {
                "direct": {"port": server, "pid": None, "http2": False},
                "clew-proxy, no spans": {"port": plain_port, "pid": plain.pid, "http2": False},
                "clew-proxy, 100% spans": {"port": spans_port, "pid": spans.pid, "http2": False},
            }
            rounds = {name: [] for name in cases}
            for number in range(options.rounds):
                for name, case in cases.items():
                    rounds[name].append(measure(case, options))
                print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
        finally:
            processes.end()
    text = report(table(cases, rounds), idle, options)
    print(text)
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
