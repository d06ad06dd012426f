#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::fixture::{SECRET, config, hop, trace};
use crate::report::{Reports, WorkerReports};
use clew_model::telemetry::TelemetrySettings;

fn worker() -> (Arc<Reports>, WorkerReports) {
    let (reports, mut slots) = Reports::new(config(1));
    (reports, slots.remove(0).open())
}

fn close(worker: &WorkerReports, record: HopRecord) {
    let series = worker.series(&record.key);
    worker.opened(&series);
    worker.close(&series, &record);
}

#[tokio::test]
async fn a_stream_that_is_open_is_shown_as_such() {
    let (reports, worker) = worker();
    let mut all = reports.tap(TapRequest::default()).unwrap();
    let failures = TapRequest {
        failures_only: true,
        ..TapRequest::default()
    };
    let mut failures = reports.tap(failures).unwrap();
    worker.tell_open(&hop(|_| {}));
    close(&worker, hop(|_| {}));
    let shown: Vec<_> = waiting(&mut all)
        .into_iter()
        .map(|event| (event.open, event.classification))
        .collect();
    assert_eq!(
        shown,
        [(true, String::new()), (false, "success".to_owned())]
    );
    assert!(waiting(&mut failures).is_empty());
}

/// Events that are there already.
fn waiting(stream: &mut TapStream) -> Vec<TapEvent> {
    std::iter::from_fn(|| stream.events.try_recv().ok()).collect()
}

#[tokio::test]
async fn an_event_says_what_happened_and_no_secret() {
    let (reports, worker) = worker();
    reports.apply(&TelemetrySettings {
        show_headers: Arc::new([Arc::from("x-request-id")]),
        ..TelemetrySettings::default()
    });
    let mut stream = reports.tap(TapRequest::default()).unwrap();
    close(&worker, hop(|_| {}));
    let events = waiting(&mut stream);
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(!format!("{event:?}").contains(SECRET), "{event:?}");
    assert_eq!(event.path, "/books/7");
    assert_eq!(event.duration_nano, 12_000_000);
    assert_eq!(
        (event.workload.as_str(), event.peer_workload.as_str()),
        ("books", "webapp")
    );
    assert_eq!(
        (event.trace_id.as_str(), event.sampled),
        ("4bf92f3577b34da6a3ce929d0e0e4736", true)
    );
    assert_eq!(event.span_id, trace().span_id.to_string());
    assert_eq!(event.proxy_time_nano["route"], 1_500);
    let mut headers: Vec<_> = event
        .request_headers
        .iter()
        .map(|header| (header.name.as_str(), header.value.as_str()))
        .collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("authorization", REDACTED),
            ("cookie", REDACTED),
            ("x-request-id", "r-1")
        ]
    );
}

#[tokio::test]
async fn a_span_that_is_not_kept_is_not_named() {
    let (reports, worker) = worker();
    let mut stream = reports.tap(TapRequest::default()).unwrap();
    close(
        &worker,
        hop(|record| record.trace.as_mut().unwrap().kept = false),
    );
    let event = &waiting(&mut stream)[0];
    assert!(!event.trace_id.is_empty());
    assert_eq!((event.span_id.as_str(), event.sampled), ("", false));
}

#[tokio::test]
async fn a_watch_sees_what_it_asked_for() {
    let is = |change: fn(&mut TapRequest)| {
        let mut request = TapRequest::default();
        change(&mut request);
        request
    };
    let cases = [
        (is(|request| request.direction = "inbound".into()), true),
        (is(|request| request.direction = "outbound".into()), false),
        (is(|request| request.method = "GET".into()), true),
        (is(|request| request.method = "POST".into()), false),
        (is(|request| request.path_prefix = "/books".into()), true),
        (is(|request| request.path_prefix = "/authors".into()), false),
        (is(|request| request.route = "GET /books/{id}".into()), true),
        (is(|request| request.route = "GET /books".into()), false),
        (is(|request| request.peer_workload = "webapp".into()), true),
        (
            is(|request| request.peer_workload = "authors".into()),
            false,
        ),
        (is(|request| request.authority = "books:7002".into()), true),
        (is(|request| request.authority = "books".into()), false),
        (is(|request| request.failures_only = true), false),
    ];
    let (reports, worker) = worker();
    for (request, expected) in cases {
        let mut stream = reports.tap(request.clone()).unwrap();
        close(&worker, hop(|_| {}));
        assert_eq!(waiting(&mut stream).len() == 1, expected, "{request:?}");
    }
}

#[tokio::test]
async fn events_past_the_rate_are_counted_in_the_next_one() {
    let record = hop(|_| {});
    let tap = Arc::new(Tap::new());
    let mut stream = tap
        .watch(TapRequest {
            max_per_second: 2,
            ..TapRequest::default()
        })
        .unwrap();
    let event = || TapEvent {
        method: record.method.to_string(),
        ..TapEvent::default()
    };
    for second in [7, 7, 7, 7, 7, 8, 8, 8] {
        stream.watch.offer(second, event);
    }
    let skipped: Vec<_> = waiting(&mut stream)
        .iter()
        .map(|event| event.skipped)
        .collect();
    assert_eq!(skipped, [0, 0, 3, 0]);
}

#[tokio::test]
async fn a_slow_watcher_misses_events_and_nobody_waits() {
    let (reports, worker) = worker();
    let mut stream = reports
        .tap(TapRequest {
            max_per_second: u32::MAX,
            ..TapRequest::default()
        })
        .unwrap();
    for _ in 0..QUEUE + 5 {
        close(&worker, hop(|_| {}));
    }
    assert_eq!(waiting(&mut stream).len(), QUEUE);
    close(&worker, hop(|_| {}));
    assert_eq!(waiting(&mut stream)[0].skipped, 5);
}

#[tokio::test]
async fn watches_are_refused_with_a_reason() {
    let (reports, _worker) = worker();
    let wrong = reports
        .tap(TapRequest {
            direction: "up".into(),
            ..TapRequest::default()
        })
        .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "direction is \"up\"; expected \"inbound\", \"outbound\" or nothing"
    );
    let open: Vec<_> = (0..MAX_WATCHES)
        .map(|_| reports.tap(TapRequest::default()).unwrap())
        .collect();
    assert_eq!(
        reports.tap(TapRequest::default()).unwrap_err(),
        TapError::TooMany
    );
    drop(open);
    assert!(
        reports.tap(TapRequest::default()).is_ok(),
        "a watch that ended gives its place back"
    );
}
