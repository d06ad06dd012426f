//! The part of `mesh.yaml` that says what proxies report.

use super::kinds;
use clew_model::telemetry::{AccessLog, Sampling, TelemetrySettings, WriteFormat};
use clew_runtime::config::{Scalar, Settings, Table, boolean, group, list, number, one_of, ratio};

/// What proxies report.
pub(super) struct Telemetry(pub(super) TelemetrySettings);

impl Settings for Telemetry {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let tracing = t.default("tracing", boolean(), "true", "Spans, or metrics only.");
        let sampling = t.default(
            "sampling",
            group::<Roots>(),
            "{}",
            "Which new traces are kept.",
        );
        let write = t.default(
            "write",
            list(write_format()),
            "[]",
            "Formats of trace context that are written beside W3C and the one that came in.",
        );
        let access_log = t.default(
            "access_log",
            access_log(),
            "off",
            "Which requests go to the access log, on standard error.",
        );
        let show_headers = t.default(
            "show_headers",
            list(kinds::header()),
            "[]",
            "Headers whose values `clew tap` and the access log may show.",
        );
        let audit = t.default(
            "audit",
            boolean(),
            "true",
            "What applications make of trace context is compared with what they are given (`clew propagation`).",
        );
        let write = write?;
        Some(Self(TelemetrySettings {
            tracing: tracing?,
            sampling: sampling?.0,
            write: write.into_iter().collect(),
            access_log: access_log?,
            show_headers: show_headers?.into(),
            audit: audit?,
        }))
    }
}

fn write_format() -> Scalar<WriteFormat> {
    one_of(&[
        ("b3", WriteFormat::B3),
        ("b3multi", WriteFormat::B3Multi),
        ("jaeger", WriteFormat::Jaeger),
        ("datadog", WriteFormat::Datadog),
        ("xray", WriteFormat::XRay),
        ("grpc-trace-bin", WriteFormat::GrpcTraceBin),
    ])
}

fn access_log() -> Scalar<AccessLog> {
    one_of(&[
        ("off", AccessLog::Off),
        ("errors", AccessLog::Errors),
        ("all", AccessLog::All),
    ])
}

struct Roots(Sampling);

impl Settings for Roots {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let ratio = t.default("ratio", ratio(), "1.0", "Share of new traces to keep.");
        let max_per_second = t.optional(
            "max_per_second",
            number(0.001..=1e9),
            "At most so many new traces a second, for each proxy.",
        );
        Some(Self(Sampling {
            ratio: ratio?,
            max_per_second: max_per_second?,
        }))
    }
}
