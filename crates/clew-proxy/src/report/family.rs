//! The table of metric families. What is reported, docs/metrics.md and the tests all read it from here.

use std::fmt::Write as _;
use std::sync::LazyLock;

use clew_api::prometheus::MetricType;
use clew_api::prometheus::exposition::FamilyName;

use super::histogram::{Scale, Unit};

#[cfg(test)]
mod tests;

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: MetricType,
    /// Labels beside the constant ones, by group.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
    /// Buckets, of a histogram.
    pub(super) scale: Option<&'static LazyLock<Scale>>,
}

impl Family {
    pub(super) fn as_exposed(&self) -> FamilyName<'static> {
        FamilyName {
            name: self.name,
            help: self.help,
            kind: self.kind,
        }
    }
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family {
        name,
        kind: MetricType::Counter,
        labels,
        help,
        scale: None,
    }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family {
        name,
        kind: MetricType::Gauge,
        labels,
        help,
        scale: None,
    }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    scale: &'static LazyLock<Scale>,
    help: &'static str,
) -> Family {
    Family {
        name,
        kind: MetricType::Histogram,
        labels,
        help,
        scale: Some(scale),
    }
}

/// Latency of requests: Linkerd's bounds, and three below its first because a hop on one machine takes
/// less than a millisecond. Native buckets from a microsecond to an hour.
pub(super) static LATENCY: LazyLock<Scale> = LazyLock::new(|| {
    const BOUNDS_MS: &[f64] = &[
        0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 100.0, 200.0, 300.0,
        400.0, 500.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0, 10_000.0, 20_000.0, 30_000.0,
        40_000.0, 50_000.0,
    ];
    Scale::new(Unit::Milliseconds, BOUNDS_MS, -10..22)
});

/// What lasts: streams, tunnels, connections. Up to a day, native buckets up to three.
pub(super) static LONG: LazyLock<Scale> = LazyLock::new(|| {
    const BOUNDS_MS: &[f64] = &[
        1.0,
        10.0,
        100.0,
        1_000.0,
        10_000.0,
        60_000.0,
        300_000.0,
        900_000.0,
        3_600_000.0,
        21_600_000.0,
        86_400_000.0,
    ];
    Scale::new(Unit::Milliseconds, BOUNDS_MS, -3..28)
});

/// Time inside the proxy: a microsecond to ten seconds.
pub(super) static PROXY_TIME: LazyLock<Scale> = LazyLock::new(|| {
    const BOUNDS_SECONDS: &[f64] = &[
        0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5,
        0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
    ];
    Scale::new(Unit::Seconds, BOUNDS_SECONDS, -23..5)
});

/// How many: 1 to 65,536.
pub(super) static NUMBER: LazyLock<Scale> = LazyLock::new(|| {
    const BOUNDS: &[f64] = &[
        1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0,
    ];
    Scale::new(Unit::Number, BOUNDS, -1..16)
});

/// Labels on every series.
pub(super) const CONSTANT_LABELS: [&str; 2] = ["workload", "namespace"];

macro_rules! hop_labels {
    ($($more:literal),*) => {
        &[
            "direction", "client_workload", "client_namespace", "client_id", "dst_service", "dst_workload",
            "dst_namespace", "server_id", "route", "tls", $($more),*
        ]
    };
}

const HOP: &[&str] = hop_labels!();
const RESPONSE: &[&str] = hop_labels!("status_code", "grpc_status", "classification", "error");
const DURATION: &[&str] = hop_labels!("grpc_status", "classification", "error");
const STREAM_BYTES_LABELS: &[&str] = hop_labels!("from");
const PROPAGATION_LABELS: &[&str] = hop_labels!("evidence");
const CALL_LABELS: &[&str] = &[
    "direction",
    "client_workload",
    "client_namespace",
    "client_id",
    "route",
    "tls",
    "dst_service",
    "dst_route",
];
const TCP: &[&str] = &[
    "direction",
    "client_workload",
    "client_namespace",
    "client_id",
    "dst_service",
    "dst_workload",
    "dst_namespace",
    "server_id",
    "tls",
];

pub(super) static REQUESTS: Family = counter(
    "request_total",
    HOP,
    "Requests, counted once it is known where they go, whatever became of them.",
);
pub(super) static RESPONSES: Family = counter(
    "response_total",
    RESPONSE,
    "Requests that ended, by how they ended. One that was cancelled, reset or refused is here too, with an error.",
);
pub(super) static LATENCIES: Family = histogram(
    "response_latency_ms",
    DURATION,
    &LATENCY,
    "Time from the head of a request to the end of its response. Long streams, which went on for more than 10 s after the response's head or are server-sent events, are not in it.",
);
pub(super) static STREAMS: Family = histogram(
    "clew_stream_duration_ms",
    DURATION,
    &LONG,
    "Time from the head of a request to the end, of long streams: server-sent events, upgraded connections, tunnels, and responses that went on for more than 10 s after their head.",
);
pub(super) static FIRST_BYTES: Family = histogram(
    "clew_first_byte_ms",
    DURATION,
    &LATENCY,
    "Time from the head of a request to the first byte of the response's body, where the response streams.",
);
pub(super) static OPEN_STREAMS: Family = gauge(
    "clew_open_streams",
    HOP,
    "Long streams that are open now. One is counted at once where it is one by nature (server-sent events, upgraded connections, tunnels), and else when it has gone on for 10 s after the response's head.",
);
pub(super) static STREAM_BYTES: Family = counter(
    "clew_stream_bytes_total",
    STREAM_BYTES_LABELS,
    "Bytes of the bodies of long streams, by the side that sent them (client or server), while they are open and at their end; each byte once.",
);
pub(super) static PROPAGATION: Family = counter(
    "clew_propagation_total",
    PROPAGATION_LABELS,
    "Requests of the application that have ended, by what they show of the trace context that it was given.",
);
pub(super) static CALLS: Family = histogram(
    "clew_calls_per_request",
    CALL_LABELS,
    &NUMBER,
    "How often a request to the application called a route of a service before it ended, of the requests that did. \
     Only calls whose trace ids name the request count.",
);
pub(super) static CALLS_AGAIN: Family = counter(
    "clew_calls_again_total",
    CALL_LABELS,
    "Of these calls, those that followed one of the same request that had failed: attempts again, one for each failure.",
);
pub(super) static APPLICATION: Family = counter(
    "clew_application_seconds_total",
    &["state"],
    "Time in which at least one request was in flight in the application (busy), and in which none was (idle), as far as \
     the propagation audit knows.",
);
pub(super) static TCP_OPENED: Family = counter(
    "tcp_open_total",
    TCP,
    "Connections between this proxy and others that were opened: inbound from a client, counted once it is known who that is; outbound to an endpoint.",
);
pub(super) static TCP_CLOSED: Family =
    counter("tcp_close_total", TCP, "Connections that were closed.");
pub(super) static TCP_OPEN: Family = gauge(
    "tcp_open_connections",
    TCP,
    "Connections that are open now.",
);
pub(super) static TCP_READ: Family = counter(
    "tcp_read_bytes_total",
    TCP,
    "Bytes read from the other side.",
);
pub(super) static TCP_WRITTEN: Family = counter(
    "tcp_write_bytes_total",
    TCP,
    "Bytes written to the other side.",
);
pub(super) static TCP_DURATIONS: Family = histogram(
    "tcp_connection_duration_ms",
    TCP,
    &LONG,
    "Time that closed connections were open.",
);
pub(super) static PROXY_TIMES: Family = histogram(
    "clew_proxy_time_seconds",
    &["direction", "phase"],
    &PROXY_TIME,
    "Time that requests spent inside this proxy, by phase. Queue, connect and tls are waits for others.",
);
pub(super) static SPANS: Family = counter(
    "clew_spans_total",
    &["outcome"],
    "Hops with trace context: emitted or unsampled. What was emitted is exported, dropped_queue_full, \
     dropped_export_failed, or still waits.",
);
pub(super) static SERIES_DROPPED: Family = counter(
    "clew_series_dropped_total",
    &["family"],
    "Times that a proxy thread asked for a new series and the cardinality budget of its family had no room.",
);
pub(super) static SERIES: Family = gauge(
    "clew_series",
    &["family"],
    "Series that a family with a cardinality budget has now.",
);
pub(super) static SERIES_LIMIT: Family = gauge(
    "clew_series_limit",
    &[],
    "Series that such a family may have before new ones share some.",
);
pub(super) static LOG_DROPPED: Family = counter(
    "clew_access_log_dropped_total",
    &[],
    "Lines of the access log that were dropped because its queue was full.",
);
pub(super) static CERTIFICATE_EXPIRES: Family = gauge(
    "identity_cert_expiration_timestamp_seconds",
    &[],
    "When the certificate of the workload ends, in Unix seconds.",
);
pub(super) static CERTIFICATES: Family = counter(
    "identity_cert_refreshes_total",
    &[],
    "Certificates that control has signed for the workload, the first one included.",
);
pub(super) static TLS_REFUSED: Family = counter(
    "clew_tls_refused_total",
    &[],
    "Connections of clients that failed the TLS handshake, such as those whose certificate is not believed.",
);
pub(super) static BUILD: Family = gauge(
    "clew_build_info",
    &["version"],
    "Always 1; the version is in its label.",
);
pub(super) static STARTED: Family = gauge(
    "process_start_time_seconds",
    &[],
    "When the process started, in Unix seconds.",
);
pub(super) static RESIDENT: Family = gauge(
    "process_resident_memory_bytes",
    &[],
    "Memory of the process in RAM.",
);
pub(super) static CPU: Family = counter(
    "process_cpu_seconds_total",
    &[],
    "Processor time of the process, its own and the kernel's for it.",
);
pub(super) static OPEN_FDS: Family = gauge(
    "process_open_fds",
    &[],
    "Open file descriptors of the process.",
);

/// All families, in the order in which they are reported.
pub(super) static ALL: [&Family; 31] = [
    &REQUESTS,
    &RESPONSES,
    &LATENCIES,
    &STREAMS,
    &FIRST_BYTES,
    &OPEN_STREAMS,
    &STREAM_BYTES,
    &PROPAGATION,
    &CALLS,
    &CALLS_AGAIN,
    &APPLICATION,
    &TCP_OPENED,
    &TCP_CLOSED,
    &TCP_OPEN,
    &TCP_READ,
    &TCP_WRITTEN,
    &TCP_DURATIONS,
    &PROXY_TIMES,
    &SPANS,
    &SERIES,
    &SERIES_LIMIT,
    &SERIES_DROPPED,
    &LOG_DROPPED,
    &CERTIFICATE_EXPIRES,
    &CERTIFICATES,
    &TLS_REFUSED,
    &BUILD,
    &STARTED,
    &RESIDENT,
    &CPU,
    &OPEN_FDS,
];

/// docs/metrics.md.
pub fn reference() -> String {
    let mut page = String::from(PREFACE);
    for family in ALL {
        let kind = match family.kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            _ => "histogram",
        };
        let _ = write!(
            page,
            "\n### `{}`\n\n{kind}. {}\n\n",
            family.name, family.help
        );
        if family.labels.is_empty() {
            page.push_str("Labels: only the constant ones.\n");
        } else {
            let labels: Vec<String> = family
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let _ = writeln!(page, "Labels: {}.", labels.join(", "));
        }
        if let Some(scale) = family.scale {
            let bounds: Vec<String> = scale.bounds().iter().map(f64::to_string).collect();
            let _ = write!(
                page,
                "\nBounds of the classic buckets: {}.\n",
                bounds.join(", ")
            );
        }
    }
    page
}

const PREFACE: &str = "\
# Metrics of a proxy

<!-- Generated from crates/clew-proxy/src/report/family.rs; `UPDATE=1 cargo test -p clew-proxy metrics_page` writes it. -->

At `/metrics` of the admin port, in the format that the scraper asks for: Prometheus text 0.0.4, OpenMetrics 1.0.0
(with exemplars and created timestamps) or Prometheus protobuf (with native histograms too).

Every series has the labels `workload` and `namespace`: those of the workload that the proxy stands beside. A label
that does not apply is left out, which to Prometheus is the same as an empty value:

- `client_workload`, `client_namespace` and `client_id` are on inbound series, `dst_service`, `dst_workload`,
  `dst_namespace` and `server_id` on outbound ones. All but `dst_service` are empty where the other side is not in the mesh.
- `dst_service` of a host outside of the mesh is what the application asked for: the authority of its requests or of its
  `CONNECT`. Where that is an address, bytes that are TLS have the name in their ClientHello and the port
  (`shop.example:443`); it is the client's claim, and no more than a label.
- `grpc_status` is on responses of gRPC, as a number; one that ended without it has the one that clients make of that.
  `error` says why the mesh refused a request, or how it broke off. It is empty where there was an answer, a 5xx
  included.
- `classification` is `success`, `failure`, or `cancelled`: the caller gave up, which says nothing of the server.

Every request counts once in `request_total` and, when it has ended, once in `response_total`. Requests that could not
be parsed are there with route `(unknown)`.

`clew_propagation_total` counts requests of the application by what they show of the trace context that it was given,
whether anything is sampled or not; with tracing off nothing is given, and nothing counted. `evidence` is

- `given`: the trace of a request in flight, and the span that the application was given as the parent: it passed the
  headers on. `inside`: another parent: a library takes part. `ended`: the trace of a request that has ended (in the
  last minute; some 16,000 are remembered).
- `absent_busy`: no context, while requests were in flight. `absent_idle`: none, and nothing was in flight.
  `absent_after`: the same within a second after a request. Where a route shows no `absent_idle`, its `absent_busy` were
  forgotten; where it does, nobody can tell a timer's call from one that was, unless there are far more of these than
  such a timer would make in the time that the application was busy (`clew_application_seconds_total`).
- `unusable`: headers are there and say nothing (cut short, all zero). `decision`: a decision without ids (`b3: 0`).
- `other_busy`, `other_idle`: a trace that this instance was not given: from a queue, or begun here.
- `forgotten`: more requests were in flight than are remembered.
- `opaque`: no request, but a connection of the application whose bytes are not read, such as TLS of its own; it has no
  route.

`clew_calls_per_request` and `clew_calls_again_total` are of requests to the application: `route` is what was asked of it,
`dst_service` and `dst_route` what it called for that. A request that called nothing of it is not in the histogram; those
are `response_total` of the route less the histogram's count.

A long stream counts meanwhile: in `clew_open_streams`, and its bytes in `clew_stream_bytes_total` as they come (within
a second, mostly a tenth). The requests whose bytes are there are those that are open streams, and those that ended in
`clew_stream_duration_ms`.

Each family has a budget of series for the workload. Past it, a new route is counted under `(other)` and in
`clew_series_dropped_total`; far past it the other side is `(other)` too. New outcomes of a route that has its place
have room for as many series again; past that, their `status_code` is rounded to its class. A route that nobody asked
for in 15 minutes is forgotten, and begins at 0 with a new created timestamp when it comes back.

Paths of which the server has never answered one with success keep names of their own only up to a hundred; past it
they share the route `GET /…`.

`clew_spans_total` adds up: `emitted` = `exported` + `dropped_queue_full` + `dropped_export_failed` + those that wait
at this moment; and `emitted` + `unsampled` = requests with trace context that have ended.

Histograms have classic buckets and, in protobuf, native ones of schema 3 beside them.

## Families
";
