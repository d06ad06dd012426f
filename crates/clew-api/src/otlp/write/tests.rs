#![allow(clippy::unwrap_used)]

use super::super::{request_from_json, spans_from_otlp};
use super::*;
use clew_trace::span::{SpanKind, SpanStatus};
use clew_trace::{SpanId, TraceId};
use serde_json::json;

fn span(id: u64, parent: Option<u64>, service: &str) -> Span {
    Span {
        trace_id: TraceId::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736).unwrap(),
        span_id: SpanId::new(id).unwrap(),
        parent_span_id: parent.and_then(SpanId::new),
        kind: SpanKind::Server,
        name: "GET /books/{id}".to_owned(),
        service: service.to_owned(),
        namespace: "default".to_owned(),
        instance: String::new(),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: 1_769_860_800_000_000_001,
        end_unix_nano: 1_769_860_800_500_000_002,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

/// With all that a span can have.
fn full() -> Span {
    let mut span = span(2, Some(1), "books");
    span.instance = "books-1".to_owned();
    span.status = SpanStatus::Error;
    span.status_message = "reset".to_owned();
    span.trace_state = "ot=th:c".to_owned();
    span.resource = vec![("host.name".to_owned(), "h1".into())].into();
    let values = vec![AttributeValue::Bytes(vec![0, 255]), 0.5.into()];
    let map = vec![("n".to_owned(), AttributeValue::Int(-1))];
    span.attributes = vec![
        ("http.response.status_code".to_owned(), i64::MAX.into()),
        ("list".to_owned(), AttributeValue::Array(values)),
        ("map".to_owned(), AttributeValue::Map(map)),
        ("flag".to_owned(), false.into()),
        ("empty".to_owned(), AttributeValue::Array(Vec::new())),
    ];
    span.events = vec![SpanEvent {
        time_unix_nano: 7,
        name: "head".to_owned(),
        attributes: vec![("size".to_owned(), 12.into())],
    }];
    span.links = vec![SpanLink {
        trace_id: TraceId::new(9).unwrap(),
        span_id: SpanId::new(9).unwrap(),
        attributes: Vec::new(),
    }];
    span
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let mut library = span(3, Some(2), "books");
    library.scope = "library".to_owned();
    let spans = vec![span(1, None, "web"), full(), library];
    let json = serde_json::to_vec(&request_from_spans(spans.clone())).unwrap();
    let read = spans_from_otlp(request_from_json(&json).unwrap().resource_spans);
    assert_eq!((read.spans, read.rejected, read.cut), (spans, 0, 0));
}

/// OTLP specification, "JSON Protobuf Encoding": lowerCamelCase, ids in hexadecimal digits, 64 bits as text, enumerations as
/// numbers; ProtoJSON for the rest: bytes as base64.
#[test]
fn json_is_as_otlp_has_it() {
    let json = serde_json::to_value(request_from_spans(vec![full()])).unwrap();
    let resource = &json["resourceSpans"][0];
    let attributes = json!([
        {"key": "service.name", "value": {"stringValue": "books"}},
        {"key": "service.namespace", "value": {"stringValue": "default"}},
        {"key": "service.instance.id", "value": {"stringValue": "books-1"}},
        {"key": "host.name", "value": {"stringValue": "h1"}},
    ]);
    assert_eq!(resource["resource"]["attributes"], attributes);
    let scope = &resource["scopeSpans"][0];
    assert_eq!(scope["scope"]["name"], "clew.proxy");
    let span = &scope["spans"][0];
    assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(span["spanId"], "0000000000000002");
    assert_eq!(span["parentSpanId"], "0000000000000001");
    assert_eq!(span["startTimeUnixNano"], "1769860800000000001");
    assert_eq!(
        (&span["kind"], &span["status"]["code"]),
        (&json!(2), &json!(2))
    );
    let values: Vec<_> = span["attributes"].as_array().unwrap().iter().collect();
    assert_eq!(
        values[0]["value"],
        json!({"intValue": i64::MAX.to_string()})
    );
    let list = json!({"arrayValue": {"values": [{"bytesValue": "AP8="}, {"doubleValue": 0.5}]}});
    assert_eq!(values[1]["value"], list);
    assert_eq!(values[3]["value"], json!({"boolValue": false}));
    assert_eq!(span["events"][0]["timeUnixNano"], "7");
    assert_eq!(span["links"][0]["traceId"], format!("{:032x}", 9));
}

#[test]
fn spans_of_one_sender_are_together() {
    let mut elsewhere = span(4, None, "web");
    elsewhere.resource = vec![("host.name".to_owned(), "h2".into())].into();
    let mut library = span(5, None, "web");
    library.scope = "library".to_owned();
    let spans = vec![
        span(1, None, "web"),
        span(2, None, "books"),
        span(3, None, "web"),
        elsewhere,
        library,
    ];
    let request = request_from_spans(spans);
    let shape = request.resource_spans.iter().map(|group| {
        let scopes = group.scope_spans.iter();
        scopes.map(|scope| scope.spans.len()).collect::<Vec<_>>()
    });
    let expected = [vec![2, 1], vec![1], vec![1]];
    assert_eq!(shape.collect::<Vec<_>>(), expected);
}

#[test]
fn a_number_that_json_does_not_have_is_text() {
    let mut odd = span(1, None, "web");
    odd.attributes = vec![("ratio".to_owned(), f64::NAN.into())];
    let json = serde_json::to_vec(&request_from_spans(vec![odd])).unwrap();
    let read = spans_from_otlp(request_from_json(&json).unwrap().resource_spans);
    let expected = [("ratio".to_owned(), "NaN".into())];
    assert_eq!(read.spans[0].attributes, expected);
}
