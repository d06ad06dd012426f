//! Connections whose bytes the mesh does not read.

use super::pair::Pair;
use clew_model::service::Protocol;
use clew_testkit::Mesh;
use clew_testkit::address::Refusing;
use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::Answering;
use clew_testkit::wire::{Wire, WireListener};

const OUT: [(&str, &str); 3] = [
    ("direction", "outbound"),
    ("dst_service", "books"),
    ("dst_workload", "books"),
];
const IN: [(&str, &str); 1] = [("direction", "inbound")];

fn is_closed(metrics: &Metrics) -> bool {
    metrics.sum("tcp_close_total", &[]) == 1
}

#[tokio::test]
async fn bytes_pass_and_are_counted_on_both_sides() {
    let server = WireListener::bind().await;
    let pair = Pair::of(server.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write([0, 1, 2, 3]).await;
    let mut server = server.accept().await;
    assert_eq!(server.read(4).await, [0, 1, 2, 3]);
    server.write("hello").await;
    assert_eq!(client.read(5).await, b"hello");
    for (side, labels) in pair.metrics().await.iter().zip([&OUT[..], &IN[..]]) {
        assert_eq!(side.sum("tcp_open_total", labels), 1);
        assert_eq!(side.sum("tcp_open_connections", labels), 1);
        assert_eq!(side.sum("tcp_close_total", labels), 0);
        assert_eq!(side.requests(&[]), 0, "this is no request");
    }
    // What the application says there nobody can look at; what it is told was looked at by its client's proxy.
    let unseen = [("evidence", "opaque")];
    for (side, times) in pair.metrics().await.iter().zip([1, 0]) {
        assert_eq!(side.sum("clew_propagation_total", &unseen), times);
    }
    drop((client, server));
    // The server has read what the client has written: each side counts its own peer.
    let sides = [
        (&pair.webapp, &OUT[..], [5, 4]),
        (&pair.books, &IN[..], [4, 5]),
    ];
    for (sidecar, labels, [read, written]) in sides {
        let side = sidecar
            .metrics_when("the connection to be closed", is_closed)
            .await;
        assert_eq!(side.sum("tcp_close_total", labels), 1);
        assert_eq!(side.sum("tcp_open_connections", labels), 0);
        assert_eq!(side.sum("tcp_read_bytes_total", labels), read);
        assert_eq!(side.sum("tcp_write_bytes_total", labels), written);
        assert_eq!(side.sum("tcp_connection_duration_ms", labels), 1);
    }
    pair.stop().await;
}

/// 1. Two requests of webapp go over one connection to books: both sidecars count it as one between the two,
///    with the same bytes.
/// 2. Someone else connects to books and asks nothing: that is one more, of nobody that is known.
/// 3. Webapp's sidecar ends, and its connection with it.
#[tokio::test]
async fn connections_that_carry_http_are_counted_on_both_sides() {
    let books = Answering::ok().await;
    let pair = Pair::of(books.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for _ in 0..2 {
        let answer = client.ask(get("http://books/books")).await;
        assert_eq!(answer.status, 200);
    }
    let named = [IN[0], ("client_workload", "webapp")];
    let [webapp, books] = pair.metrics().await;
    for (side, labels) in [(&webapp, &OUT[..]), (&books, &named[..])] {
        assert_eq!(side.sum("tcp_open_total", &[]), 1);
        assert_eq!(side.sum("tcp_open_connections", labels), 1);
    }
    let asked = webapp.sum("tcp_write_bytes_total", &OUT);
    let answered = webapp.sum("tcp_read_bytes_total", &OUT);
    assert!(asked > 60 && answered > 60, "{asked} and {answered} bytes");
    // The answer may be with webapp before books' sidecar has counted that it sent it.
    let agrees = |metrics: &Metrics| {
        metrics.sum("tcp_read_bytes_total", &named) == asked
            && metrics.sum("tcp_write_bytes_total", &named) == answered
    };
    pair.books.metrics_when("the same bytes", agrees).await;

    let mut silent = Wire::connect(pair.books.inbound()).await;
    silent.finish().await;
    let unknown = [IN[0], ("client_workload", "")];
    let has_ended = |metrics: &Metrics| metrics.sum("tcp_close_total", &unknown) == 1;
    let metrics = pair.books.metrics_when("the silent one to end", has_ended);
    assert_eq!(metrics.await.sum("tcp_open_total", &[]), 2);

    pair.webapp.stop().await;
    let has_ended = |metrics: &Metrics| metrics.sum("tcp_close_total", &named) == 1;
    let metrics = pair.books.metrics_when("webapp's to end", has_ended).await;
    assert_eq!(metrics.sum("tcp_open_connections", &[]), 0);
    pair.stop().await;
}

#[tokio::test]
async fn each_side_may_end_its_half_first() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;

    let mut client = Wire::connect(pair.entry()).await;
    client.write([0]).await;
    let mut server = listener.accept().await;
    client.finish().await;
    assert_eq!(server.read_to_end().await.unwrap(), [0]);
    server.write("after the client's end").await;
    drop(server);
    assert_eq!(
        client.read_to_end().await.unwrap(),
        b"after the client's end"
    );

    let mut client = Wire::connect(pair.entry()).await;
    client.write([0]).await;
    let mut server = listener.accept().await;
    server.finish().await;
    assert_eq!(client.read_to_end().await.unwrap(), b"");
    client.write("after the server's end").await;
    drop(client);
    assert_eq!(
        &server.read_to_end().await.unwrap()[1..],
        b"after the server's end"
    );
    pair.stop().await;
}

#[tokio::test]
async fn a_reset_of_one_side_ends_the_other() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write([0]).await;
    let mut server = listener.accept().await;
    server.read(1).await;
    server.reset();
    client.closed().await;

    let mut client = Wire::connect(pair.entry()).await;
    client.write([0]).await;
    let mut server = listener.accept().await;
    server.read(1).await;
    client.reset();
    server.closed().await;
    let both = |metrics: &Metrics| metrics.sum("tcp_close_total", &[]) == 2;
    for sidecar in [&pair.webapp, &pair.books] {
        sidecar
            .metrics_when("both connections to be closed", both)
            .await;
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_server_may_speak_first_on_a_port_that_is_marked_opaque() {
    let listener = WireListener::bind().await;
    let mesh = Mesh::begin().await;
    let _books = mesh
        .sidecar("books")
        .serves_as(listener.address(), "books", Protocol::Opaque)
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Wire::connect(webapp.dependency("books")).await;
    // The client has said nothing.
    let mut server = listener.accept().await;
    server.write("220 ready\r\n").await;
    assert_eq!(client.read_until("\r\n").await, "220 ready\r\n");
    // What looks like HTTP is not looked at.
    client.write("GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(server.read(18).await, b"GET / HTTP/1.1\r\n\r\n");
    drop((client, server));
    let metrics = webapp
        .metrics_when("the connection to be closed", is_closed)
        .await;
    assert_eq!(metrics.requests(&[]), 0);
    mesh.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_for_the_server_is_passed_on_when_detection_is_out_of_time() {
    let listener = WireListener::bind().await;
    let mesh = Mesh::builder()
        .detect_timeout(std::time::Duration::from_millis(20))
        .begin()
        .await;
    let _books = mesh
        .sidecar("books")
        .serves(listener.address())
        .start()
        .await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Wire::connect(webapp.dependency("books")).await;
    let mut server = listener.accept().await;
    server.write("220 ready\r\n").await;
    assert_eq!(client.read_until("\r\n").await, "220 ready\r\n");
    drop((client, server));
    mesh.stop().await;
}

#[tokio::test]
async fn a_connection_that_cannot_be_passed_on_is_closed() {
    let nobody = Refusing::bind();
    let pair = Pair::of(nobody.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write([0, 1, 2]).await;
    assert_eq!(client.closed().await, b"");
    pair.stop().await;
}
