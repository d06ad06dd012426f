//! `stat`, `routes` and `edges`.

use super::mesh::{TestMesh, member};
use super::traffic::{Hops, Proxy, good, record};
use axum::Router;
use axum::routing::get;
use clew_api::client::Instance;
use clew_api::rest::calls::{CallPattern, Calls};
use clew_api::rest::check::Checks;
use clew_api::rest::golden::{
    Direction, Edge, EdgePeer, Edges, Golden, Routes, Stat, WorkloadStat,
};
use clew_api::rest::propagation::{
    MemberExample, MemberExamples, Propagation, PropagationExample, SentContext,
};
use clew_api::rest::span::PROXY_SCOPE;
use clew_store::{Histogram, SampleValue};
use clew_trace::span::SpanKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// generator -> gateway -> web -> books, mail (outside); somebody without a proxy -> books.
async fn books_application() -> TestMesh {
    let mesh = TestMesh::of(vec![
        member("gateway-1", "gateway", None),
        member("web-1", "web", Some("web")),
        member("books-1", "books", Some("books")),
        member("books-2", "books", Some("books")),
        member("idle-1", "idle", Some("idle")),
    ])
    .await;
    record(
        &mesh.store,
        "gateway-1",
        "gateway",
        &[
            good(
                &[
                    ("direction", "inbound"),
                    ("client_workload", "traffic"),
                    ("client_namespace", "default"),
                    ("route", "GET /"),
                ],
                12,
            ),
            good(
                &[
                    ("direction", "outbound"),
                    ("dst_service", "web"),
                    ("dst_workload", "web"),
                    ("dst_namespace", "default"),
                    ("route", "GET /"),
                ],
                12,
            ),
        ],
    )
    .await;
    let to_gateway = good(
        &[
            ("direction", "outbound"),
            ("dst_service", "gateway"),
            ("dst_workload", "gateway"),
            ("dst_namespace", "default"),
            ("route", "GET /"),
        ],
        12,
    );
    record(&mesh.store, "traffic-1", "traffic", &[to_gateway]).await;
    let no_endpoints = Hops {
        labels: &[
            ("direction", "outbound"),
            ("dst_service", "books"),
            ("route", "GET /books/{id}"),
        ],
        successes: 0,
        failures: 2,
        cancelled: 0,
        error: "no_endpoints",
        latency_ms: 0.1,
    };
    record(
        &mesh.store,
        "web-1",
        "web",
        &[
            good(
                &[
                    ("direction", "inbound"),
                    ("client_workload", "gateway"),
                    ("client_namespace", "default"),
                    ("route", "GET /"),
                ],
                12,
            ),
            good(
                &[
                    ("direction", "outbound"),
                    ("dst_service", "books"),
                    ("dst_workload", "books"),
                    ("dst_namespace", "default"),
                    ("route", "GET /books/{id}"),
                ],
                8,
            ),
            good(
                &[
                    ("direction", "outbound"),
                    ("dst_service", "mail.example"),
                    ("route", "POST /send"),
                ],
                1,
            ),
            no_endpoints,
        ],
    )
    .await;
    let from_web = Hops {
        labels: &[
            ("direction", "inbound"),
            ("client_workload", "web"),
            ("client_namespace", "default"),
            ("route", "GET /books/{id}"),
        ],
        successes: 5,
        failures: 1,
        cancelled: 2,
        error: "",
        latency_ms: 100.0,
    };
    let refused = Hops {
        labels: &[("direction", "inbound"), ("route", "(unknown)")],
        successes: 0,
        failures: 1,
        cancelled: 0,
        error: "malformed_request",
        latency_ms: 0.1,
    };
    let direct = good(&[("direction", "inbound"), ("route", "GET /books/{id}")], 4);
    record(
        &mesh.store,
        "books-1",
        "books",
        &[from_web, refused, direct],
    )
    .await;
    mesh
}

fn workload<'a>(stat: &'a Stat, name: &str) -> &'a WorkloadStat {
    stat.workloads
        .iter()
        .find(|workload| workload.workload == name)
        .unwrap()
}

fn counts(golden: &Golden) -> [u64; 4] {
    [
        golden.requests,
        golden.successes,
        golden.failures,
        golden.cancelled,
    ]
}

#[tokio::test]
async fn stat_counts_every_request_once_and_cancelled_ones_apart() {
    let mesh = books_application().await;
    let stat: Stat = mesh.get("/stat").await;
    // The mesh is younger than the minute that was asked about.
    assert!(
        (1.0..60.0).contains(&stat.window.seconds),
        "{:?}",
        stat.window
    );
    let books = workload(&stat, "books");
    assert_eq!((books.instances, books.role.as_deref()), (2, Some("proxy")));
    let golden = books.inbound.as_ref().unwrap().golden.as_ref().unwrap();
    assert_eq!(counts(golden), [13, 9, 2, 2]);
    assert_eq!(golden.started, 13);
    assert_eq!(golden.success_rate, Some(9.0 / 11.0));
    assert!(
        (golden.rps - 13.0 / stat.window.seconds).abs() < 1e-6,
        "{golden:?}"
    );
    assert_eq!(golden.errors["malformed_request"], 1);
    assert_eq!(golden.errors["client_cancelled"], 2);
    assert_eq!(golden.statuses["503"], 2);
    let latency = golden.latency_ms.unwrap();
    assert!(
        (90.0..110.0).contains(&latency.p99) && latency.p50 <= latency.p95,
        "{latency:?}"
    );
    assert!(books.outbound.is_none());
}

#[tokio::test]
async fn stat_shows_who_only_sends_and_who_has_no_traffic() {
    let mesh = books_application().await;
    let stat: Stat = mesh.get("/stat").await;
    let names: Vec<&str> = stat
        .workloads
        .iter()
        .map(|workload| workload.workload.as_str())
        .collect();
    assert_eq!(names, ["books", "gateway", "idle", "traffic", "web"]);
    let idle = workload(&stat, "idle");
    assert!(idle.inbound.is_none() && idle.outbound.is_none() && idle.instances == 1);
    let traffic = workload(&stat, "traffic");
    assert!(traffic.inbound.is_none() && traffic.instances == 0 && traffic.role.is_none());
    assert_eq!(
        traffic
            .outbound
            .as_ref()
            .unwrap()
            .golden
            .as_ref()
            .unwrap()
            .requests,
        12
    );
    let gateway = workload(&stat, "gateway");
    assert_eq!(gateway.role.as_deref(), Some("gateway"));
    assert!(gateway.inbound.is_some() && gateway.outbound.is_some());
}

#[tokio::test]
async fn stat_of_one_workload_or_namespace_is_that_alone() {
    let mesh = books_application().await;
    let one: Stat = mesh.get("/stat?workload=web&window=5m").await;
    assert_eq!(one.workloads.len(), 1);
    assert!(one.window.seconds < 300.0, "{:?}", one.window);
    let none: Stat = mesh.get("/stat?namespace=elsewhere").await;
    assert!(none.workloads.is_empty());
    let problem = mesh.refused("/stat?workload=bokos").await;
    assert_eq!(
        (problem.status, problem.given.as_deref()),
        (404, Some("bokos"))
    );
    assert_eq!(
        problem.known,
        ["books", "gateway", "idle", "traffic", "web"]
    );
}

/// Its request began long before the window, and has not ended.
#[tokio::test]
async fn a_stream_that_has_been_open_for_long_is_in_stat_and_routes() {
    let mesh = TestMesh::begin().await;
    let mut proxy = Proxy::new("chat");
    let labels = [("direction", "inbound"), ("route", "GET /chat/{id}")];
    proxy.sample("clew_open_streams", &labels, SampleValue::Gauge(3.0));
    proxy.write(&mesh.store, "chat-1").await;
    let stat: Stat = mesh.get("/stat").await;
    let side = workload(&stat, "chat").inbound.as_ref().unwrap();
    let golden = side.golden.as_ref().unwrap();
    assert_eq!((golden.open_streams, golden.requests), (3, 0));
    let routes: Routes = mesh.get("/routes?workload=chat").await;
    assert_eq!(names(&routes), [("GET /chat/{id}", 0)]);
    assert_eq!(routes.routes[0].golden.open_streams, 3);
}

#[tokio::test]
async fn stat_has_opaque_connections_and_the_time_in_the_proxy() {
    let mesh = TestMesh::begin().await;
    let mut proxy = Proxy::new("db");
    let inbound = [("direction", "inbound"), ("client_workload", "web")];
    proxy.sample("tcp_open_total", &inbound, SampleValue::Counter(3.0));
    proxy.sample("tcp_close_total", &inbound, SampleValue::Counter(1.0));
    proxy.sample("tcp_open_connections", &inbound, SampleValue::Gauge(2.0));
    proxy.sample(
        "tcp_read_bytes_total",
        &inbound,
        SampleValue::Counter(1_000.0),
    );
    let mut time = Histogram::new(3);
    (0..100).for_each(|_| time.observe(0.000_050));
    proxy.sample(
        "clew_proxy_time_seconds",
        &[("direction", "inbound"), ("phase", "request")],
        SampleValue::Histogram(time),
    );
    let mut wait = Histogram::new(3);
    wait.observe(5.0);
    proxy.sample(
        "clew_proxy_time_seconds",
        &[("direction", "inbound"), ("phase", "connect")],
        SampleValue::Histogram(wait),
    );
    proxy.write(&mesh.store, "db-1").await;

    let stat: Stat = mesh.get("/stat").await;
    let side = workload(&stat, "db").inbound.as_ref().unwrap();
    let tcp = side.tcp.unwrap();
    assert_eq!(
        (
            tcp.opened,
            tcp.closed,
            tcp.open,
            tcp.read_bytes,
            tcp.written_bytes
        ),
        (3, 1, Some(2), 1_000, 0)
    );
    assert!(side.golden.is_none());
    let time = side.proxy_time_ms.unwrap();
    assert!(
        (0.045..0.055).contains(&time.p50) && (0.045..0.055).contains(&time.p99),
        "waits are not in it: {time:?}"
    );
}

fn names(routes: &Routes) -> Vec<(&str, u64)> {
    routes
        .routes
        .iter()
        .map(|route| (route.route.as_str(), route.golden.requests))
        .collect()
}

#[tokio::test]
async fn routes_of_a_workload_and_of_one_client_of_it() {
    let mesh = books_application().await;
    let all: Routes = mesh.get("/routes?workload=books").await;
    assert_eq!(all.direction, Direction::Inbound);
    assert_eq!(names(&all), [("(unknown)", 1), ("GET /books/{id}", 12)]);
    let from_web: Routes = mesh.get("/routes?workload=books&from=web").await;
    assert_eq!(names(&from_web), [("GET /books/{id}", 8)]);
    let outside: Routes = mesh.get("/routes?workload=books&from=%28unmeshed%29").await;
    assert_eq!(names(&outside), [("(unknown)", 1), ("GET /books/{id}", 4)]);
    let nothing: Routes = mesh.get("/routes?workload=books&from=idle").await;
    assert_eq!(names(&nothing), []);
}

#[tokio::test]
async fn routes_to_a_server_are_those_that_the_client_saw() {
    let mesh = books_application().await;
    let to_books: Routes = mesh.get("/routes?workload=web&to=books").await;
    assert_eq!(to_books.direction, Direction::Outbound);
    assert_eq!(names(&to_books), [("GET /books/{id}", 10)]);
    assert_eq!(to_books.routes[0].service.as_deref(), Some("books"));
    assert_eq!(to_books.routes[0].golden.errors["no_endpoints"], 2);
    let to_mail: Routes = mesh.get("/routes?workload=web&to=mail.example").await;
    assert_eq!(names(&to_mail), [("POST /send", 1)]);
}

/// 1. The workload `shop` is behind the service `catalog`. 2. Some requests found no endpoint: their numbers name the
///    service alone. 3. They are requests to `shop` in the list of edges, and so they are in the list of routes.
#[tokio::test]
async fn requests_that_found_no_endpoint_are_of_the_workload_behind_their_service() {
    let mesh = TestMesh::of(vec![member("shop-1", "shop", Some("catalog"))]).await;
    let failed = Hops {
        failures: 2,
        error: "no_endpoints",
        ..good(
            &[
                ("direction", "outbound"),
                ("dst_service", "catalog"),
                ("route", "GET /items"),
            ],
            0,
        )
    };
    record(&mesh.store, "web-1", "web", &[failed]).await;
    for to in ["shop", "catalog"] {
        let routes: Routes = mesh.get(&format!("/routes?workload=web&to={to}")).await;
        assert_eq!(names(&routes), [("GET /items", 2)], "{to}");
    }
}

#[tokio::test]
async fn routes_of_nobody_are_refused_with_the_names_that_there_are() {
    let mesh = books_application().await;
    for (path, parameter) in [
        ("/routes?workload=nobody", "workload"),
        ("/routes?workload=books&from=nobody", "from"),
        ("/routes?workload=web&to=nobody", "to"),
    ] {
        let problem = mesh.refused(path).await;
        assert_eq!(
            (problem.status, problem.parameter.as_deref()),
            (404, Some(parameter)),
            "{path}"
        );
        assert!(problem.known.contains(&"books".to_owned()), "{path}");
    }
    assert_eq!(
        mesh.refused("/routes").await.parameter.as_deref(),
        Some("workload")
    );
    assert_eq!(
        mesh.refused("/routes?workload=web&from=a&to=b")
            .await
            .parameter
            .as_deref(),
        Some("to")
    );
}

fn end(peer: &EdgePeer) -> String {
    let name = peer.name.as_deref().unwrap_or("");
    if peer.meshed {
        name.to_owned()
    } else {
        format!("{name}(unmeshed)")
    }
}

fn shown(edge: &Edge) -> (String, Direction, u64) {
    let requests = edge.golden.as_ref().map_or(0, |golden| golden.requests);
    (
        format!("{} -> {}", end(&edge.client), end(&edge.server)),
        edge.reported_by,
        requests,
    )
}

#[tokio::test]
async fn each_edge_is_there_once_and_its_client_reports_where_it_can() {
    let mesh = books_application().await;
    let edges: Edges = mesh.get("/edges").await;
    let shown: Vec<_> = edges.edges.iter().map(shown).collect();
    let expected = [
        ("(unmeshed) -> books", Direction::Inbound, 5),
        ("gateway -> web", Direction::Outbound, 12),
        ("traffic -> gateway", Direction::Outbound, 12),
        // Two of them found no endpoint; the service is books' alone, so they are on its edge.
        ("web -> books", Direction::Outbound, 10),
        ("web -> mail.example(unmeshed)", Direction::Outbound, 1),
    ];
    assert_eq!(
        shown,
        expected.map(|(edge, by, requests)| (edge.to_owned(), by, requests))
    );
    assert_eq!(edges.edges[3].services, ["books"]);
    assert_eq!(edges.edges[3].tls, "none");
}

#[tokio::test]
async fn an_edge_whose_client_was_not_read_is_told_by_the_server() {
    let mesh = TestMesh::begin().await;
    let labels = &[
        ("direction", "inbound"),
        ("client_workload", "web"),
        ("client_namespace", "default"),
        ("route", "GET /"),
    ];
    record(&mesh.store, "books-1", "books", &[good(labels, 3)]).await;
    let edges: Edges = mesh.get("/edges").await;
    let shown: Vec<_> = edges.edges.iter().map(shown).collect();
    assert_eq!(shown, [("web -> books".to_owned(), Direction::Inbound, 3)]);
}

#[tokio::test]
async fn edges_of_one_workload_are_those_to_and_from_it() {
    let mesh = books_application().await;
    let edges: Edges = mesh.get("/edges?workload=gateway").await;
    let shown: Vec<_> = edges.edges.iter().map(|edge| shown(edge).0).collect();
    assert_eq!(shown, ["gateway -> web", "traffic -> gateway"]);
    assert_eq!(mesh.refused("/edges?workload=nobody").await.status, 404);
}

#[tokio::test]
async fn an_edge_of_opaque_bytes_has_connections_and_no_requests() {
    let mesh = TestMesh::begin().await;
    let mut proxy = Proxy::new("web");
    let labels = [
        ("direction", "outbound"),
        ("dst_service", "db"),
        ("dst_workload", "db"),
        ("dst_namespace", "default"),
    ];
    proxy.sample("tcp_open_total", &labels, SampleValue::Counter(1.0));
    proxy.sample("tcp_open_connections", &labels, SampleValue::Gauge(1.0));
    proxy.write(&mesh.store, "web-1").await;
    let edges: Edges = mesh.get("/edges").await;
    assert_eq!(edges.edges.len(), 1);
    assert!(edges.edges[0].golden.is_none());
    assert_eq!(edges.edges[0].tcp.unwrap().open, Some(1));
}

/// On the server's side nobody can tell who sends bytes that are not looked into.
#[tokio::test]
async fn opaque_connections_of_members_are_not_shown_as_ones_from_outside() {
    let mesh = TestMesh::begin().await;
    let mut web = Proxy::new("web");
    let outbound = [
        ("direction", "outbound"),
        ("dst_service", "db"),
        ("dst_workload", "db"),
        ("dst_namespace", "default"),
    ];
    web.sample("tcp_open_total", &outbound, SampleValue::Counter(2.0));
    web.sample("tcp_open_connections", &outbound, SampleValue::Gauge(2.0));
    web.write(&mesh.store, "web-1").await;
    for (instance, opened, expected) in [
        ("db-1", 2.0, vec![("web -> db", 2)]),
        ("db-2", 1.0, vec![("(unmeshed) -> db", 1), ("web -> db", 2)]),
    ] {
        let mut db = Proxy::new("db");
        db.sample(
            "tcp_open_total",
            &[("direction", "inbound")],
            SampleValue::Counter(opened),
        );
        db.sample(
            "tcp_open_connections",
            &[("direction", "inbound")],
            SampleValue::Gauge(opened),
        );
        db.write(&mesh.store, instance).await;
        let edges: Edges = mesh.get("/edges").await;
        let open = edges
            .edges
            .iter()
            .map(|edge| (shown(edge).0, edge.tcp.unwrap().open));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(edge, open)| (edge.to_owned(), Some(open)))
            .collect();
        assert_eq!(open.collect::<Vec<_>>(), expected);
    }
}

/// 1. books forgets what it is given on one route, and a timer of its own calls the other.
/// 2. A request that says nothing of who made it is in no score.
#[tokio::test]
async fn propagation_says_who_passes_context_on_and_who_does_not() {
    let mesh = TestMesh::begin().await;
    let mut proxy = Proxy::new("books");
    for (service, evidence, requests) in [
        ("authors", "given", 1.0),
        ("authors", "absent_busy", 3.0),
        ("news", "absent_busy", 2.0),
        ("news", "absent_idle", 5.0),
        ("news", "of a later version", 5.0),
    ] {
        let labels = [
            ("direction", "outbound"),
            ("dst_service", service),
            ("route", "GET /"),
            ("evidence", evidence),
        ];
        proxy.sample(
            "clew_propagation_total",
            &labels,
            SampleValue::Counter(requests),
        );
    }
    proxy.write(&mesh.store, "books-1").await;
    let answer: Propagation = mesh.get("/propagation").await;
    let [books] = &answer.workloads[..] else {
        panic!("one workload: {answer:?}");
    };
    assert_eq!((books.name.as_str(), books.score), ("books", Some(0.25)));
    let routes: Vec<_> = books
        .routes
        .iter()
        .map(|route| {
            let verdicts: Vec<_> = route.verdicts.iter().collect();
            (
                route.service.as_deref(),
                route.score,
                format!("{verdicts:?}"),
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            (
                Some("authors"),
                Some(0.25),
                r#"[("dropped", 3), ("forwarded", 1)]"#.to_owned()
            ),
            (
                Some("news"),
                None,
                r#"[("background", 5), ("unattributed", 2)]"#.to_owned()
            ),
        ]
    );
    let problem = mesh.refused("/propagation?workload=bokos").await;
    assert_eq!(problem.status, 404);
    // In the checks too, and where workloads are listed.
    record(
        &mesh.store,
        "books-2",
        "books",
        &[good(&[("direction", "inbound")], 1)],
    )
    .await;
    let stat: Stat = mesh.get("/stat").await;
    assert_eq!(workload(&stat, "books").propagation_score, Some(0.25));
    let checks: Checks = mesh.get("/check").await;
    let check = checks.checks.iter().find(|of| of.name == "trace context");
    assert_eq!(
        check.map(|check| check.found.as_str()),
        Some("traces are broken by books (25.00)")
    );
}

/// 1. Of what webapp served in 10 ms each, its proxy worked 1 ms and waited 2 ms.
/// 2. books answers webapp in 10 ms as its own proxy sees it, and in 15 as webapp's does.
#[tokio::test]
async fn stat_and_edges_say_where_the_mean_went() {
    const SERVED: &[(&str, &str)] = &[("direction", "inbound"), ("route", "GET /")];
    const SENT: &[(&str, &str)] = &[
        ("direction", "outbound"),
        ("dst_service", "books"),
        ("dst_workload", "books"),
        ("dst_namespace", "default"),
        ("route", "GET /"),
    ];
    const BY_BOOKS: &[(&str, &str)] = &[
        ("direction", "inbound"),
        ("client_workload", "webapp"),
        ("client_namespace", "default"),
        ("route", "GET /"),
    ];
    let mesh = TestMesh::of(vec![
        member("webapp-1", "webapp", None),
        member("books-1", "books", None),
    ])
    .await;
    let sent = Hops {
        latency_ms: 15.0,
        ..good(SENT, 10)
    };
    let mut proxy = Proxy::new("webapp");
    proxy.add(&good(SERVED, 10));
    proxy.add(&sent);
    for (phase, seconds) in [
        ("request", 0.0006),
        ("response", 0.0004),
        ("connect", 0.002),
    ] {
        let mut histogram = Histogram::new(3);
        (0..10).for_each(|_| histogram.observe(seconds));
        let labels = [("direction", "inbound"), ("phase", phase)];
        let time = SampleValue::Histogram(histogram);
        proxy.sample("clew_proxy_time_seconds", &labels, time);
    }
    proxy.write(&mesh.store, "webapp-1").await;
    record(&mesh.store, "books-1", "books", &[good(BY_BOOKS, 10)]).await;

    let stat: Stat = mesh.get("/stat").await;
    let inbound = workload(&stat, "webapp").inbound.as_ref().unwrap();
    let means = inbound.mean_ms.unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(
        near(means.latency, 10.0) && near(means.proxy, 1.0),
        "{means:?}"
    );
    assert!(
        near(means.wait, 2.0) && near(means.beyond, 7.0),
        "{means:?}"
    );
    let edges: Edges = mesh.get("/edges?workload=books").await;
    let [edge] = &edges.edges[..] else {
        panic!("one edge: {edges:?}");
    };
    assert!(near(edge.between_ms.unwrap(), 5.0), "{edge:?}");
}

/// A list, and one call for each of its items, of the requests that had any.
#[tokio::test]
async fn calls_says_how_often_a_request_calls_what() {
    const AUTHOR: &[(&str, &str)] = &[
        ("direction", "inbound"),
        ("client_workload", "gateway"),
        ("route", "GET /authors/{id}/books"),
    ];
    let mesh = TestMesh::begin().await;
    record(&mesh.store, "webapp-1", "webapp", &[good(AUTHOR, 10)]).await;
    let mut proxy = Proxy::new("webapp");
    for (called, requests, times) in [("GET /books", 10, 1.0), ("GET /books/{id}", 8, 5.0)] {
        let own = [("dst_service", "books"), ("dst_route", called)];
        let labels: Vec<_> = AUTHOR.iter().copied().chain(own).collect();
        let mut histogram = Histogram::new(3);
        (0..requests).for_each(|_| histogram.observe(times));
        let family = "clew_calls_per_request";
        proxy.sample(family, &labels, SampleValue::Histogram(histogram));
        let family = "clew_calls_again_total";
        proxy.sample(family, &labels, SampleValue::Counter(0.0));
    }
    proxy.write(&mesh.store, "webapp-2").await;
    let answer: Calls = mesh.get("/calls?workload=webapp").await;
    let [route] = &answer.routes[..] else {
        panic!("one route: {answer:?}");
    };
    assert_eq!((route.workload.as_str(), route.requests), ("webapp", 10));
    let calls: Vec<_> = route
        .calls
        .iter()
        .map(|call| {
            let numbers = (call.calls, call.callers, call.p50, call.p99, call.again);
            (call.route.as_str(), numbers, call.pattern)
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("GET /books", (10, 10, 1, 1, 0), None),
            (
                "GET /books/{id}",
                (40, 8, 5, 5, 0),
                Some(CallPattern::NPlusOne)
            ),
        ]
    );
    assert_eq!(route.calls[1].per_request, 4.0);
    let problem = mesh.refused("/calls?route=GET%20/nothing").await;
    assert_eq!(problem.status, 404);
    assert_eq!(problem.known, ["GET /authors/{id}/books"]);
}

/// An admin server that has these examples, and its address.
async fn begin_admin(examples: MemberExamples) -> SocketAddr {
    let answer = serde_json::to_string(&examples).unwrap();
    let router = Router::new().route("/propagation", get(async move || answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A span of a workload.
fn span(trace: u128, id: u64, parent: Option<u64>, service: &str) -> clew_trace::Span {
    serde_json::from_value(serde_json::json!({
        "trace_id": format!("{trace:032x}"),
        "span_id": format!("{id:016x}"),
        "parent_span_id": parent.map(|parent| format!("{parent:016x}")),
        "kind": "client",
        "name": "GET /",
        "service": service,
        "start_unix_nano": 1_u64,
        "end_unix_nano": 2_u64,
    }))
    .unwrap()
}

/// 1. A trace that books carries and was not given: the store knows that it began in books (its root is there), so books
///    restarts traces; the other one came from elsewhere.
/// 2. The call is shown with what books was given. One of before the window is not.
#[tokio::test]
async fn foreign_traces_that_began_in_the_workload_are_restarted() {
    const BEGAN: u128 = 0xb0;
    const CAME: u128 = 0xca;
    const LATE: u128 = 0x1a;
    let example = |service: &str, trace: u128, at: &str| MemberExample {
        service: Some(service.to_owned()),
        route: "GET /".to_owned(),
        example: PropagationExample {
            evidence: "other_busy".to_owned(),
            instance: None,
            in_flight: 1,
            given: None,
            sent: SentContext {
                at: at.to_owned(),
                headers: vec!["traceparent".to_owned()],
                trace_id: Some(format!("{trace:032x}")),
                span_id: Some("00f067aa0ba902b7".to_owned()),
                fault: None,
            },
        },
        traces: vec![format!("{trace:032x}"), "0".repeat(32)],
    };
    let now = super::super::clock::rfc3339(std::time::SystemTime::now());
    let admin = begin_admin(MemberExamples {
        examples: vec![
            example("authors", BEGAN, &now),
            example("news", CAME, &now),
            example("late", LATE, &now),
            example("mail", BEGAN, "2001-01-01T00:00:00.000000Z"),
        ],
    })
    .await;
    let mesh = TestMesh::of(vec![Instance {
        admin_address: Some(admin),
        ..member("books-1", "books", None)
    }])
    .await;
    let spans = vec![
        span(BEGAN, 1, Some(99), "books"),
        span(BEGAN, 2, Some(1), "authors"),
        span(CAME, 3, None, "webapp"),
        span(CAME, 4, Some(98), "books"),
        // With a request to books, which goes on with it long after.
        clew_trace::Span {
            kind: SpanKind::Server,
            scope: PROXY_SCOPE.to_owned(),
            ..span(LATE, 5, None, "books")
        },
        span(LATE, 6, Some(5), "books"),
    ];
    mesh.store.insert_spans(spans).unwrap();
    let mut proxy = Proxy::new("books");
    for service in ["authors", "late", "mail", "news"] {
        let labels = [
            ("direction", "outbound"),
            ("dst_service", service),
            ("route", "GET /"),
            ("evidence", "other_busy"),
        ];
        let requests = SampleValue::Counter(2.0);
        proxy.sample("clew_propagation_total", &labels, requests);
    }
    proxy.write(&mesh.store, "books-1").await;
    let answer: Propagation = mesh.get("/propagation").await;
    let routes: Vec<_> = answer.workloads[0]
        .routes
        .iter()
        .map(|route| {
            let verdicts: Vec<_> = route.verdicts.keys().map(String::as_str).collect();
            let instance = route
                .example
                .as_ref()
                .map(|example| example.instance.as_deref());
            (route.service.as_deref().unwrap(), verdicts, instance)
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("authors", vec!["restarted"], Some(Some("books-1"))),
            ("late", vec!["foreign"], Some(Some("books-1"))),
            ("mail", vec!["foreign"], None),
            ("news", vec!["foreign"], Some(Some("books-1"))),
        ]
    );
    assert_eq!(answer.workloads[0].score, Some(0.0));
}

/// A hundred calls without context in half a minute of work, and one in half a minute of none: no timer does that.
#[tokio::test]
async fn one_call_out_of_the_blue_does_not_excuse_a_hundred() {
    let mesh = TestMesh::begin().await;
    let mut proxy = Proxy::new("books");
    for (evidence, requests) in [("absent_busy", 100.0), ("absent_idle", 1.0)] {
        let labels = [
            ("direction", "outbound"),
            ("dst_service", "mail"),
            ("route", "GET /"),
            ("evidence", evidence),
        ];
        let requests = SampleValue::Counter(requests);
        proxy.sample("clew_propagation_total", &labels, requests);
    }
    for state in ["busy", "idle"] {
        let seconds = SampleValue::Counter(30.0);
        let labels = [("state", state)];
        proxy.sample("clew_application_seconds_total", &labels, seconds);
    }
    proxy.write(&mesh.store, "books-1").await;
    let answer: Propagation = mesh.get("/propagation").await;
    let verdicts: Vec<_> = answer.workloads[0].routes[0].verdicts.iter().collect();
    assert_eq!(
        format!("{verdicts:?}"),
        r#"[("background", 1), ("dropped", 100)]"#
    );
}
