#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
        ..Default::default()
    }
}

fn span(trace_id: &[u8], span_id: &[u8], parent_span_id: &[u8]) -> OtlpSpan {
    OtlpSpan {
        trace_id: trace_id.to_vec(),
        span_id: span_id.to_vec(),
        parent_span_id: parent_span_id.to_vec(),
        name: "GET /books/{id}".to_owned(),
        kind: 2,
        ..Default::default()
    }
}

fn group(resource: Vec<KeyValue>, spans: Vec<OtlpSpan>) -> Vec<ResourceSpans> {
    let scope = InstrumentationScope {
        name: "clew.proxy".to_owned(),
        ..Default::default()
    };
    vec![ResourceSpans {
        resource: Some(Resource {
            attributes: resource,
            ..Default::default()
        }),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope),
            spans,
            ..Default::default()
        }],
        ..Default::default()
    }]
}

#[test]
fn resource_fields_are_taken_out_and_the_rest_stays() {
    let resource = vec![
        text("host.name", "h1"),
        text("service.name", "books"),
        text("service.namespace", "shop"),
        text("service.instance.id", "books-1"),
    ];
    let mut sent = span(&[1; 16], &[2; 8], &[3; 8]);
    sent.status = Some(OtlpStatus {
        code: 2,
        message: "no".to_owned(),
    });
    sent.attributes = vec![text("url.path", "/books/7")];
    sent.events = vec![otlp_span::Event {
        name: "first byte".to_owned(),
        ..Default::default()
    }];
    let received = spans_from_otlp(group(resource, vec![sent]));

    assert_eq!(received.rejected, 0);
    let span = &received.spans[0];
    assert_eq!(
        (
            span.service.as_str(),
            span.namespace.as_str(),
            span.instance.as_str()
        ),
        ("books", "shop", "books-1")
    );
    assert_eq!(span.scope, "clew.proxy");
    assert_eq!(span.kind, SpanKind::Server);
    assert_eq!(span.status, SpanStatus::Error);
    assert_eq!(span.status_message, "no");
    assert_eq!(span.parent_span_id, SpanId::from_bytes([3; 8]));
    assert_eq!(
        span.attribute("url.path").unwrap().as_str(),
        Some("/books/7")
    );
    assert_eq!(
        span.resource,
        vec![("host.name".to_owned(), AttributeValue::from("h1"))].into()
    );
    assert_eq!(span.events[0].name, "first byte");
}

#[test]
fn a_service_without_a_name_is_unknown() {
    let received = spans_from_otlp(group(
        vec![text("service.name", "")],
        vec![span(&[1; 16], &[2; 8], &[])],
    ));
    assert_eq!(received.spans[0].service, "unknown_service");
}

#[test]
fn malformed_ids_refuse_their_span_and_no_other() {
    let spans = vec![
        span(&[0; 16], &[2; 8], &[]),
        span(&[1; 15], &[2; 8], &[]),
        span(&[1; 16], &[0; 8], &[]),
        span(&[1; 16], &[2; 7], &[]),
        span(&[1; 16], &[2; 8], &[3; 4]),
        span(&[1; 16], &[9; 8], &[]),
        span(&[1; 16], &[8; 8], &[0; 8]),
    ];
    let received = spans_from_otlp(group(Vec::new(), spans));
    assert_eq!(received.rejected, 5);
    assert_eq!(received.spans.len(), 2);
    assert!(
        received.spans.iter().all(|s| s.parent_span_id.is_none()),
        "zeros are no parent"
    );

    let partial = received.response().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 5);
    assert!(
        partial.error_message.contains("trace id"),
        "the first reason: {}",
        partial.error_message
    );
}

#[test]
fn a_request_without_fault_is_a_full_success() {
    let received = spans_from_otlp(group(Vec::new(), vec![span(&[1; 16], &[2; 8], &[])]));
    assert_eq!(received.response().partial_success, None);
}

#[test]
fn a_link_to_nothing_is_left_out() {
    let mut sent = span(&[1; 16], &[2; 8], &[]);
    let link = |trace_id: &[u8]| otlp_span::Link {
        trace_id: trace_id.to_vec(),
        span_id: vec![5; 8],
        ..Default::default()
    };
    sent.links = vec![link(&[0; 16]), link(&[4; 16])];
    let received = spans_from_otlp(group(Vec::new(), vec![sent]));
    assert_eq!(received.spans[0].links.len(), 1);
    assert_eq!(
        received.spans[0].links[0].trace_id,
        TraceId::from_bytes([4; 16]).unwrap()
    );
}

#[test]
fn values_nest() {
    let number = AnyValue {
        value: Some(any_value::Value::IntValue(7)),
    };
    let array = any_value::Value::ArrayValue(ArrayValue {
        values: vec![number, AnyValue { value: None }],
    });
    let pair = KeyValue {
        key: "a".to_owned(),
        value: Some(AnyValue { value: Some(array) }),
        ..Default::default()
    };
    let map = any_value::Value::KvlistValue(KeyValueList { values: vec![pair] });
    let expected = AttributeValue::Map(vec![(
        "a".to_owned(),
        AttributeValue::Array(vec![AttributeValue::Int(7)]),
    )]);
    assert_eq!(
        attribute_value(AnyValue { value: Some(map) }, &mut Cuts::default()),
        Some(expected)
    );
}

/// The example of the OTLP repository, in upper case, with numbers as texts and as numbers, and with what
/// exporters in the wild write: nulls, empty lists, an id that is none.
#[test]
fn json_is_read_as_leniently_as_it_is_written() {
    let text = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"my.service"}}]},
        "scopeSpans":[{"scope":{"name":"my.library","version":"1.0.0"},"spans":[
          {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173",
           "name":"I'm a server span","startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,"kind":2,
           "attributes":[{"key":"n","value":{"intValue":"42"}},{"key":"none","value":{"arrayValue":{}}},{"key":"nothing","value":null}],
           "status":{}},
          {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":null,"name":"root"},
          {"traceId":"not hex","spanId":"eee19b7ec3c1b176","name":"bad"}]}]}]}"#;
    let request = request_from_json(text.as_bytes()).unwrap();
    let received = spans_from_otlp(request.resource_spans);
    assert_eq!((received.spans.len(), received.rejected), (2, 1));
    let span = &received.spans[0];
    assert_eq!(
        span.trace_id.to_string(),
        "5b8efff798038103d269b633813fc60c"
    );
    assert_eq!(span.duration_nano(), 1_000_000_000);
    assert_eq!(span.attribute("n").unwrap().as_int(), Some(42));
    assert_eq!(
        span.attribute("none"),
        Some(&AttributeValue::Array(Vec::new()))
    );
    assert_eq!(span.service, "my.service");
    assert_eq!(received.spans[1].parent_span_id, None);
}

#[test]
fn what_is_no_request_is_told_apart() {
    assert!(matches!(
        request_from_json(b"{"),
        Err(InvalidJson::Syntax(_))
    ));
    assert!(matches!(
        request_from_json(br#"{"resourceSpans":7}"#),
        Err(InvalidJson::Shape(_))
    ));
}

#[test]
fn spans_of_one_resource_share_it() {
    let spans = vec![span(&[1; 16], &[2; 8], &[]), span(&[1; 16], &[3; 8], &[])];
    let received = spans_from_otlp(group(vec![text("host.name", "h1")], spans));
    assert!(std::sync::Arc::ptr_eq(
        &received.spans[0].resource,
        &received.spans[1].resource
    ));
}

#[test]
fn what_is_longer_than_is_kept_is_cut_and_counted() {
    let mut sent = span(&[1; 16], &[2; 8], &[]);
    let long = "é".repeat(MAX_TEXT_BYTES);
    sent.attributes = (0..MAX_ATTRIBUTES + 10).map(|_| text("k", "v")).collect();
    sent.attributes[0] = text("k", &long);
    sent.events = vec![otlp_span::Event::default(); MAX_EVENTS + 1];
    let received = spans_from_otlp(group(Vec::new(), vec![sent]));
    let span = &received.spans[0];
    assert_eq!(span.attributes.len(), MAX_ATTRIBUTES);
    assert_eq!(span.events.len(), MAX_EVENTS);
    let kept = span.attributes[0].1.as_str().unwrap();
    assert!(kept.len() <= MAX_TEXT_BYTES && long.starts_with(kept));
    assert_eq!(received.cut, 3);
}

#[test]
fn what_decoding_would_make_is_known_before_it() {
    use prost::Message as _;
    let mut sent = span(&[1; 16], &[2; 8], &[]);
    sent.attributes = vec![text("a", "b")];
    sent.links = vec![otlp_span::Link::default()];
    let request = ExportTraceServiceRequest {
        resource_spans: group(vec![text("service.name", "books")], vec![sent]),
    };
    let found = Size::of_protobuf(&request.encode_to_vec()).unwrap();
    // The groups of resource and scope, and the span; the resource, the scope, the link, and two attributes
    // with their values.
    assert_eq!(
        found,
        Size {
            spans: 3,
            parts: 10
        }
    );
    assert_eq!(Size::of_decoded(&request).spans, 3);

    // A thousand empty spans, two bytes each.
    let spans = [0x12, 0].repeat(1_000);
    let scope = [&[0x12, 0xd0, 0x0f], spans.as_slice()].concat();
    let bomb = [&[0x0a, 0xd3, 0x0f], scope.as_slice()].concat();
    assert_eq!(Size::of_protobuf(&bomb).unwrap().spans, 1_002);

    assert_eq!(Size::of_protobuf(&bomb[..900]), Err(InvalidWire));
    assert_eq!(Size::of_protobuf(&[0xff; 40]), Err(InvalidWire));
    assert_eq!(Size::of_json(br#"{"a":["{,\"",1,2]}"#).parts, 4);
}
