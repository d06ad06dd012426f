//! Where names of routes come from, as `routes` tells.

use super::mesh::{TestMesh, member};
use super::traffic::{good, record};
use clew_api::rest::golden::{RouteSource, Routes};
use clew_model::name::RouteName;
use clew_model::policy::{OutboundPolicy, PathMatch, RequestMatch, RouteRule, RuleSource};
use clew_model::service::Protocol;
use std::collections::BTreeMap;
use std::time::Duration;

/// The mesh: web asks books, whose routes these are.
async fn mesh_of(rules: &[(&str, RuleSource)]) -> TestMesh {
    let web = member("web-1", "web", Some("web"));
    let books = member("books-1", "books", Some("library"));
    let mesh = TestMesh::of(vec![web, books]).await;
    let rule = |(name, source): &(&str, RuleSource)| RouteRule {
        name: RouteName::new(*name),
        hosts: [].into(),
        matches: [RequestMatch {
            path: Some(PathMatch::Exact("/x".into())),
            method: None,
        }]
        .into(),
        backend: None,
        failure_statuses: None,
        source: *source,
    };
    let policy = OutboundPolicy {
        service: "library".into(),
        protocol: Protocol::Detect,
        detect_timeout: Duration::from_secs(10),
        routes: rules.iter().map(rule).collect(),
        destination: "library.default.svc.cluster.local".into(),
    };
    let authority = "library.default.svc.cluster.local".to_owned();
    *mesh.policies.lock().unwrap() = Some(BTreeMap::from([(authority, policy)]));
    mesh
}

async fn sources(mesh: &TestMesh, question: &str) -> BTreeMap<String, Option<RouteSource>> {
    let routes: Routes = mesh.get(question).await;
    let of = routes.routes.into_iter();
    of.map(|route| (route.route, route.source)).collect()
}

macro_rules! inbound {
    ($($route:literal),*) => {
        [$(good(&[("direction", "inbound"), ("route", $route)], 1)),*]
    };
}

fn expected(of: &[(&str, Option<RouteSource>)]) -> BTreeMap<String, Option<RouteSource>> {
    of.iter()
        .map(|(route, source)| ((*route).to_owned(), *source))
        .collect()
}

#[tokio::test]
async fn a_route_tells_who_named_it() {
    use RouteSource::{Configured, Grpc, Learned, Openapi, Other, Proto};
    let mesh = mesh_of(&[
        ("GET /books/{id}", RuleSource::OpenApi),
        ("books.v1.Books/GetBook", RuleSource::Proto),
        ("GET /covers", RuleSource::Configuration),
    ])
    .await;
    let routes = inbound![
        "GET /books/{id}",
        "books.v1.Books/GetBook",
        "GET /covers",
        "checkout",
        "GET /tags/{name}",
        "books.v1.Books/ListBooks",
        "GET /…",
        "(unknown)"
    ];
    record(&mesh.store, "books-1", "books", &routes).await;
    let told = [
        ("GET /books/{id}", Some(Openapi)),
        ("books.v1.Books/GetBook", Some(Proto)),
        ("GET /covers", Some(Configured)),
        // It was configured until a moment ago.
        ("checkout", Some(Configured)),
        ("GET /tags/{name}", Some(Learned)),
        ("books.v1.Books/ListBooks", Some(Grpc)),
        ("GET /…", Some(Other)),
        ("(unknown)", Some(Other)),
    ];
    assert_eq!(
        sources(&mesh, "/routes?workload=books").await,
        expected(&told)
    );
}

#[tokio::test]
async fn routes_of_a_server_are_named_by_its_service() {
    let mesh = mesh_of(&[("GET /books/{id}", RuleSource::OpenApi)]).await;
    let to_library = &[
        ("direction", "outbound"),
        ("dst_service", "library"),
        ("dst_workload", "books"),
        ("route", "GET /books/{id}"),
    ];
    let outside = &[
        ("direction", "outbound"),
        ("dst_service", "shop.example:443"),
        ("route", "GET /books/{id}"),
    ];
    record(
        &mesh.store,
        "web-1",
        "web",
        &[good(to_library, 1), good(outside, 1)],
    )
    .await;
    let of = async |to: &str| sources(&mesh, &format!("/routes?workload=web&to={to}")).await;
    let route = "GET /books/{id}";
    let described = expected(&[(route, Some(RouteSource::Openapi))]);
    assert_eq!(of("library").await, described);
    let learned = expected(&[(route, Some(RouteSource::Learned))]);
    assert_eq!(of("shop.example:443").await, learned, "nobody described it");
}

#[tokio::test]
async fn what_only_control_knows_is_absent_without_it() {
    let mesh = mesh_of(&[]).await;
    *mesh.policies.lock().unwrap() = None;
    let routes = inbound!["GET /books/{id}", "checkout", "(other)"];
    record(&mesh.store, "books-1", "books", &routes).await;
    let told = [
        ("GET /books/{id}", None),
        ("checkout", Some(RouteSource::Configured)),
        ("(other)", Some(RouteSource::Other)),
    ];
    assert_eq!(
        sources(&mesh, "/routes?workload=books").await,
        expected(&told)
    );
}
