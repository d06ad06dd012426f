//! Which family a hop ends up in, and that none is lost.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::thread;
use std::time::Duration;

use crate::error::Reason;
use crate::hop::{Classification, Direction, End, Exchange};
use crate::report::Reports;
use crate::report::fixture::{config, hop, one_worker, peer, report, report_many, scrape, sum};
use clew_api::prometheus::exposition::Format;

#[tokio::test]
async fn one_request_is_in_every_family_that_it_belongs_to() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, hop(|_| {}));
    let body = String::from_utf8(reports.scrape(Format::Text).body).unwrap();
    let labels = "workload=\"books\",namespace=\"shop\",direction=\"inbound\",client_workload=\"webapp\",\
                  client_namespace=\"shop\",client_id=\"spiffe://cluster.local/ns/shop/sa/webapp\",route=\"GET /books/{id}\",tls=\"mtls\"";
    for expected in [
        format!("request_total{{{labels}}} 1\n"),
        format!("response_total{{{labels},status_code=\"200\",classification=\"success\"}} 1\n"),
        format!("response_latency_ms_bucket{{{labels},classification=\"success\",le=\"10\"}} 0\n"),
        format!("response_latency_ms_bucket{{{labels},classification=\"success\",le=\"20\"}} 1\n"),
        format!("response_latency_ms_sum{{{labels},classification=\"success\"}} 12\n"),
        "clew_proxy_time_seconds_sum{workload=\"books\",namespace=\"shop\",direction=\"inbound\",phase=\"route\"} 0.0000015\n".to_owned(),
    ] {
        assert!(body.contains(&expected), "{expected}in\n{body}");
    }
    assert!(
        !body.contains("phase=\"connect\""),
        "a phase that no request went through is not reported"
    );
}

#[tokio::test]
async fn outbound_series_name_the_server() {
    let (reports, worker) = one_worker(config(1));
    report(
        &worker,
        hop(|record| record.key.direction = Direction::Outbound),
    );
    let samples = scrape(&reports);
    let labels = [
        "dst_service=\"webapp\"",
        "dst_workload=\"webapp\"",
        "dst_namespace=\"shop\"",
        "server_id=\"spiffe://cluster.local/ns/shop/sa/webapp\"",
    ];
    assert_eq!(sum(&samples, "request_total", &labels), 1.0);
    assert_eq!(sum(&samples, "request_total", &["client_"]), 0.0);
}

#[tokio::test]
async fn a_cancelled_request_is_counted_apart() {
    let (reports, worker) = one_worker(config(1));
    report(
        &worker,
        hop(|record| {
            record.outcome = End::CancelledByClient;
            record.classification = Classification::Cancelled;
            record.status = None;
        }),
    );
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "request_total", &[]), 1.0);
    let labels = ["classification=\"cancelled\"", "error=\"client_cancelled\""];
    assert_eq!(sum(&samples, "response_total", &labels), 1.0);
    assert_eq!(sum(&samples, "response_latency_ms_count", &labels), 1.0);
}

#[tokio::test]
async fn a_refused_connection_is_a_request_on_an_unknown_route() {
    let (reports, worker) = one_worker(config(1));
    worker.refused(Direction::Inbound, Reason::HeadTooLarge);
    worker.refused(Direction::Inbound, Reason::ClientCancelled);
    let samples = scrape(&reports);
    assert_eq!(
        sum(&samples, "request_total", &["route=\"(unknown)\""]),
        2.0
    );
    let labels = [
        "status_code=\"431\"",
        "classification=\"failure\"",
        "error=\"head_too_large\"",
    ];
    assert_eq!(sum(&samples, "response_total", &labels), 1.0);
    assert_eq!(
        sum(
            &samples,
            "response_total",
            &["classification=\"cancelled\""]
        ),
        1.0
    );
}

#[tokio::test]
async fn long_streams_stay_out_of_the_latency() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, hop(|record| record.exchange = Exchange::Stream));
    report(&worker, hop(|record| record.exchange = Exchange::Tunnel));
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "response_latency_ms_count", &[]), 0.0);
    assert_eq!(sum(&samples, "clew_stream_duration_ms_count", &[]), 2.0);
    assert_eq!(sum(&samples, "clew_first_byte_ms_sum", &[]), 11.0);
    assert_eq!(sum(&samples, "clew_first_byte_ms_count", &[]), 1.0);
}

#[tokio::test]
async fn grpc_responses_have_their_status() {
    let (reports, worker) = one_worker(config(1));
    for status in [0, 14, 99] {
        report(
            &worker,
            hop(|record| (record.is_grpc, record.grpc_status) = (true, Some(status))),
        );
    }
    let samples = scrape(&reports);
    for label in [
        "grpc_status=\"0\"",
        "grpc_status=\"14\"",
        "grpc_status=\"2\"",
    ] {
        assert_eq!(sum(&samples, "response_total", &[label]), 1.0, "{label}");
        assert_eq!(
            sum(&samples, "response_latency_ms_count", &[label]),
            1.0,
            "{label}"
        );
    }
}

#[tokio::test]
async fn connections_are_counted_by_peer() {
    let (reports, worker) = one_worker(config(1));
    let series = worker.tcp(Direction::Outbound, &peer("redis"));
    series.opened();
    series.opened();
    series.read(10);
    series.written(30);
    series.closed(Duration::from_secs(2));
    worker.tcp(Direction::Outbound, &peer("redis")).read(5);
    let samples = scrape(&reports);
    let labels = [
        "direction=\"outbound\"",
        "dst_service=\"redis\"",
        "tls=\"mtls\"",
    ];
    for (name, expected) in [
        ("tcp_open_total", 2.0),
        ("tcp_close_total", 1.0),
        ("tcp_open_connections", 1.0),
        ("tcp_read_bytes_total", 15.0),
        ("tcp_write_bytes_total", 30.0),
        ("tcp_connection_duration_ms_sum", 2_000.0),
    ] {
        assert_eq!(sum(&samples, name, &labels), expected, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_lost_between_workers_while_they_are_scraped() {
    const WORKERS: usize = 4;
    const REQUESTS: usize = 3_000;
    const ROUTES: [&str; 3] = ["GET /a", "GET /b", "GET /c"];
    let (reports, slots) = Reports::new(config(WORKERS));
    let mut before = 0.0;
    thread::scope(|scope| {
        let threads: Vec<_> = slots
            .into_iter()
            .map(|slot| {
                scope.spawn(move || {
                    let worker = slot.open();
                    for index in 0..REQUESTS {
                        report_many(&worker, ROUTES[index % ROUTES.len()], 1);
                    }
                })
            })
            .collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            // Each scrape on the way is valid, and no counter falls.
            let now = sum(&scrape(&reports), "response_total", &[]);
            assert!(now >= before, "{now} after {before}");
            before = now;
        }
    });
    let samples = scrape(&reports);
    let expected = (WORKERS * REQUESTS) as f64;
    for name in [
        "request_total",
        "response_total",
        "response_latency_ms_count",
    ] {
        assert_eq!(sum(&samples, name, &[]), expected, "{name}");
        assert_eq!(
            sum(&samples, name, &["route=\"GET /b\""]),
            expected / 3.0,
            "{name}"
        );
    }
    assert_eq!(
        sum(&samples, "response_latency_ms_sum", &[]),
        expected * 12.0
    );
}

#[tokio::test]
async fn the_process_reports_itself() {
    let (reports, _worker) = one_worker(config(1));
    let samples = scrape(&reports);
    for name in [
        "process_start_time_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
        "clew_build_info",
    ] {
        assert!(sum(&samples, name, &["workload=\"books\""]) > 0.0, "{name}");
    }
}

#[tokio::test]
async fn spans_without_a_collector_are_unsampled() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, hop(|_| {}));
    report(&worker, hop(|record| record.trace = None));
    let samples = scrape(&reports);
    assert_eq!(
        sum(&samples, "clew_spans_total", &["unsampled"]),
        1.0,
        "with tracing off there is nothing to sample"
    );
    assert_eq!(sum(&samples, "clew_spans_total", &[]), 1.0);
}
