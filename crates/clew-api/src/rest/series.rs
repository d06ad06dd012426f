//! Numbers over time: `GET series` and `GET heatmap`.

use super::golden::Direction;
use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET series`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// The times that they are of.
    #[serde(flatten)]
    pub steps: TimeSteps,
    /// Side of the sidecars that measured.
    pub direction: Direction,
    /// By requests, most first.
    pub series: Vec<SeriesRow>,
    /// There are more series than one answer has: 1,000, and 60,000 steps of all together.
    pub truncated: bool,
}

/// Times that follow one another. All lists that are of steps have one element for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimeSteps {
    /// What all steps cover. It ends up to one resolution (1 s, 10 s, 60 s, by age) before what was asked for, and 1.5 s
    /// before now at the latest: what happened since may not have been read.
    pub window: WindowBounds,
    /// Before this nothing was measured, whatever the steps say, RFC 3339.
    pub measured_from: String,
    /// Length of a step in seconds.
    pub step_seconds: f64,
    /// Where each step ends, Unix time in milliseconds.
    pub ends: Vec<u64>,
}

/// Golden metrics of one group, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesRow {
    /// The workload, by `workload` and `route`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The route, by `route`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The client workload, by `client`; `(unmeshed)` for clients outside the mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_namespace: Option<String>,
    /// Requests that ended, however they ended.
    pub requests: Vec<u64>,
    /// The same per second.
    pub rps: Vec<f64>,
    /// successes / (successes + failures), 0 to 1; null where both are 0.
    pub success_rate: Vec<Option<f64>>,
    /// Requests that failed by the server or the mesh.
    pub failures: Vec<u64>,
    /// Half of the requests took no longer, in milliseconds; null where nothing was measured.
    pub p50_ms: Vec<Option<f64>>,
    /// 95% of the requests took no longer, in milliseconds.
    pub p95_ms: Vec<Option<f64>>,
    /// 99% of the requests took no longer, in milliseconds.
    pub p99_ms: Vec<Option<f64>>,
    /// 99% of the requests spent no longer in the proxy, waits for others excluded, in milliseconds. Absent where it is
    /// not known: proxies do not measure it by route, client or server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_p99_ms: Option<Vec<Option<f64>>>,
}

/// Answer of `GET heatmap`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Heatmap {
    /// The times that it is of.
    #[serde(flatten)]
    pub steps: TimeSteps,
    /// Side of the sidecars that measured.
    pub direction: Direction,
    /// Upper bounds (included) of the buckets that hold anything, ascending, in milliseconds; null for one that has none.
    pub bounds_ms: Vec<Option<f64>>,
    /// Lower bounds (excluded) of the same buckets. Between two of them may be others, which hold nothing.
    pub lower_bounds_ms: Vec<f64>,
    /// For each step, the requests in each of these buckets.
    pub counts: Vec<Vec<u64>>,
    /// For each step, spans of such requests that ended in it: the slowest, and when that did not fail, the slowest that
    /// did. They are of the traces that are kept, which may be a sample of the requests.
    pub exemplars: Vec<Vec<Exemplar>>,
    /// There are more spans than one answer looks at: of some steps only the newest were looked at.
    pub exemplars_truncated: bool,
}

/// A request, as the proxy that measured it wrote it into its trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Exemplar {
    /// Its trace, 32 hex digits.
    pub trace_id: String,
    /// Its span, 16 hex digits.
    pub span_id: String,
    /// Start of the span, RFC 3339.
    pub start: String,
    /// Length of the span, not of the trace.
    pub duration_ms: f64,
    /// Its status is error.
    pub failed: bool,
}
