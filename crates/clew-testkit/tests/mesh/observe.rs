//! From the request to the answer of observe: the numbers are those that the client counted.

use super::chain::{is_whole, span_of};
use clew_api::rest::golden::{Edges, Golden, RouteSource, Routes, Stat};
use clew_api::rest::mesh::Mesh as MeshState;
use clew_control::DeclaredService;
use clew_model::policy::{PathMatch, RequestMatch, RouteRule, RuleSource};
use clew_store::query::{Direction, GoldenQuery, SeriesQuery, TraceQuery};
use clew_store::{Label, Window};
use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, Scripted, ok, status};
use clew_testkit::{Mesh, within};
use clew_trace::span::SpanKind;

/// What the API answers.
async fn asked<T: serde::de::DeserializeOwned>(mesh: &Mesh, path: &str) -> T {
    let mut client = Client::http1(mesh.api()).await;
    let uri = format!("http://{}/api/v1/{path}", mesh.api());
    let answer = client.ask(get(&uri)).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
    serde_json::from_slice(&answer.body.data).unwrap()
}

fn counts(golden: &Golden) -> [u64; 5] {
    [
        golden.requests,
        golden.started,
        golden.successes,
        golden.failures,
        golden.cancelled,
    ]
}

#[tokio::test]
async fn golden_numbers_are_those_that_the_client_counted() {
    let application = Answering::start(|asked| async move {
        match asked.uri.path() {
            "/books/broken" => status(500),
            _ => ok("ok"),
        }
    })
    .await;
    let mut hanging = Scripted::start().await;
    let mesh = Mesh::builder().observe().begin().await;
    let _books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let slow = mesh.sidecar("slow").serves(hanging.address()).start().await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .calls("slow")
        .calls("nobody")
        .start()
        .await;
    // Members are read at their beginning; what comes after is what counts.
    mesh.scrape_now().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    for _ in 0..40 {
        client.ask(get("http://books/books/7")).await;
    }
    for _ in 0..7 {
        client.ask(get("http://books/books/broken")).await;
    }
    let mut client = Client::http1(webapp.dependency("nobody")).await;
    for _ in 0..3 {
        client.ask(get("http://nobody/")).await;
    }
    let mut client = Client::http1(webapp.dependency("slow")).await;
    let asking = tokio::spawn(async move { client.send(get("http://slow/")).await });
    let mut exchange = hanging.next().await;
    asking.abort();
    exchange.given_up().await;
    let ended = |metrics: &Metrics| metrics.responses(&[]) == 51;
    webapp
        .metrics_when("the cancelled request to be closed", ended)
        .await;
    let ended = |metrics: &Metrics| metrics.responses(&[]) == 1;
    slow.metrics_when("the cancelled request to be closed", ended)
        .await;

    mesh.scrape_now().await;
    let stat: Stat = asked(&mesh, "stat?window=1h").await;
    let workload = |name: &str| {
        let mut found = stat.workloads.iter();
        found.find(|workload| workload.workload == name).unwrap()
    };
    let inbound = |name: &str| {
        let side = workload(name).inbound.as_ref().unwrap();
        counts(side.golden.as_ref().unwrap())
    };
    assert_eq!(inbound("books"), [47, 47, 40, 7, 0]);
    assert_eq!(inbound("slow"), [1, 1, 0, 0, 1]);
    let outbound = workload("webapp").outbound.as_ref().unwrap();
    let outbound = outbound.golden.as_ref().unwrap();
    assert_eq!(counts(outbound), [51, 51, 40, 10, 1]);
    assert_eq!(outbound.errors["no_endpoints"], 3);
    assert_eq!(outbound.errors["client_cancelled"], 1);
    assert_eq!(outbound.statuses["200"], 40);
    assert_eq!(outbound.statuses["500"], 7);
    assert_eq!(outbound.statuses["503"], 3);

    let query = GoldenQuery {
        series: SeriesQuery {
            window: Window::all(),
            filters: vec![(Label::Workload, "books".into())],
            group_by: vec![Label::Route],
        },
        direction: Some(Direction::Inbound),
    };
    let rows = mesh.store().golden(query).await.unwrap();
    let row = |route: &str| {
        let mut rows = rows.iter();
        rows.find(|row| {
            row.labels
                .get(&Label::Route)
                .is_some_and(|name| name == route)
        })
        .unwrap_or_else(|| panic!("{route}"))
    };
    assert_eq!(row("GET /books/{id}").ended.success, 40);
    assert_eq!(row("GET /books/broken").ended.failure, 7);
    assert_eq!(rows.iter().map(|row| row.requests).sum::<u64>(), 47);

    let routes: Routes = asked(&mesh, "routes?workload=books&window=1h").await;
    let all: u64 = routes
        .routes
        .iter()
        .map(|route| route.golden.requests)
        .sum();
    assert_eq!(all, 47);
    let edges: Edges = asked(&mesh, "edges?window=1h").await;
    let shown = format!("{edges:?}");
    assert!(shown.contains("books") && shown.contains("slow"), "{shown}");
    mesh.stop().await;
}

#[tokio::test]
async fn a_trace_is_in_the_store_whole() {
    let application = Answering::ok().await;
    let mesh = Mesh::builder().observe().begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let edge = mesh
        .sidecar("edge")
        .gateway(&[(None, "/", "books")])
        .start()
        .await;
    let mut client = Client::http1(edge.gateway()).await;
    client.ask(get("http://edge/books/7")).await;
    drop(client);
    // The last spans leave with the proxies.
    for sidecar in [&edge, &webapp, &books] {
        sidecar.stop().await;
    }
    mesh.store().flush().await.unwrap();
    let found = mesh
        .store()
        .find_traces(TraceQuery::default())
        .await
        .unwrap()
        .traces;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].spans, found[0].missing_parents, found[0].roots),
        (3, 0, 1)
    );
    assert_eq!(found[0].root_service, "edge");
    let spans = mesh
        .store()
        .load_trace(found[0].trace_id)
        .await
        .unwrap()
        .unwrap()
        .spans;
    let root = is_whole(&spans);
    assert_eq!(root.kind, SpanKind::Server);
    span_of(&spans, "edge", SpanKind::Client);
    span_of(&spans, "books", SpanKind::Server);
    mesh.stop().await;
}

#[tokio::test]
async fn the_last_numbers_of_a_proxy_that_ends_are_read() {
    let application = Answering::ok().await;
    let mesh = Mesh::builder().observe().begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| limits.last_scrape_timeout = clew_testkit::DEADLINE)
        .start()
        .await;
    mesh.scrape_now().await;
    let mut client = Client::http1(books.inbound()).await;
    for _ in 0..25 {
        client.ask(get("http://books/")).await;
    }
    drop(client);
    // Nobody asks observe to read; it does, because the member leaves.
    books.stop().await;
    mesh.store().flush().await.unwrap();
    let query = GoldenQuery {
        series: SeriesQuery {
            window: Window::all(),
            filters: vec![(Label::Workload, "books".into())],
            group_by: Vec::new(),
        },
        direction: Some(Direction::Inbound),
    };
    let rows = mesh.store().golden(query).await.unwrap();
    assert_eq!((rows[0].requests, rows[0].ended.success), (25, 25));
    mesh.stop().await;
}

#[tokio::test]
async fn routes_tell_where_they_are_described_and_members_what_they_use() {
    let application = Answering::ok().await;
    let route = RouteRule {
        name: "GET /books/{isbn}".into(),
        hosts: [].into(),
        matches: [RequestMatch {
            path: Some(PathMatch::Template("/books/{isbn}".into())),
            method: Some("GET".into()),
        }]
        .into(),
        backend: None,
        failure_statuses: None,
        source: RuleSource::OpenApi,
    };
    let books = DeclaredService {
        name: "books".into(),
        protocol: None,
        routes: [route].into(),
    };
    let mesh = Mesh::builder().observe().service(books).begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    mesh.scrape_now().await;
    let mut client = Client::http1(books.inbound()).await;
    // Requests to an application never wait for control.
    let known = async {
        let described = [("route", "GET /books/{isbn}")];
        while books.metrics().await.responses(&described) == 0 {
            client.ask(get("http://books/books/7")).await;
        }
    };
    within("the route to be known", known).await;
    client.ask(get("http://books/authors/7")).await;
    mesh.scrape_now().await;
    let routes: Routes = asked(&mesh, "routes?workload=books&window=1h").await;
    let source = |name: &str| {
        let mut routes = routes.routes.iter();
        routes.find(|route| route.route == name).unwrap().source
    };
    assert_eq!(source("GET /books/{isbn}"), Some(RouteSource::Openapi));
    assert_eq!(source("GET /authors/{id}"), Some(RouteSource::Learned));

    let state: MeshState = asked(&mesh, "mesh").await;
    let [member] = state.members.as_slice() else {
        panic!("{state:?}")
    };
    assert!(member.inbound_rps.unwrap() > 0.0, "{member:?}");
    assert!(member.spans.as_ref().unwrap().emitted > 1, "{member:?}");
    let series = member.series.as_ref().unwrap();
    assert!(series.used > 1 && series.used < series.limit, "{series:?}");
    let process = member.process.as_ref().unwrap();
    assert!(process.resident_bytes.unwrap() > 0, "{process:?}");
    assert!(process.cpu_cores.is_some(), "{process:?}");
    assert!(state.control.answers);
}
