//! Clients that give up: counted as cancelled on both sides, and nobody's failure.

use super::pair::{CANCELLED, Pair};
use clew_testkit::body;
use clew_testkit::client::{Client, get, request};
use clew_testkit::mesh::Hops;
use clew_testkit::upstream::Scripted;
use clew_testkit::within;
use http::{Method, Response};

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
