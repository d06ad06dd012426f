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
    /// There are more in the window than `limit` let through.
    pub truncated: bool,
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
}

/// Where a trace begins: the span without a parent, or, while there is none, the earliest whose parent
/// is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Root {
    /// Its service: the workload.
    pub service: String,
    /// Its name.
    pub name: String,
    /// It has no parent.
    pub is_root: bool,
}

/// Answer of `GET traces/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// 32 hex digits.
    pub trace_id: String,
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
}

/// A span that others name as their parent and that nobody exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MissingParent {
    /// Its id, 16 hex digits.
    pub span_id: String,
    /// Spans that name it, 16 hex digits each.
    pub children: Vec<String>,
}
