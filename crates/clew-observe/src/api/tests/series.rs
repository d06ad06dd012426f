//! `series` and `heatmap`.

use super::mesh::{TestMesh, member};
use super::traffic::{Hops, Proxy, good};
use clew_api::rest::golden::Direction;
use clew_api::rest::series::{Heatmap, Series, SeriesRow};
use clew_store::{Histogram, SampleValue};
use clew_trace::span::SpanStatus;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// web -> books two minutes ago (3 requests of 10 ms) and now (1 of 10 ms, 2 failures of 40 ms); somebody without a
/// proxy -> books now. Of web's requests to books one found no endpoint.
async fn mesh() -> TestMesh {
    let members = [("web-1", "web"), ("books-1", "books")];
    let members = members.map(|(id, name)| member(id, name, Some(name)));
    let mesh = TestMesh::of(members.into()).await;
    let now = SystemTime::now() - Duration::from_secs(5);
    let mut earlier = Proxy::read_at("books", now - Duration::from_secs(120));
    earlier.add(&good(FROM_WEB, 3));
    earlier.write(&mesh.store, "books-0").await;

    let mut books = Proxy::read_at("books", now);
    books.add(&Hops {
        failures: 2,
        latency_ms: 40.0,
        ..good(FROM_WEB, 0)
    });
    books.add(&good(OTHER_ROUTE, 1));
    books.add(&good(FROM_OUTSIDE, 1));
    let mut time = Histogram::new(3);
    time.observe(25e-6);
    books.sample(
        "clew_proxy_time_seconds",
        REQUEST,
        SampleValue::Histogram(time),
    );
    books.write(&mesh.store, "books-1").await;

    let mut web = Proxy::read_at("web", now);
    web.add(&good(TO_BOOKS, 3));
    web.add(&Hops {
        failures: 1,
        error: "no_endpoints",
        ..good(TO_NOBODY, 0)
    });
    web.write(&mesh.store, "web-1").await;
    mesh
}

const FROM_WEB: &[(&str, &str)] = &[
    ("direction", "inbound"),
    ("client_workload", "web"),
    ("client_namespace", "default"),
    ("route", "GET /books"),
];
const OTHER_ROUTE: &[(&str, &str)] = &[
    ("direction", "inbound"),
    ("client_workload", "web"),
    ("client_namespace", "default"),
    ("route", "GET /authors"),
];
const FROM_OUTSIDE: &[(&str, &str)] = &[("direction", "inbound"), ("route", "GET /books")];
const TO_BOOKS: &[(&str, &str)] = &[
    ("direction", "outbound"),
    ("dst_service", "library"),
    ("dst_workload", "books"),
    ("dst_namespace", "default"),
    ("route", "GET /books"),
];
const TO_NOBODY: &[(&str, &str)] = &[
    ("direction", "outbound"),
    ("dst_service", "library"),
    ("route", "GET /books"),
];
const REQUEST: &[(&str, &str)] = &[("direction", "inbound"), ("phase", "request")];

fn total(row: &SeriesRow) -> u64 {
    row.requests.iter().sum()
}

/// Name and requests of each.
fn named(series: &Series, name: impl Fn(&SeriesRow) -> Option<&String>) -> Vec<(String, u64)> {
    let rows = series.series.iter();
    rows.map(|row| (name(row).cloned().unwrap_or_default(), total(row)))
        .collect()
}

#[tokio::test]
async fn series_say_when_what_happened() {
    let mesh = mesh().await;
    let series: Series = mesh.get("/series?window=5m&points=30").await;
    assert_eq!((series.steps.step_seconds, series.truncated), (10.0, false));
    let ends = &series.steps.ends;
    assert!((29..=30).contains(&ends.len()), "{ends:?}");
    assert!(ends.windows(2).all(|two| two[1] - two[0] == 10_000));
    let row = &series.series[0];
    let filled: Vec<usize> = (0..ends.len())
        .filter(|step| row.requests[*step] > 0)
        .collect();
    let [earlier, now] = filled[..] else {
        panic!("{row:?}")
    };
    assert_eq!((row.requests[earlier], row.requests[now]), (3, 4));
    assert_eq!((row.failures[earlier], row.failures[now]), (0, 2));
    assert_eq!(row.rps[now], 0.4);
    assert_eq!(row.success_rate[earlier], Some(1.0));
    assert_eq!(row.success_rate[now], Some(0.5));
    assert!((9.0..11.0).contains(&row.p50_ms[earlier].unwrap()));
    assert!((36.0..44.0).contains(&row.p99_ms[now].unwrap()));
    let proxy = row.proxy_p99_ms.as_ref().unwrap();
    assert!((0.02..0.03).contains(&proxy[now].unwrap()));
    assert_eq!(
        (row.success_rate[0], row.p50_ms[0], proxy[0]),
        (None, None, None)
    );
}

#[tokio::test]
async fn series_say_from_when_on_anything_was_measured() {
    let mesh = mesh().await;
    let series: Series = mesh.get("/series?window=5m").await;
    let time = |text: &str| SystemTime::from(text.parse::<jiff::Timestamp>().unwrap());
    let measured = time(&series.steps.measured_from);
    let ago = SystemTime::now().duration_since(measured).unwrap();
    assert!((120..130).contains(&ago.as_secs()), "{ago:?}");
    let end = UNIX_EPOCH + Duration::from_millis(*series.steps.ends.last().unwrap());
    assert_eq!(end, time(&series.steps.window.to));
    // The last second may not have been read.
    assert!(end + Duration::from_millis(1_500) <= SystemTime::now());
}

#[tokio::test]
async fn series_come_by_workload_route_and_client_the_busiest_first() {
    let mesh = mesh().await;
    let by = async |by: &str| {
        mesh.get::<Series>(&format!("/series?window=5m&by={by}"))
            .await
    };
    let of = |names: &[(&str, u64)]| {
        let names = names.iter();
        names
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect::<Vec<_>>()
    };
    let workloads = by("workload").await;
    assert_eq!(
        named(&workloads, |row| row.workload.as_ref()),
        of(&[("books", 7)])
    );
    assert!(workloads.series[0].proxy_p99_ms.is_some());
    let routes = by("route").await;
    let expected = of(&[("GET /books", 6), ("GET /authors", 1)]);
    assert_eq!(named(&routes, |row| row.route.as_ref()), expected);
    assert_eq!(routes.series[0].workload.as_deref(), Some("books"));
    assert_eq!(routes.series[0].proxy_p99_ms, None);
    let clients = by("client").await;
    let expected = of(&[("web", 6), ("(unmeshed)", 1)]);
    assert_eq!(named(&clients, |row| row.client.as_ref()), expected);
    let outbound: Series = mesh.get("/series?by=client&direction=outbound").await;
    assert_eq!(
        named(&outbound, |row| row.client.as_ref()),
        of(&[("web", 4)])
    );
}

#[tokio::test]
async fn series_of_some_requests_are_those_that_routes_has() {
    let mesh = mesh().await;
    for (query, requests, direction) in [
        ("workload=books", 7, Direction::Inbound),
        ("workload=books&route=GET%20/books", 6, Direction::Inbound),
        ("workload=web", 0, Direction::Inbound),
        ("from=(unmeshed)", 1, Direction::Inbound),
        ("from=web&namespace=default", 6, Direction::Inbound),
        ("namespace=other", 0, Direction::Inbound),
        // By the workload and by the service, with the request that only names the service.
        ("workload=web&to=books", 4, Direction::Outbound),
        ("to=library", 4, Direction::Outbound),
    ] {
        let series: Series = mesh.get(&format!("/series?window=5m&{query}")).await;
        assert_eq!(series.direction, direction, "{query}");
        assert_eq!(total(&series.series[0]), requests, "{query}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_of_series_is_refused() {
    let mesh = mesh().await;
    for (query, parameter) in [
        ("points=1", "points"),
        ("points=501", "points"),
        ("by=status", "by"),
        ("from=web&to=books", "to"),
        ("from=web&direction=outbound", "direction"),
        ("to=books&direction=inbound", "direction"),
        ("workload=nobody", "workload"),
        ("from=nobody", "from"),
        ("to=nobody", "to"),
    ] {
        for path in ["series", "heatmap"] {
            let problem = mesh.refused(&format!("/{path}?{query}")).await;
            let expected = match (path, parameter) {
                ("heatmap", "by") => ("by", 400),
                (_, "workload" | "from") => (parameter, 404),
                (_, "to") if query == "to=nobody" => ("to", 404),
                _ => (parameter, 400),
            };
            let given = (problem.parameter.as_deref().unwrap(), problem.status);
            assert_eq!(given, expected, "{path} {query}");
        }
    }
}

#[tokio::test]
async fn the_heatmap_has_each_request_in_its_step_and_bucket() {
    let mesh = mesh().await;
    let map: Heatmap = mesh
        .get("/heatmap?window=5m&points=30&workload=books")
        .await;
    let bounds: Vec<f64> = map.bounds_ms.iter().map(|bound| bound.unwrap()).collect();
    let holds = |place: usize, ms: f64| map.lower_bounds_ms[place] < ms && ms <= bounds[place];
    assert_eq!(bounds.len(), 2);
    assert!(holds(0, 10.0) && holds(1, 40.0), "{bounds:?}");
    assert_eq!(map.counts.len(), map.steps.ends.len());
    let filled: Vec<&Vec<u64>> = map
        .counts
        .iter()
        .filter(|counts| counts.iter().any(|count| *count > 0))
        .collect();
    assert_eq!(filled, [&vec![3, 0], &vec![2, 2]]);
}

#[tokio::test]
async fn a_heatmap_of_nothing_has_steps_and_no_buckets() {
    let mesh = TestMesh::begin().await;
    let map: Heatmap = mesh.get("/heatmap?points=10").await;
    assert!(map.bounds_ms.is_empty() && map.counts.iter().all(Vec::is_empty));
    assert_eq!(map.counts.len(), map.steps.ends.len());
}

#[tokio::test]
async fn a_heatmap_names_spans_of_its_requests() {
    let mesh = mesh().await;
    // Three seconds ago books answered web: 40 ms and well, and 10 ms and not.
    let answered = |id: u64, ms: u64| {
        let mut span = super::spans::span(u128::from(id), id, None, "books");
        span.start_unix_nano -= 2_000_000_000;
        span.end_unix_nano = span.start_unix_nano + ms * 1_000_000;
        span.attributes
            .push(("clew.peer.workload".to_owned(), "web".into()));
        span
    };
    let mut failed = answered(2, 10);
    failed.status = SpanStatus::Error;
    let spans = vec![answered(1, 40), failed, answered(3, 20)];
    mesh.store.insert_spans(spans).unwrap();
    mesh.store.flush().await.unwrap();
    let ask = async |query: &str| {
        let path = format!("/heatmap?window=5m&points=30&workload=books&{query}");
        mesh.get::<Heatmap>(&path).await
    };
    for query in ["", "route=GET%20/books/{id}", "from=web"] {
        let map = ask(query).await;
        assert_eq!(map.exemplars.len(), map.steps.ends.len());
        let named: Vec<_> = map.exemplars.iter().flatten().collect();
        let [slowest, failed] = named.as_slice() else {
            panic!("{query}: {named:?}")
        };
        assert_eq!((slowest.duration_ms, slowest.failed), (40.0, false));
        assert_eq!((failed.duration_ms, failed.failed), (10.0, true));
        assert_eq!(slowest.span_id, "0000000000000001");
        assert_eq!(slowest.trace_id, format!("{:032x}", 1));
        assert!(!map.exemplars_truncated);
    }
    for query in [
        "route=GET%20/other",
        "from=(unmeshed)",
        "direction=outbound",
    ] {
        let map = ask(query).await;
        assert!(map.exemplars.iter().all(Vec::is_empty), "{query}");
    }
}
