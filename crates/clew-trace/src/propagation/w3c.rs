//! W3C Trace Context: `traceparent` and `tracestate`.
//!
//! Level 1 (Recommendation, 23 November 2021) and what level 2 adds to it: the random flag and wider
//! keys in `tracestate`. Section numbers are those of level 2.

use super::{Content, Format, Malformed};
use crate::context::{Decision, TraceContext, TraceFlags};
use crate::hex::{self, Case};
use crate::id::{SpanId, TraceId};
use crate::state::TraceState;
use http::{HeaderMap, HeaderName, HeaderValue};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

pub(super) const FORMAT: Format = Format {
    headers: &[&TRACEPARENT, &TRACESTATE],
    extract,
    inject,
};

/// `00-<32 digits>-<16 digits>-<2 digits>`.
const LENGTH: usize = 55;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let mut values = headers.get_all(&TRACEPARENT).iter();
    let Some(parent) = values.next() else {
        // A tracestate alone means nothing (section 4.3).
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Malformed::Duplicate);
    }
    let (trace_id, span_id, flags) = parse_traceparent(parent.as_bytes())?;
    Ok(Some(Content::Context(TraceContext {
        trace_id,
        span_id,
        parent_span_id: None,
        decision: Decision::from(flags.is_sampled()),
        debug: false,
        random: flags.is_random(),
        state: TraceState::from_headers(&headers.get_all(&TRACESTATE)),
    })))
}

/// Section 3.2.2; versions after 00 by the rules of section 3.2.4 ("versioning of traceparent").
fn parse_traceparent(value: &[u8]) -> Result<(TraceId, SpanId, TraceFlags), Malformed> {
    let Some((known, rest)) = value.split_at_checked(LENGTH) else {
        return Err(Malformed::Form);
    };
    if [known[2], known[35], known[52]] != *b"---" {
        return Err(Malformed::Form);
    }
    let version = hex::parse(&known[..2], Case::Lower).ok_or(Malformed::Version)?;
    match (version, rest) {
        (0xff, _) => return Err(Malformed::Version),
        // Version 00 ends here; a later one may go on, after another dash.
        (_, []) => {}
        (1.., [b'-', ..]) => {}
        _ => return Err(Malformed::Form),
    }
    let trace_id = hex::parse(&known[3..35], Case::Lower).ok_or(Malformed::TraceId)?;
    let span_id = hex::parse(&known[36..52], Case::Lower).ok_or(Malformed::SpanId)?;
    let flags = hex::parse(&known[53..], Case::Lower).ok_or(Malformed::Flags)?;
    Ok((
        TraceId::new(trace_id).ok_or(Malformed::ZeroId)?,
        SpanId::new(span_id as u64).ok_or(Malformed::ZeroId)?,
        TraceFlags::from_octet(flags as u8),
    ))
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let mut parent = *b"00-................................-................-00";
    parent[3..35].copy_from_slice(&context.trace_id.to_hex());
    parent[36..52].copy_from_slice(&context.span_id.to_hex());
    parent[53..].copy_from_slice(&hex::digits_u8(context.flags().octet()));
    // Digits and dashes are always a valid header value.
    if let Ok(parent) = HeaderValue::from_bytes(&parent) {
        headers.insert(&TRACEPARENT, parent);
    }
    match context.state.header() {
        Some(state) => {
            headers.insert(&TRACESTATE, state.clone());
        }
        None => {
            headers.remove(&TRACESTATE);
        }
    }
}
