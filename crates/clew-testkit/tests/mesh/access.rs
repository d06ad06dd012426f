//! Who may call what: decided by who a client has proven to be, while all runs.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_control::AccessTable;
use clew_model::identity::Identity;
use clew_model::policy::{Access, Clients, Grant, PathMatch, RequestMatch};
use clew_model::service::Protocol;
use clew_testkit::Mesh;
use clew_testkit::client::{Client, get, grpc, request};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::Answering;
use clew_testkit::wire::{Wire, WireListener};
use http::{Method, StatusCode};
use std::sync::Arc;

const REFUSED: [(&str, &str); 2] = [FAILURE, ("error", "not_authorized")];

fn identity(workload: &str) -> Identity {
    let text = format!("spiffe://cluster.local/ns/default/sa/{workload}");
    Identity::parse(&text).unwrap()
}

/// Only this workload may call, with these requests.
fn only(workload: &str, requests: &[RequestMatch]) -> Access {
    Access::of([Grant {
        name: format!("only {workload}").into(),
        clients: Clients::Identities(Arc::new([identity(workload)])),
        networks: Arc::new([]),
        requests: requests.into(),
    }])
}

/// This is so of books; everyone may call all others.
fn of_books(access: Access) -> AccessTable {
    AccessTable {
        services: [("books".into(), access)].into(),
        ..AccessTable::default()
    }
}

async fn status(mut client: Client) -> (StatusCode, String) {
    let answer = client.ask(get("http://books/books/7")).await;
    (answer.status, answer.header("clew-error").to_owned())
}

fn refused() -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, "not_authorized".to_owned())
}

fn served() -> (StatusCode, String) {
    (StatusCode::OK, String::new())
}

/// 1. Everyone may call. 2. Only webapp may, from now on: authors and whoever comes in clear are refused, and named; the
///    application hears nothing of them. 3. Everyone may again.
#[tokio::test]
async fn a_policy_is_applied_while_it_all_runs() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let author = pair.mesh.sidecar("authors").calls("books").start().await;
    let webapp = async || status(Client::http1(pair.entry()).await).await;
    let others = async || {
        let by_author = Client::http1(author.dependency("books")).await;
        let in_clear = Client::http1(pair.books.inbound()).await;
        [status(by_author).await, status(in_clear).await]
    };
    assert_eq!(webapp().await, served());
    assert_eq!(others().await, [served(), served()]);

    pair.mesh.set_access(of_books(only("webapp", &[])));
    while others().await[1] != refused() {}
    let before = application.seen().len();
    assert_eq!(others().await, [refused(), refused()]);
    assert_eq!(application.seen().len(), before);
    assert_eq!(webapp().await, served());
    let books = pair.books.metrics().await;
    let by_authors = [REFUSED[0], REFUSED[1], ("client_workload", "authors")];
    assert!(books.responses(&by_authors) >= 1);
    let authors = identity("authors");
    let proven = [REFUSED[1], ("client_id", authors.as_str())];
    assert_eq!(books.responses(&proven), books.responses(&by_authors));
    let in_clear = [REFUSED[1], ("client_workload", ""), ("tls", "none")];
    assert!(books.responses(&in_clear) >= 2);
    assert_eq!(
        books.responses(&[("client_workload", "webapp"), SUCCESS]),
        2
    );

    // To the caller it is no answer of books.
    assert_eq!(
        author.metrics().await.responses(&REFUSED),
        books.responses(&by_authors)
    );

    pair.mesh.set_access(AccessTable::default());
    while others().await[1] != served() {}
    assert_eq!(others().await, [served(), served()]);
    pair.stop().await;
}

/// The policy decides on each request, on connections that were open before as well.
#[tokio::test]
async fn a_request_is_admitted_by_its_method_and_path() {
    let application = Answering::ok().await;
    let reads = RequestMatch {
        path: Some(PathMatch::Template("/books/{id}".into())),
        method: Some("GET".into()),
    };
    let mesh = Mesh::builder()
        .access(of_books(only("webapp", &[reads])))
        .begin()
        .await;
    let pair = Pair::within(mesh, application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for (method, path, expected) in [
        (Method::GET, "/books/7", StatusCode::OK),
        (Method::DELETE, "/books/7", StatusCode::FORBIDDEN),
        (Method::GET, "/books", StatusCode::FORBIDDEN),
        (Method::GET, "/books/7?full=1", StatusCode::OK),
        (Method::GET, "/books/..", StatusCode::FORBIDDEN),
        (Method::GET, "/books/%2e%2E", StatusCode::FORBIDDEN),
    ] {
        let asked = request(
            method.clone(),
            &format!("http://books{path}"),
            Default::default(),
        );
        let answer = client.ask(asked).await;
        assert_eq!(answer.status, expected, "{method} {path}");
    }
    assert_eq!(application.seen().len(), 2);
    // What deciding took is work of the proxy, and told apart.
    let deciding = [("direction", "inbound"), ("phase", "policy")];
    assert_eq!(
        pair.books
            .metrics()
            .await
            .sum("clew_proxy_time_seconds", &deciding),
        6
    );
    pair.stop().await;
}

#[tokio::test]
async fn a_call_of_grpc_is_refused_in_its_own_terms() {
    let application = Answering::ok().await;
    let mesh = Mesh::builder()
        .access(of_books(Access::nobody()))
        .begin()
        .await;
    let pair = Pair::within(mesh, application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let answer = client
        .ask(grpc("http://books/pkg.Books/Get", Default::default()))
        .await;
    assert_eq!(answer.grpc_status(), Some(7), "PERMISSION_DENIED");
    assert!(application.seen().is_empty());
    pair.stop().await;
}

#[tokio::test]
async fn bytes_that_nobody_reads_are_refused_too() {
    let listener = WireListener::bind().await;
    let mesh = Mesh::builder()
        .access(of_books(only("webapp", &[])))
        .begin()
        .await;
    let books = mesh.sidecar("books");
    let books = books
        .serves_as(listener.address(), "books", Protocol::Opaque)
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let authors = mesh.sidecar("authors").calls("books").start().await;

    let mut admitted = Wire::connect(webapp.dependency("books")).await;
    admitted.write("hello").await;
    let mut served = listener.accept().await;
    assert_eq!(served.read(5).await, b"hello");
    let mut refused = Wire::connect(authors.dependency("books")).await;
    refused.write("hello").await;
    assert!(refused.read_to_end().await.is_err(), "a reset");
    let counted = |metrics: &Metrics| metrics.responses(&[("error", "not_authorized")]) == 1;
    books.metrics_when("the refusal", counted).await;
    drop((admitted, served));
    mesh.stop().await;
}

/// Where nobody may call what nobody has allowed, a proxy that has never heard of control refuses all.
#[tokio::test]
async fn where_the_default_is_to_deny_it_fails_closed() {
    let application = Answering::ok().await;
    let denies = AccessTable {
        default: Access::nobody(),
        services: [("open".into(), Access::everyone())].into(),
    };
    let mut mesh = Mesh::builder().access(denies).begin().await;
    let open = mesh
        .sidecar("open")
        .serves(application.address())
        .start()
        .await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    assert_eq!(
        status(Client::http1(books.inbound()).await).await,
        refused()
    );
    assert_eq!(status(Client::http1(open.inbound()).await).await, served());
    mesh.kill_control().await;
    // Its last word stands.
    assert_eq!(status(Client::http1(open.inbound()).await).await, served());
    let late = mesh.sidecar("late").serves(application.address());
    let late = late.limits(|limits| limits.discovery_timeout = std::time::Duration::ZERO);
    let late = late.does_not_join().start().await;
    let (code, error) = status(Client::http1(late.inbound()).await).await;
    assert_eq!(
        (code, error.as_str()),
        (StatusCode::GATEWAY_TIMEOUT, "discovery_timeout")
    );
    mesh.stop().await;
}
