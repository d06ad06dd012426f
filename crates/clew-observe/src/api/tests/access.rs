//! Who is answered, and how the others are refused.

use super::mesh::{TestMesh, member, problem, read};
use axum::body::Body;
use axum::http::{Method, Request};
use clew_api::rest::Version;
use clew_api::rest::members::Instances;
use clew_api::rest::scrape::Scrape;
use http_body_util::BodyExt;

#[tokio::test]
async fn what_there_is_not_is_refused_as_a_problem() {
    let mesh = TestMesh::begin().await;
    assert_eq!(mesh.refused("/nothing").await.status, 404);
    assert_eq!(
        problem(mesh.ask(Method::DELETE, "/stat", "").await)
            .await
            .status,
        405
    );
    assert_eq!(
        problem(mesh.ask(Method::GET, "/scrape", "").await)
            .await
            .status,
        405
    );
    let elsewhere = Request::get("/assets/nothing.js")
        .header("host", "localhost")
        .body(Body::empty())
        .unwrap();
    assert_eq!(problem(mesh.send(elsewhere).await).await.status, 404);
    for path in [
        "/version",
        "/openapi.json",
        "/instances",
        "/check",
        "/access",
        "/settings/telemetry",
    ] {
        assert_eq!(
            mesh.refused(&format!("{path}?a=b"))
                .await
                .parameter
                .as_deref(),
            Some("a"),
            "{path}"
        );
    }
}

/// Refusals that axum would make in plain text.
#[tokio::test]
async fn a_path_or_body_that_cannot_be_taken_is_refused_as_a_problem() {
    let mesh = TestMesh::begin().await;
    let path = mesh.refused("/traces/%ff").await;
    assert_eq!((path.status, path.parameter.as_deref()), (400, Some("id")));
    let body = " ".repeat(3 << 20);
    let large = mesh.ask(Method::PUT, "/settings/telemetry", &body).await;
    assert_eq!(problem(large).await.status, 413);
}

#[tokio::test]
async fn another_host_or_site_gets_nothing() {
    let mesh = TestMesh::begin().await;
    let request = |name: &str, value: &str| {
        let request = Request::get("/api/v1/version").header(name, value);
        let host = if name == "host" { "" } else { "127.0.0.1:8084" };
        let request = if host.is_empty() {
            request
        } else {
            request.header("host", host)
        };
        request.body(Body::empty()).unwrap()
    };
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example")] {
        let response = mesh.send(request(name, value)).await;
        assert!(
            response
                .headers()
                .get("access-control-allow-origin")
                .is_none()
        );
        assert_eq!(problem(response).await.status, 421, "{name}");
    }
    let version: Version = read(mesh.send(request("host", "localhost:8084")).await).await;
    assert_eq!(version.api, "v1");
}

#[tokio::test]
async fn members_are_listed_and_read_on_demand() {
    let mut gone = member("books-1", "books", Some("books"));
    // Nobody listens there.
    gone.admin_address = Some("127.0.0.1:9".parse().unwrap());
    let mesh = TestMesh::of(vec![member("web-1", "web", None), gone]).await;
    let scrape: Scrape = read(mesh.ask(Method::POST, "/scrape", "").await).await;
    assert!(scrape.scraped.is_empty());
    assert_eq!(scrape.failed.len(), 1);
    assert_eq!(scrape.failed[0].instance, "books-1");
    let listed: Instances = mesh.get("/instances").await;
    let [books, web] = listed.instances.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(
        (books.id.as_str(), books.ports[0].service.as_str()),
        ("books-1", "books")
    );
    assert!(books.scrape_error.is_some() && books.last_scrape.is_none());
    assert_eq!(
        (web.role.as_str(), web.started.as_str()),
        ("proxy", "2001-09-09T01:46:40Z")
    );
    assert!(web.scrape_error.is_none() && web.admin_address.is_none());
}

#[tokio::test]
async fn the_dashboard_can_be_asked_for_its_head_alone() {
    let mesh = TestMesh::begin().await;
    let ask = async |method: Method| {
        let request = Request::builder().method(method).uri("/topology");
        let request = request.header("host", "localhost").body(Body::empty());
        let response = mesh.send(request.unwrap()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers.get("content-type").cloned(), body)
    };
    let (status, kind, page) = ask(Method::GET).await;
    assert!(!page.is_empty());
    assert_eq!(ask(Method::HEAD).await, (status, kind, "".into()));
}
