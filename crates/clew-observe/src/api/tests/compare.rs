//! `traces/compare`.

use super::mesh::TestMesh;
use clew_api::rest::compare::{TraceComparison, TraceFact};
use clew_trace::span::{SpanKind, SpanStatus};
use clew_trace::{Span, SpanId, TraceId};
use jiff::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A trace that began some seconds ago and took so many milliseconds.
fn trace(id: u128, ago: u64, millis: u64) -> Span {
    let start = SystemTime::now() - Duration::from_secs(ago);
    let start = start.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let start = u64::try_from(start).unwrap();
    Span {
        trace_id: TraceId::new(id).unwrap(),
        span_id: SpanId::new(1).unwrap(),
        parent_span_id: None,
        kind: SpanKind::Server,
        name: "GET /".to_owned(),
        service: "web".to_owned(),
        namespace: "default".to_owned(),
        instance: "web-1".to_owned(),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: start,
        end_unix_nano: start + millis * 1_000_000,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: vec![("slow.path".to_owned(), (millis > 100).into())],
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

/// One of 500 ms forty seconds ago, and three of 10 ms, thirty to ten seconds ago, the last of instance web-2.
async fn mesh() -> TestMesh {
    let mesh = TestMesh::begin().await;
    let mut last = trace(4, 10, 10);
    last.instance = "web-2".to_owned();
    let spans = vec![trace(1, 40, 500), trace(2, 30, 10), trace(3, 20, 10), last];
    mesh.store.insert_spans(spans).unwrap();
    mesh.store.flush().await.unwrap();
    mesh
}

fn ago(seconds: u64) -> String {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    Timestamp::try_from(time).unwrap().to_string()
}

#[tokio::test]
async fn what_slow_traces_have_and_others_have_not_is_told() {
    let mesh = mesh().await;
    let compared: TraceComparison = mesh
        .get("/traces/compare?selected_min_duration=100ms")
        .await;
    assert_eq!(
        (compared.selected, compared.rest, compared.spans),
        (1, 3, 4)
    );
    assert!(!compared.truncated);
    let first = &compared.attributes[0];
    assert_eq!(
        (first.kind, first.name.as_str()),
        (TraceFact::Attribute, "slow.path")
    );
    assert_eq!(first.difference.abs(), 1.0);
    let instance = compared
        .attributes
        .iter()
        .find(|one| one.value == "web-2")
        .unwrap();
    assert_eq!((instance.selected, instance.rest), (0, 1));
}

#[tokio::test]
async fn traces_are_selected_by_when_they_began_and_how_long_they_took() {
    let mesh = mesh().await;
    for (query, selected, rest) in [
        (format!("selected_from={}", ago(15)), 1, 3),
        (format!("selected_until={}", ago(25)), 2, 2),
        (
            format!("selected_from={}&selected_until={}", ago(35), ago(15)),
            2,
            2,
        ),
        ("selected_max_duration=10ms".to_owned(), 3, 1),
        (
            format!("selected_min_duration=1s&selected_from={}", ago(60)),
            0,
            4,
        ),
        (
            "selected_min_duration=1ms&max_duration=100ms".to_owned(),
            3,
            0,
        ),
        (
            "selected_min_duration=100ms&tags=slow.path=false".to_owned(),
            0,
            3,
        ),
    ] {
        let compared: TraceComparison = mesh.get(&format!("/traces/compare?{query}")).await;
        assert_eq!(
            (compared.selected, compared.rest),
            (selected, rest),
            "{query}"
        );
        assert_eq!(compared.attributes.is_empty(), selected == 0 || rest == 0);
    }
}

#[tokio::test]
async fn that_there_are_more_traces_is_said() {
    let mesh = mesh().await;
    let of = async |limit: usize| {
        let path = format!("/traces/compare?selected_min_duration=1ms&limit={limit}");
        let compared: TraceComparison = mesh.get(&path).await;
        (compared.selected, compared.truncated)
    };
    assert_eq!(of(3).await, (3, true));
    assert_eq!(of(4).await, (4, false));
}

#[tokio::test]
async fn a_comparison_needs_to_know_with_what() {
    let mesh = mesh().await;
    let problem = mesh.refused("/traces/compare").await;
    assert_eq!(problem.parameter.as_deref(), Some("selected_from"));
    for wrong in [
        "selected_from=now",
        "selected_min_duration=1",
        "selected_until=1",
    ] {
        let problem = mesh.refused(&format!("/traces/compare?{wrong}")).await;
        assert_eq!(problem.parameter.as_deref(), wrong.split('=').next());
    }
    let problem = mesh
        .refused("/traces/compare?selected_min_duration=1s&limit=1001")
        .await;
    assert_eq!(problem.parameter.as_deref(), Some("limit"));
}
