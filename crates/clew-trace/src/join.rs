//! How one hop takes part in a trace: the rule by which a proxy joins the trace that came in or
//! begins one, decides whether the hop is kept, and chooses what goes on.

use crate::context::{Decision, TraceContext};
use crate::id::{SpanId, TraceId};
use crate::propagation::Extracted;
use crate::sampling::{RootSampler, decide};
use crate::state::TraceState;
use std::time::Instant;

#[cfg(test)]
mod tests;

/// A hop's part in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The trace: the one that came in, or a new one.
    pub trace_id: TraceId,
    /// This hop's own span.
    pub span_id: SpanId,
    /// The span that sent the request; `None` when the trace begins here.
    pub parent: Option<SpanId>,
    /// The hop's span is to be exported.
    pub sampled: bool,
    /// Context to write onto the request that goes on, for [`crate::inject`]. `None`: pass the
    /// request's headers on exactly as they came.
    pub onward: Option<TraceContext>,
}

/// Joins the trace that came in, or begins one.
///
/// A hop that is kept sends its own span id on. One that is not kept passes the context on
/// unchanged, so that no tracer ever sees a parent that nobody exported; unless it had to be decided
/// here or has to be made here, in which case what was decided is written down for those who follow.
///
/// What came from someone who is not trusted must not be given: pass `&Extracted::default()`, and
/// keep what came for a span link.
pub fn join(
    incoming: &Extracted,
    roots: &RootSampler,
    rng: &mut fastrand::Rng,
    now: Instant,
) -> Joined {
    let span_id = SpanId::random(rng);
    let Some(context) = &incoming.context else {
        let trace_id = TraceId::random(rng);
        let sampled = decide(incoming.lone_decision, trace_id, roots, now);
        let is_by_ratio = sampled && incoming.lone_decision == Decision::Deferred;
        let onward = Some(TraceContext {
            debug: sampled && incoming.debug,
            state: if is_by_ratio {
                roots.state().clone()
            } else {
                TraceState::default()
            },
            ..TraceContext::root(trace_id, span_id, Decision::from(sampled))
        });
        return Joined {
            trace_id,
            span_id,
            parent: None,
            sampled,
            onward,
        };
    };
    let sampled = decide(context.decision, context.trace_id, roots, now);
    let decision = Decision::from(sampled);
    let onward = if sampled {
        Some(TraceContext {
            decision,
            ..context.child(span_id)
        })
    } else if context.decision == Decision::Deferred {
        Some(TraceContext {
            decision,
            ..context.clone()
        })
    } else {
        None
    };
    Joined {
        trace_id: context.trace_id,
        span_id,
        parent: Some(context.span_id),
        sampled,
        onward,
    }
}
