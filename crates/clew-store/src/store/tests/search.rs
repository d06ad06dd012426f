use super::*;
use crate::query::FoundTraces;
use clew_trace::span::AttributeValue;

fn attributes(pairs: &[(&str, AttributeValue)]) -> Vec<(String, AttributeValue)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

async fn find(store: &Store, query: TraceQuery) -> Vec<u128> {
    let found = store.find_traces(query).await.unwrap().traces;
    found.iter().map(|trace| trace.trace_id.get()).collect()
}

fn tagged(tags: &[(&str, &str)]) -> TraceQuery {
    let tags = tags.iter();
    TraceQuery {
        tags: tags
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..TraceQuery::default()
    }
}

/// Trace 1: web (status 200, of staging), which calls books (503, as text); trace 2: web, 404.
async fn store() -> Store {
    let store = temporary();
    let mut web = span(1, 1, None, ("web", 0));
    web.attributes = attributes(&[
        ("http.response.status_code", AttributeValue::Int(200)),
        ("retry", AttributeValue::Bool(true)),
        ("clew.route", "GET /".into()),
    ]);
    web.resource = attributes(&[("deployment", "staging".into())]).into();
    let mut books = span(1, 2, Some(1), ("books", 1));
    books.attributes = attributes(&[("http.status_code", "503".into())]);
    let mut other = span(2, 3, None, ("web", 2));
    let status = AttributeValue::Int(404);
    other.attributes = attributes(&[("http.response.status_code", status)]);
    other.instance = "web-2".to_owned();
    insert(&store, vec![web, books, other]).await;
    store
}

#[tokio::test]
async fn traces_are_found_by_the_status_of_a_span() {
    let store = store().await;
    let status = |range| TraceQuery {
        status: Some(range),
        ..TraceQuery::default()
    };
    assert_eq!(find(&store, status(200..=200)).await, [1]);
    assert_eq!(find(&store, status(500..=599)).await, [1]);
    assert_eq!(find(&store, status(400..=499)).await, [2]);
    assert_eq!(find(&store, status(100..=599)).await, [2, 1]);
    assert_eq!(find(&store, status(300..=399)).await, [0u128; 0]);
    let of_books = TraceQuery {
        service: Some("books".to_owned()),
        ..status(200..=200)
    };
    assert_eq!(find(&store, of_books).await, [0u128; 0], "of one span");
}

#[tokio::test]
async fn traces_are_found_by_attributes_of_a_span_and_of_its_resource() {
    let store = store().await;
    for (tags, found) in [
        (&[("retry", "true")] as &[_], &[1_u128] as &[u128]),
        (&[("retry", "false")], &[]),
        (&[("deployment", "staging"), ("retry", "true")], &[1]),
        (
            &[("deployment", "staging"), ("http.status_code", "503")],
            &[],
        ),
        (&[("service.instance.id", "web-2")], &[2]),
        (&[("service.namespace", "default")], &[2, 1]),
        (&[("http.response.status_code", "404")], &[2]),
        (&[("no.such", "")], &[]),
    ] {
        assert_eq!(find(&store, tagged(tags)).await, found, "{tags:?}");
    }
}

#[tokio::test]
async fn traces_are_found_by_spans_that_were_not_slow() {
    let store = temporary();
    let mut slow = span(1, 1, None, ("web", 0));
    slow.end_unix_nano = slow.start_unix_nano + 1_000_000_000;
    insert(&store, vec![slow, span(2, 2, None, ("web", 1))]).await;
    let at_most = |millis| TraceQuery {
        max_duration: Some(Duration::from_millis(millis)),
        ..TraceQuery::default()
    };
    assert_eq!(find(&store, at_most(10)).await, [2]);
    assert_eq!(find(&store, at_most(9)).await, [0u128; 0]);
    assert_eq!(find(&store, at_most(1_000)).await, [2, 1]);
}

#[tokio::test]
async fn a_search_that_comes_to_its_bound_says_how_far_it_was() {
    let store = store().await;
    let bounded = |searched_spans| TraceQuery {
        searched_spans,
        ..tagged(&[("retry", "true")])
    };
    let two = store.find_traces(bounded(2)).await.unwrap();
    let begin = UNIX_EPOCH + Duration::from_nanos(nanos(second(0)));
    let expected = FoundTraces {
        searched_back_to: Some(begin),
        ..FoundTraces::default()
    };
    assert_eq!(two, expected, "the third is not read");
    let three = store.find_traces(bounded(3)).await.unwrap();
    assert_eq!((three.traces.len(), three.searched_back_to), (1, None));
    let unbounded = TraceQuery {
        searched_spans: 0,
        ..TraceQuery::default()
    };
    assert_eq!(
        find(&store, unbounded).await,
        [2, 1],
        "nothing is read whole"
    );
}

#[tokio::test]
async fn a_summary_has_route_and_status_of_the_root() {
    let store = store().await;
    let found = store
        .find_traces(TraceQuery::default())
        .await
        .unwrap()
        .traces;
    let roots = found
        .iter()
        .map(|trace| (trace.root_route.as_deref(), trace.root_status));
    let expected = [(None, Some(404)), (Some("GET /"), Some(200))];
    assert_eq!(roots.collect::<Vec<_>>(), expected);
}
