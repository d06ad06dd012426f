//! Series come and go, and no number is lost on the way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hop::{Direction, Peer};
use crate::report::budget::Budgeted;
use crate::report::cache::MAX_CACHED;
use crate::report::fixture::{
    config, hop, key, one_worker, peer, report, report_many, scrape, sum,
};
use crate::report::{Reports, ReportsConfig, WorkerReports, WorkerSlot};
use clew_api::prometheus::decode_delimited;
use clew_api::prometheus::exposition::Format;

/// Lets minutes after `start` pass: workers tick, and someone scrapes.
fn pass(reports: &Reports, workers: &[&WorkerReports], start: Instant, minutes: Range<u64>) {
    for minute in minutes {
        let now = start + Duration::from_secs(minute * 60);
        workers.iter().for_each(|worker| worker.tick(now));
        reports.shared.directory.sweep(now);
    }
}

fn two_workers() -> (Arc<Reports>, WorkerReports, WorkerReports) {
    let (reports, slots) = Reports::new(config(2));
    let [first, second]: [WorkerSlot; 2] = slots.try_into().unwrap();
    (reports, first.open(), second.open())
}

fn created_of(reports: &Reports) -> u64 {
    let families = decode_delimited(&reports.scrape(Format::Protobuf).body).unwrap();
    let requests = families
        .iter()
        .find(|family| family.name() == "request_total")
        .unwrap();
    let counter = requests.metric[0].counter.as_ref().unwrap();
    counter.created_timestamp.unwrap().as_unix_nano()
}

#[tokio::test]
async fn idle_series_are_forgotten_and_come_back_from_zero() {
    let (reports, worker) = one_worker(config(1));
    let start = Instant::now();
    report_many(&worker, "GET /a", 3);
    let created = created_of(&reports);
    pass(&reports, &[&worker], start, 1..15);
    assert_eq!(
        sum(&scrape(&reports), "request_total", &[]),
        3.0,
        "not idle yet"
    );
    pass(&reports, &[&worker], start, 15..18);
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
    let living = reports.shared.directory.budget.living(Budgeted::Responses);
    assert_eq!(living, 1, "its place was given back");
}

#[tokio::test]
async fn a_series_that_is_used_again_in_time_goes_on() {
    let (reports, worker) = one_worker(config(1));
    let start = Instant::now();
    for hour in 0..3 {
        // Each time the worker has let go of it already.
        report_many(&worker, "GET /a", 1);
        pass(&reports, &[&worker], start, hour * 14..hour * 14 + 14);
    }
    assert_eq!(sum(&scrape(&reports), "request_total", &["GET /a"]), 3.0);
}

#[tokio::test]
async fn a_series_that_is_held_is_reported_however_idle() {
    let (reports, worker) = one_worker(config(1));
    let start = Instant::now();
    let held = worker.series(&key("GET /a"));
    worker.opened(&held);
    let connection = worker.tcp(Direction::Inbound, &peer("webapp"));
    connection.opened();
    pass(&reports, &[&worker], start, 1..60);
    worker.close(&held, &hop(|record| record.key.route = "GET /a".into()));
    connection.closed(Duration::from_secs(60 * 60));
    drop((held, connection));
    // What was written last is still to be read by a scrape.
    pass(&reports, &[&worker], start, 60..62);
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "response_total", &["GET /a"]), 1.0);
    assert_eq!(sum(&samples, "tcp_close_total", &[]), 1.0);
    pass(&reports, &[&worker], start, 62..80);
    assert_eq!(sum(&scrape(&reports), "request_total", &[]), 0.0);
    assert_eq!(sum(&scrape(&reports), "tcp_open_total", &[]), 0.0);
}

#[tokio::test]
async fn a_series_that_one_worker_uses_keeps_what_another_one_counted() {
    let (reports, first, second) = two_workers();
    let start = Instant::now();
    report_many(&first, "GET /a", 2);
    report_many(&second, "GET /a", 2);
    for minute in 1..30 {
        report_many(&first, "GET /a", 1);
        pass(&reports, &[&first, &second], start, minute..minute + 1);
    }
    assert_eq!(
        sum(&scrape(&reports), "request_total", &[]),
        33.0,
        "a counter never falls"
    );
    report_many(&second, "GET /a", 1);
    assert_eq!(sum(&scrape(&reports), "request_total", &[]), 34.0);
}

/// What bit us: peers are told apart by their instance, too, which is no label. 1. Two instances of webapp
/// call books. 2. Their keys differ. 3. Two series with the same labels are in the scrape, which a scraper
/// refuses as a whole.
#[tokio::test]
async fn instances_of_a_workload_share_a_series() {
    let (reports, worker) = one_worker(config(1));
    for instance in ["webapp-1", "webapp-2"] {
        let peer = Arc::new(Peer {
            instance: Some(instance.into()),
            ..Peer::clone(&peer("webapp"))
        });
        report(&worker, hop(|record| record.key.peer = Arc::clone(&peer)));
        worker.tcp(Direction::Inbound, &peer).opened();
    }
    // Reading it checks that there are no duplicates.
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "request_total", &[]), 2.0);
    assert_eq!(sum(&samples, "tcp_open_total", &[]), 2.0);
}

#[tokio::test]
async fn what_a_worker_remembers_is_bounded_and_nothing_is_lost() {
    let routes = MAX_CACHED + 10;
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 2 * routes,
        ..config(1)
    });
    for _ in 0..2 {
        (0..routes).for_each(|route| report_many(&worker, &format!("GET /{route}"), 1));
    }
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "response_total", &[]), 2.0 * routes as f64);
    assert_eq!(sum(&samples, "response_total", &["\"GET /0\""]), 2.0);
}
