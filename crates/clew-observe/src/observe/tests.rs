#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use clew_api::otlp::{
    ExportTraceServiceRequest, OtlpSpan, ResourceSpans, ScopeSpans, TraceServiceClient,
};
use clew_runtime::drain::{Drain, Finished};
use clew_store::{Retention, StorePath};
use clew_trace::TraceId;
use std::error::Error as _;
use std::net::Ipv4Addr;

fn any() -> Port {
    Port::Required(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

fn config() -> ObserveConfig {
    ObserveConfig {
        api: any(),
        otlp_grpc: Some(any()),
        otlp_http: Some(any()),
        zipkin: Some(any()),
        // Nobody answers there; observe works without control.
        control: "http://127.0.0.1:9".parse().unwrap(),
        scrape_interval: Duration::from_secs(1),
        log: None,
    }
}

fn store(path: StorePath) -> Store {
    Store::open(path, Retention::default()).unwrap()
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = Observe::bind(config(), store(StorePath::Temporary))
        .await
        .unwrap();
    let taken = Port::Required(first.api_address());
    let second = ObserveConfig {
        api: taken,
        ..config()
    };
    let error = Observe::bind(second, store(StorePath::Temporary))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {} for the API", first.api_address())
    );
    assert!(error.source().is_some());
    let second = ObserveConfig {
        otlp_grpc: Some(Port::Required(first.otlp_http_address().unwrap())),
        ..config()
    };
    let error = Observe::bind(second, store(StorePath::Temporary))
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with("for OTLP over gRPC"), "{error}");
}

#[tokio::test]
async fn ports_that_are_not_asked_for_are_not_opened() {
    let config = ObserveConfig {
        otlp_grpc: None,
        otlp_http: None,
        zipkin: None,
        ..config()
    };
    let observe = Observe::bind(config, store(StorePath::Temporary))
        .await
        .unwrap();
    assert_eq!(
        (observe.otlp_grpc_address(), observe.otlp_http_address()),
        (None, None)
    );
    assert_eq!(observe.zipkin_address(), None);
}

/// 1. Spans come in over all ports.
/// 2. Observe drains: the run ends, and the store is closed.
/// 3. Who opens the file next finds them.
#[tokio::test]
async fn what_came_in_is_on_disk_when_the_run_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = StorePath::File(directory.path().join("clew.db"));
    let observe = Observe::bind(config(), store(path.clone())).await.unwrap();
    let addresses = [
        observe.otlp_grpc_address().unwrap(),
        observe.otlp_http_address().unwrap(),
    ];
    let zipkin = observe.zipkin_address().unwrap();
    let (drain, watch) = Drain::new(Duration::from_secs(30));
    let run = tokio::spawn(observe.run(watch));

    let spans = [1u8, 2].map(|trace| ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![OtlpSpan {
                    trace_id: vec![trace; 16],
                    span_id: vec![1; 8],
                    ..OtlpSpan::default()
                }],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    });
    let mut client = TraceServiceClient::connect(format!("http://{}", addresses[0]))
        .await
        .unwrap();
    client.export(spans[0].clone()).await.unwrap();
    let otlp = prost::Message::encode_to_vec(&spans[1]);
    let url = format!("http://{}/v1/traces", addresses[1]);
    assert_eq!(post(&url, "application/x-protobuf", otlp).await, 200);
    let url = format!("http://{zipkin}/api/v2/spans");
    let text = format!(r#"[{{"traceId":"{}","id":"1"}}]"#, "03".repeat(16));
    assert_eq!(post(&url, "application/json", text.into_bytes()).await, 202);

    drain.start();
    assert_eq!(drain.finished().await, Finished::Clean);
    run.await.unwrap();
    let store = store(path);
    for trace in [1u8, 2, 3] {
        let trace = TraceId::from_bytes([trace; 16]).unwrap();
        assert_eq!(
            store.load_trace(trace).await.unwrap().unwrap().spans.len(),
            1
        );
    }
}

async fn post(url: &str, content_type: &str, body: Vec<u8>) -> http::StatusCode {
    let executor = hyper_util::rt::TokioExecutor::new();
    let client = hyper_util::client::legacy::Client::builder(executor).build_http();
    let request = http::Request::post(url)
        .header("content-type", content_type)
        .body(http_body_util::Full::new(bytes::Bytes::from(body)))
        .unwrap();
    client.request(request).await.unwrap().status()
}
