//! Requests with spans, as observe reads them.

use clew_api::otlp::{
    AnyValue, ExportTraceServiceRequest, KeyValue, MAX_ATTRIBUTES, MAX_EVENTS, MAX_TEXT_BYTES,
    OtlpSpan, ReceivedSpans, Size, any_value, request_from_json,
};
use clew_api::zipkin::message::ListOfSpans;
use clew_api::zipkin::{list_from_json, size_of_json, size_of_protobuf};
use clew_observe::ingest::{MAX_SPANS, fuzzing as ingest};
use clew_trace::Span;
use clew_trace::span::AttributeValue;
use prost::Message as _;

/// What Zipkin's fields become, beside the tags.
const ZIPKIN_FIELDS: usize = 16;

/// OTLP in protobuf. What is counted before decoding is no less than what decoding makes.
pub fn otlp_protobuf(bytes: &[u8]) -> bool {
    if let (Ok(size), Ok(request)) = (
        Size::of_protobuf(bytes),
        ExportTraceServiceRequest::decode(bytes),
    ) {
        let decoded = Size::of_decoded(&request);
        assert!(decoded.spans <= size.spans, "{decoded:?}, counted {size:?}");
        let parts = decoded.parts + parts_of(&request);
        assert!(parts <= size.parts, "{parts} parts, counted {size:?}");
    }
    kept_within_bounds(ingest::otlp_protobuf(bytes))
}

/// OTLP in JSON. As above.
pub fn otlp_json(bytes: &[u8]) -> bool {
    if let Ok(request) = request_from_json(bytes) {
        let size = Size::of_json(bytes);
        let parts = Size::of_decoded(&request).parts + parts_of(&request);
        assert!(parts <= size.parts, "{parts} parts, counted {size:?}");
    }
    kept_within_bounds(ingest::otlp_json(bytes))
}

/// Zipkin in protobuf. As above.
pub fn zipkin_protobuf(bytes: &[u8]) -> bool {
    if let (Ok(size), Ok(list)) = (size_of_protobuf(bytes), ListOfSpans::decode(bytes)) {
        counted(&list, size);
    }
    kept_within_bounds(ingest::zipkin_protobuf(bytes))
}

/// Zipkin in JSON. As above; and the same spans in protobuf are the same spans.
pub fn zipkin_json(bytes: &[u8]) -> bool {
    let received = ingest::zipkin_json(bytes);
    if let Ok(list) = list_from_json(bytes) {
        counted(&list, size_of_json(bytes));
        let translated = ingest::zipkin_protobuf(&list.encode_to_vec());
        assert!(received.is_none() || translated == received);
    }
    kept_within_bounds(received)
}

fn counted(list: &ListOfSpans, size: Size) {
    let spans = list.spans.len();
    assert!(spans <= size.spans, "{spans} spans, counted {size:?}");
    let inside = list.spans.iter().map(|span| span.annotations.len());
    let parts = spans + inside.sum::<usize>();
    assert!(parts <= size.parts, "{parts} parts, counted {size:?}");
}

/// What has a size of its own inside of a request's spans and groups.
fn parts_of(request: &ExportTraceServiceRequest) -> usize {
    let groups = request.resource_spans.iter();
    let resources = groups.clone().flat_map(|group| &group.resource);
    let scopes = groups.flat_map(|group| &group.scope_spans);
    let spans = scopes.clone().flat_map(|scope| &scope.spans);
    let named = scopes.flat_map(|scope| &scope.scope);
    resources
        .map(|resource| pairs(&resource.attributes))
        .sum::<usize>()
        + named.map(|scope| pairs(&scope.attributes)).sum::<usize>()
        + spans.map(inside).sum::<usize>()
}

fn inside(span: &OtlpSpan) -> usize {
    let events = span.events.iter().map(|event| 1 + pairs(&event.attributes));
    let links = span.links.iter().map(|link| 1 + pairs(&link.attributes));
    pairs(&span.attributes) + events.sum::<usize>() + links.sum::<usize>()
}

fn pairs(pairs: &[KeyValue]) -> usize {
    let values = pairs
        .iter()
        .map(|pair| pair.value.as_ref().map_or(0, value));
    pairs.len() + values.sum::<usize>()
}

fn value(given: &AnyValue) -> usize {
    match &given.value {
        Some(any_value::Value::ArrayValue(list)) => {
            1 + list.values.iter().map(value).sum::<usize>()
        }
        Some(any_value::Value::KvlistValue(list)) => 1 + pairs(&list.values),
        _ => 1,
    }
}

/// Spans are bounded in number, and each in all that it holds. Taken: there is a span.
fn kept_within_bounds(received: Option<ReceivedSpans>) -> bool {
    let Some(received) = received else {
        return false;
    };
    let number = received.spans.len() as u64 + received.rejected;
    assert!(number <= MAX_SPANS as u64, "{number} spans");
    assert_eq!(received.rejected > 0, received.reason.is_some());
    assert_eq!(
        received.response().partial_success.is_some(),
        received.rejected > 0
    );
    received.spans.iter().for_each(is_within_bounds);
    !received.spans.is_empty()
}

fn is_within_bounds(span: &Span) {
    for text in [
        &span.name,
        &span.service,
        &span.namespace,
        &span.instance,
        &span.scope,
        &span.status_message,
        &span.trace_state,
    ] {
        assert!(text.len() <= MAX_TEXT_BYTES);
    }
    attributes(&span.attributes);
    attributes(&span.resource);
    assert!(span.events.len() <= MAX_EVENTS && span.links.len() <= MAX_EVENTS);
    for event in &span.events {
        assert!(event.name.len() <= MAX_TEXT_BYTES);
        attributes(&event.attributes);
    }
    for link in &span.links {
        attributes(&link.attributes);
    }
}

fn attributes(attributes: &[(String, AttributeValue)]) {
    assert!(attributes.len() <= MAX_ATTRIBUTES + ZIPKIN_FIELDS);
    for (key, value) in attributes {
        assert!(key.len() <= MAX_TEXT_BYTES);
        within(value);
    }
}

fn within(value: &AttributeValue) {
    match value {
        AttributeValue::String(text) => assert!(text.len() <= MAX_TEXT_BYTES),
        AttributeValue::Bytes(bytes) => assert!(bytes.len() <= MAX_TEXT_BYTES),
        AttributeValue::Array(values) => {
            assert!(values.len() <= MAX_ATTRIBUTES);
            values.iter().for_each(within);
        }
        AttributeValue::Map(entries) => attributes(entries),
        AttributeValue::Bool(_) | AttributeValue::Int(_) | AttributeValue::Double(_) => {}
    }
}
