//! Requests with spans, as observe reads them.

use clew_api::otlp::{MAX_ATTRIBUTES, MAX_EVENTS, MAX_TEXT_BYTES, ReceivedSpans};
use clew_api::zipkin::list_from_json;
use clew_observe::ingest::{MAX_SPANS, fuzzing as ingest};
use clew_trace::Span;
use clew_trace::span::AttributeValue;
use prost::Message as _;

/// What Zipkin's fields become, beside the tags.
const ZIPKIN_FIELDS: usize = 16;

/// OTLP in protobuf.
pub fn otlp_protobuf(bytes: &[u8]) -> bool {
    kept_within_bounds(ingest::otlp_protobuf(bytes))
}

/// OTLP in JSON.
pub fn otlp_json(bytes: &[u8]) -> bool {
    kept_within_bounds(ingest::otlp_json(bytes))
}

/// Zipkin in protobuf.
pub fn zipkin_protobuf(bytes: &[u8]) -> bool {
    kept_within_bounds(ingest::zipkin_protobuf(bytes))
}

/// Zipkin in JSON. The same spans in protobuf are the same spans.
pub fn zipkin_json(bytes: &[u8]) -> bool {
    let received = ingest::zipkin_json(bytes);
    if let (Some(received), Ok(list)) = (&received, list_from_json(bytes)) {
        let translated = ingest::zipkin_protobuf(&list.encode_to_vec());
        assert_eq!(translated.as_ref(), Some(received));
    }
    kept_within_bounds(received)
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
