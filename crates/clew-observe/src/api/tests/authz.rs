//! `authz`.

use super::mesh::{TestMesh, member};
use super::traffic::{Hops, good, record};
use clew_api::rest::authz::{Authz, AuthzRow};

const WEBAPP: &str = "spiffe://cluster.local/ns/default/sa/webapp";
const SHELL: &str = "spiffe://cluster.local/ns/default/sa/shell";

/// Books is asked by webapp, which may, by shell, which may not, and by somebody in clear.
async fn books() -> TestMesh {
    let mesh = TestMesh::of(vec![
        member("books-1", "books", Some("books")),
        member("idle-1", "idle", None),
    ])
    .await;
    let refused = |labels, failures| Hops {
        labels,
        successes: 0,
        failures,
        cancelled: 0,
        error: "not_authorized",
        latency_ms: 0.1,
    };
    let broken = Hops {
        labels: &[
            ("direction", "inbound"),
            ("client_workload", "webapp"),
            ("client_namespace", "default"),
            ("client_id", WEBAPP),
            ("tls", "mtls"),
            ("route", "GET /books"),
        ],
        successes: 0,
        failures: 1,
        cancelled: 1,
        error: "connect_failed",
        latency_ms: 0.1,
    };
    let webapp = good(
        &[
            ("direction", "inbound"),
            ("client_workload", "webapp"),
            ("client_namespace", "default"),
            ("client_id", WEBAPP),
            ("tls", "mtls"),
            ("route", "GET /books/{id}"),
        ],
        5,
    );
    let shell = refused(
        &[
            ("direction", "inbound"),
            ("client_workload", "shell"),
            ("client_namespace", "default"),
            ("client_id", SHELL),
            ("tls", "mtls"),
            ("route", "GET /books/{id}"),
        ],
        3,
    );
    let in_clear = refused(&[("direction", "inbound"), ("route", "GET /books/{id}")], 4);
    let own = good(
        &[
            ("direction", "outbound"),
            ("dst_service", "authors"),
            ("route", "GET /authors"),
        ],
        9,
    );
    let malformed = Hops {
        error: "malformed_request",
        ..refused(&[("direction", "inbound"), ("route", "(unknown)")], 1)
    };
    let hops = [malformed, broken, webapp, shell, in_clear, own];
    record(&mesh.store, "books-1", "books", &hops).await;
    mesh
}

/// Client, route, admitted, refused.
fn told(row: &AuthzRow) -> (Option<&str>, &str, u64, u64) {
    let client = row.client.name.as_deref();
    (client, row.route.as_str(), row.admitted, row.refused)
}

#[tokio::test]
async fn who_was_refused_is_told_first() {
    let mesh = books().await;
    let all: Authz = mesh.get("/authz").await;
    assert_eq!((all.admitted, all.refused), (7, 7));
    let rows: Vec<_> = all.rows.iter().map(told).collect();
    let expected = [
        (None, "GET /books/{id}", 0, 4),
        (Some("shell"), "GET /books/{id}", 0, 3),
        // What failed and what was given up had been admitted.
        (Some("webapp"), "GET /books", 2, 0),
        (Some("webapp"), "GET /books/{id}", 5, 0),
    ];
    assert_eq!(rows, expected);
    let [in_clear, shell, ..] = all.rows.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(
        (in_clear.tls.as_str(), &in_clear.client_id),
        ("none", &None)
    );
    assert!(!in_clear.client.meshed);
    assert_eq!(shell.tls, "mtls");
    assert_eq!(shell.client_id.as_deref(), Some(SHELL));
    assert_eq!(
        (shell.workload.as_str(), shell.namespace.as_str()),
        ("books", "default")
    );
    assert_eq!(shell.services, ["books"]);

    let refused: Authz = mesh.get("/authz?refused=true").await;
    assert_eq!((refused.admitted, refused.refused), (7, 7));
    assert_eq!(refused.rows, all.rows[..2]);
}

#[tokio::test]
async fn a_window_a_workload_and_a_namespace_can_be_asked_for() {
    let mesh = books().await;
    for (query, rows) in [
        ("workload=books", 4),
        ("workload=idle", 0),
        ("namespace=default", 4),
        ("namespace=other", 0),
        ("until=2020-01-01T00:00:00Z", 0),
    ] {
        let authz: Authz = mesh.get(&format!("/authz?{query}")).await;
        assert_eq!(authz.rows.len(), rows, "{query}");
        assert_eq!(authz.admitted > 0, rows > 0, "{query}");
    }
    assert_eq!(mesh.refused("/authz?workload=nobody").await.status, 404);
    assert_eq!(mesh.refused("/authz?refused=yes").await.status, 400);
}
