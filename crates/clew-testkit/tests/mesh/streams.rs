//! Long streams are seen while they are open, and counted once.

use super::pair::Pair;
use clew_testkit::body::{self, BodyWriter};
use clew_testkit::client::{Client, get, grpc};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, Exchange, Scripted, ok, status};
use clew_testkit::wire::Wire;
use clew_testkit::{Mesh, Sidecar, within};
use http::Response;
use std::time::Duration;

const HANDSHAKE: &str =
    "GET /chat/7 HTTP/1.1\r\nHost: books\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SOON: Duration = Duration::from_millis(1);

/// Open streams, bytes from clients, bytes from servers.
fn counted(metrics: &Metrics) -> (u64, u64, u64) {
    let bytes = |from| metrics.sum("clew_stream_bytes_total", &[("from", from)]);
    (
        metrics.sum("clew_open_streams", &[]),
        bytes("client"),
        bytes("server"),
    )
}

async fn counts(sidecar: &Sidecar, expected: (u64, u64, u64)) -> Metrics {
    let what = format!("streams and bytes to be {expected:?}");
    let as_expected = |metrics: &Metrics| counted(metrics) == expected;
    sidecar.metrics_when(&what, as_expected).await
}

async fn both_count(pair: &Pair, expected: (u64, u64, u64)) -> [Metrics; 2] {
    [
        counts(&pair.webapp, expected).await,
        counts(&pair.books, expected).await,
    ]
}

/// Answers with a body that is written later.
fn begin(exchange: Exchange, kind: &str) -> BodyWriter {
    let (writer, body) = body::written();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert("content-type", kind.parse().unwrap());
    exchange.answer(response);
    writer
}

/// webapp calls books, and every answer that goes on is a stream.
async fn all_are_long(application: &Scripted) -> Pair {
    let mesh = Mesh::begin().await;
    let at_once = |limits: &mut clew_proxy::config::Limits| limits.long_stream = Duration::ZERO;
    let books = mesh.sidecar("books").serves(application.address());
    let webapp = mesh.sidecar("webapp").calls("books");
    Pair {
        books: books.limits(at_once).start().await,
        webapp: webapp.limits(at_once).start().await,
        mesh,
    }
}

#[tokio::test]
async fn a_web_socket_is_seen_while_it_is_open() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write(HANDSHAKE).await;
    let mut exchange = application.next().await;
    let upgrade = exchange.upgrade();
    let mut accepted = status(101);
    let headers = accepted.headers_mut();
    headers.insert("connection", "Upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    exchange.answer(accepted);
    client.read_head().await;
    let mut server = Wire::of_tunnel(within("the upgrade", upgrade).await.unwrap());
    both_count(&pair, (1, 0, 0)).await;
    for round in 1..3 {
        client.write("ping").await;
        assert_eq!(server.read(4).await, b"ping");
        server.write("pong!").await;
        assert_eq!(client.read(5).await, b"pong!");
        for side in both_count(&pair, (1, 4 * round, 5 * round)).await {
            let route = [("route", "GET /chat/{id}")];
            assert_eq!(side.sum("clew_open_streams", &route), 1);
            assert_eq!(side.responses(&[]), 0);
        }
    }
    client.write("bye").await;
    assert_eq!(server.read(3).await, b"bye");
    drop((client, server));
    for side in both_count(&pair, (0, 11, 10)).await {
        assert_eq!(side.sum("clew_stream_duration_ms", &[]), 1);
    }
    pair.stop().await;
}

#[tokio::test]
async fn events_are_seen_while_they_come() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let (writer, response) = tokio::join!(
        async { begin(application.next().await, "text/event-stream") },
        client.send(get("http://books/events")),
    );
    let mut events = response.unwrap().into_body();
    both_count(&pair, (1, 0, 0)).await;
    for round in 1..4 {
        writer.data("data: 1\n\n").await;
        body::next_data(&mut events).await.unwrap().unwrap();
        both_count(&pair, (1, 0, 9 * round)).await;
    }
    writer.end();
    assert!(body::next_data(&mut events).await.is_none());
    both_count(&pair, (0, 0, 27)).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_call_of_grpc_that_goes_on_is_a_stream_once_it_is_old() {
    let mut application = Scripted::start().await;
    let pair = all_are_long(&application).await;
    let client = Client::http2(pair.entry()).await;
    let (upload, asked) = body::written();
    let call = grpc("http://books/books.Ratings/Watch", asked);
    let calling = tokio::spawn(client.share().send(call));
    let exchange = application.next().await;
    let writer = begin(exchange, "application/grpc");
    let mut answer = within("the head", calling).await.unwrap().unwrap();
    upload.data(clew_testkit::grpc::message("a")).await;
    writer.data(clew_testkit::grpc::message("bc")).await;
    body::next_data(answer.body_mut()).await.unwrap().unwrap();
    for side in both_count(&pair, (1, 6, 7)).await {
        let route = [("route", "books.Ratings/Watch")];
        assert_eq!(side.sum("clew_open_streams", &route), 1);
    }
    // The client gives up.
    drop((answer, upload));
    writer.unread().await;
    both_count(&pair, (0, 6, 7)).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_short_request_is_no_stream() {
    let application = Answering::start(|asked| async move {
        if asked.uri.path() == "/whole" {
            return ok("all at once");
        }
        let (writer, body) = body::written();
        tokio::spawn(async move {
            for piece in ["piece", " by ", "piece"] {
                writer.data(piece).await;
            }
        });
        Response::new(body)
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for path in ["whole", "pieces", "whole", "pieces"] {
        client.ask(get(&format!("http://books/{path}"))).await;
    }
    for side in pair.metrics().await {
        assert_eq!(side.responses(&[]), 4);
        assert_eq!(side.count("clew_open_streams", &[]), 0);
        assert_eq!(side.count("clew_stream_bytes_total", &[]), 0);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_stream_that_a_drain_cuts_off_is_open_no_more() {
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let books = mesh.sidecar("books").serves(application.address());
    let drains = |limits: &mut clew_proxy::config::Limits| {
        limits.drain_timeout = Duration::from_secs(3_600);
        limits.last_scrape_timeout = Duration::from_secs(3_600);
    };
    let books = books.limits(drains).start().await;
    let mut client = Client::http1(books.inbound()).await;
    let (writer, response) = tokio::join!(
        async { begin(application.next().await, "text/event-stream") },
        client.send(get("http://books/events")),
    );
    let mut events = response.unwrap().into_body();
    writer.data("data: 1\n\n").await;
    body::next_data(&mut events).await.unwrap().unwrap();
    counts(&books, (1, 0, 9)).await;
    books.drain();
    writer.data("data: 2\n\n").await;
    counts(&books, (1, 0, 18)).await;
    books.force();
    let last = counts(&books, (0, 0, 18)).await;
    assert_eq!(last.responses(&[("error", "shutdown")]), 1);
    books.stop_while_read().await;
    drop((client, writer));
    mesh.stop().await;
}

#[tokio::test]
async fn who_watches_hears_of_a_stream_while_it_is_open() {
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let books = mesh.sidecar("books").serves(application.address());
    let books = books.limits(|limits| limits.stream_report_interval = SOON);
    let books = books.start().await;
    let mut hops = books.hops().await;
    let mut client = Client::http1(books.inbound()).await;
    let (writer, response) = tokio::join!(
        async { begin(application.next().await, "text/event-stream") },
        client.send(get("http://books/events")),
    );
    let mut events = response.unwrap().into_body();
    let first = hops.next().await;
    assert!(first.open, "{first:?}");
    assert_eq!((first.status_code, first.response_bytes), (200, 0));
    assert_eq!(first.classification, "");
    writer.data("data: 1\n\n").await;
    writer.end();
    body::next_data(&mut events).await.unwrap().unwrap();
    assert!(body::next_data(&mut events).await.is_none());
    let mut last = hops.next().await;
    while last.open {
        assert!(last.duration_nano > first.duration_nano);
        last = hops.next().await;
    }
    assert_eq!(last.classification, "success");
    assert_eq!(last.response_bytes, 9);
    drop(client);
    mesh.stop().await;
}
