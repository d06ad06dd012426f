#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::fixture::{SECRET, config, hop, key, peer, read_text, scrape, sum};
use super::*;
use crate::error::Reason;
use crate::hop::{Classification, Direction, End, Exchange, HopRecord, Tls};
use clew_api::prometheus::{MetricFamily, decode_delimited};
use http::StatusCode;
use std::thread;

const MINUTE: Duration = Duration::from_secs(60);

fn one_worker(config: ReportsConfig) -> (Arc<Reports>, WorkerReports) {
    let (reports, mut slots) = Reports::new(config);
    (reports, slots.remove(0).open())
}

/// Opens and closes a hop.
fn report(worker: &WorkerReports, record: HopRecord) {
    let series = worker.series(&record.key);
    worker.opened(&series);
    worker.close(&series, record);
}

fn report_many(worker: &WorkerReports, route: &str, times: usize) {
    for _ in 0..times {
        report(worker, hop(|record| record.key.route = route.into()));
    }
}

#[tokio::test]
async fn one_request_is_in_every_family_that_it_belongs_to() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, hop(|_| {}));
    let body = String::from_utf8(reports.scrape(Format::Text).body).unwrap();
    let labels = "workload=\"books\",namespace=\"shop\",direction=\"inbound\",client_workload=\"webapp\",\
                  client_namespace=\"shop\",client_id=\"webapp.shop.identity\",route=\"GET /books/{id}\",tls=\"none\"";
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
        "server_id=\"webapp.shop.identity\"",
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
    let series = worker.tcp(Direction::Outbound, &peer("redis"), Tls::None);
    series.opened();
    series.opened();
    series.read(10);
    series.written(30);
    series.closed(Duration::from_secs(2));
    worker
        .tcp(Direction::Outbound, &peer("redis"), Tls::None)
        .read(5);
    let samples = scrape(&reports);
    let labels = [
        "direction=\"outbound\"",
        "dst_service=\"redis\"",
        "tls=\"none\"",
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
async fn past_the_budget_routes_fold_and_the_fold_is_counted() {
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 3,
        ..config(1)
    });
    for index in 0..10 {
        report_many(&worker, &format!("GET /{index}"), 2);
    }
    let samples = scrape(&reports);
    for name in [
        "request_total",
        "response_total",
        "response_latency_ms_count",
    ] {
        assert_eq!(
            sum(&samples, name, &[]),
            20.0,
            "{name}: every request is somewhere"
        );
        assert_eq!(sum(&samples, name, &["route=\"GET /0\""]), 2.0, "{name}");
        assert_eq!(
            sum(
                &samples,
                name,
                &["route=\"(other)\"", "client_workload=\"webapp\""]
            ),
            14.0,
            "{name}"
        );
    }
    assert_eq!(
        sum(
            &samples,
            "clew_series_dropped_total",
            &["family=\"request_total\""]
        ),
        7.0
    );
}

#[tokio::test]
async fn far_past_the_budget_the_other_side_folds_too() {
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 3,
        ..config(1)
    });
    for index in 0..10 {
        report(
            &worker,
            hop(|record| record.key.peer = peer(&format!("client-{index}"))),
        );
        worker
            .tcp(
                Direction::Inbound,
                &peer(&format!("client-{index}")),
                Tls::None,
            )
            .opened();
    }
    let samples = scrape(&reports);
    for (name, of_its_own) in [
        ("request_total", 3.0),
        ("response_total", 3.0),
        ("tcp_open_total", 3.0),
    ] {
        assert_eq!(
            sum(&samples, name, &[]),
            10.0,
            "{name}: every request is somewhere"
        );
        let others = sum(&samples, name, &["client_workload=\"(other)\""]);
        assert!(
            others > 0.0 && others <= 10.0 - of_its_own,
            "{name}: {others}"
        );
        let series = samples
            .keys()
            .filter(|series| series.starts_with(name))
            .count();
        assert!(series <= 2 * 3 + 1, "{name} has {series} series");
    }
}

#[tokio::test]
async fn outcomes_past_the_budget_fold_into_the_other_route() {
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 5,
        ..config(1)
    });
    for status in 200..300 {
        report(
            &worker,
            hop(|record| record.status = Some(StatusCode::from_u16(status).unwrap())),
        );
    }
    let samples = scrape(&reports);
    assert_eq!(
        sum(&samples, "request_total", &["route=\"GET /books/{id}\""]),
        100.0
    );
    assert_eq!(sum(&samples, "response_total", &[]), 100.0);
    assert_eq!(
        sum(&samples, "response_total", &["route=\"GET /books/{id}\""]),
        5.0
    );
    // Room for as many again under (other), then by class.
    assert_eq!(
        sum(
            &samples,
            "response_total",
            &["status_code=\"200\"", "route=\"(other)\""]
        ),
        90.0
    );
    let series = samples
        .keys()
        .filter(|series| series.starts_with("response_total"))
        .count();
    assert_eq!(series, 5 + 5 + 1);
    assert_eq!(sum(&samples, "response_latency_ms_count", &[]), 100.0);
}

#[tokio::test]
async fn two_workers_with_one_series_take_one_place_of_the_budget() {
    let (reports, slots) = Reports::new(ReportsConfig {
        max_series: 1,
        ..config(2)
    });
    let workers: Vec<_> = slots.into_iter().map(WorkerSlot::open).collect();
    workers
        .iter()
        .for_each(|worker| report_many(worker, "GET /a", 1));
    assert_eq!(
        sum(&scrape(&reports), "response_total", &["route=\"GET /a\""]),
        2.0
    );
    assert_eq!(
        sum(&scrape(&reports), "clew_series_dropped_total", &[]),
        0.0
    );
}

#[tokio::test]
async fn idle_series_are_forgotten_and_come_back_from_zero() {
    let (reports, worker) = one_worker(config(1));
    let start = Instant::now();
    report_many(&worker, "GET /a", 3);
    let created = created_of(&reports);
    worker.tick(start + 14 * MINUTE);
    assert_eq!(
        sum(&scrape(&reports), "request_total", &[]),
        3.0,
        "not idle yet"
    );
    worker.tick(start + 16 * MINUTE);
    let samples = scrape(&reports);
    assert!(
        !samples.keys().any(|series| series.contains("GET /a")),
        "forgotten in every family"
    );
    report_many(&worker, "GET /a", 1);
    assert_eq!(sum(&scrape(&reports), "request_total", &["GET /a"]), 1.0);
    assert!(
        created_of(&reports) > created,
        "with a new created timestamp"
    );
    assert_eq!(
        reports
            .shared
            .directory
            .budget
            .living(budget::Budgeted::Responses),
        1,
        "its place was given back"
    );
}

fn created_of(reports: &Reports) -> u64 {
    let families = decode_delimited(&reports.scrape(Format::Protobuf).body).unwrap();
    let requests = families
        .iter()
        .find(|family| family.name() == "request_total")
        .unwrap();
    requests.metric[0]
        .counter
        .as_ref()
        .unwrap()
        .created_timestamp
        .unwrap()
        .as_unix_nano()
}

#[tokio::test]
async fn a_series_that_is_held_is_reported_however_idle() {
    let (reports, worker) = one_worker(config(1));
    let start = Instant::now();
    let held = worker.series(&key("GET /a"));
    worker.opened(&held);
    let connection = worker.tcp(Direction::Inbound, &peer("webapp"), Tls::None);
    connection.opened();
    worker.tick(start + 60 * MINUTE);
    worker.close(&held, hop(|record| record.key.route = "GET /a".into()));
    connection.closed(60 * MINUTE);
    drop((held, connection));
    // What was written last is still to be read by a scrape.
    worker.tick(start + 62 * MINUTE);
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "response_total", &["GET /a"]), 1.0);
    assert_eq!(sum(&samples, "tcp_close_total", &[]), 1.0);
    worker.tick(start + 120 * MINUTE);
    assert_eq!(sum(&scrape(&reports), "request_total", &[]), 0.0);
    assert_eq!(sum(&scrape(&reports), "tcp_open_total", &[]), 0.0);
}

#[tokio::test]
async fn a_series_that_one_worker_uses_keeps_what_another_one_counted() {
    let (reports, slots) = Reports::new(config(2));
    let workers: Vec<_> = slots.into_iter().map(WorkerSlot::open).collect();
    let start = Instant::now();
    workers
        .iter()
        .for_each(|worker| report_many(worker, "GET /a", 2));
    workers[0].tick(start + 10 * MINUTE);
    report_many(&workers[0], "GET /a", 1);
    workers
        .iter()
        .for_each(|worker| worker.tick(start + 16 * MINUTE));
    assert_eq!(
        sum(&scrape(&reports), "request_total", &[]),
        5.0,
        "a counter never falls"
    );
    report_many(&workers[1], "GET /a", 1);
    assert_eq!(sum(&scrape(&reports), "request_total", &[]), 6.0);
}

fn varied(worker: &WorkerReports) {
    report(worker, hop(|_| {}));
    report(
        worker,
        hop(|record| record.key.route = "GET /\"quoted\"\\and\nbroken".into()),
    );
    report(worker, hop(|record| record.exchange = Exchange::Stream));
    report(
        worker,
        hop(|record| record.key.direction = Direction::Outbound),
    );
    report(
        worker,
        hop(|record| record.outcome = End::Failed(Reason::ServerReset)),
    );
    worker.refused(Direction::Inbound, Reason::MalformedRequest);
    worker
        .tcp(Direction::Inbound, &peer("webapp"), Tls::None)
        .opened();
}

#[tokio::test]
async fn both_text_formats_are_valid() {
    let (reports, worker) = one_worker(config(1));
    varied(&worker);
    let text = read_text(
        &String::from_utf8(reports.scrape(Format::Text).body).unwrap(),
        false,
    );
    let body = String::from_utf8(reports.scrape(Format::OpenMetrics).body).unwrap();
    let openmetrics = read_text(&body, true);
    assert!(
        body.contains("# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 12 1709210096.789012345"),
        "{body}"
    );
    // The same series, but for bounds that are spelled in another way and created timestamps.
    let comparable = |series: &&String| {
        !series.contains("_created") && !series.contains("le=\"") && !series.starts_with("process_")
    };
    let (text, openmetrics): (Vec<_>, Vec<_>) = (
        text.keys().filter(comparable).collect(),
        openmetrics.keys().filter(comparable).collect(),
    );
    assert_eq!(text, openmetrics);
}

#[tokio::test]
async fn protobuf_has_native_histograms_and_created_timestamps() {
    let (reports, worker) = one_worker(config(1));
    varied(&worker);
    let families = decode_delimited(&reports.scrape(Format::Protobuf).body).unwrap();
    let known: Vec<_> = family::ALL.iter().map(|family| family.name).collect();
    assert!(
        families
            .iter()
            .map(MetricFamily::name)
            .all(|name| known.contains(&name))
    );
    let latency = families
        .iter()
        .find(|family| family.name() == "response_latency_ms")
        .unwrap();
    for metric in &latency.metric {
        let histogram = metric.histogram.as_ref().unwrap();
        assert!(histogram.created_timestamp.is_some());
        assert_eq!(histogram.schema(), 3);
        // 12 ms is in (2^(28/8), 2^(29/8)].
        assert_eq!(
            histogram
                .positive_buckets()
                .map(|(index, _)| index)
                .collect::<Vec<_>>(),
            [29]
        );
        assert!(
            histogram
                .bucket
                .iter()
                .any(|bucket| bucket.exemplar.is_some())
        );
    }
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

#[tokio::test]
async fn headers_are_wanted_only_while_somebody_may_see_them() {
    let (reports, worker) = one_worker(config(1));
    assert!(!worker.wants_headers());
    let watch = reports.tap(TapRequest::default()).unwrap();
    assert!(worker.wants_headers());
    drop(watch);
    assert!(!worker.wants_headers());
    let log = |access_log, shown: &[&str]| TelemetrySettings {
        access_log,
        show_headers: shown.iter().map(|name| Arc::from(*name)).collect(),
        ..TelemetrySettings::default()
    };
    use clew_model::telemetry::AccessLog;
    for (settings, expected) in [
        (log(AccessLog::All, &[]), false),
        (log(AccessLog::Off, &["x-request-id"]), false),
        (log(AccessLog::Errors, &["x-request-id"]), true),
    ] {
        reports.apply(&settings);
        assert_eq!(worker.wants_headers(), expected, "{settings:?}");
    }
}

#[tokio::test]
async fn a_scrape_counts_once_it_is_read() {
    let (reports, _worker) = one_worker(config(1));
    drop(reports.scrape(Format::Text));
    assert_eq!(reports.last_scraped(), None);
    let before = reports.scrape(Format::Text);
    let next = reports.next_scrape();
    let mut next = std::pin::pin!(next);
    assert!(futures_util::poll!(next.as_mut()).is_pending());
    before.receipt.delivered();
    assert!(reports.last_scraped().is_some());
    assert!(
        futures_util::poll!(next.as_mut()).is_pending(),
        "it began too early to see everything"
    );
    reports.scrape(Format::Text).receipt.delivered();
    next.await;
}

#[tokio::test]
async fn nobody_waits_for_a_scraper_that_never_came() {
    let (reports, worker) = one_worker(config(1));
    drop(worker);
    // Would take an hour if anyone was waited for.
    reports.finish(60 * MINUTE).await;
}

#[tokio::test]
async fn the_end_waits_for_one_more_scrape() {
    let (reports, worker) = one_worker(config(1));
    reports.scrape(Format::Text).receipt.delivered();
    report(&worker, hop(|_| {}));
    drop(worker);
    let finish = reports.finish(60 * MINUTE);
    let scraper = async {
        // The end has begun when the scrapes have a waiter.
        while reports.shared.scrapes.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let last = reports.scrape(Format::Text);
        assert!(String::from_utf8_lossy(&last.body).contains("request_total"));
        last.receipt.delivered();
    };
    tokio::join!(finish, scraper);
}

#[test]
fn secrets_are_in_the_test_record() {
    // Otherwise the tests that look for them elsewhere would prove nothing.
    let record = hop(|_| {});
    let text = format!(
        "{:?}{:?}{:?}",
        record.path, record.request_headers, record.response_headers
    );
    assert_eq!(text.matches(SECRET).count(), 4, "{text}");
}
