//! Who looks at reports, and what is waited for at the end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use crate::report::fixture::{SECRET, config, hop, one_worker, report};
use clew_api::prometheus::exposition::Format;
use clew_api::wire::tap::TapRequest;
use clew_model::telemetry::{AccessLog, TelemetrySettings};

const HOUR: Duration = Duration::from_secs(60 * 60);

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
    reports.finish(HOUR).await;
}

#[tokio::test]
async fn the_end_waits_for_one_more_scrape() {
    let (reports, worker) = one_worker(config(1));
    reports.scrape(Format::Text).receipt.delivered();
    report(&worker, hop(|_| {}));
    drop(worker);
    let finish = reports.finish(HOUR);
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
