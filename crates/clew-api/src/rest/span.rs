//! One span as `GET traces/{id}` shows it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// 16 hex digits.
    pub span_id: String,
    /// 16 hex digits; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// Spans between it and that parent, which are not shown because they are of another scope than was asked for.
    /// Above 0, the parent is not the one that was exported.
    #[serde(default, skip_serializing_if = "is_none")]
    pub hidden_ancestors: u32,
    /// `server`, `client`, `producer`, `consumer`, `internal` or `unspecified`.
    pub kind: String,
    /// `service.name` of its resource: the workload.
    pub service: String,
    /// `service.namespace` of its resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `service.instance.id` of its resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Its name.
    pub name: String,
    /// Instrumentation scope: [`PROXY_SCOPE`] for a proxy's spans, else the application's library.
    pub scope: String,
    /// Its start, RFC 3339.
    pub start: String,
    /// Its start after the start of the trace. Negative never.
    pub offset_ms: f64,
    /// Its length.
    pub duration_ms: f64,
    /// `unset`, `ok` or `error`.
    pub status: String,
    /// What the status says in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    /// Attributes, as JSON values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Attributes of its resource beside service, namespace and instance, as JSON values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource: BTreeMap<String, serde_json::Value>,
    /// What happened while it was open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SpanEvent>,
    /// Other spans that it points at and that are not its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<SpanLink>,
    /// Time in the proxy that wrote it. Absent on spans of applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_time: Option<ProxyTime>,
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Scope name of the spans that proxies write.
pub const PROXY_SCOPE: &str = "clew.proxy";

/// Something that happened while a span was open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpanEvent {
    /// What.
    pub name: String,
    /// When, after the start of the trace.
    pub offset_ms: f64,
    /// Attributes, as JSON values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// A span that another one points at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpanLink {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// Attributes, as JSON values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// Time that a request spent in the proxy that wrote the span, or that saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProxyTime {
    /// The proxy's own work: what the mesh added.
    pub work_us: u64,
    /// Waits for others: a place on a connection, a new connection, a TLS handshake.
    pub wait_us: u64,
    /// By phase (`route`, `balance`, `connect`, ...).
    pub phases_us: BTreeMap<String, u64>,
}

impl ProxyTime {
    /// From the time in each phase; `None` where there is none: the time of a gateway's passage is told on
    /// its outbound side alone.
    ///
    /// `request` is all that the proxy did between head in and head out, less the waits, and so holds `route`,
    /// `policy` and `balance`, which count on their own only where the request got no further. `detect` lies
    /// before the request.
    pub fn from_phases(phases_us: BTreeMap<String, u64>) -> Option<Self> {
        if phases_us.is_empty() {
            return None;
        }
        // Saturating: whoever sends spans can claim any time.
        let sum = |names: &[&str]| {
            let times = names.iter().filter_map(|name| phases_us.get(*name));
            times.fold(0_u64, |sum, us| sum.saturating_add(*us))
        };
        let sent_on = phases_us.contains_key("request");
        let work_us = if sent_on {
            sum(&["request", "response"])
        } else {
            sum(&["route", "policy", "balance", "response"])
        };
        Some(Self {
            work_us,
            wait_us: sum(&["queue", "connect", "tls"]),
            phases_us,
        })
    }
}
