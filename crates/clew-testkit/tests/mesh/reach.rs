//! An endpoint that cannot be reached costs no request, while there is another.

use super::pair::{FAILURE, SUCCESS};
use clew_model::service::Protocol;
use clew_proxy::config::Limits;
use clew_testkit::address::{Blackhole, Refusing};
use clew_testkit::client::{Client, get, grpc};
use clew_testkit::upstream::Answering;
use clew_testkit::wire::{Wire, WireListener};
use clew_testkit::{Mesh, body};
use http::StatusCode;
use std::time::Duration;

const REQUESTS: u64 = 20;

/// Detection gives up at once: until control has spoken, and then.
const SOON: Duration = Duration::from_millis(1);

async fn impatient() -> Mesh {
    Mesh::builder().detect_timeout(SOON).begin().await
}

fn soon(limits: &mut Limits) {
    limits.detect_timeout = SOON;
}

#[tokio::test]
async fn a_request_goes_on_to_another_endpoint_when_one_refuses() {
    let (dead, alive) = (Refusing::bind(), Answering::ok().await);
    let mesh = Mesh::begin().await;
    let _dead = mesh.join("books", "books-1", dead.address()).await;
    let _alive = mesh.join("books", "books-2", alive.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    for _ in 0..REQUESTS {
        // Each on a connection of its own, with a body that must not be sent twice.
        let mut one = Client::http1(webapp.dependency("books")).await;
        let mut two = Client::http2(webapp.dependency("books")).await;
        let answer = one.ask(get("http://books/")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let answer = two
            .ask(grpc("http://books/a.B/C", body::full("12345")))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.header("clew-error"), "");
    }
    assert_eq!(alive.seen().len() as u64, 2 * REQUESTS);
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.requests(&[]), 2 * REQUESTS, "each counts once");
    let http = [SUCCESS, ("route", "GET /"), ("dst_workload", "books")];
    assert_eq!(metrics.responses(&http), REQUESTS);
    mesh.stop().await;
}

/// 1. One of two endpoints drops what is sent to it.
/// 2. Who is being connected to counts as busy: of many requests at once, few wait for it, and none fails.
#[tokio::test]
async fn an_endpoint_that_is_being_connected_to_is_not_taken_for_idle() {
    let (dead, alive) = (Blackhole::bind().await, Answering::ok().await);
    let mesh = Mesh::begin().await;
    let _dead = mesh.join("books", "books-1", dead.address()).await;
    let _alive = mesh.join("books", "books-2", alive.address()).await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let client = Client::http2(webapp.dependency("books")).await;
    let asking: Vec<_> = (0..REQUESTS)
        .map(|_| tokio::spawn(client.share().send(get("http://books/"))))
        .collect();
    for asking in asking {
        let answer = clew_testkit::within("an answer", asking).await;
        assert_eq!(answer.unwrap().unwrap().status(), StatusCode::OK);
    }
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.requests(&[]), REQUESTS);
    assert_eq!(metrics.responses(&[FAILURE]), 0);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn bytes_go_on_to_another_endpoint_too() {
    let (dead, alive) = (Refusing::bind(), WireListener::bind().await);
    let mesh = Mesh::begin().await;
    let _dead = mesh.join("redis", "redis-1", dead.address()).await;
    let _alive = mesh.join("redis", "redis-2", alive.address()).await;
    let webapp = mesh.sidecar("webapp").calls("redis").start().await;
    for _ in 0..REQUESTS {
        let mut client = Wire::connect(webapp.dependency("redis")).await;
        client.write([0, 1]).await;
        let mut server = alive.accept().await;
        assert_eq!(server.read(2).await, [0, 1]);
    }
    mesh.stop().await;
}

/// 1. A client opens a connection before it needs it, as connection pools do, and says nothing until
///    detection has given up.
/// 2. What it asks then is a request like any other.
#[tokio::test]
async fn a_connection_that_was_opened_ahead_of_time_is_looked_at_when_it_is_used() {
    let application = Answering::ok().await;
    let mesh = impatient().await;
    let books = mesh.sidecar("books").limits(soon);
    let books = books.serves(application.address()).start().await;
    let mut client = Wire::connect(books.inbound()).await;
    // Its place at the application is taken: the proxy waits for who speaks first.
    while application.connections() == 0 {
        tokio::task::yield_now().await;
    }
    client
        .write("GET /books/7 HTTP/1.1\r\nHost: books\r\n\r\n")
        .await;
    let (head, body) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"ok");
    let route = [SUCCESS, ("route", "GET /books/{id}")];
    assert_eq!(books.metrics().await.responses(&route), 1);
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_server_may_speak_first_where_nobody_said_so() {
    let listener = WireListener::bind().await;
    let mesh = impatient().await;
    let database = mesh
        .sidecar("database")
        .limits(soon)
        .serves_as(listener.address(), "database", Protocol::Detect)
        .start()
        .await;
    let mut client = Wire::connect(database.inbound()).await;
    let mut server = listener.accept().await;
    server.write("220 welcome").await;
    assert_eq!(client.read(11).await, b"220 welcome");
    client.write("EHLO").await;
    assert_eq!(server.read(4).await, b"EHLO");
    drop((client, server));
    mesh.stop().await;
}

/// Browsers and load balancers connect ahead of time: that is no request, and no failure of one.
#[tokio::test]
async fn a_silent_connection_to_the_gateway_is_closed_and_not_counted() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _web = mesh
        .sidecar("web")
        .serves(application.address())
        .start()
        .await;
    let edge = mesh
        .sidecar("edge")
        .limits(soon)
        .gateway(&[(None, "/", "web")])
        .start()
        .await;
    let mut silent = Wire::connect(edge.gateway()).await;
    assert_eq!(silent.closed().await, b"");
    assert_eq!(edge.metrics().await.requests(&[]), 0);
    mesh.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_told_so_at_the_gateway() {
    let mesh = Mesh::begin().await;
    let edge = mesh.sidecar("edge").gateway(&[(None, "/", "web")]);
    let edge = edge.start().await;
    let mut babbling = Wire::connect(edge.gateway()).await;
    babbling
        .write("\x16\x03\x01 this is no request\r\n\r\n")
        .await;
    let head = babbling.read_head().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    let malformed = [FAILURE, ("error", "malformed_request")];
    let is_counted = |metrics: &clew_testkit::metrics::Metrics| metrics.responses(&malformed) == 1;
    edge.metrics_when("it to be counted", is_counted).await;
    mesh.stop().await;
}
