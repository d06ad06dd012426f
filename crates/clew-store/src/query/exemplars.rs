//! Spans to look at beside numbers over time.

use clew_trace::{SpanId, TraceId};
use std::time::Duration;

/// Entries of the index that one question reads. It is asked again every two seconds where somebody looks.
pub const MAX_WALKED_SPANS: usize = 100_000;
/// Spans that one question reads whole, to know whether they are of those that are asked for.
pub const MAX_READ_SPANS: usize = 4_000;

/// A span of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its start, Unix time in nanoseconds.
    pub start_unix_nano: u64,
    /// Its length.
    pub duration: Duration,
    /// Its status is Error.
    pub failed: bool,
}

/// Spans by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exemplars {
    /// One list for each step, of the spans that ended in it: the slowest, and when that did not fail, the slowest that did.
    pub steps: Vec<Vec<Exemplar>>,
    /// There are more spans than may be looked at. They are shared out among the steps, and of each the newest are.
    pub truncated: bool,
}
