use super::*;
use crate::query::TraceSummary;
use clew_trace::shared::server_half;
use clew_trace::span::{AttributeValue, SpanEvent, SpanLink};

async fn find(store: &Store, query: TraceQuery) -> Vec<u128> {
    store
        .find_traces(query)
        .await
        .unwrap()
        .traces
        .iter()
        .map(|trace| trace.trace_id.get())
        .collect()
}

#[tokio::test]
async fn a_span_is_read_as_it_was_written() {
    let store = temporary();
    let mut written = span(1, u64::MAX, Some(u64::MAX - 1), ("books", 0));
    written.attributes = vec![
        ("http.route".to_owned(), "/books/{id}".into()),
        ("n".to_owned(), AttributeValue::Int(i64::MIN)),
        ("nan".to_owned(), AttributeValue::Double(f64::INFINITY)),
        (
            "list".to_owned(),
            AttributeValue::Array(vec![true.into(), AttributeValue::Bytes(vec![0, 255])]),
        ),
    ];
    written.resource = vec![("k8s.pod.name".to_owned(), "books-1".into())].into();
    written.events = vec![SpanEvent {
        time_unix_nano: 7,
        name: "head".to_owned(),
        attributes: Vec::new(),
    }];
    written.links = vec![SpanLink {
        trace_id: trace_id(9),
        span_id: SpanId::new(9).unwrap(),
        attributes: Vec::new(),
    }];
    written.status = SpanStatus::Error;
    written.status_message = "reset".to_owned();
    written.trace_state = "ot=th:c".to_owned();
    insert(&store, vec![written.clone()]).await;
    let begun = SystemTime::now();
    let read = store.load_trace(trace_id(1)).await.unwrap().unwrap();
    assert_eq!(read.spans, [written]);
    assert!(read.changed <= begun && read.changed + Duration::from_secs(60) > begun);
    assert_eq!(store.load_trace(trace_id(2)).await.unwrap(), None);
}

#[tokio::test]
async fn a_span_that_comes_twice_is_one() {
    let store = temporary();
    insert(
        &store,
        vec![span(1, 1, None, ("web", 0)), span(1, 1, None, ("web", 0))],
    )
    .await;
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    assert_eq!(
        store
            .load_trace(trace_id(1))
            .await
            .unwrap()
            .unwrap()
            .spans
            .len(),
        1
    );
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.spans_written, stats.spans_repeated), (1, 2));
}

/// B3 lets client and server share one span id.
#[tokio::test]
async fn both_sides_of_a_shared_span_id_are_kept() {
    let store = temporary();
    let mut client = span(1, 1, None, ("web", 0));
    client.kind = SpanKind::Client;
    insert(&store, vec![client, span(1, 1, None, ("books", 1))]).await;
    assert_eq!(
        store
            .load_trace(trace_id(1))
            .await
            .unwrap()
            .unwrap()
            .spans
            .len(),
        2
    );
}

/// 1. A library of Zipkin joins the span that it received: its SERVER span has the id of ours.
/// 2. Observe gives that half an id of its own; what is below it names the shared id, and comes first.
/// 3. Below the half is what its own service wrote, and the half is below the span whose id it shared.
#[tokio::test]
async fn what_is_below_a_shared_span_is_below_the_half_of_its_service() {
    let store = temporary();
    let half = server_half(SpanId::new(2).unwrap()).get();
    let below = span(1, 3, Some(2), ("books", 3));
    let others = span(1, 4, Some(2), ("gateway", 1));
    insert(&store, vec![below, others]).await;
    let before = find_one(&store).await;
    assert_eq!(before.missing_parents, 2, "nothing of span 2 has come");
    insert(&store, vec![span(1, half, Some(2), ("books", 2))]).await;
    let between = find_one(&store).await;
    assert_eq!(between.missing_parents, 2, "the half, and the gateway's");
    insert(&store, vec![span(1, 2, None, ("gateway", 0))]).await;

    let whole = find_one(&store).await;
    assert_eq!((whole.roots, whole.missing_parents, whole.spans), (1, 0, 4));
    let spans = store.load_trace(trace_id(1)).await.unwrap().unwrap().spans;
    let tree: Vec<_> = spans
        .iter()
        .map(|span| (span.span_id.get(), span.parent_span_id.map(SpanId::get)))
        .collect();
    let wanted = [(2, None), (4, Some(2)), (half, Some(2)), (3, Some(half))];
    assert_eq!(tree, wanted);
}

async fn find_one(store: &Store) -> TraceSummary {
    let found = store.find_traces(TraceQuery::default()).await;
    found.unwrap().traces.remove(0)
}

#[tokio::test]
async fn a_summary_is_right_whatever_the_order_of_arrival() {
    let store = temporary();
    insert(&store, vec![span(1, 3, Some(2), ("books", 4))]).await;
    let begun = SystemTime::now() - Duration::from_secs(1);
    let early = find_one(&store).await;
    assert!(
        early.changed > begun,
        "it arrived just now, whenever it was"
    );
    assert_eq!(
        (early.has_root, early.missing_parents, early.roots),
        (false, 1, 0)
    );
    assert_eq!(early.root_service, "books");

    let mut failed = span(1, 2, Some(1), ("web", 2));
    failed.status = SpanStatus::Error;
    insert(&store, vec![failed, span(1, 1, None, ("gateway", 0))]).await;
    let whole = store
        .find_traces(TraceQuery::default())
        .await
        .unwrap()
        .traces
        .remove(0);
    assert_eq!(
        (whole.has_root, whole.missing_parents, whole.roots),
        (true, 0, 1)
    );
    assert_eq!(
        (whole.root_service.as_str(), whole.root_name.as_str()),
        ("gateway", "GET /gateway")
    );
    assert_eq!((whole.spans, whole.errors), (3, 1));
    assert_eq!(whole.duration, Duration::from_millis(14));
    assert_eq!(whole.start_unix_nano, nanos(second(0)));
    let services: Vec<_> = whole
        .services
        .iter()
        .map(|(name, n)| (name.as_str(), *n))
        .collect();
    assert_eq!(services, [("books", 1), ("gateway", 1), ("web", 1)]);
}

/// The conditions are on one span: the trace's slow span is not the service's.
#[tokio::test]
async fn one_span_has_to_satisfy_everything() {
    let store = temporary();
    let mut slow = span(1, 1, None, ("web", 0));
    slow.end_unix_nano = slow.start_unix_nano + 1_000_000_000;
    let mut failed = span(1, 2, Some(1), ("books", 1));
    failed.status = SpanStatus::Error;
    failed.attributes = vec![("clew.route".to_owned(), "GET /books/{id}".into())];
    insert(&store, vec![slow, failed, span(2, 1, None, ("web", 5))]).await;

    let service = |name: &str| TraceQuery {
        service: Some(name.to_owned()),
        ..TraceQuery::default()
    };
    let second_long = Some(Duration::from_secs(1));
    assert_eq!(find(&store, service("web")).await, [2, 1]);
    assert_eq!(find(&store, service("books")).await, [1]);
    assert_eq!(find(&store, service("nobody")).await, [0u128; 0]);
    assert_eq!(
        find(
            &store,
            TraceQuery {
                min_duration: second_long,
                ..service("web")
            }
        )
        .await,
        [1]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                min_duration: second_long,
                ..service("books")
            }
        )
        .await,
        [0u128; 0]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                min_duration: second_long,
                ..TraceQuery::default()
            }
        )
        .await,
        [1]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                errors_only: true,
                ..TraceQuery::default()
            }
        )
        .await,
        [1]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                errors_only: true,
                ..service("books")
            }
        )
        .await,
        [1]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                errors_only: true,
                ..service("web")
            }
        )
        .await,
        [0u128; 0]
    );
    let route = |name: &str| TraceQuery {
        route: Some(name.to_owned()),
        ..TraceQuery::default()
    };
    assert_eq!(find(&store, route("GET /books/{id}")).await, [1]);
    assert_eq!(find(&store, route("GET /books")).await, [0u128; 0]);
}

#[tokio::test]
async fn a_limit_keeps_the_newest_and_a_window_excludes_the_rest() {
    let store = temporary();
    // Arrival is not order of time.
    let spans = [4u64, 1, 3, 0, 2].map(|n| span(u128::from(n) + 1, 1, None, ("web", n * 1_000)));
    insert(&store, spans.to_vec()).await;
    assert_eq!(
        find(
            &store,
            TraceQuery {
                limit: 3,
                ..TraceQuery::default()
            }
        )
        .await,
        [5, 4, 3]
    );
    let window = Window {
        from: second(0),
        to: second(2),
    };
    assert_eq!(
        find(
            &store,
            TraceQuery {
                window,
                ..TraceQuery::default()
            }
        )
        .await,
        [3, 2]
    );
    assert_eq!(
        find(
            &store,
            TraceQuery {
                limit: 0,
                ..TraceQuery::default()
            }
        )
        .await,
        [0u128; 0]
    );
}

#[tokio::test]
async fn a_trace_that_just_changed_is_not_settled() {
    let store = temporary();
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    let settled = |quiet| TraceQuery {
        settled_for: Some(quiet),
        ..TraceQuery::default()
    };
    assert_eq!(
        find(&store, settled(Duration::from_secs(3600))).await,
        [0u128; 0]
    );
    assert_eq!(find(&store, settled(Duration::ZERO)).await, [1]);
}

#[tokio::test]
async fn a_trace_without_end_stops_growing() {
    let store = temporary();
    for part in 0..21u64 {
        let spans = (1..=1_000)
            .map(|n| span(1, part * 1_000 + n, None, ("web", 0)))
            .collect();
        insert(&store, spans).await;
    }
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.spans_written, stats.spans_refused), (20_000, 1_000));
}

/// The name that the list of routes has is the name that traces are found by.
#[tokio::test]
async fn a_route_is_found_by_the_name_that_the_metrics_have() {
    let store = temporary();
    let mut of_proxy = span(1, 1, None, ("books", 0));
    of_proxy.attributes = vec![
        ("http.route".to_owned(), "/books/{id}".into()),
        ("clew.route".to_owned(), "GET /books/{id}".into()),
    ];
    let mut of_application = span(2, 1, None, ("books", 1));
    of_application.attributes = vec![("http.route".to_owned(), "/books/{id}".into())];
    insert(&store, vec![of_proxy, of_application]).await;
    let by = |route: &str| TraceQuery {
        route: Some(route.to_owned()),
        ..TraceQuery::default()
    };
    assert_eq!(find(&store, by("GET /books/{id}")).await, [1]);
    assert_eq!(find(&store, by("/books/{id}")).await, [2]);
}

#[tokio::test]
async fn the_age_of_the_oldest_is_known() {
    let store = temporary();
    assert_eq!(store.stats().await.unwrap().traces, 0);
    assert_eq!(store.stats().await.unwrap().oldest_trace, None);
    insert(&store, vec![span(1, 1, None, ("web", 0))]).await;
    record(
        &store,
        vec![scrape("i", second(7), vec![counter("x_total", &[], 1.0)])],
    )
    .await;
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.traces, 1);
    assert!(stats.oldest_trace.unwrap() > second(0));
    let off = second(7)
        .duration_since(stats.oldest_point.unwrap())
        .unwrap();
    assert!(off < Duration::from_millis(1), "{off:?}");
    assert_eq!(stats.crowded_at, None);
}

/// A span as proxies write them.
fn span_of_a_proxy(n: u64) -> Span {
    let texts = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("url.path", "/books/4711/edit"),
        ("http.route", "/books/{id}/edit"),
        ("clew.route", "GET /books/{id}/edit"),
        ("server.address", "books"),
        ("network.protocol.version", "1.1"),
        ("network.peer.address", "127.0.0.1"),
        ("clew.direction", "inbound"),
        ("clew.peer.workload", "webapp"),
        ("clew.peer.namespace", "default"),
        ("clew.peer.instance", "webapp-7f3a12bc"),
        ("clew.dst_service", "books"),
        ("clew.tls", "none"),
    ];
    let numbers = [
        "clew.proxy.detect_us",
        "clew.proxy.route_us",
        "clew.proxy.policy_us",
        "clew.proxy.balance_us",
        "clew.proxy.queue_us",
        "clew.proxy.request_us",
        "clew.proxy.response_us",
        "server.port",
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.into()));
    let numbers = numbers.map(|name| {
        (
            name.to_owned(),
            AttributeValue::Double(n as f64 * 0.37 + 1.0),
        )
    });
    let resource = [
        ("host.name", "machine-1"),
        ("process.pid", "4711"),
        ("telemetry.sdk.name", "clew"),
        ("telemetry.sdk.version", "0.1.0"),
    ];
    Span {
        attributes: texts.into_iter().chain(numbers).collect(),
        resource: resource
            .map(|(name, text)| (name.to_owned(), text.into()))
            .into(),
        // Ids are random.
        ..span(
            u128::from(n / 10).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834) | 1,
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            Some(n | 1),
            ("books", n),
        )
    }
}

/// With the names of attributes and the resource in each span it was 1,513 bytes.
#[tokio::test]
async fn a_span_of_a_proxy_takes_some_five_hundred_bytes() {
    const SPANS: u64 = 20_000;
    let store = temporary();
    let before = store.stats().await.unwrap().bytes;
    for first in (0..SPANS).step_by(1_000) {
        let batch = (first..first + 1_000).map(span_of_a_proxy);
        insert(&store, batch.collect()).await;
    }
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.spans_written, SPANS);
    let each = (stats.bytes - before) / SPANS;
    assert!((300..650).contains(&each), "{each} bytes a span");
}

/// 1. Only traces with that route of that service, in the window, that nothing was added to lately.
/// 2. Of more than wanted an even selection.
#[tokio::test]
async fn a_sample_is_picked_evenly_from_the_traces_of_a_route() {
    let store = temporary();
    let of = |trace: u128, service: &str, route: &str| {
        let mut span = span(trace, 1, None, (service, 0));
        span.attributes = vec![("clew.route".to_owned(), route.into())];
        span
    };
    let mut spans: Vec<Span> = (1..=10).map(|trace| of(trace, "books", "GET /a")).collect();
    spans.push(of(11, "books", "GET /b"));
    spans.push(of(12, "webapp", "GET /a"));
    insert(&store, spans).await;
    let asked = |limit, settled_for| SampleQuery {
        service: "books".to_owned(),
        route: "GET /a".to_owned(),
        window: Window::all(),
        settled_for,
        limit,
    };
    let sample = store.sample(asked(5, Duration::ZERO)).await.unwrap();
    let picked: Vec<u128> = sample
        .traces
        .iter()
        .map(|trace| trace[0].trace_id.get())
        .collect();
    assert_eq!((sample.found, picked), (10, vec![1, 3, 5, 7, 9]));
    let all = store.sample(asked(50, Duration::ZERO)).await.unwrap();
    assert_eq!((all.found, all.traces.len()), (10, 10));
    let settled = Duration::from_secs(3_600);
    let none = store.sample(asked(5, settled)).await.unwrap();
    assert_eq!((none.found, none.traces.len()), (0, 0));
}
