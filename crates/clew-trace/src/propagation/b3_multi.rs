//! B3 in many headers: `x-b3-traceid`, `x-b3-spanid`, `x-b3-parentspanid`, `x-b3-sampled`,
//! `x-b3-flags`.

use super::b3::{State, context, parse_span_id, parse_trace_id, trace_digits};
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue};

static TRACE_ID: HeaderName = HeaderName::from_static("x-b3-traceid");
static SPAN_ID: HeaderName = HeaderName::from_static("x-b3-spanid");
static PARENT_SPAN_ID: HeaderName = HeaderName::from_static("x-b3-parentspanid");
static SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
static FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");

pub(super) const FORMAT: Format = Format {
    headers: &[&TRACE_ID, &SPAN_ID, &PARENT_SPAN_ID, &SAMPLED, &FLAGS],
    extract,
    inject,
};

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let trace_id = single(headers, &TRACE_ID)?;
    let span_id = single(headers, &SPAN_ID)?;
    let state = extract_state(headers)?;
    match (trace_id, span_id) {
        (Some(trace_id), Some(span_id)) => Ok(Some(Content::Context(context(
            parse_trace_id(trace_id)?,
            parse_span_id(span_id)?,
            // Not needed to join the trace, and some senders write zeros for "none".
            headers
                .get(&PARENT_SPAN_ID)
                .and_then(|parent| parse_span_id(parent.as_bytes()).ok()),
            state,
        )))),
        (None, None) if state.decision == Decision::Deferred => Ok(None),
        (None, None) => Ok(Some(Content::Decision(state))),
        _ => Err(Malformed::Incomplete),
    }
}

fn extract_state(headers: &HeaderMap) -> Result<State, Malformed> {
    // "Debug implies an accept decision, so don't also send the X-B3-Sampled header." Every other
    // value of the flags means nothing.
    if single(headers, &FLAGS)? == Some(b"1") {
        return Ok(State::DEBUG);
    }
    match single(headers, &SAMPLED)? {
        None => Ok(State::default()),
        Some(b"1") => Ok(State::decided(true)),
        Some(b"0") => Ok(State::decided(false)),
        // Written by tracers from before the specification.
        Some(word) if word.eq_ignore_ascii_case(b"true") => Ok(State::decided(true)),
        Some(word) if word.eq_ignore_ascii_case(b"false") => Ok(State::decided(false)),
        Some(_) => Err(Malformed::Flags),
    }
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    put(
        headers,
        &TRACE_ID,
        Some(trace_digits(context.trace_id, &mut [0; 32])),
    );
    put(headers, &SPAN_ID, Some(&context.span_id.to_hex()));
    let parent = context.parent_span_id.map(|parent| parent.to_hex());
    put(
        headers,
        &PARENT_SPAN_ID,
        parent.as_ref().map(|digits| digits.as_slice()),
    );
    let (sampled, flags) = match context.decision {
        _ if context.debug => (None, Some("1")),
        Decision::Sampled => (Some("1"), None),
        Decision::NotSampled => (Some("0"), None),
        Decision::Deferred => (None, None),
    };
    put_static(headers, &SAMPLED, sampled);
    put_static(headers, &FLAGS, flags);
}

fn put(headers: &mut HeaderMap, name: &'static HeaderName, digits: Option<&[u8]>) {
    // Digits are always a valid header value.
    match digits.map(HeaderValue::from_bytes) {
        Some(Ok(value)) => headers.insert(name, value),
        _ => headers.remove(name),
    };
}

fn put_static(headers: &mut HeaderMap, name: &'static HeaderName, value: Option<&'static str>) {
    match value.map(HeaderValue::from_static) {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}
