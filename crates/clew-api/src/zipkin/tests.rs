#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::otlp::{MAX_TEXT_BYTES, Size};
use prost::Message as _;
use serde_json::{Value, json};

/// When requests of the tests come.
const NOW: u64 = 1_700_000_000_000_000_000;

fn read(spans: &Value) -> ReceivedSpans {
    let list = list_from_json(spans.to_string().as_bytes()).unwrap();
    spans_from_zipkin(list, NOW)
}

fn one(span: Value) -> Span {
    let mut received = read(&json!([span]));
    assert_eq!((received.spans.len(), received.rejected), (1, 0));
    received.spans.remove(0)
}

/// The example of Zipkin's own description (zipkin2-api.yaml), and what it has not.
fn full() -> Value {
    json!({
        "traceId": "5982fe77008310cc80f1da5e10147517",
        "id": "bd7a977555f6b982",
        "parentId": "ebf33e1a81dc6f71",
        "kind": "CLIENT",
        "name": "query",
        "timestamp": 1_458_702_548_467_000_u64,
        "duration": 386_000,
        "localEndpoint": {"serviceName": "zipkin-query", "ipv4": "192.168.99.1", "port": 9411},
        "remoteEndpoint": {"serviceName": "spanstore-jdbc", "ipv6": "2001:db8::c001", "port": 3306},
        "annotations": [{"timestamp": 1_458_702_548_478_000_u64, "value": "cache.miss"}],
        "tags": {"sql.query": "select 1", "retries": 2, "none": null},
        "debug": true
    })
}

fn text(span: &Span, name: &str) -> String {
    let value = span.attribute(name).unwrap_or_else(|| panic!("no {name}"));
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_span_has_all_that_zipkin_said_of_it() {
    let span = one(full());

    assert_eq!(
        span.trace_id.to_string(),
        "5982fe77008310cc80f1da5e10147517"
    );
    assert_eq!(span.span_id.to_string(), "bd7a977555f6b982");
    assert_eq!(span.parent_span_id.unwrap().to_string(), "ebf33e1a81dc6f71");
    assert_eq!((span.kind, span.name.as_str()), (SpanKind::Client, "query"));
    assert_eq!(
        (span.service.as_str(), span.scope.as_str()),
        ("zipkin-query", "zipkin")
    );
    assert_eq!(span.start_unix_nano, 1_458_702_548_467_000_000);
    assert_eq!(span.duration_nano(), 386_000_000);
    assert_eq!(span.status, SpanStatus::Unset);
    assert_eq!(text(&span, "network.local.address"), "192.168.99.1");
    assert_eq!(
        span.attribute("network.local.port").unwrap().as_int(),
        Some(9411)
    );
    assert_eq!(text(&span, "peer.service"), "spanstore-jdbc");
    assert_eq!(text(&span, "network.peer.address"), "2001:db8::c001");
    assert_eq!(
        span.attribute("network.peer.port").unwrap().as_int(),
        Some(3306)
    );
    assert_eq!(text(&span, "sql.query"), "select 1");
    assert_eq!(text(&span, "retries"), "2");
    assert_eq!(span.attribute("none"), None);
    assert_eq!(
        span.attribute("zipkin.debug").unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(span.attribute("zipkin.shared"), None);
    let event = &span.events[0];
    assert_eq!(
        (event.name.as_str(), event.time_unix_nano),
        ("cache.miss", 1_458_702_548_478_000_000)
    );
}

#[test]
fn json_and_protobuf_say_the_same() {
    let list = list_from_json(json!([full()]).to_string().as_bytes()).unwrap();
    let decoded = ListOfSpans::decode(list.encode_to_vec().as_slice()).unwrap();
    assert_eq!(
        spans_from_zipkin(decoded, NOW).spans,
        spans_from_zipkin(list, NOW).spans
    );
}

/// Bytes that py_zipkin 1.2.8 wrote, with the code that protoc made of zipkin.proto.
#[test]
fn protobuf_is_read_as_others_write_it() {
    let hex = include_str!("tests/py_zipkin.hex").trim();
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(
        size_of_protobuf(&bytes).unwrap(),
        Size { spans: 1, parts: 5 }
    );
    let list = ListOfSpans::decode(bytes.as_slice()).unwrap();
    let received = spans_from_zipkin(list, NOW);
    let span = &received.spans[0];
    assert_eq!(
        span.trace_id.to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(
        span.span_id,
        server_half("b7ad6b7169203331".parse().unwrap())
    );
    assert_eq!(span.parent_span_id.unwrap().to_string(), "b7ad6b7169203331");
    assert_eq!(
        (span.kind, span.service.as_str()),
        (SpanKind::Server, "shelf")
    );
    assert_eq!(
        (span.name.as_str(), span.duration_nano()),
        ("get", 250_000_000)
    );
    assert_eq!(text(span, "http.path"), "/shelves/3");
    assert_eq!(text(span, "peer.service"), "books");
    assert_eq!(span.events[0].name, "looked");
}

#[test]
fn ids_may_lack_zeros_and_trace_ids_their_upper_half() {
    let span = one(json!({"traceId": "80F1DA5E10147517", "id": "1f"}));
    assert_eq!(span.trace_id.get(), 0x80f1_da5e_1014_7517);
    assert_eq!(span.span_id.get(), 0x1f);
    assert_eq!(span.parent_span_id, None);
    let list = ListOfSpans {
        spans: vec![message::Span {
            trace_id: vec![1; 8],
            id: vec![2; 8],
            ..message::Span::default()
        }],
    };
    let span = &spans_from_zipkin(list, NOW).spans[0];
    assert_eq!(span.trace_id.get(), 0x0101_0101_0101_0101);
}

#[test]
fn malformed_ids_refuse_their_span_and_no_other() {
    let good = json!({"traceId": "1", "id": "1"});
    let received = read(&json!([
        good,
        {"id": "1"},
        {"traceId": "1"},
        {"traceId": "0", "id": "1"},
        {"traceId": "1", "id": "0000000000000000"},
        {"traceId": "1", "id": "+1"},
        {"traceId": "1", "id": "11111111111111111"},
        {"traceId": "1".repeat(33), "id": "1"},
        {"traceId": "1", "id": "2", "parentId": "xyz"},
    ]));
    assert_eq!((received.spans.len(), received.rejected), (1, 8));
    assert!(received.reason.unwrap().starts_with("a trace id"));
}

#[test]
fn zeros_and_nothing_are_no_parent() {
    for parent in [
        json!(null),
        json!(""),
        json!("0"),
        json!("0000000000000000"),
    ] {
        let span = one(json!({"traceId": "1", "id": "2", "parentId": parent}));
        assert_eq!(span.parent_span_id, None, "{parent}");
    }
}

/// The half that says so is below the span whose id it shared, under an id that is always the same.
#[test]
fn a_shared_span_is_below_the_one_that_it_shares_its_id_with() {
    let shared =
        json!({"traceId": "1", "id": "7", "parentId": "3", "kind": "SERVER", "shared": true});
    let half = one(shared.clone());
    let seven = SpanId::new(7).unwrap();
    assert_eq!(
        (half.span_id, half.parent_span_id),
        (server_half(seven), Some(seven))
    );
    assert_eq!(
        half.attribute("zipkin.shared").unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(one(shared), half, "sent again it is the same span");
    let not_shared = one(json!({"traceId": "1", "id": "7", "parentId": "3", "shared": false}));
    assert_eq!(not_shared.span_id, seven);
}

#[test]
fn an_error_tag_is_the_status() {
    let status = |tags: Value| {
        let span = one(json!({"traceId": "1", "id": "2", "tags": tags}));
        assert_eq!(span.attribute("otel.status_code"), None);
        (span.status, span.status_message)
    };
    let message = |text: &str| (SpanStatus::Error, text.to_owned());
    assert_eq!(
        status(json!({"error": "no such shelf"})),
        message("no such shelf")
    );
    assert_eq!(status(json!({"error": ""})), message(""));
    assert_eq!(status(json!({"error": "true"})), message(""));
    assert_eq!(status(json!({"error": "false"})).0, SpanStatus::Unset);
    assert_eq!(status(json!({"otel.status_code": "OK"})).0, SpanStatus::Ok);
    assert_eq!(
        status(json!({"otel.status_code": "ERROR", "error": "boom"})),
        message("boom")
    );
}

#[test]
fn what_an_exporter_of_opentelemetry_put_into_tags_is_read_back() {
    let span = one(json!({"traceId": "1", "id": "2", "tags": {
        "otel.scope.name": "opentelemetry.instrumentation.flask",
        "service.namespace": "shop",
        "service.instance.id": "shelf-1",
    }}));
    assert_eq!(span.scope, "opentelemetry.instrumentation.flask");
    assert_eq!(
        (span.namespace.as_str(), span.instance.as_str()),
        ("shop", "shelf-1")
    );
    assert!(span.attributes.is_empty(), "{span:?}");
}

#[test]
fn a_span_without_a_start_began_with_its_first_event_or_when_it_came() {
    let annotated = json!({"traceId": "1", "id": "2", "annotations": [
        {"timestamp": 9, "value": "late"}, {"timestamp": 5, "value": "early"}]});
    assert_eq!(one(annotated).start_unix_nano, 5_000);
    let silent = one(json!({"traceId": "1", "id": "2"}));
    assert_eq!((silent.start_unix_nano, silent.end_unix_nano), (NOW, NOW));
    assert_eq!(
        (silent.kind, silent.service.as_str()),
        (SpanKind::Internal, "unknown_service")
    );
    let far = one(json!({"traceId": "1", "id": "2", "timestamp": u64::MAX, "duration": u64::MAX}));
    assert_eq!(far.end_unix_nano, u64::MAX);
}

#[test]
fn what_is_longer_than_is_kept_is_cut_and_counted() {
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    let tags: std::collections::BTreeMap<String, &str> =
        (0..=MAX_ATTRIBUTES).map(|n| (n.to_string(), "")).collect();
    let event = json!({"timestamp": 1, "value": "e"});
    let received = read(
        &json!([{"traceId": "1", "id": "2", "name": long, "tags": tags,
        "annotations": vec![event; MAX_EVENTS + 1]}]),
    );
    let span = &received.spans[0];
    assert_eq!(span.name.len(), MAX_TEXT_BYTES);
    assert_eq!(
        (span.attributes.len(), span.events.len()),
        (MAX_ATTRIBUTES, MAX_EVENTS)
    );
    assert_eq!(received.cut, 3);
}

#[test]
fn sizes_are_found_without_decoding() {
    let spans = json!([full(), {"tags": {"a": "[{\"\\"}}, {}]);
    let text = spans.to_string();
    assert_eq!(size_of_json(text.as_bytes()).spans, 3);
    assert!(size_of_json(text.as_bytes()).parts >= 20);
    assert_eq!(size_of_json(b"").spans, 0);
    let list = ListOfSpans {
        spans: vec![message::Span::default(); 5],
    };
    let bytes = list.encode_to_vec();
    assert_eq!(
        size_of_protobuf(&bytes).unwrap(),
        Size { spans: 5, parts: 5 }
    );
    assert!(size_of_protobuf(&bytes[..bytes.len() - 1]).is_err());
    assert!(size_of_protobuf(b"[{}]").is_err());
}

proptest::proptest! {
    /// Whatever comes: nothing panics, and what can be decoded was counted as what it is.
    #[test]
    fn any_bytes_are_counted_as_they_are_decoded(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        prefix in 0_usize..150,
    ) {
        let full = list_from_json(json!([full()]).to_string().as_bytes()).unwrap().encode_to_vec();
        let bytes = [&full[..prefix.min(full.len())], &bytes[..]].concat();
        let size = size_of_protobuf(&bytes);
        if let (Ok(size), Ok(list)) = (size, ListOfSpans::decode(bytes.as_slice())) {
            proptest::prop_assert_eq!(size.spans, list.spans.len());
            spans_from_zipkin(list, NOW);
        }
        size_of_json(&bytes);
        if let Ok(list) = list_from_json(&bytes) {
            spans_from_zipkin(list, NOW);
        }
    }

    #[test]
    fn spans_in_json_are_counted_before_they_are_decoded(count in 0_usize..20, text in ".*") {
        let span = json!({"traceId": text, "tags": {(text.as_str()): text}, "annotations": [{"value": text}]});
        let bytes = Value::Array(vec![span; count]).to_string();
        let list = list_from_json(bytes.as_bytes()).unwrap();
        proptest::prop_assert_eq!(size_of_json(bytes.as_bytes()).spans, list.spans.len());
    }
}
