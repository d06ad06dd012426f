#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::fixture::{SECRET, config, hop, scrape, sum};
use crate::report::{Reports, ReportsConfig, WorkerReports};
use clew_model::telemetry::TelemetrySettings;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;

fn logging(
    access_log: AccessLog,
    capacity: usize,
) -> (Arc<Reports>, WorkerReports, tokio::io::DuplexStream) {
    let (writer, reader) = tokio::io::duplex(capacity);
    let target = LogTarget::Writer(Box::new(writer));
    let (reports, mut slots) = Reports::new(ReportsConfig {
        access_log: target,
        ..config(1)
    });
    reports.apply(&TelemetrySettings {
        access_log,
        show_headers: Arc::new([Arc::from("x-request-id")]),
        ..TelemetrySettings::default()
    });
    (reports, slots.remove(0).open(), reader)
}

fn close(worker: &WorkerReports, record: HopRecord) {
    let series = worker.series(&record.key);
    worker.close(&series, &record);
}

async fn lines(
    reports: &Reports,
    worker: WorkerReports,
    mut reader: tokio::io::DuplexStream,
) -> Vec<serde_json::Value> {
    drop(worker);
    let mut text = String::new();
    let finish = reports.finish(Duration::ZERO);
    let read = reader.read_to_string(&mut text);
    tokio::join!(finish, async { read.await.unwrap() });
    assert!(!text.contains(SECRET), "{text}");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_line_says_what_happened_and_no_secret() {
    let (reports, worker, reader) = logging(AccessLog::All, 64 * 1024);
    close(&worker, hop(|_| {}));
    let expected = serde_json::json!({
        "timestamp": "2024-02-29T12:34:56.789012Z",
        "direction": "inbound",
        "workload": "books",
        "namespace": "shop",
        "instance": "books-1",
        "peer_workload": "webapp",
        "peer_namespace": "shop",
        "dst_service": "webapp",
        "peer_address": "10.1.2.3:40000",
        "method": "GET",
        "scheme": "http",
        "authority": "books:7002",
        "path": "/books/7",
        "route": "GET /books/{id}",
        "protocol_version": "1.1",
        "status_code": 200,
        "classification": "success",
        "duration_ms": 12.0,
        "request_bytes": 0,
        "response_bytes": 512,
        "proxy_time_us": {"route": 1.5, "request": 20.0},
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
        "request_headers": {"x-request-id": "r-1"},
    });
    assert_eq!(lines(&reports, worker, reader).await, [expected]);
}

#[tokio::test]
async fn the_setting_says_which_hops_are_logged() {
    for (setting, expected) in [
        (AccessLog::Off, 0),
        (AccessLog::Errors, 1),
        (AccessLog::All, 3),
    ] {
        let (reports, worker, reader) = logging(setting, 64 * 1024);
        for classification in [
            Classification::Success,
            Classification::Failure,
            Classification::Cancelled,
        ] {
            close(
                &worker,
                hop(|record| record.classification = classification),
            );
        }
        assert_eq!(
            lines(&reports, worker, reader).await.len(),
            expected,
            "{setting:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_is_open_is_said_to_be_and_its_end_is_logged_as_ever() {
    let (reports, worker, reader) = logging(AccessLog::All, 64 * 1024);
    let record = hop(|_| {});
    worker.tell_open(&record);
    close(&worker, record);
    let lines = lines(&reports, worker, reader).await;
    let fields = |line: &serde_json::Value| {
        let fields = ["open", "classification", "duration_ms", "response_bytes"];
        fields.map(|field| line.get(field).cloned())
    };
    let some = |value: serde_json::Value| Some(value);
    assert_eq!(
        lines.iter().map(fields).collect::<Vec<_>>(),
        [
            [some(true.into()), None, some(12.0.into()), some(512.into())],
            [
                None,
                some("success".into()),
                some(12.0.into()),
                some(512.into())
            ],
        ]
    );
    assert_eq!(lines[0]["trace_id"], lines[1]["trace_id"]);
}

#[tokio::test]
async fn a_stream_that_is_open_has_not_failed_yet() {
    let (reports, worker, reader) = logging(AccessLog::Errors, 64 * 1024);
    worker.tell_open(&hop(|_| {}));
    assert!(lines(&reports, worker, reader).await.is_empty());
}

#[tokio::test]
async fn a_reader_that_stands_still_costs_lines_and_nothing_else() {
    let (reports, worker, _reader) = logging(AccessLog::All, 1);
    for _ in 0..QUEUE + 7 {
        close(&worker, hop(|_| {}));
    }
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "response_total", &[]), (QUEUE + 7) as f64);
    assert_eq!(sum(&samples, "clew_access_log_dropped_total", &[]), 7.0);
}

#[test]
fn a_header_that_came_twice_is_one_field() {
    let mut given = HeaderMap::new();
    given.append("accept", http::HeaderValue::from_static("a"));
    given.append("accept", http::HeaderValue::from_static("b"));
    let shown = headers(Some(&given), &|_| true);
    assert_eq!(
        shown,
        BTreeMap::from([("accept".to_owned(), "a, b".to_owned())])
    );
}
