//! What goes wrong behind the mesh, or in it: a clear answer, and counted with its reason.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_control::DeclaredService;
use clew_testkit::address::{Blackhole, Refusing};
use clew_testkit::body;
use clew_testkit::client::{Answer, Client, get, grpc, request};
use clew_testkit::upstream::{Answering, Scripted, ok};
use clew_testkit::wire::{Wire, WireListener};
use clew_testkit::{Mesh, Sidecar};
use http::{Method, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The caller is told by HTTP and by gRPC, and each is counted once.
async fn told(webapp: &Sidecar, at: SocketAddr, reason: &str, http: u16, grpc_status: u16) {
    let before = webapp.metrics().await;
    let mut one = Client::http1(at).await;
    let answer = one.ask(get("http://books/books/1")).await;
    assert_eq!(answer.status.as_u16(), http);
    assert_eq!(answer.header("clew-error"), reason);
    assert!(answer.text().starts_with("clew: "), "{}", answer.text());

    let mut two = Client::http2(at).await;
    let call = grpc("http://books/books.Ratings/Get", body::full("\0\0\0\0\0"));
    let answer = two.ask(call).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("clew-error"), reason);
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(
        answer.header("grpc-status"),
        grpc_status.to_string(),
        "trailers only"
    );
    assert_ne!(answer.header("grpc-message"), "");
    assert!(answer.body.data.is_empty());

    let metrics = webapp.metrics().await;
    assert_eq!(metrics.requests(&[]), before.requests(&[]) + 2);
    assert_eq!(metrics.responses(&[]), before.responses(&[]) + 2);
    let (status, grpc_status) = (http.to_string(), grpc_status.to_string());
    let by_http = [
        FAILURE,
        ("error", reason),
        ("status_code", status.as_str()),
        ("grpc_status", ""),
    ];
    assert_eq!(metrics.responses(&by_http), 1);
    let by_grpc = [
        FAILURE,
        ("error", reason),
        ("grpc_status", grpc_status.as_str()),
    ];
    assert_eq!(metrics.responses(&by_grpc), 1);
}

#[tokio::test]
async fn a_service_without_endpoints_is_503() {
    let declared = DeclaredService {
        name: "books".into(),
        protocol: None,
        routes: Arc::new([]),
    };
    let mesh = Mesh::builder().service(declared).begin().await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    told(&webapp, webapp.dependency("books"), "no_endpoints", 503, 14).await;
    let metrics = webapp.metrics().await;
    let labels = [("dst_service", "books"), ("route", "GET /books/{id}")];
    assert_eq!(
        metrics.requests(&labels),
        1,
        "it has a service and a route all the same"
    );
    mesh.stop().await;
}

#[tokio::test]
async fn a_dependency_that_nobody_knows_is_503() {
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    told(&webapp, webapp.dependency("books"), "no_endpoints", 503, 14).await;
    mesh.stop().await;
}

#[tokio::test]
async fn a_refusal_of_head_has_no_body() {
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut one = Client::http1(webapp.dependency("books")).await;
    let mut two = Client::http2(webapp.dependency("books")).await;
    for client in [&mut one, &mut two] {
        let with_body = client.ask(get("http://books/")).await;
        let head = request(Method::HEAD, "http://books/", body::empty());
        let without = client.ask(head).await;
        assert_eq!(without.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(without.header("clew-error"), "no_endpoints");
        assert_eq!(without.text(), "");
        let length = with_body.text().len().to_string();
        assert_eq!(without.header("content-length"), length);
    }
    drop((one, two));
    mesh.stop().await;
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_502() {
    // Longer than a label of a name may be: no resolver has to be asked.
    let nobody = "x".repeat(64);
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").http_proxy().start().await;
    let mut client = Client::http_proxy(webapp.http_proxy()).await;
    let answer = client.ask(get(&format!("http://{nobody}/"))).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("clew-error"), "unknown_service");
    let metrics = webapp.metrics().await;
    assert_eq!(
        metrics.responses(&[FAILURE, ("error", "unknown_service")]),
        1
    );
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_502() {
    let nobody = Refusing::bind();
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", nobody.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    told(
        &webapp,
        webapp.dependency("books"),
        "connect_refused",
        502,
        14,
    )
    .await;
    mesh.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_does_not_accept_connections_is_504() {
    let blackhole = Blackhole::bind().await;
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", blackhole.address()).await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .limits(|limits| limits.connect_timeout = Duration::from_millis(50))
        .start()
        .await;
    told(
        &webapp,
        webapp.dependency("books"),
        "connect_timeout",
        504,
        4,
    )
    .await;
    mesh.stop().await;
}

#[tokio::test]
async fn an_application_that_is_not_there_is_told_by_its_own_sidecar() {
    let nobody = Refusing::bind();
    let pair = Pair::of(nobody.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let answer = client.ask(get("http://books/")).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("clew-error"), "connect_refused");
    pair.both_counted(1, &[FAILURE, ("status_code", "502")])
        .await;
    let [webapp, books] = pair.metrics().await;
    assert_eq!(books.responses(&[("error", "connect_refused")]), 1);
    assert_eq!(
        webapp.responses(&[("error", "")]),
        1,
        "to webapp it is an answer"
    );
    drop(client);
    pair.stop().await;
}

/// What a client gets from a server that writes these bytes and closes.
async fn answered_by(bytes: &str) -> (Answer, Pair) {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let serving = async {
        let mut server = listener.accept().await;
        server.read_head().await;
        server.write(bytes).await;
    };
    let (answer, ()) = tokio::join!(client.ask(get("http://books/")), serving);
    (answer, pair)
}

#[tokio::test]
async fn a_server_that_closes_before_its_response_is_502() {
    for bytes in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    ] {
        let (answer, pair) = answered_by(bytes).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "after {bytes:?}");
        assert_eq!(
            answer.header("clew-error"),
            "server_closed",
            "after {bytes:?}"
        );
        let [webapp, books] = pair.metrics().await;
        assert_eq!(books.responses(&[FAILURE, ("error", "server_closed")]), 1);
        assert_eq!(webapp.responses(&[FAILURE, ("status_code", "502")]), 1);
        pair.both_counted(1, &[FAILURE]).await;
        pair.stop().await;
    }
}

#[tokio::test]
async fn a_response_that_makes_no_sense_is_502() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ] {
        let (answer, pair) = answered_by(bytes).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "after {bytes:?}");
        assert_eq!(
            answer.header("clew-error"),
            "malformed_response",
            "after {bytes:?}"
        );
        pair.both_counted(1, &[FAILURE]).await;
        pair.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_of_its_response_breaks_the_clients_too() {
    for begun in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let listener = WireListener::bind().await;
        let pair = Pair::of(listener.address()).await;
        let mut client = Wire::connect(pair.entry()).await;
        client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
        let mut server = listener.accept().await;
        server.read_head().await;
        server.write(begun).await;
        client.read_until("half").await;
        drop(server);
        let rest = client.closed().await;
        assert!(
            !rest.ends_with(b"0\r\n\r\n"),
            "the end must not look like one: {rest:?}"
        );
        pair.both_counted(
            1,
            &[FAILURE, ("error", "server_closed"), ("status_code", "200")],
        )
        .await;
        pair.stop().await;
    }
}

#[tokio::test]
async fn a_response_with_broken_chunks_is_malformed() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut hops = pair.books.hops().await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno size\r\n")
        .await;
    let rest = client.closed().await;
    assert!(
        !rest.ends_with(b"0\r\n\r\n"),
        "the end must not look like one"
    );
    let hop = hops.next().await;
    assert_eq!(hop.error, "malformed_response");
    pair.both_counted(1, &[FAILURE]).await;
    drop(server);
    pair.stop().await;
}

#[tokio::test]
async fn a_request_that_may_have_done_something_is_sent_once() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let serving = async {
        let mut server = listener.accept().await;
        server.read_head().await;
        server
            .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
        server
    };
    let (_, mut server) = tokio::join!(client.ask(get("http://books/")), serving);
    // The connection is warm; the server takes the order and dies.
    let order = request(Method::POST, "http://books/orders", body::full("one"));
    let serving = async {
        server.read_until("one").await;
        drop(server);
    };
    let (answer, ()) = tokio::join!(client.ask(order), serving);
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.header("clew-error"), "server_closed");
    // Had it been sent again, it would wait here before this one.
    let serving = async {
        let mut server = listener.accept().await;
        let head = server.read_head().await;
        server
            .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await;
        head
    };
    let (_, head) = tokio::join!(client.ask(get("http://books/after")), serving);
    assert!(head.starts_with("get /after"), "{head}");
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn without_control_requests_of_the_application_are_told_and_requests_to_it_are_served() {
    let application = Answering::ok().await;
    let nobody = Refusing::bind();
    let mesh = Mesh::begin().await;
    let control = format!("http://{}", nobody.address()).parse().unwrap();
    let lost = mesh
        .sidecar("lost")
        .serves(application.address())
        .calls("books")
        .control(control)
        .limits(|limits| limits.discovery_timeout = Duration::from_millis(50))
        .start()
        .await;
    told(&lost, lost.dependency("books"), "discovery_timeout", 504, 4).await;
    let mut client = Client::http1(lost.inbound()).await;
    assert_eq!(client.ask(get("http://lost/")).await.text(), "ok");
    let inbound = [("direction", "inbound"), SUCCESS];
    assert_eq!(lost.metrics().await.responses(&inbound), 1);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn one_endpoint_that_fails_does_not_take_the_others_with_it() {
    let nobody = Refusing::bind();
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _dead = mesh.join("books", "books-1", nobody.address()).await;
    let _alive = mesh.join("books", "books-2", application.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    let mut failures = 0;
    for _ in 0..50 {
        let answer = client.ask(get("http://books/")).await;
        if answer.status != StatusCode::OK {
            assert_eq!(answer.header("clew-error"), "connect_refused");
            failures += 1;
        }
    }
    // It is tried, found dead, and then avoided for a second at a time.
    assert!(
        failures < 10,
        "{failures} of 50 requests went to the dead endpoint"
    );
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.responses(&[FAILURE]), failures);
    assert_eq!(metrics.responses(&[SUCCESS]), 50 - failures);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_response_is_not_a_failure_because_the_request_was_not_read() {
    // The server answers and closes while the client is still writing.
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let (upload, asked) = body::written();
    let asking = tokio::spawn(async move {
        client
            .ask(request(Method::POST, "http://books/", asked))
            .await
    });
    upload.data("first").await;
    application.next().await.answer(ok("enough"));
    let answer = clew_testkit::within("the answer", asking).await.unwrap();
    assert_eq!(answer.text(), "enough");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(upload);
    pair.stop().await;
}
