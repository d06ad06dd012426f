//! B3 in one header: `b3: {trace id}-{span id}-{sampling state}-{parent span id}`, of which the last
//! two are optional, or `b3: {sampling state}` alone.

use super::b3::{State, context, parse_span_id, parse_trace_id, trace_digits};
use super::line::Line;
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use http::{HeaderMap, HeaderName};

static B3: HeaderName = HeaderName::from_static("b3");

pub(super) const FORMAT: Format = Format {
    headers: &[&B3],
    extract,
    inject,
};

/// `<32>-<16>-<1>-<16>`.
const MAX_LENGTH: usize = 68;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let Some(value) = single(headers, &B3)? else {
        return Ok(None);
    };
    parse(value).map(Some)
}

fn parse(value: &[u8]) -> Result<Content, Malformed> {
    if value.len() > MAX_LENGTH {
        return Err(Malformed::Form);
    }
    let mut fields = value.split(|&byte| byte == b'-');
    let (first, span) = (fields.next().unwrap_or_default(), fields.next());
    let (state, parent) = (fields.next(), fields.next());
    if fields.next().is_some() {
        return Err(Malformed::Form);
    }
    let Some(span) = span else {
        return parse_state(first).map(Content::Decision);
    };
    // Only here are the lengths fixed: a cut-off header must not pass for a short id.
    if !matches!(first.len(), 16 | 32) {
        return Err(Malformed::TraceId);
    }
    if span.len() != 16 {
        return Err(Malformed::SpanId);
    }
    Ok(Content::Context(context(
        parse_trace_id(first)?,
        parse_span_id(span)?,
        // Not needed to join the trace, and some senders write zeros for "none".
        parent.and_then(|parent| parse_span_id(parent).ok()),
        state.map(parse_state).transpose()?.unwrap_or_default(),
    )))
}

fn parse_state(field: &[u8]) -> Result<State, Malformed> {
    match field {
        b"0" => Ok(State::decided(false)),
        b"1" => Ok(State::decided(true)),
        b"d" => Ok(State::DEBUG),
        _ => Err(Malformed::Flags),
    }
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let mut line = Line::<MAX_LENGTH>::default();
    line.push(trace_digits(context.trace_id, &mut [0; 32]));
    line.push(b"-");
    line.push(&context.span_id.to_hex());
    let state: &[u8] = match context.decision {
        _ if context.debug => b"-d",
        Decision::Sampled => b"-1",
        Decision::NotSampled => b"-0",
        Decision::Deferred => b"",
    };
    line.push(state);
    if let (Some(parent), false) = (context.parent_span_id, state.is_empty()) {
        line.push(b"-");
        line.push(&parent.to_hex());
    }
    line.insert(headers, &B3);
}
