//! Live requests: `GET tap` answers with one [`TapLine`] a line (NDJSON).

use super::golden::Direction;
use super::span::ProxyTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Content type of the stream.
pub const NDJSON: &str = "application/x-ndjson";

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TapLine {
    /// A request that ended, or a long stream that is open.
    Request(Box<TapRequest>),
    /// Who is being watched; first of all, and again when it changes.
    Watching(TapWatching),
    /// Requests that matched and are not shown, because of a rate or because the reader is slow.
    Skipped(TapSkipped),
}

/// Who is being watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TapWatching {
    /// Instances whose proxies send, by name.
    pub instances: Vec<String>,
    /// Instances that match and whose proxies do not answer, by name.
    pub unreachable: Vec<String>,
}

/// Requests that are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TapSkipped {
    /// How many since the last such line.
    pub requests: u64,
}

/// One request, as one proxy saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TapRequest {
    /// Its start, RFC 3339.
    pub start: String,
    /// From the head of the request to the end of the response, or to now while it is open.
    pub duration_ms: f64,
    /// Side of the proxy.
    pub direction: Direction,
    /// Workload that the proxy stands beside.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Its instance.
    pub instance: String,
    /// The other side's workload; absent when it is not in the mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_workload: Option<String>,
    /// The other side's namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_namespace: Option<String>,
    /// Service that was addressed, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Request method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port as the client wrote them.
    pub authority: String,
    /// Without its query.
    pub path: String,
    /// Its route.
    pub route: String,
    /// `1.0`, `1.1` or `2`.
    pub protocol_version: String,
    /// Absent when there was no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Absent when the response was not gRPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<String>,
    /// `success`, `failure` or `cancelled`; empty while it is open.
    pub classification: String,
    /// A long stream that is still open, which is told of once a minute; its end comes as a line of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Reason of a failure or of the cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Body bytes of the request.
    pub request_bytes: u64,
    /// Body bytes of the response.
    pub response_bytes: u64,
    /// 32 hex digits; absent when tracing is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// 16 hex digits; absent when the proxy kept no span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The trace is sampled.
    pub sampled: bool,
    /// In the order of the request, redacted by the proxy.
    pub request_headers: Vec<TapHeader>,
    /// In the order of the response, redacted by the proxy.
    pub response_headers: Vec<TapHeader>,
    /// Time in the proxy. Absent where it is told on the other side of the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_time: Option<ProxyTime>,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TapHeader {
    /// Lower case.
    pub name: String,
    /// `(redacted)` unless the settings show this header.
    pub value: String,
}
