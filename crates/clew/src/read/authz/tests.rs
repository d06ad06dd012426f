use super::super::golden::tests::{minute, plain};
use super::*;
use clew_api::rest::access::{AccessClients, AccessGrant, ServiceAccess};

fn row(client: Option<&str>, route: &str, admitted: u64, refused: u64) -> AuthzRow {
    AuthzRow {
        workload: "books".to_owned(),
        namespace: "default".to_owned(),
        services: vec!["books".to_owned()],
        client: EdgePeer {
            name: client.map(str::to_owned),
            namespace: client.map(|_| "default".to_owned()),
            meshed: client.is_some(),
        },
        client_id: client.map(|name| format!("spiffe://cluster.local/ns/default/sa/{name}")),
        tls: if client.is_some() { "mtls" } else { "none" }.to_owned(),
        route: route.to_owned(),
        admitted,
        refused,
    }
}

#[test]
fn who_was_refused_stands_beside_who_may_call() {
    let mut elsewhere = row(Some("webapp"), "GET /", 1, 0);
    elsewhere.services = vec!["admin".to_owned(), "books".to_owned()];
    let mut gone = row(Some("webapp"), "GET /gone", 1, 0);
    gone.services = Vec::new();
    let authz = Authz {
        window: minute(),
        admitted: 7,
        refused: 15,
        rows: vec![
            row(Some("shell"), "GET /books/{id}", 0, 12),
            row(None, "GET /books/{id}", 0, 3),
            row(Some("webapp"), "GET /books/{id}", 5, 0),
            elsewhere,
            gone,
        ],
    };
    let webapp = "spiffe://cluster.local/ns/default/sa/webapp".to_owned();
    let grant = |clients| AccessGrant {
        name: "test".to_owned(),
        clients,
        networks: Vec::new(),
        requests: Vec::new(),
    };
    let access = AccessTable {
        trust_domain: Some("cluster.local".to_owned()),
        namespace: "default".to_owned(),
        default: vec![grant(AccessClients::Meshed)],
        services: vec![ServiceAccess {
            service: "books".to_owned(),
            grants: vec![grant(AccessClients::Identities(vec![webapp]))],
        }],
    };
    insta::assert_snapshot!(plain(&render(&authz, None)), @r"
    SERVER  CLIENT      ROUTE            ADMITTED  REFUSED  TLS
    books   shell       GET /books/{id}         0       12  mtls
    books   (unmeshed)  GET /books/{id}         0        3  none
    books   webapp      GET /books/{id}         5        0  mtls
    books   webapp      GET /                   1        0  mtls
    books   webapp      GET /gone               1        0  mtls
    ");
    insta::assert_snapshot!(plain(&render(&authz, Some(&access))), @r"
    SERVER         CLIENT          ROUTE            ADMITTED  REFUSED  TLS   CLIENT_ID                                    MAY_CALL
    books.default  shell.default   GET /books/{id}         0       12  mtls  spiffe://cluster.local/ns/default/sa/shell   webapp
    books.default  (unmeshed)      GET /books/{id}         0        3  none  -                                            webapp
    books.default  webapp.default  GET /books/{id}         5        0  mtls  spiffe://cluster.local/ns/default/sa/webapp  webapp
    books.default  webapp.default  GET /                   1        0  mtls  spiffe://cluster.local/ns/default/sa/webapp  admin: whoever is of the mesh (default) | books: webapp
    books.default  webapp.default  GET /gone               1        0  mtls  spiffe://cluster.local/ns/default/sa/webapp  -
    ");
}
