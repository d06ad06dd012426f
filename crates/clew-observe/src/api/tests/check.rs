//! `check`.

use super::mesh::{TestMesh, member};
use super::traffic::Proxy;
use clew_api::rest::check::{Check, CheckStatus, Checks};
use clew_store::SampleValue;
use clew_trace::span::{SpanKind, SpanStatus};
use clew_trace::{Span, SpanId, TraceId};
use std::time::{SystemTime, UNIX_EPOCH};

fn named<'a>(checks: &'a Checks, name: &str) -> &'a Check {
    checks
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("{name} in {checks:?}"))
}

#[tokio::test]
async fn a_mesh_that_is_well_is_found_so() {
    let mesh = TestMesh::of(vec![member("web-1", "web", None)]).await;
    let checks: Checks = mesh.get("/check").await;
    assert_eq!(checks.status, CheckStatus::Ok, "{checks:#?}");
    assert!(
        checks
            .checks
            .iter()
            .all(|check| check.hint.is_none() && !check.found.is_empty())
    );
    assert_eq!(
        named(&checks, "members").found,
        "1 of 1 workloads, 0 leaving"
    );
}

#[tokio::test]
async fn what_is_wrong_is_found_with_what_to_do() {
    let mut old = member("old-1", "old", None);
    old.version = "0.0.9 (abc)".to_owned();
    let mut silent = member("silent-1", "silent", None);
    silent.admin_address = Some("127.0.0.1:9".parse().unwrap());
    let mesh = TestMesh::of(vec![old, silent]).await;
    mesh.scraper.scrape_now().await;
    let mut proxy = Proxy::new("web");
    proxy.sample(
        "clew_spans_total",
        &[("outcome", "dropped_queue_full")],
        SampleValue::Counter(3.0),
    );
    proxy.sample(
        "clew_spans_total",
        &[("outcome", "emitted")],
        SampleValue::Counter(9.0),
    );
    proxy.sample(
        "clew_series_dropped_total",
        &[("family", "request_total")],
        SampleValue::Counter(2.0),
    );
    proxy.write(&mesh.store, "web-1").await;
    mesh.store.insert_spans(vec![span_in_the_future()]).unwrap();
    mesh.store.flush().await.unwrap();

    let checks: Checks = mesh.get("/check").await;
    assert_eq!(checks.status, CheckStatus::Fail);
    for (name, status, found) in [
        ("control", CheckStatus::Ok, "answers"),
        ("numbers", CheckStatus::Fail, "silent-1"),
        ("versions", CheckStatus::Warn, "0.0.9"),
        ("spans in", CheckStatus::Ok, "0 spans"),
        (
            "spans of proxies",
            CheckStatus::Warn,
            "3 dropped_queue_full",
        ),
        ("series", CheckStatus::Warn, "2 of request_total"),
        ("store writes", CheckStatus::Ok, "1 spans"),
        ("store size", CheckStatus::Ok, "of 1024 MiB"),
        ("clocks", CheckStatus::Warn, "ahead"),
    ] {
        let check = named(&checks, name);
        assert_eq!(check.status, status, "{check:?}");
        assert!(check.found.contains(found), "{check:?}");
        assert_eq!(check.hint.is_some(), status != CheckStatus::Ok, "{check:?}");
    }
}

fn span_in_the_future() -> Span {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    let start = u64::try_from(now).unwrap() + 3_600_000_000_000;
    Span {
        trace_id: TraceId::new(7).unwrap(),
        span_id: SpanId::new(7).unwrap(),
        parent_span_id: None,
        kind: SpanKind::Server,
        name: "GET /".to_owned(),
        service: "ahead".to_owned(),
        namespace: String::new(),
        instance: String::new(),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: start,
        end_unix_nano: start + 1,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}
