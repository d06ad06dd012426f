//! `access`.

use super::mesh::{TestMesh, problem, read};
use axum::body::Body;
use axum::http::{Method, Request};
use clew_api::rest::access::{AccessClients, AccessPath, AccessTable};

const BOOKS: &str = "/access/books";
const WEBAPP: &str = r#"{"grants": [{
    "name": "webapp",
    "clients": {"identities": ["spiffe://cluster.local/ns/default/sa/webapp"]},
    "networks": ["10.0.0.0/8"],
    "requests": [{"method": "GET", "path": {"template": "/books/{id}"}}]
}]}"#;

async fn put(mesh: &TestMesh, body: &str) -> AccessTable {
    let response = mesh.ask(Method::PUT, BOOKS, body).await;
    assert_eq!(response.status(), 200, "{body}");
    read(response).await
}

#[tokio::test]
async fn what_is_changed_is_told_and_can_be_taken_back() {
    let mesh = TestMesh::begin().await;
    let before: AccessTable = mesh.get("/access").await;
    assert_eq!(before.trust_domain.as_deref(), Some("cluster.local"));
    assert_eq!(
        (before.namespace.as_str(), before.services.len()),
        ("default", 0)
    );

    let table = put(&mesh, WEBAPP).await;
    assert_eq!(mesh.get::<AccessTable>("/access").await, table);
    let [grant] = table.of("books") else {
        panic!("{table:?}")
    };
    let webapp = "spiffe://cluster.local/ns/default/sa/webapp".to_owned();
    assert_eq!(grant.clients, AccessClients::Identities(vec![webapp]));
    assert_eq!(grant.networks, ["10.0.0.0/8"]);
    let path = AccessPath::Template("/books/{id}".to_owned());
    assert_eq!(grant.requests[0].path, Some(path));
    assert_eq!(
        mesh.access.0.lock().unwrap().services["books"].grants.len(),
        1
    );

    for (body, grants) in [
        (r#"{"grants": []}"#, 0),
        (
            r#"{"grants": [{"name": "a", "clients": "anyone"}, {"name": "b", "clients": "meshed"}]}"#,
            2,
        ),
    ] {
        assert_eq!(put(&mesh, body).await.own("books").unwrap().len(), grants);
    }
    let back: AccessTable = read(mesh.ask(Method::DELETE, BOOKS, "").await).await;
    assert_eq!(back, before);
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let mesh = TestMesh::begin().await;
    for (body, named) in [
        ("", "EOF"),
        ("[]", "map"),
        ("{}", "grants"),
        (r#"{"grants": [{"clients": "anyone"}]}"#, "name"),
        (
            r#"{"grants": [{"name": "a", "clients": "everyone"}]}"#,
            "everyone",
        ),
        (
            r#"{"grants": [{"name": "a", "clients": {"identities": ["webapp"]}}]}"#,
            "SPIFFE",
        ),
        (
            r#"{"grants": [{"name": "a", "clients": "meshed", "networks": ["ten"]}]}"#,
            "CIDR",
        ),
        (
            r#"{"grants": [{"name": "a", "clients": "meshed", "request": []}]}"#,
            "request",
        ),
    ] {
        let problem = problem(mesh.ask(Method::PUT, BOOKS, body).await).await;
        assert_eq!(problem.status, 400, "{body}");
        assert!(problem.detail.contains(named), "{body}: {}", problem.detail);
    }
    for path in ["/access/a%20b", "/access/%ff"] {
        for method in [Method::PUT, Method::DELETE] {
            let problem = problem(mesh.ask(method, path, r#"{"grants": []}"#).await).await;
            let told = (problem.status, problem.parameter.as_deref());
            assert_eq!(told, (400, Some("service")), "{path}");
        }
    }
    let by_control = mesh
        .ask(Method::PUT, "/access/forbidden", r#"{"grants": []}"#)
        .await;
    assert_eq!(problem(by_control).await.detail, "service: not this one");
    assert!(mesh.get::<AccessTable>("/access").await.services.is_empty());
}

/// A page of a stranger could otherwise let itself in.
#[tokio::test]
async fn another_site_changes_nothing() {
    let mesh = TestMesh::begin().await;
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example")] {
        for method in [Method::PUT, Method::DELETE] {
            let mut request = Request::builder().method(method);
            request = request.uri(format!("/api/v1{BOOKS}")).header(name, value);
            if name != "host" {
                request = request.header("host", "127.0.0.1:8084");
            }
            let request = request.body(Body::from(r#"{"grants": []}"#)).unwrap();
            assert_eq!(
                problem(mesh.send(request).await).await.status,
                421,
                "{name}"
            );
        }
    }
    assert!(mesh.get::<AccessTable>("/access").await.services.is_empty());
}
