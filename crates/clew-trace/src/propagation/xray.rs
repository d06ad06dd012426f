//! AWS X-Ray's header, `x-amzn-trace-id: Root=1-{8 digits}-{24 digits};Parent={16 digits};Sampled={0, 1 or ?}` (AWS
//! X-Ray, "Tracing header").

use super::b3::{State, context, parse_span_id};
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use crate::hex::{self, Case};
use crate::id::TraceId;
use http::{HeaderMap, HeaderName, HeaderValue};

static TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

pub(super) const FORMAT: Format = Format {
    headers: &[&TRACE_ID],
    extract,
    inject,
};

/// Fields that are ours to write. Others, such as `Lineage`, are passed on.
const OURS: [&[u8]; 4] = [b"Root", b"Parent", b"Sampled", b"Self"];
const MAX_BYTES: usize = 1024;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let Some(value) = single(headers, &TRACE_ID)? else {
        return Ok(None);
    };
    if value.len() > MAX_BYTES {
        return Err(Malformed::Form);
    }
    let state = State {
        decision: match field(value, b"Sampled") {
            None | Some(b"?") => Decision::Deferred,
            Some(b"1") => Decision::Sampled,
            Some(b"0") => Decision::NotSampled,
            Some(_) => return Err(Malformed::Flags),
        },
        debug: false,
    };
    match (field(value, b"Root"), field(value, b"Parent")) {
        (Some(root), Some(parent)) => Ok(Some(Content::Context(context(
            parse_root(root)?,
            parse_parent(parent)?,
            None,
            state,
        )))),
        // A load balancer gives an id to a request that no span has sent. There is nothing to be a child of.
        _ if state.decision != Decision::Deferred => Ok(Some(Content::Decision(state))),
        _ => Ok(None),
    }
}

/// `1-{seconds}-{random}`: together 32 digits.
fn parse_root(root: &[u8]) -> Result<TraceId, Malformed> {
    let [
        b'1',
        b'-',
        seconds @ ..,
        b'-',
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = root
    else {
        return Err(Malformed::TraceId);
    };
    if seconds.len() != 8 {
        return Err(Malformed::TraceId);
    }
    let random = &root[root.len() - 24..];
    let seconds = hex::parse(seconds, Case::Any).ok_or(Malformed::TraceId)?;
    let random = hex::parse(random, Case::Any).ok_or(Malformed::TraceId)?;
    TraceId::new(seconds << 96 | random).ok_or(Malformed::ZeroId)
}

fn parse_parent(parent: &[u8]) -> Result<crate::id::SpanId, Malformed> {
    if parent.len() != 16 {
        return Err(Malformed::SpanId);
    }
    parse_span_id(parent)
}

fn fields(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    value.split(|&byte| byte == b';').filter_map(|field| {
        let field = field.trim_ascii();
        let equals = field.iter().position(|&byte| byte == b'=')?;
        Some((&field[..equals], &field[equals + 1..]))
    })
}

fn field<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields(value)
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let id = context.trace_id.to_hex();
    let mut line = Vec::with_capacity(96);
    for part in [b"Root=1-", &id[..8], b"-", &id[8..]] {
        line.extend_from_slice(part);
    }
    line.extend_from_slice(b";Parent=");
    line.extend_from_slice(&context.span_id.to_hex());
    line.extend_from_slice(match context.decision {
        Decision::Sampled => b";Sampled=1",
        Decision::NotSampled => b";Sampled=0",
        Decision::Deferred => b";Sampled=?",
    });
    let there = headers.get(&TRACE_ID).map(HeaderValue::as_bytes);
    let is_ours = |key: &[u8]| OURS.iter().any(|ours| key.eq_ignore_ascii_case(ours));
    for (key, value) in fields(there.unwrap_or_default()).filter(|(key, _)| !is_ours(key)) {
        if line.len() + key.len() + value.len() + 2 > MAX_BYTES {
            break;
        }
        line.push(b';');
        line.extend_from_slice(key);
        line.push(b'=');
        line.extend_from_slice(value);
    }
    // Of digits, names and what was a valid value before.
    if let Ok(value) = HeaderValue::from_bytes(&line) {
        headers.insert(&TRACE_ID, value);
    }
}
