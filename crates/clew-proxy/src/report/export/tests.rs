#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::fixture::{config, hop, scrape, sum};
use crate::report::{Reports, ReportsConfig, WorkerReports};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

type Answer = Result<ExportTraceServiceResponse, Status>;

/// A collector that gives the answers it was told, then accepts everything.
#[derive(Clone)]
struct Collector {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    received: mpsc::UnboundedSender<ExportTraceServiceRequest>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.received.send(request.into_inner()).unwrap();
        let answer = self.answers.lock().unwrap().pop_front();
        answer
            .unwrap_or_else(|| Ok(ExportTraceServiceResponse::default()))
            .map(Response::new)
    }
}

/// Starts a collector; gives its address and what it receives.
async fn collector(
    answers: Vec<Answer>,
) -> (Uri, mpsc::UnboundedReceiver<ExportTraceServiceRequest>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = uri(&listener.local_addr().unwrap());
    let (received, requests) = mpsc::unbounded_channel();
    let service = Collector {
        answers: Arc::new(Mutex::new(answers.into())),
        received,
    };
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(service))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    (uri, requests)
}

fn uri(address: &std::net::SocketAddr) -> Uri {
    format!("http://{address}").parse().unwrap()
}

fn reports(
    collector: Uri,
    change: impl FnOnce(&mut ReportsConfig),
) -> (Arc<Reports>, WorkerReports) {
    let mut config = ReportsConfig {
        otlp: Some(collector),
        ..config(1)
    };
    change(&mut config);
    let (reports, mut slots) = Reports::new(config);
    (reports, slots.remove(0).open())
}

fn close(worker: &WorkerReports, times: usize) {
    for _ in 0..times {
        let record = hop(|_| {});
        let series = worker.series(&record.key);
        worker.opened(&series);
        worker.close(&series, &record);
    }
}

/// Ends the worker and the reports. Gives spans by outcome, which add up.
async fn finish(reports: &Reports, worker: WorkerReports) -> [u64; 4] {
    drop(worker);
    reports.finish(Duration::ZERO).await;
    let samples = scrape(reports);
    let [emitted, exported, queue_full, failed] = [
        "emitted",
        "exported",
        "dropped_queue_full",
        "dropped_export_failed",
    ]
    .map(|outcome| sum(&samples, "clew_spans_total", &[&format!("\"{outcome}\"")]) as u64);
    assert_eq!(emitted, exported + queue_full + failed, "spans are missing");
    [emitted, exported, queue_full, failed]
}

fn spans(request: &ExportTraceServiceRequest) -> usize {
    request
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans)
        .map(|scope| scope.spans.len())
        .sum()
}

#[tokio::test]
async fn spans_arrive_with_who_they_are_from() {
    let (uri, mut requests) = collector(vec![]).await;
    let (reports, worker) = reports(uri, |_| {});
    close(&worker, 3);
    assert_eq!(finish(&reports, worker).await, [3, 3, 0, 0]);
    let request = requests.recv().await.unwrap();
    let [resource_spans] = request.resource_spans.as_slice() else {
        panic!("{request:?}")
    };
    let text = |value: &Option<_>| match value
        .clone()
        .and_then(|value: opentelemetry_proto::tonic::common::v1::AnyValue| value.value)
    {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    let resource: Vec<_> = resource_spans
        .resource
        .as_ref()
        .unwrap()
        .attributes
        .iter()
        .map(|pair| (pair.key.as_str(), text(&pair.value)))
        .collect();
    let expected = [
        ("service.name", "books"),
        ("service.namespace", "shop"),
        ("service.instance.id", "books-1"),
    ];
    assert_eq!(
        resource,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    let [scope_spans] = resource_spans.scope_spans.as_slice() else {
        panic!("{request:?}")
    };
    let scope = scope_spans.scope.as_ref().unwrap();
    assert_eq!(
        (scope.name.as_str(), scope.version.as_str()),
        ("clew.proxy", clew_runtime::buildinfo::VERSION)
    );
    assert_eq!(scope_spans.schema_url, SCHEMA_URL);
    assert_eq!(scope_spans.spans.len(), 3);
    assert_eq!(scope_spans.spans[0].name, "GET /books/{id}");
}

#[tokio::test]
async fn many_spans_arrive_in_few_requests() {
    let (uri, mut requests) = collector(vec![]).await;
    let (reports, worker) = reports(uri, |config| config.max_queued_spans = 100_000);
    close(&worker, 5_000);
    assert_eq!(finish(&reports, worker).await, [5_000, 5_000, 0, 0]);
    requests.close();
    let mut received = Vec::new();
    while let Some(request) = requests.recv().await {
        received.push(spans(&request));
    }
    assert_eq!(received.iter().sum::<usize>(), 5_000);
    assert!(
        received.len() <= 20 && received.iter().all(|spans| *spans < REQUEST_SPANS + 256),
        "{received:?}"
    );
}

#[tokio::test]
async fn a_few_spans_leave_when_they_are_old_enough() {
    let (uri, mut requests) = collector(vec![]).await;
    let (reports, worker) = reports(uri, |_| {});
    let now = Instant::now();
    close(&worker, 1);
    worker.tick(now);
    assert!(requests.try_recv().is_err());
    worker.tick(now + Duration::from_secs(1));
    assert_eq!(spans(&requests.recv().await.unwrap()), 1);
    assert_eq!(finish(&reports, worker).await, [1, 1, 0, 0]);
}

#[tokio::test]
async fn what_can_be_retried_is_sent_again() {
    let (uri, mut requests) = collector(vec![Err(Status::unavailable("restarting"))]).await;
    let (reports, worker) = reports(uri, |_| {});
    close(&worker, 2);
    assert_eq!(finish(&reports, worker).await, [2, 2, 0, 0]);
    assert_eq!(spans(&requests.recv().await.unwrap()), 2);
    assert_eq!(spans(&requests.recv().await.unwrap()), 2);
}

#[tokio::test]
async fn what_cannot_be_retried_is_counted_as_failed() {
    let (uri, mut requests) = collector(vec![Err(Status::invalid_argument("no"))]).await;
    let (reports, worker) = reports(uri, |_| {});
    close(&worker, 2);
    assert_eq!(finish(&reports, worker).await, [2, 0, 0, 2]);
    assert!(requests.try_recv().is_ok());
    assert!(requests.try_recv().is_err(), "it was sent once");
}

#[tokio::test]
async fn spans_that_the_collector_refuses_are_counted_as_failed() {
    let partial_success = Some(ExportTracePartialSuccess {
        rejected_spans: 2,
        error_message: "too old".to_owned(),
    });
    let (uri, _requests) =
        collector(vec![Ok(ExportTraceServiceResponse { partial_success })]).await;
    let (reports, worker) = reports(uri, |_| {});
    close(&worker, 3);
    assert_eq!(finish(&reports, worker).await, [3, 1, 0, 2]);
}

/// Times that are short because nothing is expected to happen in them.
const SHORT: ExportTimes = ExportTimes {
    attempt: Duration::from_millis(20),
    request: Duration::from_millis(60),
    finish: Duration::from_millis(50),
};

#[tokio::test]
async fn a_frozen_collector_costs_spans_and_nothing_else() {
    // Connections are established by the system; nobody ever reads from them.
    let frozen = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (reports, worker) = reports(uri(&frozen.local_addr().unwrap()), |config| {
        config.max_queued_spans = 1_024;
        config.export_times = SHORT;
    });
    close(&worker, 5_000);
    let samples = scrape(&reports);
    assert_eq!(
        sum(&samples, "response_total", &[]),
        5_000.0,
        "every request is counted"
    );
    let [emitted, exported, queue_full, failed] = finish(&reports, worker).await;
    assert_eq!((emitted, exported), (5_000, 0));
    // Four batches wait; those after them find the queue full.
    assert_eq!((queue_full, failed), (5_000 - 1_024, 1_024));
}

#[tokio::test]
async fn an_absent_collector_costs_spans_and_nothing_else() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (reports, worker) = reports(uri(&closed), |config| config.export_times = SHORT);
    close(&worker, 10);
    assert_eq!(finish(&reports, worker).await, [10, 0, 0, 10]);
}

#[tokio::test]
async fn the_queue_is_bounded_in_spans_however_small_it_is() {
    let frozen = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (reports, worker) = reports(uri(&frozen.local_addr().unwrap()), |config| {
        config.max_queued_spans = 10;
        config.export_times = SHORT;
    });
    close(&worker, 100);
    let [_, _, queue_full, failed] = finish(&reports, worker).await;
    assert_eq!((queue_full, failed), (90, 10));
}
