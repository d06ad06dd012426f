//! What tells some traces from others: `GET traces/compare`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET traces/compare`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceComparison {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Traces that are selected, of those that were found.
    pub selected: u64,
    /// The others of those that were found.
    pub rest: u64,
    /// What is not as frequent in the one as in the other, the greatest difference first; 50 at most. None where nothing
    /// is selected, or everything. Attributes that differ without telling anything are left out: ports that a system gave
    /// out, ids of requests, processes and threads, and measured times.
    pub attributes: Vec<AttributeDifference>,
    /// Spans that were read.
    pub spans: u64,
    /// Not all traces are compared: there are more than `limit`, or those that are have more than 100,000 spans, or the
    /// search came to its bound. The newest are compared.
    pub truncated: bool,
    /// As in `GET traces`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched_back_to: Option<String>,
}

/// How many traces have something. Each trace counts once, however often it has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AttributeDifference {
    /// What it is.
    pub kind: TraceFact,
    /// Name of the attribute; `service` and `error` of these kinds; of `calls` the service that was called.
    pub name: String,
    /// Value of the attribute; the service; of `calls` how many, as `3-4` or `100+`.
    pub value: String,
    /// Selected traces that have it.
    pub selected: u64,
    /// Share of the selected traces, 0 to 1.
    pub selected_share: f64,
    /// Other traces that have it.
    pub rest: u64,
    /// Share of the others, 0 to 1.
    pub rest_share: f64,
    /// `selected_share` less `rest_share`.
    pub difference: f64,
    /// What else the same traces have, and no others; 10 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoSo>,
    /// What they have beyond those.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub also_more: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Something else that is so of the same traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlsoSo {
    /// What it is.
    pub kind: TraceFact,
    /// As of a difference.
    pub name: String,
    /// As of a difference.
    pub value: String,
}

/// What may tell traces apart.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TraceFact {
    /// A span of the service failed.
    Error,
    /// How often the service was called.
    Calls,
    /// The service has a span in it.
    Service,
    /// A span has the attribute, itself or by its resource.
    Attribute,
}
