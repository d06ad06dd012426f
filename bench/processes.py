"""Processes on cores of their own: started, measured, and ended by process id."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Load and server share the first core; the proxy that is measured has the second one to itself.
LOAD_CORE, PROXY_CORE = 0, 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Processes:
    """Everything that was started."""

    def __init__(self, directory):
        self.log = open(directory / "processes.log", "wb")
        self.running = []

    def start(self, core, command, listens_on=None, **options):
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            stdout=self.log,
            stderr=subprocess.STDOUT,
            **options,
        )
        self.running.append(process)
        if listens_on:
            self.wait_for(process, listens_on, command[0])
        return process.pid

    def wait_for(self, process, port, what):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self.fail(f"{what} ended with {process.returncode} before it listened")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        self.fail(f"{what} did not listen on port {port} within 15 s")

    def fail(self, why):
        self.log.flush()
        print(pathlib.Path(self.log.name).read_text(errors="replace")[-4000:], file=sys.stderr)
        sys.exit(why)

    def end(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def family(pid):
    """The process and its children: nginx has its worker in one."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pid):
    """User and system time so far, as the kernel counts it."""
    total = 0
    for member in family(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mib(pid):
    """Resident memory; pages that several of the processes share count for each."""
    pages = sum(int(pathlib.Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family(pid))
    return pages * PAGE / 2**20
