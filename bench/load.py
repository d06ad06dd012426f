"""Load: h2load in a closed loop, and an open loop that sends on time whatever came back."""

import heapq
import re
import selectors
import socket
import subprocess
import sys
import time

from processes import LOAD_CORE

PATH = "/books/17"


def closed_loop(port, seconds, workload):
    """Runs h2load: as many requests as the proxy lets through. Gives their number and rate."""
    command = ["taskset", "-c", str(LOAD_CORE), "h2load", *workload["flags"], "-t", "1", "-D", str(seconds),
               "--warm-up-time", "1", f"http://127.0.0.1:{port}{PATH}"]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counts = re.search(
        r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored", output
    )
    succeeded, failed, errored = int(counts[2]), int(counts[3]), int(counts[4])
    if failed or errored or succeeded == 0:
        sys.exit(f"not every request succeeded:\n{output}")
    rate = float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", output)[1])
    return succeeded, rate


def open_loop(port, seconds, per_second, connections):
    """Sends a request each time it is due, and measures from when it was due: a proxy that stalls makes all
    those late that came meanwhile (no coordinated omission). Gives latencies in milliseconds, sorted."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    idle, latencies, waiting = [], [], []
    for _ in range(connections):
        s = socket.create_connection(("127.0.0.1", port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        idle.append(s)
        selector.register(s, selectors.EVENT_READ)
    due_at = {}
    start = time.perf_counter()
    total = int(seconds * per_second)
    next_due = 0
    while len(latencies) < total:
        now = time.perf_counter() - start
        while next_due < total and next_due / per_second <= now:
            heapq.heappush(waiting, next_due / per_second)
            next_due += 1
        while waiting and idle:
            s = idle.pop()
            due_at[s] = heapq.heappop(waiting)
            s.sendall(request)
        pause = max(0, next_due / per_second - (time.perf_counter() - start)) if next_due < total else 1
        for key, _ in selector.select(pause):
            s = key.fileobj
            answer = s.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200") or not answer.endswith(b"x"):
                sys.exit(f"not every request succeeded: {answer[:200]!r}")
            latencies.append((time.perf_counter() - start - due_at.pop(s)) * 1e3)
            idle.append(s)
    for s in idle:
        s.close()
    return sorted(latencies)


def ask(port, traceparent):
    """A request of this trace whose answer nobody waits for: open as long as what is returned is."""
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\ntraceparent: {traceparent}\r\n\r\n".encode())
    return s


def hold(port, count):
    """So many connections that were used once and are idle now."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    held = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(request)
        held.append(s)
    for s in held:
        if not s.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("a connection that was to be idle got no answer")
    return held
