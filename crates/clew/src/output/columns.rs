//! What the columns of the tables mean, in one place: a table has no column that is not in it, and docs/cli.md
//! is made of it.

/// Headings and their meaning.
pub(crate) const COLUMNS: [(&str, &str); 75] = [
    ("NAMESPACE", "namespace of the workload"),
    ("NAME", "the workload"),
    (
        "INSTANCES",
        "its instances that are in the mesh now; 0 when only its numbers are left",
    ),
    ("INST", "the same, where there is little room"),
    (
        "DIRECTION",
        "inbound: requests to the workload; outbound: requests that it made",
    ),
    ("CLIENT", "who asked; `(unmeshed)` has no sidecar"),
    ("SERVER", "who was asked"),
    (
        "ROUTE",
        "class of requests: a configured route, a gRPC method, or a template learned from paths",
    ),
    ("SERVICE", "name by which the server was asked for"),
    (
        "SOURCE",
        "where the route's name comes from: learned from paths, configured, an OpenAPI document, a `.proto` file, the method of gRPC; other: requests of many routes, or of none",
    ),
    (
        "SUCCESS",
        "successes among the requests that ended, without those that their callers gave up",
    ),
    (
        "SCORE",
        "of the requests that say whether the workload passes trace context on: the percentage that does",
    ),
    (
        "VERDICTS",
        "requests by what became of the context (docs/tracing.md)",
    ),
    ("EVIDENCE", "the same by what they showed (docs/metrics.md)"),
    ("CALLED", "route that was called for the requests"),
    (
        "PER_REQUEST",
        "calls for each request, the ones that made none included",
    ),
    (
        "CALLS_P50",
        "half of the requests made at most so many calls",
    ),
    ("CALLS_P99", "the same for 99 of 100"),
    (
        "AGAIN",
        "calls that followed a failed one of the same request: attempts again",
    ),
    ("RPS", "requests that ended, per second of the window"),
    (
        "LATENCY_P50",
        "half of the requests took at most this long, to the end of the response; streams are left out",
    ),
    ("LATENCY_P95", "the same for 95 of 100"),
    ("LATENCY_P99", "the same for 99 of 100"),
    (
        "P50",
        "`LATENCY_P50`, where there is little room; `P95` and `P99` likewise",
    ),
    (
        "MEAN",
        "mean time of the requests that were no long streams",
    ),
    ("TIME", "what time was spent on (docs/latency.md)"),
    ("HOP", "one request: who asked, who answered, what for"),
    ("PROXIES", "work of the two proxies on the way"),
    ("WAITS", "their waits: `WAIT`"),
    (
        "NETWORK+KERNEL",
        "time on the client's side less that on the server's, and less what the client's proxy did",
    ),
    (
        "APPLICATION",
        "the server's own time: without the time in which a request that it made was open",
    ),
    (
        "ON_PATH",
        "what of the trace's duration belongs to this hop and to none below it",
    ),
    ("OF", "whose time it is; of an edge, client and server"),
    ("SHARE", "share of the time before it"),
    (
        "SLOWEST",
        "mean time of the slowest hundredth of the requests",
    ),
    ("PROXY", "of it: the proxies' own work"),
    (
        "WAIT",
        "of it: waits of the proxies for a place on a connection, a new connection, a handshake",
    ),
    (
        "BEYOND",
        "the rest of it. Inbound: the application, and what it waited for; outbound: network, kernel and the server",
    ),
    (
        "BETWEEN",
        "mean time on the client's side less the one on the server's: network and kernel, with the work of the client's proxy",
    ),
    ("REQUESTS", "requests that ended in the window"),
    ("FAILURES", "of them: failed by the server or the mesh"),
    (
        "CANCELLED",
        "of them: given up by their callers; neither success nor failure",
    ),
    (
        "STREAMS",
        "long streams that are open now: WebSocket, events, answers that go on for more than 10 s",
    ),
    (
        "TCP_CONN",
        "connections that are open now, whatever they carry",
    ),
    ("TCP_READ", "bytes read from the other side in the window"),
    (
        "TCP_WRITTEN",
        "bytes written to the other side in the window",
    ),
    (
        "PROXY_P50",
        "half of the requests were in the proxy's hands for at most this long, from head in to head out, waits excluded",
    ),
    ("PROXY_P99", "the same for 99 of 100"),
    (
        "ERRORS",
        "why requests failed, and how many; of `clew traces`: spans that failed",
    ),
    (
        "SERVICES",
        "names by which it was asked for; of `clew traces`: spans by service",
    ),
    (
        "TLS",
        "mtls: encrypted, and both have proven who they are; none: in clear",
    ),
    (
        "ADMITTED",
        "requests whose client might ask this, whatever became of them",
    ),
    ("REFUSED", "requests whose client might not"),
    (
        "MAY_CALL",
        "who may call the service, with what in parentheses; `(default)`: as all services of which nothing else is said",
    ),
    (
        "CLIENT_ID",
        "who the client has proven to be, by its certificate",
    ),
    (
        "SERVER_ID",
        "who the server has proven to be, by its certificate",
    ),
    (
        "REPORTED_BY",
        "side whose numbers these are: outbound is the client's, inbound the server's where the client has no sidecar",
    ),
    ("TRACE_ID", "for `clew trace`"),
    ("START", "when the first span began, UTC"),
    (
        "DURATION",
        "from the begin of the first span to the end of the last",
    ),
    ("SPANS", "spans that are stored"),
    (
        "MISSING_PARENTS",
        "spans whose parent is not stored: someone did not export, or, of a trace that is `(arriving)`, not yet",
    ),
    ("ROOTS", "spans without a parent; a whole trace has one"),
    ("INSTANCE", "one instance of the workload"),
    (
        "STATE",
        "of an instance: in the mesh, leaving it, or why its numbers cannot be read",
    ),
    (
        "RPS_IN",
        "requests to the instance's application that began, per second of the last minute",
    ),
    ("RPS_OUT", "the same of requests that it made"),
    (
        "EXPORTED",
        "spans that observe took, since the proxy started",
    ),
    ("LOST", "spans that were dropped since then"),
    (
        "SERIES",
        "series of the family that has most of them, and how many a family may have (docs/metrics.md)",
    ),
    (
        "MEMORY",
        "memory in RAM of the proxy's process; `\"` where that is the process of a line above",
    ),
    (
        "CPU",
        "cores that the process kept busy in the last minute; `\"` as above",
    ),
    ("WAITING", "spans that are still to be exported"),
    ("FDS", "open file descriptors of the process"),
    (
        "LEVEL",
        "what the process logs: a level, or levels by module",
    ),
];

/// Columns that need no explanation.
pub(crate) const PLAIN: [&str; 7] = [
    "ROOT", "SETTING", "VALUE", "PROGRAM", "VERSION", "OF", "PID",
];

/// Whether a reader of the documents knows what stands in a column.
pub(crate) fn is_known(title: &str) -> bool {
    let title = match title {
        "P95" | "P99" => "P50",
        title => title,
    };
    PLAIN.contains(&title) || COLUMNS.iter().any(|(known, _)| *known == title)
}
