#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn span() -> Span {
    Span {
        trace_id: TraceId::new(7).unwrap(),
        span_id: SpanId::new(8).unwrap(),
        parent_span_id: SpanId::new(9),
        kind: SpanKind::Server,
        name: "GET /books/{id}".to_owned(),
        service: "books".to_owned(),
        namespace: "default".to_owned(),
        instance: "books-1".to_owned(),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: 1_700_000_000_000_000_001,
        end_unix_nano: 1_700_000_000_000_000_101,
        status: SpanStatus::Error,
        status_message: "connect_refused".to_owned(),
        trace_state: String::new(),
        attributes: vec![
            ("http.response.status_code".to_owned(), 502.into()),
            ("ratio".to_owned(), 1.0.into()),
            ("endless".to_owned(), f64::NEG_INFINITY.into()),
            ("raw".to_owned(), AttributeValue::Bytes(vec![1, 2])),
            (
                "list".to_owned(),
                AttributeValue::Array(vec![1.into(), true.into()]),
            ),
        ],
        resource: vec![("k8s.pod.name".to_owned(), "books-1".into())].into(),
        events: vec![SpanEvent {
            time_unix_nano: 5,
            name: "e".to_owned(),
            attributes: vec![],
        }],
        links: vec![SpanLink {
            trace_id: TraceId::new(1).unwrap(),
            span_id: SpanId::new(2).unwrap(),
            attributes: vec![("clew.inferred".to_owned(), true.into())],
        }],
    }
}

#[test]
fn json_gives_the_span_back() {
    let json = serde_json::to_string(&span()).unwrap();
    assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), span());
}

#[test]
fn nan_survives_json() {
    let json = serde_json::to_string(&AttributeValue::Double(f64::NAN)).unwrap();
    let back: AttributeValue = serde_json::from_str(&json).unwrap();
    assert!(back.as_f64().unwrap().is_nan());
}

#[test]
fn a_span_that_ends_before_it_starts_lasts_no_time() {
    let backwards = Span {
        end_unix_nano: 1,
        ..span()
    };
    assert_eq!(backwards.duration_nano(), 0);
    assert_eq!(span().duration_nano(), 100);
}

#[test]
fn attributes_are_found_by_name() {
    assert_eq!(
        span()
            .attribute("http.response.status_code")
            .unwrap()
            .as_int(),
        Some(502)
    );
    assert_eq!(
        span().resource_attribute("k8s.pod.name").unwrap().as_str(),
        Some("books-1")
    );
    assert_eq!(span().attribute("k8s.pod.name"), None);
}

#[test]
fn numbers_of_otlp_map_both_ways() {
    for number in 0..=5 {
        assert_eq!(SpanKind::from_number(number).number(), number);
    }
    for number in 0..=2 {
        assert_eq!(SpanStatus::from_number(number).number(), number);
    }
    assert_eq!(SpanKind::from_number(99), SpanKind::Unspecified);
}

#[test]
fn values_that_are_one_are_written_as_people_write_them() {
    for (value, text) in [
        ("a b".into(), Some("a b")),
        (true.into(), Some("true")),
        ((-7).into(), Some("-7")),
        (0.5.into(), Some("0.5")),
        (AttributeValue::Bytes(vec![1]), None),
        (AttributeValue::Array(Vec::new()), None),
    ] {
        assert_eq!(
            AttributeValue::to_text(&value).as_deref(),
            text,
            "{value:?}"
        );
    }
}

#[test]
fn the_http_status_has_two_names_and_may_be_text() {
    let of = |name: &str, value: AttributeValue| http_status_code(&[(name.to_owned(), value)]);
    assert_eq!(of("http.response.status_code", 200.into()), Some(200));
    assert_eq!(of("http.status_code", "503".into()), Some(503));
    assert_eq!(of("http.status_code", "fine".into()), None);
    assert_eq!(of("http.response.status_code", 70_000.into()), None);
    assert_eq!(of("rpc.grpc.status_code", 0.into()), None);
}
