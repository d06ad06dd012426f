//! `POST /api/v2/spans`.

use super::*;
use clew_api::zipkin::list_from_json;
use clew_api::zipkin::message::{ListOfSpans, Span};
use clew_trace::SpanId;
use clew_trace::shared::server_half;

const PATH: &str = "/api/v2/spans";

/// So many spans of a trace, one below the other.
fn spans(trace: u8, count: u64) -> String {
    let span = |n: u64| {
        serde_json::json!({
            "traceId": format!("{trace:02x}").repeat(16),
            "id": format!("{n:016x}"),
            "parentId": (n > 1).then(|| format!("{:016x}", n - 1)),
            "name": "get",
            "timestamp": n,
            "duration": 1,
            "localEndpoint": {"serviceName": "shelf"},
        })
    };
    serde_json::Value::Array((1..=count).map(span).collect()).to_string()
}

fn protobuf(text: &str) -> Vec<u8> {
    list_from_json(text.as_bytes()).unwrap().encode_to_vec()
}

async fn send(
    ingest: &Ingest,
    headers: &[(header::HeaderName, &str)],
    body: Vec<u8>,
) -> StatusCode {
    post_to(PATH, ingest, headers, body).await.0
}

#[tokio::test]
async fn spans_come_in_as_json_and_as_protobuf_plain_and_gzip() {
    let (ingest, store) = ingest();
    let ways: [(&[_], Vec<u8>); 5] = [
        (&[JSON], spans(1, 3).into()),
        (&[], spans(2, 3).into()),
        (&[JSON, GZIP], gzip(spans(3, 3).as_bytes())),
        (&[PROTOBUF], protobuf(&spans(4, 3))),
        (&[PROTOBUF, GZIP], gzip(&protobuf(&spans(5, 3)))),
    ];
    for (trace, (headers, body)) in (1..).zip(ways) {
        let (status, response) = post_to(PATH, &ingest, headers, body).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert!(super::body(response).await.is_empty());
        assert_eq!(spans_of(&store, trace).await, 3);
    }
    let counts = ingest.counts();
    assert_eq!(
        (counts.requests, counts.spans_received, counts.spans_stored),
        (5, 15, 15)
    );
}

#[tokio::test]
async fn no_spans_are_no_mistake() {
    let (ingest, _store) = ingest();
    assert_eq!(
        send(&ingest, &[JSON], b"[]".to_vec()).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        send(&ingest, &[PROTOBUF], Vec::new()).await,
        StatusCode::ACCEPTED
    );
}

/// A port of its own has Zipkin's path and no other.
#[tokio::test]
async fn the_port_of_zipkin_takes_nothing_else() {
    let (ingest, store) = ingest();
    let request = |path: &str| Request::post(path).body(Body::from(spans(1, 1))).unwrap();
    let status = async |path| {
        let response = ingest.zipkin_router().oneshot(request(path)).await.unwrap();
        response.status()
    };
    assert_eq!(status(PATH).await, StatusCode::ACCEPTED);
    assert_eq!(status("/v1/traces").await, StatusCode::NOT_FOUND);
    assert_eq!(status("/api/v1/spans").await, StatusCode::NOT_FOUND);
    assert_eq!(spans_of(&store, 1).await, 1);
}

#[tokio::test]
async fn a_bad_span_is_rejected_alone_and_the_sender_is_told() {
    let (ingest, store) = ingest();
    let good = spans(1, 1);
    let text = format!(r#"[{{"traceId":"xyz","id":"1"}},{}"#, &good[1..]);
    let (status, response) = post_to(PATH, &ingest, &[JSON], text.into_bytes()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let said = String::from_utf8(body(response).await).unwrap();
    assert!(
        said.contains("1 spans were not taken: a trace id"),
        "{said}"
    );
    assert_eq!(spans_of(&store, 1).await, 1);
    let counts = ingest.counts();
    assert_eq!(
        (
            counts.spans_received,
            counts.spans_stored,
            counts.spans_rejected
        ),
        (2, 1, 1)
    );
    assert_eq!(counts.requests_malformed, 0, "it could be read");
}

#[tokio::test]
async fn what_is_no_list_of_spans_is_refused_with_the_right_status() {
    let (ingest, _store) = ingest();
    let cases: [(&[_], &[u8], StatusCode); 9] = [
        (&[JSON], b"[", StatusCode::BAD_REQUEST),
        (&[JSON], b"{}", StatusCode::BAD_REQUEST),
        (&[JSON], b"[1]", StatusCode::BAD_REQUEST),
        (&[JSON], br#"[{"timestamp":-1}]"#, StatusCode::BAD_REQUEST),
        (&[JSON], b"", StatusCode::BAD_REQUEST),
        (&[PROTOBUF], b"\xff\xff", StatusCode::BAD_REQUEST),
        (&[JSON, GZIP], b"no gzip", StatusCode::BAD_REQUEST),
        (
            &[(header::CONTENT_TYPE, "application/x-thrift")],
            b"",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            &[JSON, (header::CONTENT_ENCODING, "br")],
            b"[]",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
    ];
    for (headers, body, wanted) in cases {
        let status = send(&ingest, headers, body.to_vec()).await;
        assert_eq!(status, wanted, "{}", String::from_utf8_lossy(body));
    }
    let counts = ingest.counts();
    assert_eq!(
        (counts.requests_malformed, counts.requests_unsupported),
        (7, 2)
    );
}

/// Every bound holds before memory is spent: some kilobytes on the wire are not gigabytes inside.
#[tokio::test]
async fn what_is_larger_or_more_than_a_request_may_be_is_refused() {
    let (ingest, _store) = ingest();
    let bomb = gzip(&vec![b' '; MAX_REQUEST_BYTES + 1]);
    assert_eq!(
        send(&ingest, &[JSON, GZIP], bomb).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let empty = format!("[{}{{}}]", "{},".repeat(MAX_SPANS));
    assert_eq!(
        send(&ingest, &[JSON], empty.into_bytes()).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let parts = format!(r#"[{{"tags":[{}0]}}]"#, "0,".repeat(MAX_PARTS));
    assert_eq!(
        send(&ingest, &[JSON], parts.into_bytes()).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let many = ListOfSpans {
        spans: vec![Span::default(); MAX_SPANS + 1],
    };
    let many = gzip(&many.encode_to_vec());
    assert_eq!(
        send(&ingest, &[PROTOBUF, GZIP], many).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(ingest.counts().requests_too_large, 4);
}

#[tokio::test(start_paused = true)]
async fn when_nothing_can_be_taken_the_sender_may_try_again() {
    let (ingest, store) = ingest();
    let all = ingest.admission.hold_all().await;
    assert_eq!(
        send(&ingest, &[JSON], spans(1, 1).into()).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(ingest.counts().requests_shed, 1);
    drop(all);
    store.close().await;
    let (status, response) = post_to(PATH, &ingest, &[JSON], spans(1, 2).into()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(ingest.counts().spans_dropped, 2);
}

/// 1. Our sidecar's SERVER span has the id that the application received; it comes by OTLP.
/// 2. The application's library joins that span: its half has the same id, and says so.
/// 3. What it did inside names the shared id, and was sent before.
#[tokio::test]
async fn a_shared_span_and_the_proxys_are_one_tree() {
    let (ingest, store) = ingest();
    let trace = "01".repeat(16);
    let zipkin = |span: &str| {
        format!(r#"[{{"traceId":"{trace}","localEndpoint":{{"serviceName":"web"}},{span}}}]"#)
    };
    let inside = zipkin(r#""id":"5","parentId":"1","timestamp":3"#);
    assert_eq!(
        send(&ingest, &[JSON], inside.into()).await,
        StatusCode::ACCEPTED
    );
    // Span 1 of the service web.
    client(&ingest).export(request(1, 1)).await.unwrap();
    let half = zipkin(r#""id":"1","parentId":"9","kind":"SERVER","shared":true,"timestamp":2"#);
    assert_eq!(
        send(&ingest, &[JSON], half.clone().into()).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        send(&ingest, &[JSON], half.into()).await,
        StatusCode::ACCEPTED
    );

    store.flush().await.unwrap();
    let trace = TraceId::from_bytes([1; 16]).unwrap();
    let spans = store.load_trace(trace).await.unwrap().unwrap().spans;
    let tree: Vec<_> = spans
        .iter()
        .map(|span| (span.span_id, span.parent_span_id))
        .collect();
    let (one, five) = (SpanId::new(1).unwrap(), SpanId::new(5).unwrap());
    let half = server_half(one);
    assert_eq!(tree, [(one, None), (half, Some(one)), (five, Some(half))]);
}
