//! The sidecar as an HTTP proxy: whom a request is for, and CONNECT.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_testkit::client::{Client, get, with};
use clew_testkit::upstream::{Answering, Scripted};
use clew_testkit::wire::{Wire, WireListener};
use clew_testkit::{Mesh, body};
use http::{Method, StatusCode, Version};
use std::net::SocketAddr;

#[tokio::test]
async fn the_target_of_an_absolute_request_decides_and_becomes_its_host() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http_proxy(pair.webapp.http_proxy()).await;
    for authority in [
        "books",
        "books:7002",
        "BOOKS",
        "books.default",
        "books.default.svc.cluster.local",
    ] {
        let uri = format!("http://{authority}/books/1?x=y");
        let request = with(get(&uri), "host", "elsewhere");
        let request = with(request, "proxy-authorization", "Basic eA==");
        let answer = client.ask(request).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{authority}: {}",
            answer.text()
        );
        let seen = application.seen().pop().unwrap();
        assert_eq!(seen.uri, "/books/1?x=y");
        assert_eq!(seen.header("host"), authority);
        assert_eq!(seen.header("proxy-authorization"), "", "it is for us");
    }
    pair.both_counted(5, &[SUCCESS, ("route", "GET /books/{id}")])
        .await;
    let [webapp, _] = pair.metrics().await;
    let to_books = [("dst_service", "books"), ("dst_workload", "books")];
    assert_eq!(
        webapp.requests(&to_books),
        5,
        "one service, however it is written"
    );
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_request_in_origin_form_is_for_its_host() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut one = Client::http1(pair.webapp.http_proxy()).await;
    assert_eq!(one.ask(get("http://books/")).await.text(), "ok");
    let mut two = Client::http2(pair.webapp.http_proxy()).await;
    assert_eq!(two.ask(get("http://books/")).await.text(), "ok");
    assert_eq!(application.seen()[1].version, Version::HTTP_2);
    pair.both_counted(2, &[SUCCESS]).await;
    drop((one, two));
    pair.stop().await;
}

#[tokio::test]
async fn the_address_of_a_meshed_application_leads_through_its_sidecar() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http_proxy(pair.webapp.http_proxy()).await;
    let port = application.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let answer = client.ask(get(&format!("http://{host}:{port}/"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    pair.both_counted(2, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn what_is_not_in_the_mesh_is_passed_through_and_not_told_who_asks() {
    let outside = Answering::ok().await;
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http_proxy(pair.webapp.http_proxy()).await;
    let by_name = format!("localhost:{}", outside.address().port());
    let by_address = outside.address().to_string();
    for authority in [&by_name, &by_address] {
        let answer = client.ask(get(&format!("http://{authority}/x"))).await;
        assert_eq!(answer.text(), "ok");
    }
    let seen = &outside.seen()[0];
    assert_eq!(seen.uri, "/x");
    assert_eq!(seen.header("clew-client"), "");
    assert_ne!(seen.header("traceparent"), "", "the trace goes on outside");
    let metrics = pair.webapp.metrics().await;
    // Who is meant is what the application has asked for.
    for authority in [&by_name, &by_address] {
        let labels = [("dst_service", authority.as_str()), ("dst_workload", "")];
        assert_eq!(metrics.responses(&[labels[0], labels[1], SUCCESS]), 1);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_request_without_an_authority_is_refused() {
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").http_proxy().start().await;
    let mut client = Wire::connect(webapp.http_proxy()).await;
    client.write("GET /path HTTP/1.1\r\n\r\n").await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.requests(&[]), 1);
    assert_eq!(metrics.responses(&[FAILURE, ("status_code", "400")]), 1);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_request_for_the_proxy_itself_is_a_loop() {
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").http_proxy().start().await;
    let own = webapp.http_proxy();
    let mut one = Client::http_proxy(own).await;
    let mut two = Client::http2(own).await;
    for client in [&mut one, &mut two] {
        let answer = client.ask(get(&format!("http://{own}/"))).await;
        assert_eq!(answer.header("clew-error"), "loop");
        assert_eq!(answer.status, StatusCode::LOOP_DETECTED);
    }
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.responses(&[FAILURE, ("error", "loop")]), 2);
    assert_eq!(metrics.requests(&[]), 2);
    drop((one, two));
    mesh.stop().await;
}

#[tokio::test]
async fn the_listener_of_a_dependency_means_the_dependency_through_the_proxy_too() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http_proxy(pair.webapp.http_proxy()).await;
    let answer = client.ask(get(&format!("http://{}/", pair.entry()))).await;
    assert_eq!(answer.text(), "ok");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

async fn connect(proxy: SocketAddr, authority: &str) -> Wire {
    let mut tunnel = Wire::connect(proxy).await;
    tunnel
        .write(format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
        ))
        .await;
    let head = tunnel.read_head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    tunnel
}

#[tokio::test]
async fn http_inside_a_tunnel_is_measured_like_any_other() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut tunnel = connect(pair.webapp.http_proxy(), "books:80").await;
    for _ in 0..2 {
        tunnel
            .write("GET /books/7 HTTP/1.1\r\nHost: books\r\n\r\n")
            .await;
        let (head, body) = tunnel.read_message().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, b"ok");
    }
    pair.both_counted(2, &[SUCCESS, ("route", "GET /books/{id}")])
        .await;
    drop(tunnel);
    pair.stop().await;
}

#[tokio::test]
async fn bytes_inside_a_tunnel_are_passed_through() {
    let outside = WireListener::bind().await;
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").http_proxy().start().await;
    let mut tunnel = connect(webapp.http_proxy(), &outside.address().to_string()).await;
    tunnel.write([0, 1, 2, 3]).await;
    let mut server = outside.accept().await;
    assert_eq!(server.read(4).await, [0, 1, 2, 3]);
    server.write("answer").await;
    assert_eq!(tunnel.read(6).await, b"answer");
    tunnel.finish().await;
    assert_eq!(
        server.read_to_end().await.unwrap(),
        b"",
        "the end passes on"
    );
    server.write("last words").await;
    drop(server);
    assert_eq!(tunnel.read_to_end().await.unwrap(), b"last words");
    let closed =
        |metrics: &clew_testkit::metrics::Metrics| metrics.sum("tcp_close_total", &[]) == 1;
    let metrics = webapp
        .metrics_when("the connection to be counted", closed)
        .await;
    let outside = outside.address().to_string();
    let labels = [("direction", "outbound"), ("dst_service", outside.as_str())];
    assert_eq!(metrics.sum("tcp_open_total", &labels), 1);
    assert_eq!(metrics.sum("tcp_read_bytes_total", &labels), 16);
    assert_eq!(metrics.sum("tcp_write_bytes_total", &labels), 4);
    mesh.stop().await;
}

#[tokio::test]
async fn connect_through_a_plain_server_is_a_tunnel_of_its_own() {
    // An application that is itself a proxy: webapp asks books to CONNECT.
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut hops = pair.webapp.hops().await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n")
        .await;
    let mut exchange = application.next().await;
    assert_eq!(exchange.head.method, Method::CONNECT);
    assert_eq!(exchange.head.uri, "far.example:443");
    let upgrade = exchange.upgrade();
    exchange.answer(http::Response::new(body::empty()));
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let server = clew_testkit::within("the tunnel at the server", upgrade)
        .await
        .unwrap();
    let mut server = Wire::of_tunnel(server);
    client.write("ping").await;
    assert_eq!(server.read(4).await, b"ping");
    server.write("pong!").await;
    assert_eq!(client.read(5).await, b"pong!");
    drop(server);
    client.closed().await;
    drop(client);
    let hop = hops.next().await;
    assert_eq!((hop.method.as_str(), hop.status_code), ("CONNECT", 200));
    assert_eq!((hop.request_bytes, hop.response_bytes), (4, 5));
    pair.stop().await;
}
