//! What both forms of B3 share (openzipkin/b3-propagation): ids, and the sampling state.

use super::Malformed;
use crate::context::{Decision, TraceContext};
use crate::hex::{self, Case};
use crate::id::{SpanId, TraceId};
use crate::state::TraceState;

/// A trace id of up to 32 digits. The specification writes 16 or 32, in lower case; tracers that print
/// numbers without their leading zeros exist, and nobody is helped by losing their traces.
pub(super) fn parse_trace_id(digits: &[u8]) -> Result<TraceId, Malformed> {
    let value = hex::parse(digits, Case::Any).ok_or(Malformed::TraceId)?;
    TraceId::new(value).ok_or(Malformed::ZeroId)
}

/// A span id of up to 16 digits.
pub(super) fn parse_span_id(digits: &[u8]) -> Result<SpanId, Malformed> {
    if digits.len() > 16 {
        return Err(Malformed::SpanId);
    }
    let value = hex::parse(digits, Case::Any).ok_or(Malformed::SpanId)?;
    SpanId::new(value as u64).ok_or(Malformed::ZeroId)
}

/// Sampling state of both forms: the decision, and whether it is a debug trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) decision: Decision,
    pub(super) debug: bool,
}

impl State {
    pub(super) const DEBUG: Self = Self {
        decision: Decision::Sampled,
        debug: true,
    };

    pub(super) fn decided(sampled: bool) -> Self {
        Self {
            decision: Decision::from(sampled),
            debug: false,
        }
    }
}

pub(super) fn context(
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    state: State,
) -> TraceContext {
    TraceContext {
        trace_id,
        span_id,
        parent_span_id,
        decision: state.decision,
        debug: state.debug,
        random: false,
        state: TraceState::default(),
    }
}

/// The digits of a trace id as B3 writes it: 16 when it came with 64 bits, so that a tracer that knows
/// no more than 64 gets back what it sent.
pub(super) fn trace_digits(trace_id: TraceId, buffer: &mut [u8; 32]) -> &[u8] {
    *buffer = trace_id.to_hex();
    if trace_id.high64() == 0 {
        &buffer[16..]
    } else {
        buffer
    }
}
