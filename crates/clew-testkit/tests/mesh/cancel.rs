//! Clients that give up: counted as cancelled on both sides, and nobody's failure.

use super::pair::{CANCELLED, Pair};
use clew_testkit::address::Blackhole;
use clew_testkit::client::{Client, get, request};
use clew_testkit::mesh::Hops;
use clew_testkit::upstream::Scripted;
use clew_testkit::wire::Wire;
use clew_testkit::{Mesh, body, within};
use http::{Method, Response};
use std::time::Duration;

/// A pair whose hops are watched, and its application.
struct Watched {
    pair: Pair,
    application: Scripted,
    hops: [Hops; 2],
}

impl Watched {
    async fn begin() -> Self {
        let application = Scripted::start().await;
        let pair = Pair::of(application.address()).await;
        let hops = [pair.webapp.hops().await, pair.books.hops().await];
        Self {
            pair,
            application,
            hops,
        }
    }

    /// Both sides close one hop, and say that the client gave up.
    async fn cancelled(mut self) {
        for hops in &mut self.hops {
            let hop = hops.next().await;
            assert_eq!(hop.classification, "cancelled", "{hop:?}");
            assert_eq!(hop.error, "client_cancelled", "{hop:?}");
        }
        let labels = [CANCELLED, ("error", "client_cancelled")];
        self.pair.both_counted(1, &labels).await;
        self.pair.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_closes_before_the_answer() {
    let mut watched = Watched::begin().await;
    let mut client = Client::http1(watched.pair.entry()).await;
    let asking = tokio::spawn(async move { client.send(get("http://books/")).await });
    let mut exchange = watched.application.next().await;
    asking.abort();
    exchange.given_up().await;
    watched.cancelled().await;
}

#[tokio::test]
async fn a_stream_that_is_reset_before_the_answer() {
    let mut watched = Watched::begin().await;
    let client = Client::http2(watched.pair.entry()).await;
    let asking = tokio::spawn(client.share().send(get("http://books/")));
    let mut exchange = watched.application.next().await;
    asking.abort();
    exchange.given_up().await;
    watched.cancelled().await;
    drop(client);
}

#[tokio::test]
async fn a_client_that_closes_while_it_uploads() {
    let mut watched = Watched::begin().await;
    let mut client = Client::http1(watched.pair.entry()).await;
    let (upload, asked) = body::written();
    let asking = tokio::spawn(async move {
        client
            .send(request(Method::POST, "http://books/", asked))
            .await
    });
    upload.data("begun").await;
    let mut exchange = watched.application.next().await;
    body::next_data(exchange.body()).await.unwrap().unwrap();
    asking.abort();
    let broken = body::next_data(exchange.body()).await;
    assert!(broken.unwrap().is_err(), "half a body must not look whole");
    watched.cancelled().await;
}

#[tokio::test]
async fn a_stream_that_is_reset_while_it_uploads() {
    let mut watched = Watched::begin().await;
    let client = Client::http2(watched.pair.entry()).await;
    let (upload, asked) = body::written();
    let asked = request(Method::POST, "http://books/", asked);
    let asking = tokio::spawn(client.share().send(asked));
    upload.data("begun").await;
    let mut exchange = watched.application.next().await;
    body::next_data(exchange.body()).await.unwrap().unwrap();
    upload.abort().await;
    let broken = body::next_data(exchange.body()).await;
    assert!(broken.unwrap().is_err(), "half a body must not look whole");
    drop(asking);
    watched.cancelled().await;
    drop(client);
}

#[tokio::test]
async fn a_client_that_closes_in_the_middle_of_the_answer() {
    let mut watched = Watched::begin().await;
    let mut client = Client::http1(watched.pair.entry()).await;
    let asking = tokio::spawn(async move {
        let response = client.send(get("http://books/")).await.unwrap();
        (client, response)
    });
    let (download, answer) = body::written();
    watched
        .application
        .next()
        .await
        .answer(Response::new(answer));
    let (client, response) = within("the head", asking).await.unwrap();
    download.data("begun").await;
    let mut incoming = response.into_body();
    body::next_data(&mut incoming).await.unwrap().unwrap();
    // The server says nothing more: the proxies have to notice by themselves.
    drop((client, incoming));
    download.unread().await;
    watched.cancelled().await;
}

#[tokio::test]
async fn a_client_that_closes_in_the_middle_of_an_answer_of_known_length() {
    let mut watched = Watched::begin().await;
    let mut client = Client::http1(watched.pair.entry()).await;
    let asking = tokio::spawn(async move {
        let response = client.send(get("http://books/")).await.unwrap();
        (client, response)
    });
    let (download, answer) = body::written();
    let mut response = Response::new(answer);
    let headers = response.headers_mut();
    headers.insert("content-length", "1000".parse().unwrap());
    watched.application.next().await.answer(response);
    let (client, response) = within("the head", asking).await.unwrap();
    download.data("begun").await;
    let mut incoming = response.into_body();
    body::next_data(&mut incoming).await.unwrap().unwrap();
    drop((client, incoming));
    download.unread().await;
    watched.cancelled().await;
}

#[tokio::test]
async fn a_stream_that_is_reset_in_the_middle_of_the_answer() {
    let mut watched = Watched::begin().await;
    let client = Client::http2(watched.pair.entry()).await;
    let asking = tokio::spawn(client.share().send(get("http://books/")));
    let (download, answer) = body::written();
    watched
        .application
        .next()
        .await
        .answer(Response::new(answer));
    let response = within("the head", asking).await.unwrap().unwrap();
    download.data("begun").await;
    let mut incoming = response.into_body();
    body::next_data(&mut incoming).await.unwrap().unwrap();
    drop(incoming);
    download.unread().await;
    watched.cancelled().await;
    drop(client);
}

#[tokio::test]
async fn a_client_that_goes_away_with_many_streams_open() {
    const STREAMS: usize = 20;
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut hops = [pair.webapp.hops().await, pair.books.hops().await];
    let client = Client::http2(pair.entry()).await;
    let asking: Vec<_> = (0..STREAMS)
        .map(|_| tokio::spawn(client.share().send(get("http://books/"))))
        .collect();
    let mut open = Vec::new();
    while open.len() < STREAMS {
        open.push(application.next().await);
    }
    client.close();
    for mut exchange in open {
        exchange.given_up().await;
    }
    for hops in &mut hops {
        hops.take(STREAMS).await;
    }
    pair.both_counted(STREAMS as u64, &[CANCELLED]).await;
    drop(asking);
    pair.stop().await;
}

/// A client that closes right behind its request:
///
/// 1. The proxy reads the request and the end of the connection in one go.
/// 2. The codec makes the future that is to answer the request, sees the end, and drops the future before it
///    was polled once.
/// 3. A hop that is opened when the future is first polled was never opened: the request was not counted.
#[tokio::test]
async fn a_client_that_closes_right_behind_its_request_is_counted() {
    const CLIENTS: u64 = 50;
    let blackhole = Blackhole::bind().await;
    let mesh = Mesh::begin().await;
    let for_ever = Duration::from_secs(3_600);
    let _books = mesh.join("books", "books-1", blackhole.address()).await;
    let books = mesh
        .sidecar("books-proxy")
        .serves(blackhole.address())
        .calls("books")
        .gateway(&[(None, "/", "books")])
        .limits(|limits| limits.connect_timeout = for_ever)
        .start()
        .await;
    let mut hops = books.hops().await;
    let mut told = 0;
    for entry in [books.inbound(), books.dependency("books"), books.gateway()] {
        for _ in 0..CLIENTS {
            let mut client = Wire::connect(entry).await;
            client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
            client.finish().await;
            let hop = hops.next().await;
            assert_eq!(hop.error, "client_cancelled");
            told += 1;
            if entry == books.gateway() && !hop.dst_service.is_empty() {
                // The hop at the edge around it follows.
                assert_eq!(hops.next().await.direction, "inbound");
                told += 1;
            }
        }
    }
    let metrics = books.metrics().await;
    assert_eq!(metrics.requests(&[]), told);
    assert_eq!(metrics.responses(&[CANCELLED]), told);
    let inbound = metrics.requests(&[("direction", "inbound")]);
    assert_eq!(
        inbound,
        2 * CLIENTS,
        "each at the edge and to the application"
    );
    mesh.stop().await;
}

/// It may have sent something behind its request that is read ahead: the end behind that counts all the same.
#[tokio::test]
async fn a_client_that_closes_behind_bytes_that_nobody_reads() {
    let mut watched = Watched::begin().await;
    let mut client = Wire::connect(watched.pair.entry()).await;
    client
        .write("GET /poll HTTP/1.1\r\nHost: books\r\n\r\n\r\nGET")
        .await;
    let mut exchange = watched.application.next().await;
    drop(client);
    exchange.given_up().await;
    watched.cancelled().await;
}
