//! Examples: of each route that is called without the context that was given, the last call, beside a request that was in
//! flight.

use crate::hop::SeriesKey;
use clew_model::name::{RouteName, ServiceName};
use clew_trace::audit::Evidence;
use clew_trace::{Family, FamilySet, Malformed, SpanId, TraceId};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Examples that are kept: past it the one that was seen least lately is replaced.
pub(super) const MAX_EXAMPLES: usize = 128;
/// A newer one is not worth a thought before that.
const KEEP: Duration = Duration::from_millis(100);
/// Traces that this instance was not given, of the last calls to a route: for whoever can find out where they began.
pub(super) const MAX_TRACES: usize = 8;

/// What the application was given with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The route that was asked of it.
    pub(crate) route: RouteName,
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    /// The headers that carried it.
    pub(crate) families: FamilySet,
    pub(crate) unix_nano: u64,
}

/// What a call showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) evidence: Evidence,
    pub(crate) unix_nano: u64,
    pub(crate) families: FamilySet,
    pub(crate) unusable: Option<(Family, Malformed)>,
    pub(crate) context: Option<(TraceId, SpanId)>,
}

/// A call, and a request that was in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) service: Option<ServiceName>,
    pub(crate) route: RouteName,
    pub(crate) sent: Sent,
    /// The request, or one of them.
    pub(crate) given: Option<Given>,
    /// Requests that were in flight.
    pub(crate) in_flight: usize,
    /// The last traces that the calls to this route carried and that this instance was not given, oldest first.
    pub(crate) traces: Vec<TraceId>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Examples(Mutex<Vec<(Instant, Example)>>);

impl Examples {
    /// Whether calls with this evidence are shown: those that speak against the application, or may.
    pub(super) fn show(evidence: Evidence) -> bool {
        matches!(
            evidence,
            Evidence::AbsentBusy | Evidence::OtherBusy | Evidence::Unusable
        )
    }

    /// Keeps a call as an example, unless there is a new one. Never waits: another call will do as well.
    pub(super) fn keep(
        &self,
        call: &SeriesKey,
        sent: Sent,
        now: Instant,
        beside: impl FnOnce() -> (Option<Given>, usize),
    ) {
        let Ok(mut examples) = self.0.try_lock() else {
            return;
        };
        let is_it = |example: &Example| {
            example.sent.evidence == sent.evidence
                && example.route == call.route
                && example.service == call.peer.service
        };
        let known = examples.iter().position(|(_, example)| is_it(example));
        let mut traces = Vec::new();
        if let Some(at) = known {
            if now.saturating_duration_since(examples[at].0) < KEEP {
                return;
            }
            traces = examples.swap_remove(at).1.traces;
        } else if examples.len() >= MAX_EXAMPLES {
            let oldest = examples.iter().enumerate().min_by_key(|(_, (at, _))| *at);
            if let Some((oldest, _)) = oldest {
                examples.swap_remove(oldest);
            }
        }
        if let Some((trace, _)) = sent.context.filter(|(trace, _)| !traces.contains(trace)) {
            if traces.len() == MAX_TRACES {
                traces.remove(0);
            }
            traces.push(trace);
        }
        let (given, in_flight) = beside();
        let example = Example {
            service: call.peer.service.clone(),
            route: call.route.clone(),
            sent,
            given,
            in_flight,
            traces,
        };
        examples.push((now, example));
    }

    /// As they are now.
    pub(super) fn all(&self) -> Vec<Example> {
        let examples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        examples
            .iter()
            .map(|(_, example)| example.clone())
            .collect()
    }
}
