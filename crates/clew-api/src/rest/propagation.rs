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
    /// What breaks traces in it, and what to change. Empty: nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<PropagationAdvice>,
}

/// How a workload breaks traces, and what to change in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PropagationAdvice {
    /// `dropped`, `restarted` or `mangled`.
    pub verdict: String,
    /// Requests with this verdict.
    pub requests: u64,
    /// What they asked for: `GET /authors/{id} of authors`.
    pub calls: Vec<String>,
    /// What they did, to follow the number of requests: `came without trace headers, ...`.
    pub what: String,
    /// What to change, as a sentence.
    pub fix: String,
    /// The evidence of the examples that show it.
    pub evidence: String,
}

impl RoutePropagation {
    /// What was asked for, in words: `GET /authors/{id} of authors`.
    pub fn callee(&self) -> String {
        match &self.service {
            Some(service) => format!("{} of {service}", self.route),
            None => self.route.clone(),
        }
    }
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
    /// The last call in the window that speaks against the workload, or may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<PropagationExample>,
}

/// A call, and a request that was in flight in the application when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PropagationExample {
    /// What the call showed: `absent_busy`, `other_busy` or `unusable`.
    pub evidence: String,
    /// Instance that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Requests that were in flight.
    pub in_flight: u64,
    /// What the application was given with the request that was in flight. Of several, it is one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenContext>,
    /// What the call brought.
    pub sent: SentContext,
}

/// Context that an application was given with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenContext {
    /// When, RFC 3339.
    pub at: String,
    /// Route that was asked of it.
    pub route: String,
    /// Headers that can carry it, of the families that it was given.
    pub headers: Vec<String>,
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
}

/// Context that a call brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentContext {
    /// When, RFC 3339.
    pub at: String,
    /// Headers of the families that were there.
    pub headers: Vec<String>,
    /// 32 hex digits; absent where there was none that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// 16 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// Why a header says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// `/propagation` of a member's admin server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberExamples {
    /// Of each route that was called and what it showed, the last one.
    pub examples: Vec<MemberExample>,
}

/// An example of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberExample {
    /// Service that was called, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its route, as the member names it.
    pub route: String,
    /// The call.
    #[serde(flatten)]
    pub example: PropagationExample,
    /// Traces that the last calls to this route brought and that the member was not given, 32 hex digits each.
    #[serde(default)]
    pub traces: Vec<String>,
}
