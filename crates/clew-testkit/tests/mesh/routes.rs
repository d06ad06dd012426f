//! Names of routes: the same on both sides, learned by one and known to all.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_control::DeclaredService;
use clew_model::policy::{PathMatch, RequestMatch, RouteRule, RuleSource};
use clew_testkit::client::{Client, get, request};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, status};
use clew_testkit::{Mesh, body, within};
use http::Method;
use std::sync::Arc;

#[tokio::test]
async fn both_sides_call_a_route_by_the_same_name() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for path in [
        "/",
        "/books/7",
        "/books/7/edit",
        "/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "/orders/2024-05-01",
        "/mail/alice@example.com",
        "/books/7?page=2",
    ] {
        client.ask(get(&format!("http://books{path}"))).await;
    }
    let post = request(Method::POST, "http://books/books/7", body::full("x"));
    client.ask(post).await;
    let odd = Method::from_bytes(b"BREW").unwrap();
    client
        .ask(request(odd, "http://books/books/7", body::empty()))
        .await;
    let [webapp, books] = pair.metrics().await;
    let routes = webapp.by("request_total", "route", &[]);
    assert_eq!(routes, books.by("request_total", "route", &[]));
    assert_eq!(routes["GET /books/{id}"], 2);
    assert_eq!(routes["POST /books/{id}"], 1);
    for route in routes.keys() {
        for raw in ["7", "3f2504e0", "2024", "alice", "BREW", "page"] {
            assert!(!route.contains(raw), "{route}: a raw path is no label");
        }
    }
    drop(client);
    pair.stop().await;
}

fn declared(routes: Vec<RouteRule>) -> DeclaredService {
    DeclaredService {
        name: "books".into(),
        protocol: None,
        routes: routes.into(),
    }
}

#[tokio::test]
async fn a_configured_route_names_and_classes_its_requests_on_both_sides() {
    let application = Answering::start(|asked| async move {
        status(if asked.uri.path() == "/shop/gone" {
            404
        } else {
            200
        })
    })
    .await;
    let shop = RouteRule {
        name: "shop".into(),
        hosts: Arc::new([]),
        matches: Arc::new([RequestMatch {
            path: Some(PathMatch::Prefix("/shop".into())),
            method: None,
        }]),
        backend: None,
        failure_statuses: Some(Arc::new([404..=404])),
        source: RuleSource::Configuration,
    };
    let mesh = Mesh::builder().service(declared(vec![shop])).begin().await;
    let pair = Pair::within(mesh, application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    // Requests to an application never wait for control: the first ones may come before it has named the route.
    let known = async {
        while pair.books.metrics().await.responses(&[("route", "shop")]) == 0 {
            client.ask(get("http://books/shop/1")).await;
        }
    };
    within("the route to be known", known).await;
    let before = pair.metrics().await;
    client.ask(get("http://books/shop/7")).await;
    client.ask(get("http://books/shop/gone")).await;
    client.ask(get("http://books/else/7")).await;
    for (side, before) in pair.metrics().await.into_iter().zip(before) {
        let more = |labels: &[_]| side.responses(labels) - before.responses(labels);
        assert_eq!(more(&[("route", "shop"), SUCCESS]), 1);
        assert_eq!(more(&[("route", "shop"), FAILURE, ("error", "")]), 1);
        assert_eq!(more(&[("route", "GET /else/{id}"), SUCCESS]), 1);
        assert_eq!(more(&[]), 3);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn what_one_proxy_has_learned_all_others_know() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.books.inbound()).await;
    // Names that no class of segment knows: only their number shows that they are one route.
    let name = |number: usize| {
        let letters = [number / 26 % 26, number % 26].map(|n| (b'a' + n as u8) as char);
        format!("/authors/{}{}ley", letters[0], letters[1])
    };
    let mut asked = 0;
    let learning = async {
        loop {
            client
                .ask(get(&format!("http://books{}", name(asked))))
                .await;
            asked += 1;
            let routes = pair.books.metrics().await.by("request_total", "route", &[]);
            if routes.keys().any(|route| route.contains('{')) {
                return;
            }
            assert!(asked < 26 * 26, "nothing was learned of {routes:#?}");
        }
    };
    within("books to learn", learning).await;
    let routes = pair.books.metrics().await.by("request_total", "route", &[]);
    let collapsed = routes
        .keys()
        .find(|route| route.contains('{'))
        .unwrap()
        .clone();

    // webapp has never seen such a path; it knows from control.
    let mut client = Client::http1(pair.entry()).await;
    let knows = |metrics: &Metrics| metrics.requests(&[("route", collapsed.as_str())]) > 0;
    let hearing = async {
        let mut number = asked;
        while !knows(&pair.webapp.metrics().await) {
            client
                .ask(get(&format!("http://books{}", name(number))))
                .await;
            number += 1;
        }
    };
    within("webapp to hear of it", hearing).await;
    let before = pair.webapp.metrics().await;
    for number in 0..10 {
        client
            .ask(get(&format!("http://books{}", name(number))))
            .await;
    }
    let [webapp, _] = pair.metrics().await;
    let route = [("route", collapsed.as_str())];
    assert_eq!(webapp.requests(&route), before.requests(&route) + 10);
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn paths_that_the_server_does_not_know_teach_nothing() {
    let application = Answering::start(|_| async { status(404) }).await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for number in 0..200_usize {
        let letters = [number / 26 % 26, number % 26].map(|n| (b'a' + n as u8) as char);
        let uri = format!("http://books/wp-{}{}min", letters[0], letters[1]);
        client.ask(get(&uri)).await;
    }
    let [webapp, books] = pair.metrics().await;
    let routes = webapp.by("request_total", "route", &[]);
    assert_eq!(routes, books.by("request_total", "route", &[]));
    assert!(
        routes.keys().all(|route| !route.contains('{')),
        "a scanner's paths are no route: {:?}",
        routes.keys().find(|route| route.contains('{'))
    );
    drop(client);
    pair.stop().await;
}
