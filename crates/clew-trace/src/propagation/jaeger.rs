//! Jaeger's own header, `uber-trace-id: {trace id}:{span id}:{parent span id}:{flags}` (Jaeger, "Client
//! Libraries: Propagation Format"). Clients before OpenTelemetry write it, some of them percent-encoded.

use super::b3::{State, context, parse_span_id, parse_trace_id, trace_digits};
use super::line::Line;
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use crate::hex::{self, Case};
use http::{HeaderMap, HeaderName};

static UBER_TRACE_ID: HeaderName = HeaderName::from_static("uber-trace-id");

pub(super) const FORMAT: Format = Format {
    headers: &[&UBER_TRACE_ID],
    extract,
    inject,
};

const SAMPLED: u128 = 0b01;
const DEBUG: u128 = 0b10;
/// Three ids, two digits of flags, and percent-encoded colons between them.
const MAX_LENGTH: usize = 32 + 16 + 16 + 2 + 3 * 3;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let Some(value) = single(headers, &UBER_TRACE_ID)? else {
        return Ok(None);
    };
    parse(value).map(|context| Some(Content::Context(context)))
}

fn parse(value: &[u8]) -> Result<TraceContext, Malformed> {
    if value.len() > MAX_LENGTH {
        return Err(Malformed::Form);
    }
    let mut fields = Fields(value);
    let (Some(trace_id), Some(span_id)) = (fields.next(), fields.next()) else {
        return Err(Malformed::Form);
    };
    let (Some(parent), Some(flags), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err(Malformed::Form);
    };
    let flags = hex::parse(flags, Case::Any).ok_or(Malformed::Flags)?;
    let state = State {
        decision: Decision::from(flags & (SAMPLED | DEBUG) != 0),
        debug: flags & DEBUG != 0,
    };
    Ok(context(
        parse_trace_id(trace_id)?,
        parse_span_id(span_id)?,
        // Deprecated, and 0 where there is none.
        parse_span_id(parent).ok(),
        state,
    ))
}

/// Fields between colons, which may be percent-encoded.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let value = self.0;
        if value.is_empty() {
            return None;
        }
        let is_colon = |at: usize| match &value[at..] {
            [b':', ..] => Some(1),
            [b'%', b'3', b'A' | b'a', ..] => Some(3),
            _ => None,
        };
        let end = (0..value.len()).find_map(|at| is_colon(at).map(|width| (at, width)));
        let (at, width) = end.unwrap_or((value.len(), 0));
        self.0 = &value[at + width..];
        Some(&value[..at])
    }
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let mut line = Line::<MAX_LENGTH>::default();
    line.push(trace_digits(context.trace_id, &mut [0; 32]));
    line.push(b":");
    line.push(&context.span_id.to_hex());
    line.push(b":");
    match context.parent_span_id {
        Some(parent) => line.push(&parent.to_hex()),
        None => line.push(b"0"),
    }
    line.push(match context.decision {
        _ if context.debug => b":3",
        Decision::Sampled => b":1",
        // A decision that nobody has made cannot be said.
        Decision::NotSampled | Decision::Deferred => b":0",
    });
    line.insert(headers, &UBER_TRACE_ID);
}
