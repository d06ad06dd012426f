//! `traces` and `traces/{id}`.

use super::super::traces::SETTLED;
use super::mesh::TestMesh;
use super::traffic::{good, record};
use crate::ingest::Ingest;
use axum::body::Body;
use axum::http::{Method, Request};
use clew_api::rest::critical_path::CriticalPath;
use clew_api::rest::traces::{Trace, TraceState, TraceSummary, Traces};
use clew_store::Store;
use clew_trace::span::{AttributeValue, SpanKind, SpanStatus};
use clew_trace::{Span, SpanId, TraceId};
use http_body_util::BodyExt;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;

/// One second ago, the same for all spans of the tests.
static BEGINNING: LazyLock<u64> = LazyLock::new(|| now_nanos() - 1_000_000_000);

fn now_nanos() -> u64 {
    u64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos(),
    )
    .unwrap()
}

pub(super) fn span(trace: u128, id: u64, parent: Option<u64>, service: &str) -> Span {
    let start = *BEGINNING + id * 1_000_000;
    Span {
        trace_id: TraceId::new(trace).unwrap(),
        span_id: SpanId::new(id).unwrap(),
        parent_span_id: parent.and_then(SpanId::new),
        kind: SpanKind::Server,
        name: "GET /books/{id}".to_owned(),
        service: service.to_owned(),
        namespace: "default".to_owned(),
        instance: String::new(),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: start,
        end_unix_nano: start + 20_000_000,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: vec![("clew.route".to_owned(), "GET /books/{id}".into())],
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

async fn mesh_with(spans: Vec<Span>) -> TestMesh {
    let mesh = TestMesh::begin().await;
    mesh.store.insert_spans(spans).unwrap();
    mesh.store.flush().await.unwrap();
    mesh
}

const FIRST: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SECOND: u128 = 0x4bf9_2f35_77b3_4da6_0000_0000_0000_0001;
const SHORT: u128 = 0x00f0_67aa_0ba9_02b7;

#[tokio::test]
async fn traces_come_with_what_a_list_shows() {
    let mut failed = span(FIRST, 3, Some(2), "books");
    failed.status = SpanStatus::Error;
    let whole = vec![
        span(FIRST, 1, None, "gateway"),
        span(FIRST, 2, Some(1), "web"),
        failed,
    ];
    let broken = vec![span(SECOND, 9, Some(8), "books")];
    let begun = Instant::now();
    let mesh = mesh_with([whole, broken].concat()).await;
    let traces: Traces = mesh.get("/traces").await;
    assert!(!traces.truncated);
    let [newer, older] = traces.traces.as_slice() else {
        panic!("{traces:?}")
    };
    let arriving = |trace: &TraceSummary| trace.state == TraceState::Arriving;
    assert!(traces.traces.iter().all(arriving) || begun.elapsed() >= SETTLED);
    assert_eq!(newer.trace_id, format!("{SECOND:032x}"));
    assert_eq!(
        (newer.root.is_root, newer.missing_parents, newer.roots),
        (false, 1, 0)
    );
    assert_eq!(
        (older.root.service.as_str(), older.root.is_root),
        ("gateway", true)
    );
    assert_eq!(
        (
            older.spans,
            older.errors,
            older.missing_parents,
            older.roots
        ),
        (3, 1, 0, 1)
    );
    assert_eq!(
        older.services.keys().collect::<Vec<_>>(),
        ["books", "gateway", "web"]
    );
    assert!(
        (older.duration_ms - 22.0).abs() < 0.001,
        "{}",
        older.duration_ms
    );
}

#[tokio::test]
async fn traces_are_found_by_service_route_duration_and_error() {
    let mut slow = span(FIRST, 1, None, "books");
    slow.end_unix_nano = slow.start_unix_nano + 500_000_000;
    slow.status = SpanStatus::Error;
    let status = ("http.response.status_code".to_owned(), 503.into());
    slow.attributes.push(status);
    let mesh = mesh_with(vec![slow, span(SECOND, 2, None, "web")]).await;
    for (query, found) in [
        ("", 2),
        ("?service=books", 1),
        ("?service=nobody", 0),
        ("?route=GET%20%2Fbooks%2F%7Bid%7D", 2),
        ("?min_duration=100ms", 1),
        ("?max_duration=100ms", 1),
        ("?max_duration=10ms", 0),
        ("?status=503", 1),
        ("?status=5xx&service=books", 1),
        ("?status=4xx", 0),
        (
            "?tags=http.response.status_code=503,clew.route=GET%20/books/%7Bid%7D",
            1,
        ),
        ("?tags=service.namespace%3Ddefault", 2),
        ("?errors=true", 1),
        ("?errors=true&service=web", 0),
        ("?settled=1h", 0),
        ("?service=books&window=10ms", 0),
    ] {
        let traces: Traces = mesh.get(&format!("/traces{query}")).await;
        assert_eq!(traces.traces.len(), found, "{query}");
    }
    let slow: Traces = mesh.get("/traces?service=books").await;
    let root = &slow.traces[0].root;
    let shown = (root.route.as_deref(), root.http_status);
    assert_eq!(shown, (Some("GET /books/{id}"), Some(503)));
    for wrong in ["status=50", "tags=retry", "max_duration=1"] {
        let problem = mesh.refused(&format!("/traces?{wrong}")).await;
        assert_eq!(problem.parameter.as_deref(), wrong.split('=').next());
    }
    let one: Traces = mesh.get("/traces?limit=1").await;
    assert!(one.truncated && one.traces.len() == 1);
    assert_eq!(
        mesh.refused("/traces?limit=501").await.parameter.as_deref(),
        Some("limit")
    );
    assert_eq!(
        mesh.refused("/traces?min_duration=fast")
            .await
            .parameter
            .as_deref(),
        Some("min_duration")
    );
}

#[tokio::test]
async fn a_trace_is_found_by_the_beginning_of_its_id_when_that_is_enough() {
    let mesh = mesh_with(vec![
        span(FIRST, 1, None, "a"),
        span(SECOND, 2, None, "a"),
        span(SHORT, 3, None, "a"),
    ])
    .await;
    let ids = [FIRST, SECOND, SHORT].map(|id| format!("{id:032x}"));
    for (given, found) in [
        (ids[0].as_str(), &ids[0]),
        ("4bf92f3577b34da6a", &ids[0]),
        ("4BF92F3577B34DA6A", &ids[0]),
        ("4bf92f3577b34da60", &ids[1]),
        // Sixteen digits are also an id of B3's shorter kind.
        ("00f067aa0ba902b7", &ids[2]),
        ("0", &ids[2]),
    ] {
        let trace: Trace = mesh.get(&format!("/traces/{given}")).await;
        assert_eq!(&trace.trace_id, found, "{given}");
    }
    let several = mesh.refused("/traces/4bf9").await;
    assert_eq!(several.status, 409);
    assert_eq!(several.known, [ids[1].clone(), ids[0].clone()]);
    assert_eq!(mesh.refused("/traces/abc").await.status, 404);
    assert_eq!(
        mesh.refused(&format!("/traces/{:032x}", FIRST + 1))
            .await
            .status,
        404
    );
    for wrong in ["xyz", &"a".repeat(33), "a%2Fb"] {
        assert_eq!(
            mesh.refused(&format!("/traces/{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_trace_is_whole_and_says_what_is_missing() {
    let mut client = span(FIRST, 2, Some(1), "web");
    client.kind = SpanKind::Client;
    client.attributes = vec![
        ("clew.proxy.request_us".to_owned(), AttributeValue::Int(40)),
        ("clew.proxy.route_us".to_owned(), AttributeValue::Int(5)),
        ("clew.proxy.response_us".to_owned(), AttributeValue::Int(10)),
        ("clew.proxy.connect_us".to_owned(), AttributeValue::Int(300)),
        ("ratio".to_owned(), AttributeValue::Double(f64::NAN)),
        ("bytes".to_owned(), AttributeValue::Bytes(vec![1, 255])),
        (
            "list".to_owned(),
            AttributeValue::Array(vec![true.into(), "a".into()]),
        ),
    ];
    let mut library = span(FIRST, 5, Some(4), "books");
    library.scope = "opentelemetry.instrumentation.flask".to_owned();
    let sibling = span(FIRST, 6, Some(4), "books");
    let begun = Instant::now();
    let mesh = mesh_with(vec![span(FIRST, 1, None, "web"), client, library, sibling]).await;

    let trace: Trace = mesh.get(&format!("/traces/{FIRST:032x}")).await;
    assert!(trace.state == TraceState::Arriving || begun.elapsed() >= SETTLED);
    assert_eq!(trace.spans.len(), 4);
    assert_eq!(
        trace
            .spans
            .iter()
            .map(|span| span.offset_ms.round())
            .collect::<Vec<_>>(),
        [0.0, 1.0, 4.0, 5.0]
    );
    let [missing] = trace.missing_parents.as_slice() else {
        panic!("{:?}", trace.missing_parents)
    };
    assert_eq!(missing.span_id, format!("{:016x}", 4));
    assert_eq!(
        missing.children,
        [format!("{:016x}", 5), format!("{:016x}", 6)]
    );

    let client = &trace.spans[1];
    assert_eq!(
        (client.kind.as_str(), client.scope.as_str()),
        ("client", "clew.proxy")
    );
    let time = client.proxy_time.as_ref().unwrap();
    assert_eq!((time.work_us, time.wait_us), (50, 300));
    assert_eq!(time.phases_us.len(), 4);
    assert_eq!(client.attributes["ratio"], "NaN");
    assert_eq!(client.attributes["bytes"], "01ff");
    assert_eq!(client.attributes["list"], serde_json::json!([true, "a"]));
    assert!(
        trace.spans[2].proxy_time.is_none(),
        "an application's span has no proxy time"
    );
}

#[tokio::test]
async fn a_trace_that_is_still_growing_can_be_left_out() {
    let mesh = mesh_with(vec![span(FIRST, 1, None, "web")]).await;
    let growing: Traces = mesh.get("/traces?settled=1h").await;
    assert!(growing.traces.is_empty());
    let any: Traces = mesh.get("/traces?settled=0s").await;
    assert_eq!(any.traces.len(), 1);
}

/// What an application's library made is left out, and the proxies' spans are below one another.
#[tokio::test]
async fn a_trace_is_shown_as_one_scope_saw_it() {
    let mut library = span(FIRST, 2, Some(1), "web");
    library.scope = "opentelemetry.instrumentation.flask".to_owned();
    let spans = vec![
        span(FIRST, 1, None, "web"),
        library,
        span(FIRST, 3, Some(2), "web"),
        span(FIRST, 4, Some(3), "books"),
    ];
    let mesh = mesh_with(spans).await;
    let tree = async |query: &str| {
        let trace: Trace = mesh.get(&format!("/traces/{FIRST:032x}{query}")).await;
        let short = |id: &str| u64::from_str_radix(id, 16).unwrap();
        let spans = trace.spans.iter().map(|span| {
            let parent = span.parent_span_id.as_deref().map(short);
            (short(&span.span_id), parent, span.hidden_ancestors)
        });
        (
            spans.collect::<Vec<_>>(),
            trace.hidden_spans,
            trace.duration_ms,
        )
    };
    let (whole, hidden, duration) = tree("").await;
    assert_eq!(
        whole,
        [
            (1, None, 0),
            (2, Some(1), 0),
            (3, Some(2), 0),
            (4, Some(3), 0)
        ]
    );
    assert_eq!(hidden, 0);
    let (proxies, hidden, same) = tree("?scope=clew.proxy").await;
    assert_eq!(proxies, [(1, None, 0), (3, Some(1), 1), (4, Some(3), 0)]);
    assert_eq!(
        (hidden, same),
        (1, duration),
        "the time is that of the whole trace"
    );
    let (none, hidden, _) = tree("?scope=other").await;
    assert_eq!((none.len(), hidden), (0, 4));
}

const ROUTE: &str = "GET /books/{id}";
/// Only requests of webapp have a number here: it is what the spans are weighed against.
const SERVED: &[(&str, &str)] = &[("direction", "inbound"), ("route", ROUTE)];

/// A request to webapp that takes so many milliseconds, of which books has half; kept with this `tracestate`.
fn request(trace: u128, millis: u64, state: &str) -> Vec<Span> {
    let lasting = |span: Span, kind, millis: u64| Span {
        kind,
        end_unix_nano: span.start_unix_nano + millis * 1_000_000,
        trace_state: state.to_owned(),
        ..span
    };
    let at = |span: Span| Span {
        instance: format!("{}-1", span.service),
        start_unix_nano: *BEGINNING,
        attributes: [
            span.attributes,
            vec![("clew.proxy.request_us".to_owned(), AttributeValue::Int(0))],
        ]
        .concat(),
        ..span
    };
    let webapp = at(span(trace, 1, None, "webapp"));
    let client = at(span(trace, 2, Some(1), "webapp"));
    let books = at(span(trace, 3, Some(2), "books"));
    vec![
        lasting(webapp, SpanKind::Server, millis),
        lasting(client, SpanKind::Client, millis / 2),
        lasting(books, SpanKind::Server, millis / 2),
    ]
}

/// 1. Three quarters of the short requests were not kept: each that was counts for four.
/// 2. The slowest hundredth is the one long request, which was kept for certain.
#[tokio::test]
async fn the_critical_path_is_over_all_requests_and_not_only_those_that_were_kept() {
    let short = (1..=100).flat_map(|trace| request(trace, 10, "ot=th:c"));
    let long = request(999, 1_000, "");
    let mesh = mesh_with(short.chain(long).collect()).await;
    record(&mesh.store, "webapp-1", "webapp", &[good(SERVED, 401)]).await;
    let path: CriticalPath = mesh.get("/critical-path?workload=webapp&settled=0ms").await;
    assert_eq!(
        (
            path.route.as_str(),
            path.requests,
            path.of,
            path.traces_read
        ),
        (ROUTE, 101, 401, 101)
    );
    let near = |a: f64, b: f64| (a - b).abs() < 0.001;
    assert!(near(path.stands_for, 401.0), "{path:?}");
    assert!(
        near(path.mean_ms, (400.0 * 10.0 + 1_000.0) / 401.0),
        "{path:?}"
    );
    let [one, other] = &path.parts[..] else {
        panic!("two parts: {path:?}");
    };
    for part in [one, other] {
        assert_eq!((part.part.as_str(), &part.to), ("application", &None));
        assert!(
            near(part.mean_share, 0.5) && near(part.slowest_share, 0.5),
            "{part:?}"
        );
    }
    // 1 % of 401 are four requests: the long one, and one that counts for four.
    assert!(
        near(path.slowest_ms, (1_000.0 + 4.0 * 10.0) / 5.0),
        "{path:?}"
    );
    assert!(near(path.p99_ms, 10.0), "{path:?}");
}

#[tokio::test]
async fn the_critical_path_needs_to_know_of_which_route() {
    let mesh = mesh_with(request(1, 10, "")).await;
    record(&mesh.store, "webapp-1", "webapp", &[good(SERVED, 1)]).await;
    record(&mesh.store, "books-1", "books", &[good(SERVED, 1)]).await;
    let refused = async |query: &str| {
        let problem = mesh.refused(&format!("/critical-path?{query}")).await;
        (problem.status, problem.known)
    };
    assert_eq!(refused("window=1m").await, (400, vec![]));
    assert_eq!(
        refused("route=GET%20/books/%7Bid%7D").await,
        (409, vec!["books".to_owned(), "webapp".to_owned()])
    );
    assert_eq!(
        refused("route=GET%20/no&workload=books").await,
        (404, vec![ROUTE.to_owned()])
    );
}

/// The waterfall's hops are those of the whole trace, whatever scope is shown.
#[tokio::test]
async fn a_trace_says_where_its_time_went() {
    let mesh = mesh_with(request(FIRST, 10, "")).await;
    let trace: Trace = mesh.get(&format!("/traces/{FIRST:032x}")).await;
    let hops: Vec<_> = trace
        .hops
        .iter()
        .map(|hop| (hop.client.as_deref(), hop.server.as_deref(), hop.total_ms))
        .collect();
    assert_eq!(
        hops,
        [
            (None, Some("webapp"), 10.0),
            (Some("webapp"), Some("books"), 5.0)
        ]
    );
    let [served, asked] = &trace.hops[..] else {
        panic!("two: {trace:?}");
    };
    assert_eq!((served.application_ms, served.on_path_ms), (Some(5.0), 5.0));
    assert_eq!(
        (asked.network_ms, asked.application_ms),
        (Some(0.0), Some(5.0))
    );
}

/// A route that asks for itself, again and again: some of its requests are read, and they stand for all.
#[tokio::test]
async fn of_many_requests_in_one_trace_some_stand_for_all() {
    let pairs = (1..=1_000).flat_map(|id| {
        let pair = request(1, 10, "");
        let above = (id > 1).then(|| SpanId::new(2 * id - 2)).flatten();
        let ids = [(2 * id - 1, above), (2 * id, SpanId::new(2 * id - 1))];
        let placed = |(span, (id, parent)): (Span, (u64, Option<SpanId>))| Span {
            span_id: SpanId::new(id).unwrap(),
            parent_span_id: parent,
            ..span
        };
        pair.into_iter().zip(ids).map(placed).collect::<Vec<_>>()
    });
    let mesh = mesh_with(pairs.collect()).await;
    record(&mesh.store, "webapp-1", "webapp", &[good(SERVED, 1_000)]).await;
    let path: CriticalPath = mesh.get("/critical-path?workload=webapp&settled=0ms").await;
    assert_eq!((path.requests, path.of), (100, 1_000));
    assert!((path.stands_for - 1_000.0).abs() < 0.001, "{path:?}");
}

/// What is exported can be taken in again, here or elsewhere.
#[tokio::test]
async fn a_trace_is_exported_as_otlp_and_taken_in_again() {
    let mut failed = span(FIRST, 2, Some(1), "books");
    failed.status = SpanStatus::Error;
    let mesh = mesh_with(vec![span(FIRST, 1, None, "web"), failed]).await;
    let response = mesh.ask(Method::GET, "/traces/4bf9/otlp", "").await;
    let name = &response.headers()["content-disposition"];
    let expected = format!("attachment; filename=trace-{FIRST:032x}.json");
    assert_eq!(name.to_str().unwrap(), expected);
    assert_eq!(response.headers()["content-type"], "application/json");
    let json = response.into_body().collect().await.unwrap().to_bytes();

    let other = TestMesh::begin().await;
    let taken = Ingest::new(other.store.clone()).http_router();
    let request = Request::post("/v1/traces")
        .header("content-type", "application/json")
        .body(Body::from(json))
        .unwrap();
    assert_eq!(taken.oneshot(request).await.unwrap().status(), 200);
    other.store.flush().await.unwrap();
    let id = TraceId::new(FIRST).unwrap();
    let spans = async |store: &Store| store.load_trace(id).await.unwrap().unwrap().spans;
    let own = spans(&mesh.store).await;
    assert_eq!(own.len(), 2);
    assert_eq!(spans(&other.store).await, own);
}

#[tokio::test]
async fn what_is_no_trace_cannot_be_exported() {
    let mesh = mesh_with(vec![span(FIRST, 1, None, "web")]).await;
    assert_eq!(mesh.refused("/traces/ffff/otlp").await.status, 404);
    assert_eq!(mesh.refused("/traces/xyz/otlp").await.status, 400);
}
