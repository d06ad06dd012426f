//! The cardinality budget: what is past it is counted elsewhere, and counted it is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::hop::Direction;
use crate::report::fixture::{config, hop, one_worker, peer, report, report_many, scrape, sum};
use crate::report::{Reports, ReportsConfig, WorkerSlot};
use http::StatusCode;

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
    let living = sum(&samples, "clew_series", &["family=\"request_total\""]);
    assert_eq!(
        living, 4.0,
        "three of their own, and one that all others share"
    );
    assert_eq!(sum(&samples, "clew_series_limit", &[]), 3.0);
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
            .tcp(Direction::Inbound, &peer(&format!("client-{index}")))
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
async fn outcomes_past_the_budget_stay_with_their_route_by_class() {
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
        100.0
    );
    // Room for as many again as routes may have, then by class.
    let rounded = ["status_code=\"200\""];
    assert_eq!(sum(&samples, "response_total", &rounded), 91.0);
    let refused = ["family=\"response_total\""];
    assert_eq!(sum(&samples, "clew_series_dropped_total", &refused), 90.0);
    let series = samples
        .keys()
        .filter(|series| series.starts_with("response_total"))
        .count();
    assert_eq!(series, 2 * 5);
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

/// Names that clients claim are as many as they like.
#[tokio::test]
async fn connections_past_the_budget_are_counted_as_one_others() {
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 3,
        ..config(1)
    });
    for index in 0..10 {
        let peer = peer(&format!("host-{index}.example:443"));
        worker.tcp(Direction::Outbound, &peer).opened();
    }
    let samples = scrape(&reports);
    let opened = |labels: &[&str]| sum(&samples, "tcp_open_total", labels);
    assert_eq!(opened(&[]), 10.0);
    assert_eq!(opened(&["dst_service=\"host-0.example:443\""]), 1.0);
    assert_eq!(opened(&["dst_service=\"(other)\""]), 7.0);
}
