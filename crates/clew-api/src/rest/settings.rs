//! Telemetry settings: `GET` and `PUT settings/telemetry`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TelemetrySettings {
    /// False: nothing is minted or emitted. Metrics are as before.
    pub tracing: bool,
    /// Share of new traces to keep, 0 to 1.
    pub sampling_ratio: f64,
    /// At most this many new traces a second for each proxy. Absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_max_per_second: Option<f64>,
    /// Families written beside W3C and the one that came in: `b3`, `b3multi`, `jaeger`, `datadog`, `xray`, `grpc-trace-bin`.
    pub write_formats: Vec<String>,
    /// Which hops go to the access log: `off`, `errors` or `all`.
    pub access_log: String,
    /// Headers whose values tap and the access log may show, lower case.
    pub show_headers: Vec<String>,
    /// Whether what applications make of trace context is compared with what they are given.
    #[serde(default = "yes")]
    pub audit: bool,
}

/// What was written before there was a choice.
fn yes() -> bool {
    true
}

/// Body of `PUT settings/telemetry`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryChange {
    /// False: nothing is minted or emitted. Metrics are as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    /// Share of new traces to keep, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_ratio: Option<f64>,
    /// At most this many new traces a second for each proxy; 0 takes the limit away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_max_per_second: Option<f64>,
    /// Families written beside W3C and the one that came in: `b3`, `b3multi`, `jaeger`, `datadog`, `xray`, `grpc-trace-bin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_formats: Option<Vec<String>>,
    /// Which hops go to the access log: `off`, `errors` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log: Option<String>,
    /// Headers whose values tap and the access log may show, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_headers: Option<Vec<String>>,
    /// Whether what applications make of trace context is compared with what they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<bool>,
}

impl TelemetryChange {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
