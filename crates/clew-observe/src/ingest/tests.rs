#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hostile;
mod zipkin;

use super::*;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use clew_api::otlp::{AnyValue, KeyValue, any_value};
use clew_api::otlp::{OtlpSpan, Resource, ResourceSpans, ScopeSpans, TraceServiceClient};
use clew_store::{Retention, StorePath};
use clew_trace::TraceId;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;
use prost::Message as _;
use std::io::Write as _;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tower::ServiceExt as _;

fn ingest() -> (Ingest, Store) {
    let store = Store::open(StorePath::Temporary, Retention::default()).unwrap();
    (Ingest::new(store.clone()), store)
}

fn request(trace: u8, spans: usize) -> ExportTraceServiceRequest {
    let name = AnyValue {
        value: Some(any_value::Value::StringValue("web".to_owned())),
    };
    let span = |n: usize| OtlpSpan {
        trace_id: vec![trace; 16],
        span_id: (n as u64 + 1).to_be_bytes().to_vec(),
        name: "GET /".to_owned(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..OtlpSpan::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![KeyValue {
                    key: "service.name".to_owned(),
                    value: Some(name),
                    ..KeyValue::default()
                }],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: (0..spans).map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// The same with one more span, whose id is no id.
fn request_with_a_bad_span() -> ExportTraceServiceRequest {
    let mut request = request(1, 2);
    request.resource_spans[0].scope_spans[0].spans[0].span_id = vec![1, 2, 3];
    request
}

async fn spans_of(store: &Store, trace: u8) -> usize {
    store.flush().await.unwrap();
    let trace = TraceId::from_bytes([trace; 16]).unwrap();
    store
        .load_trace(trace)
        .await
        .unwrap()
        .map_or(0, |trace| trace.spans.len())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn post(
    ingest: &Ingest,
    headers: &[(header::HeaderName, &str)],
    body: Vec<u8>,
) -> (StatusCode, Response<Body>) {
    post_to("/v1/traces", ingest, headers, body).await
}

async fn post_to(
    path: &str,
    ingest: &Ingest,
    headers: &[(header::HeaderName, &str)],
    body: Vec<u8>,
) -> (StatusCode, Response<Body>) {
    let mut request = Request::post(path).body(Body::from(body)).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = ingest.http_router().oneshot(request).await.unwrap();
    (response.status(), response)
}

async fn body(response: Response<Body>) -> Vec<u8> {
    response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec()
}

const PROTOBUF: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/x-protobuf");
const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json; charset=utf-8");
const GZIP: (header::HeaderName, &str) = (header::CONTENT_ENCODING, "gzip");

/// A client that talks to the service without a socket between them.
fn client(ingest: &Ingest) -> TraceServiceClient<axum::Router> {
    TraceServiceClient::with_origin(ingest.grpc_router(), "http://observe".parse().unwrap())
}

#[tokio::test]
async fn spans_come_in_by_grpc_plain_and_gzip() {
    let (ingest, store) = ingest();
    let response = client(&ingest)
        .export(request(1, 3))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(response.partial_success, None);
    client(&ingest)
        .send_compressed(CompressionEncoding::Gzip)
        .export(request(2, 500))
        .await
        .unwrap();
    assert_eq!(
        (spans_of(&store, 1).await, spans_of(&store, 2).await),
        (3, 500)
    );
    let counts = ingest.counts();
    assert_eq!(
        (counts.requests, counts.spans_received, counts.spans_stored),
        (2, 503, 503)
    );
}

#[tokio::test]
async fn spans_come_in_by_http_as_protobuf_plain_and_gzip() {
    let (ingest, store) = ingest();
    let (status, response) = post(&ingest, &[PROTOBUF], request(1, 3).encode_to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/x-protobuf"
    );
    assert_eq!(
        ExportTraceServiceResponse::decode(body(response).await.as_slice())
            .unwrap()
            .partial_success,
        None
    );
    let (status, _) = post(
        &ingest,
        &[PROTOBUF, GZIP],
        gzip(&request(2, 4).encode_to_vec()),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (spans_of(&store, 1).await, spans_of(&store, 2).await),
        (3, 4)
    );
}

#[tokio::test]
async fn spans_come_in_by_http_as_json() {
    let (ingest, store) = ingest();
    let text = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"00000000000000ab",
        "name":"GET /","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2"}}]}}]}}]}}"#,
        "07".repeat(16)
    );
    let (status, response) = post(&ingest, &[JSON], text.clone().into_bytes()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(body(response).await, b"{}");
    assert_eq!(spans_of(&store, 7).await, 1);
    let (status, _) = post(&ingest, &[JSON, GZIP], gzip(text.as_bytes())).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_bad_span_is_rejected_alone_and_the_sender_is_told() {
    let (ingest, store) = ingest();
    let response = client(&ingest)
        .export(request_with_a_bad_span())
        .await
        .unwrap()
        .into_inner();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(!partial.error_message.is_empty());
    assert_eq!(spans_of(&store, 1).await, 1);

    let (status, response) = post(
        &ingest,
        &[PROTOBUF],
        request_with_a_bad_span().encode_to_vec(),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(body(response).await.as_slice()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);

    let text = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz","spanId":"1","name":"n"}]}]}]}"#;
    let (status, response) = post(&ingest, &[JSON], text.to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    let answer: serde_json::Value = serde_json::from_slice(&body(response).await).unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");

    let counts = ingest.counts();
    assert_eq!(
        (
            counts.spans_received,
            counts.spans_stored,
            counts.spans_rejected
        ),
        (5, 2, 3)
    );
}

#[tokio::test]
async fn what_is_no_otlp_is_refused_with_the_right_status() {
    let (ingest, _store) = ingest();
    let refused = async |headers: &[(header::HeaderName, &str)], body: Vec<u8>| {
        post(&ingest, headers, body).await.0
    };
    assert_eq!(
        refused(&[PROTOBUF], vec![0xff; 40]).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        refused(&[JSON], b"{".to_vec()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        refused(&[PROTOBUF, GZIP], b"not gzip".to_vec()).await,
        StatusCode::BAD_REQUEST
    );
    let mut cut = gzip(&request(1, 100).encode_to_vec());
    cut.truncate(cut.len() / 2);
    assert_eq!(
        refused(&[PROTOBUF, GZIP], cut).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        refused(&[], Vec::new()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(
        refused(&[(header::CONTENT_TYPE, "text/plain")], Vec::new()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let brotli = (header::CONTENT_ENCODING, "br");
    assert_eq!(
        refused(&[PROTOBUF, brotli], Vec::new()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let counts = ingest.counts();
    assert_eq!(
        (
            counts.requests,
            counts.requests_malformed,
            counts.requests_unsupported
        ),
        (0, 4, 3)
    );

    let get = Request::get("/v1/traces").body(Body::empty()).unwrap();
    let response = ingest.http_router().oneshot(get).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// Some kilobytes that are more than four megabytes inside.
#[tokio::test]
async fn a_request_that_grows_past_the_bound_is_refused() {
    let (ingest, _store) = ingest();
    let bomb = gzip(&vec![0; MAX_REQUEST_BYTES + 1]);
    assert!(bomb.len() < MAX_REQUEST_BYTES / 100);
    let (status, response) = post(&ingest, &[PROTOBUF, GZIP], bomb).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&body(response).await).contains("send smaller batches"));
    assert_eq!(ingest.counts().requests_too_large, 1);
}

#[tokio::test]
async fn when_the_store_takes_nothing_the_sender_may_try_again() {
    let (ingest, store) = ingest();
    store.close().await;
    let status = client(&ingest).export(request(1, 3)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let (status, response) = post(&ingest, &[PROTOBUF], request(1, 3).encode_to_vec()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let counts = ingest.counts();
    assert_eq!(
        (
            counts.spans_received,
            counts.spans_stored,
            counts.spans_dropped
        ),
        (6, 0, 6)
    );
}

/// The clock is paused: the wait is over when nothing else can happen.
#[tokio::test(start_paused = true)]
async fn past_the_number_of_requests_at_once_the_sender_may_try_again() {
    let (ingest, _store) = ingest();
    let _all = ingest.admission.hold_all().await;
    let (status, _) = post(&ingest, &[PROTOBUF], request(1, 1).encode_to_vec()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let status = client(&ingest).export(request(1, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(ingest.counts().requests_shed, 2);
}

/// A sender that never finishes its request does not keep its place.
#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_arrive_is_given_up() {
    let (ingest, _store) = ingest();
    let never = Body::from_stream(futures_util::stream::pending::<
        Result<bytes::Bytes, std::io::Error>,
    >());
    let request = Request::post("/v1/traces")
        .header(PROTOBUF.0, PROTOBUF.1)
        .body(never)
        .unwrap();
    let response = ingest.http_router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(ingest.counts().requests_shed, 1);
    let all = (admission::MAX_DECODES, admission::MAX_BODY_BYTES);
    assert_eq!(ingest.admission.free(), all);
}

/// 1. Sixteen senders once held all places by sending nothing, and nobody else was read.
/// 2. A body takes a place only when it is there.
#[tokio::test]
async fn requests_that_do_not_arrive_keep_nobody_out() {
    let (ingest, store) = ingest();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
            let request = Request::post("/v1/traces")
                .header(PROTOBUF.0, PROTOBUF.1)
                .body(Body::from_stream(never))
                .unwrap();
            tokio::spawn(ingest.http_router().oneshot(request))
        })
        .collect();
    let (status, _) = post(&ingest, &[PROTOBUF], request(1, 3).encode_to_vec()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(spans_of(&store, 1).await, 3);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// 1. Two bytes on the wire are an empty span, of which the decoder makes 250 bytes.
/// 2. Some kilobytes of gzip so became gigabytes. Now they are counted before anything is decoded.
#[tokio::test]
async fn more_spans_than_a_request_may_have_are_refused_before_they_are_decoded() {
    let (ingest, _store) = ingest();
    let many = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![OtlpSpan::default(); MAX_SPANS],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let bytes = many.encode_to_vec();
    assert!(bytes.len() < 3 * MAX_SPANS);
    let (status, _) = post(&ingest, &[PROTOBUF, GZIP], gzip(&bytes)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let status = client(&ingest).export(many).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let text = format!("[{}0]", "[],".repeat(MAX_PARTS));
    let (status, _) = post(&ingest, &[JSON], text.into_bytes()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(ingest.counts().requests_too_large, 3);
}

/// A sender tries again what it is told is out of range, and would do so for ever.
#[tokio::test]
async fn what_is_too_large_or_malformed_is_not_to_be_sent_again_by_grpc_either() {
    let (ingest, _store) = ingest();
    let mut large = request(1, 1);
    large.resource_spans[0].schema_url = "x".repeat(MAX_REQUEST_BYTES);
    let status = client(&ingest).export(large.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let compressed = client(&ingest)
        .send_compressed(CompressionEncoding::Gzip)
        .export(large)
        .await;
    assert_eq!(compressed.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(ingest.counts().requests_too_large, 2);

    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    for body in [
        b"\0\0\0\0\x02\xff\xff".as_slice(),
        b"\0\0\0",
        b"\x01\0\0\0\x01x",
    ] {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/grpc")
            .body(Body::from(body))
            .unwrap();
        let response = ingest.grpc_router().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "3");
    }
    assert_eq!(ingest.counts().requests_malformed, 3);
}

#[tokio::test]
async fn an_unknown_grpc_method_is_unimplemented() {
    let (ingest, _store) = ingest();
    let request = Request::post("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Body::empty())
        .unwrap();
    let response = ingest.grpc_router().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");
}
