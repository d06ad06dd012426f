//! Trace context in headers, one target for each family.
//!
//! The bytes are lines, each the value of a header; they are dealt out to the headers of the family in turn, so
//! that a header may come twice, and an empty line leaves one out.

use clew_trace::propagation::remove;
use clew_trace::{Decision, Family, FamilySet, TraceContext, extract, inject};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of each family, those first that it cannot be without.
fn names(family: Family) -> &'static [&'static str] {
    match family {
        Family::W3c => &["traceparent", "tracestate"],
        Family::B3Single => &["b3"],
        Family::B3Multi => &[
            "x-b3-traceid",
            "x-b3-spanid",
            "x-b3-sampled",
            "x-b3-flags",
            "x-b3-parentspanid",
        ],
        Family::Jaeger => &["uber-trace-id"],
        Family::Datadog => &[
            "x-datadog-trace-id",
            "x-datadog-parent-id",
            "x-datadog-sampling-priority",
            "x-datadog-tags",
            "x-datadog-origin",
        ],
        Family::XRay => &["x-amzn-trace-id"],
        Family::GrpcTraceBin => &["grpc-trace-bin"],
    }
}

/// W3C Trace Context.
pub fn context_w3c(bytes: &[u8]) -> bool {
    alone(Family::W3c, bytes)
}

/// B3 in one header.
pub fn context_b3(bytes: &[u8]) -> bool {
    alone(Family::B3Single, bytes)
}

/// B3 in many headers.
pub fn context_b3multi(bytes: &[u8]) -> bool {
    alone(Family::B3Multi, bytes)
}

/// Jaeger's header.
pub fn context_jaeger(bytes: &[u8]) -> bool {
    alone(Family::Jaeger, bytes)
}

/// Datadog's headers.
pub fn context_datadog(bytes: &[u8]) -> bool {
    alone(Family::Datadog, bytes)
}

/// AWS X-Ray's header.
pub fn context_xray(bytes: &[u8]) -> bool {
    alone(Family::XRay, bytes)
}

/// OpenCensus' header for gRPC.
pub fn context_grpc_trace_bin(bytes: &[u8]) -> bool {
    alone(Family::GrpcTraceBin, bytes)
}

/// All families beside one another: lines are dealt out to every header that there is.
pub fn context_all(bytes: &[u8]) -> bool {
    let all: Vec<_> = Family::ALL.into_iter().flat_map(names).copied().collect();
    let mut headers = deal(&all, bytes);
    let read = extract(&headers);
    let Some(context) = read.context else {
        return false;
    };
    assert!(!read.families.is_empty(), "a context came from some family");
    // As a hop does it: the families that came, and W3C.
    inject(&mut headers, &context, read.families);
    let again = extract(&headers);
    assert_eq!(
        again.context.as_ref().map(ids),
        Some(ids(&context)),
        "{headers:?}"
    );
    // What could not be used stays as it came, and is no better for it.
    assert!(again.families.contains(Family::W3c));
    true
}

/// Reads the headers of one family. Whatever they say:
///
/// 1. Nothing else is read from them.
/// 2. What is written of the context is read as the same context.
/// 3. What is written over headers that were there is the same as what is written over what that gave.
fn alone(family: Family, bytes: &[u8]) -> bool {
    let mut headers = deal(names(family), bytes);
    let read = extract(&headers);
    let only = FamilySet::only(family);
    assert!(read.families.without(only).is_empty());
    assert!(
        read.unusable.is_none_or(|(other, _)| other == family),
        "{:?}",
        read.unusable
    );
    let Some(context) = read.context else {
        return !read.families.is_empty();
    };
    assert!(!context.debug || context.decision == Decision::Sampled);
    write(&mut headers, &context, family);
    let Some(again) = extract(&headers).context else {
        panic!("{context:?} was written and cannot be read: {headers:?}");
    };
    assert_eq!(ids(&again), ids(&context));
    assert_eq!(again.debug, context.debug);
    assert_eq!(again.decision, said(family, context.decision));
    let first = headers.clone();
    write(&mut headers, &again, family);
    assert_eq!(headers, first, "the second writing says something else");
    true
}

/// Writes one family, and nothing else.
fn write(headers: &mut HeaderMap, context: &TraceContext, family: Family) {
    inject(headers, context, FamilySet::only(family));
    if family != Family::W3c {
        remove(headers, FamilySet::only(Family::W3c));
    }
}

fn ids(context: &TraceContext) -> (clew_trace::TraceId, clew_trace::SpanId) {
    (context.trace_id, context.span_id)
}

/// What a family can say of a decision: not all have a word for one that nobody has made.
fn said(family: Family, decision: Decision) -> Decision {
    match (family, decision) {
        (Family::W3c | Family::Jaeger | Family::GrpcTraceBin, Decision::Deferred) => {
            Decision::NotSampled
        }
        _ => decision,
    }
}

fn deal(names: &[&'static str], bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let name = HeaderName::from_static(names[number % names.len()]);
        // The codec lets no other bytes through.
        if let (false, Ok(value)) = (line.is_empty(), HeaderValue::from_bytes(line)) {
            headers.append(name, value);
        }
    }
    headers
}
