//! Datadog's headers: `x-datadog-trace-id` and `x-datadog-parent-id` in decimal, `x-datadog-sampling-priority`, and
//! the upper half of a 128-bit trace id as the member `_dd.p.tid` of `x-datadog-tags` (Datadog, "Trace Context
//! Propagation"). `x-datadog-origin` is passed on as it is.

use super::b3::{State, context};
use super::line::Line;
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use crate::hex::{self, Case};
use crate::id::{SpanId, TraceId};
use http::{HeaderMap, HeaderName, HeaderValue};

static TRACE_ID: HeaderName = HeaderName::from_static("x-datadog-trace-id");
static PARENT_ID: HeaderName = HeaderName::from_static("x-datadog-parent-id");
static PRIORITY: HeaderName = HeaderName::from_static("x-datadog-sampling-priority");
static TAGS: HeaderName = HeaderName::from_static("x-datadog-tags");
static ORIGIN: HeaderName = HeaderName::from_static("x-datadog-origin");

pub(super) const FORMAT: Format = Format {
    headers: &[&TRACE_ID, &PARENT_ID, &PRIORITY, &TAGS, &ORIGIN],
    extract,
    inject,
};

/// Key of the upper half of a trace id.
const UPPER: &[u8] = b"_dd.p.tid";
/// Datadog's tracers send no more.
const MAX_TAGS_BYTES: usize = 512;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let state = State {
        decision: decision(single(headers, &PRIORITY)?)?,
        debug: false,
    };
    match (single(headers, &TRACE_ID)?, single(headers, &PARENT_ID)?) {
        (Some(trace_id), Some(parent_id)) => {
            let low = decimal(trace_id).ok_or(Malformed::TraceId)?;
            let span_id = decimal(parent_id).ok_or(Malformed::SpanId)?;
            let high = headers.get(&TAGS).and_then(|tags| upper(tags.as_bytes()));
            let trace_id = u128::from(high.unwrap_or_default()) << 64 | u128::from(low);
            if low == 0 {
                return Err(Malformed::ZeroId);
            }
            Ok(Some(Content::Context(context(
                TraceId::new(trace_id).ok_or(Malformed::ZeroId)?,
                SpanId::new(span_id).ok_or(Malformed::ZeroId)?,
                None,
                state,
            ))))
        }
        (None, None) if state.decision == Decision::Deferred => Ok(None),
        (None, None) => Ok(Some(Content::Decision(state))),
        _ => Err(Malformed::Incomplete),
    }
}

/// -1 and 0 drop; 1 and 2 keep.
fn decision(priority: Option<&[u8]>) -> Result<Decision, Malformed> {
    let Some(priority) = priority else {
        return Ok(Decision::Deferred);
    };
    let (digits, is_negative) = match priority.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (priority, false),
    };
    let number = decimal(digits).ok_or(Malformed::Flags)?;
    Ok(Decision::from(number > 0 && !is_negative))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(value.into())
    })
}

fn members(tags: &[u8]) -> impl Iterator<Item = &[u8]> {
    tags.split(|&byte| byte == b',')
        .filter(|member| !member.is_empty())
}

fn is_upper(member: &[u8]) -> bool {
    member
        .strip_prefix(UPPER)
        .is_some_and(|rest| rest.starts_with(b"="))
}

fn upper(tags: &[u8]) -> Option<u64> {
    let member = members(tags).find(|member| is_upper(member))?;
    let digits = &member[UPPER.len() + 1..];
    // Anything else is not what a tracer writes, and half an id is better than a wrong one.
    (digits.len() == 16)
        .then(|| hex::parse(digits, Case::Lower))?
        .and_then(|value| u64::try_from(value).ok())
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let low = context.trace_id.low64();
    if low == 0 {
        // Their tracers would take it for none.
        FORMAT.headers.iter().for_each(|name| {
            headers.remove(*name);
        });
        return;
    }
    put_decimal(headers, &TRACE_ID, low);
    put_decimal(headers, &PARENT_ID, context.span_id.get());
    inject_priority(headers, context.decision);
    inject_upper(headers, context.trace_id.high64());
}

fn put_decimal(headers: &mut HeaderMap, name: &'static HeaderName, number: u64) {
    let mut line = Line::<20>::default();
    line.push_decimal(number);
    line.insert(headers, name);
}

/// One that says the same already stays: 2 is a user's word, and 1 a sampler's.
fn inject_priority(headers: &mut HeaderMap, wanted: Decision) {
    let there = single(headers, &PRIORITY).and_then(decision);
    if there == Ok(wanted) {
        return;
    }
    match wanted {
        Decision::Sampled => headers.insert(&PRIORITY, HeaderValue::from_static("1")),
        Decision::NotSampled => headers.insert(&PRIORITY, HeaderValue::from_static("0")),
        Decision::Deferred => headers.remove(&PRIORITY),
    };
}

/// The other tags stay as they are.
fn inject_upper(headers: &mut HeaderMap, high: u64) {
    let there = headers.get(&TAGS).map(HeaderValue::as_bytes);
    if there.and_then(upper).unwrap_or_default() == high {
        return;
    }
    let mut tags: Vec<u8> = Vec::new();
    if high != 0 {
        tags.extend_from_slice(UPPER);
        tags.push(b'=');
        tags.extend_from_slice(&hex::digits_u64(high));
    }
    for member in members(there.unwrap_or_default()).filter(|member| !is_upper(member)) {
        if tags.len() + 1 + member.len() > MAX_TAGS_BYTES {
            break;
        }
        if !tags.is_empty() {
            tags.push(b',');
        }
        tags.extend_from_slice(member);
    }
    match HeaderValue::from_bytes(&tags) {
        Ok(tags) if !tags.is_empty() => drop(headers.insert(&TAGS, tags)),
        _ => drop(headers.remove(&TAGS)),
    }
}
