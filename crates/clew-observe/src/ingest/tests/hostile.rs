//! What is sent to do harm: requests that are small on the way and large inside, and such as are none.

use super::*;
use clew_api::otlp::ArrayValue;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Every way in over HTTP.
const WAYS: [(&str, (header::HeaderName, &str)); 4] = [
    ("/v1/traces", PROTOBUF),
    ("/v1/traces", JSON),
    ("/api/v2/spans", PROTOBUF),
    ("/api/v2/spans", JSON),
];

/// A body of gRPC, whose prefix says what it likes.
fn framed(flag: u8, length: u32, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// The status of gRPC that a body is answered with.
async fn grpc_status(ingest: &Ingest, encoding: &str, body: Vec<u8>) -> String {
    let request = Request::post(EXPORT)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header("grpc-encoding", encoding)
        .body(Body::from(body))
        .unwrap();
    let response = ingest.grpc_router().oneshot(request).await.unwrap();
    response.headers()["grpc-status"]
        .to_str()
        .unwrap()
        .to_owned()
}

/// Nothing that was refused keeps a place or a part of the budget.
fn all_is_free(ingest: &Ingest) {
    let all = (admission::MAX_DECODES, admission::MAX_BODY_BYTES);
    assert_eq!(ingest.admission.free(), all);
}

/// 1. A quarter of a megabyte, of which each kilobyte is a megabyte inside; and one that holds another.
/// 2. Decompressing ends at the bound, whichever way it came.
#[tokio::test]
async fn a_bomb_is_refused_on_every_way_in() {
    let (ingest, store) = ingest();
    let many = gzip(&vec![b' '; 1024 * 1024]).repeat(256);
    let nested = gzip(&gzip(&vec![b' '; 64 * 1024 * 1024]));
    assert!(many.len() < MAX_REQUEST_BYTES && nested.len() < MAX_REQUEST_BYTES);
    for (path, content_type) in WAYS {
        let (status, _) = post_to(path, &ingest, &[content_type.clone(), GZIP], many.clone()).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        // Gzip inside of gzip is no request.
        let (status, _) = post_to(path, &ingest, &[content_type, GZIP], nested.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    let length = u32::try_from(many.len()).unwrap();
    let body = framed(1, length, &many);
    assert_eq!(grpc_status(&ingest, "gzip", body).await, "3");
    let counts = ingest.counts();
    assert_eq!(
        (counts.requests_too_large, counts.requests_malformed),
        (5, 4)
    );
    all_is_free(&ingest);
    let (status, _) = post(&ingest, &[PROTOBUF], request(1, 3).encode_to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(spans_of(&store, 1).await, 3);
}

#[tokio::test]
async fn frames_of_grpc_that_are_none_are_refused_and_counted() {
    let (ingest, _store) = ingest();
    let good = request(1, 1).encode_to_vec();
    let length = u32::try_from(good.len()).unwrap();
    let malformed = [
        ("nothing", Vec::new()),
        ("a prefix alone", framed(0, 1, b"")),
        ("a length past the end", framed(0, length + 1, &good)),
        ("a length before the end", framed(0, length - 1, &good)),
        ("a flag that there is not", framed(2, length, &good)),
        ("no gzip behind the flag", framed(1, length, &good)),
        ("two messages", framed(0, length, &good).repeat(2)),
    ];
    for (what, body) in malformed.clone() {
        assert_eq!(grpc_status(&ingest, "gzip", body).await, "3", "{what}");
    }
    for length in [u32::MAX, 1 << 31, MAX_REQUEST_BYTES as u32 + 1] {
        let body = framed(0, length, &good);
        assert_eq!(grpc_status(&ingest, "identity", body).await, "3");
    }
    let counts = ingest.counts();
    assert_eq!(
        (counts.requests_malformed, counts.requests_too_large),
        (malformed.len() as u64, 3)
    );
    assert_eq!(counts.spans_received, 0);
    all_is_free(&ingest);
}

/// Values inside of values, as deep as a request has room for: what reads them must not follow to the end.
#[tokio::test]
async fn what_is_nested_too_deeply_is_refused() {
    let (ingest, _store) = ingest();
    let depth = 200_000;
    let lists = "[".repeat(depth);
    for path in ["/v1/traces", "/api/v2/spans"] {
        let (status, _) = post_to(path, &ingest, &[JSON], lists.clone().into()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    let mut value = AnyValue::default();
    for _ in 0..150 {
        let values = vec![value];
        value = AnyValue {
            value: Some(any_value::Value::ArrayValue(ArrayValue { values })),
        };
    }
    let mut nested = request(1, 1);
    nested.resource_spans[0].scope_spans[0].spans[0].attributes = vec![KeyValue {
        key: "nested".to_owned(),
        value: Some(value),
        ..KeyValue::default()
    }];
    let (status, _) = post(&ingest, &[PROTOBUF], nested.encode_to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(ingest.counts().requests_malformed, 3);
    all_is_free(&ingest);
}
