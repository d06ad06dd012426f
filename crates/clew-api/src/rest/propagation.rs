//! The propagation audit: `GET propagation`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Answer of `GET propagation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Propagation {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Workloads that made requests in the window, by namespace and name.
    pub workloads: Vec<WorkloadPropagation>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadPropagation {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Share of the requests that say something of the workload which speak for it, 0 to 1. Absent: none says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What it called, by service and route.
    pub routes: Vec<RoutePropagation>,
}

/// One outbound route of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoutePropagation {
    /// Service that was called, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Route, as the caller's proxy names it.
    pub route: String,
    /// As for the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Requests by verdict: `forwarded`, `participated`, `deferred`, `foreign`, `mangled`, `dropped`, `unattributed`,
    /// `background`.
    pub verdicts: BTreeMap<String, u64>,
    /// The same requests by what they showed (`evidence` of `clew_propagation_total`).
    pub evidence: BTreeMap<String, u64>,
}
