//! Traces: the list, and one whole.

use super::span::Span;
use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Answer of `GET traces`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Traces {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Newest first.
    pub traces: Vec<TraceSummary>,
    /// There are more in the window than `limit` let through, or there may be, for the search came to its bound.
    pub truncated: bool,
    /// A search by `status` or `tags` reads 100,000 spans, newest first. Where it came to that, what started before this was
    /// not looked at, RFC 3339: `until` goes on there. Absent when all of the window was searched, or `limit` was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_back_to: Option<String>,
}

/// One trace in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceSummary {
    /// 32 hex digits.
    pub trace_id: String,
    /// Start of its first span, RFC 3339.
    pub start: String,
    /// From its first span's start to its last span's end.
    pub duration_ms: f64,
    /// Where it begins.
    pub root: Root,
    /// Spans without a parent: 1 in a whole trace.
    pub roots: u64,
    /// Number of spans.
    pub spans: u64,
    /// Number of spans by service.
    pub services: BTreeMap<String, u64>,
    /// Spans whose status is error.
    pub errors: u64,
    /// Spans whose parent is not in the store.
    pub missing_parents: u64,
    /// Whether all of it is there.
    pub state: TraceState,
}

/// Whether all of a trace is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceState {
    /// Something was added less than 2 s ago, and more may come.
    Arriving,
    /// One span has no parent, and every parent is there.
    Whole,
    /// Parents are missing, or it has not one root but several or none, and nothing was added for 2 s. A request that takes
    /// longer looks so until it ends.
    Broken,
}

/// Where a trace begins: the span without a parent, or, while there is none, the earliest whose parent
/// is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Root {
    /// Its service: the workload.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its route: as the metrics name it, else as its framework does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Its HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// It has no parent.
    pub is_root: bool,
}

/// Answer of `GET traces/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// 32 hex digits.
    pub trace_id: String,
    /// Whether all of it is there, also where spans of one scope are asked for.
    pub state: TraceState,
    /// Start of its first span, RFC 3339.
    pub start: String,
    /// From its first span's start to its last span's end.
    pub duration_ms: f64,
    /// By start.
    pub spans: Vec<Span>,
    /// Parents that spans name and that are not in the store.
    pub missing_parents: Vec<MissingParent>,
    /// Spans that are not shown, because they are of another scope than was asked for.
    #[serde(default)]
    pub hidden_spans: u64,
    /// Where the time went, request by request between two proxies, each below the one that it was made for.
    #[serde(default)]
    pub hops: Vec<HopTime>,
}

/// Where the time of one request between two proxies went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HopTime {
    /// Hops above it.
    pub depth: u32,
    /// Workload that asked; absent where it is outside of the mesh, or its span is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Workload that was asked; of one outside of the mesh what it was asked for by; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Name of the request.
    pub name: String,
    /// From its head to the end of its response.
    pub total_ms: f64,
    /// Work of the client's proxy.
    pub client_proxy_ms: f64,
    /// Waits of the client's proxy: a place on a connection, a new connection, a handshake.
    pub client_wait_ms: f64,
    /// Network and kernel between the two proxies: the client's time less its proxy's and less the server's. Never
    /// negative, for each of the two was taken on one clock. Absent where one of the spans is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_ms: Option<f64>,
    /// Work of the server's proxy.
    pub server_proxy_ms: f64,
    /// Waits of the server's proxy.
    pub server_wait_ms: f64,
    /// The application's own time: without the time in which a request that it made was open. Absent where there is no
    /// application, or no span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_ms: Option<f64>,
    /// What of the duration of the trace belongs to this hop and to none below it (its critical path).
    pub on_path_ms: f64,
    /// What the server's clock is wrong by at least, against the client's. Positive: it is behind. Absent: not at all, as far
    /// as can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_at_least_ms: Option<f64>,
}

/// A span that others name as their parent and that nobody exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingParent {
    /// Its id, 16 hex digits.
    pub span_id: String,
    /// Spans that name it, 16 hex digits each.
    pub children: Vec<String>,
}
