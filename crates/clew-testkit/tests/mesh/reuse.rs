//! Connections to servers in HTTP/1: kept, shared in turn, and given up.

use super::pair::{Pair, SUCCESS};
use clew_testkit::client::{Client, get};
use clew_testkit::upstream::{Answering, Scripted, ok};
use clew_testkit::wire::{Wire, WireListener, header};
use clew_testkit::within;
use http::StatusCode;

#[tokio::test]
async fn connection_close_is_for_one_hop_only() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for _ in 0..2 {
        let mut client = Wire::connect(pair.entry()).await;
        client
            .write("GET / HTTP/1.1\r\nHost: books\r\nConnection: close\r\n\r\n")
            .await;
        let (head, _) = client.read_message().await;
        assert_eq!(header(&head, "connection"), Some("close"));
        assert_eq!(client.closed().await, b"");
    }
    assert_eq!(
        application.connections(),
        1,
        "the proxies keep theirs for the next client"
    );
    pair.stop().await;
}

#[tokio::test]
async fn one_connection_to_the_server_serves_many_clients_in_turn() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for _ in 0..3 {
        let mut client = Client::http1(pair.entry()).await;
        for _ in 0..3 {
            client.ask(get("http://books/")).await;
        }
    }
    assert_eq!(application.connections(), 1);
    pair.both_counted(9, &[SUCCESS]).await;
    pair.stop().await;
}

#[tokio::test]
async fn requests_at_the_same_time_have_connections_of_their_own() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let (mut one, mut two) = (
        Client::http1(pair.entry()).await,
        Client::http1(pair.entry()).await,
    );
    let asking = tokio::spawn(async move {
        tokio::join!(
            one.ask(get("http://books/1")),
            two.ask(get("http://books/2"))
        )
    });
    let (first, second) = (application.next().await, application.next().await);
    assert_ne!(first.connection, second.connection);
    // The answers come in the other order.
    for exchange in [second, first] {
        let path = exchange.head.uri.path().to_owned();
        exchange.answer(ok(&path));
    }
    let (one, two) = within("both answers", asking).await.unwrap();
    assert_eq!((one.text(), two.text()), ("/1", "/2"));
    assert_eq!(application.connections(), 2);
    pair.stop().await;
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_no_request() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    for _ in 0..5 {
        let serving = async {
            let mut server = listener.accept().await;
            server.read_head().await;
            // It does not say that it will close.
            server
                .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await;
        };
        let (answer, ()) = tokio::join!(client.ask(get("http://books/")), serving);
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    pair.both_counted(5, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_connection_that_the_server_says_it_will_close_is_not_used_again() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let serving = async {
            let mut server = listener.accept().await;
            server.read_head().await;
            server
                .write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                .await;
            server
        };
        let (answer, server) = tokio::join!(client.ask(get("http://books/")), serving);
        assert_eq!(
            answer.header("connection"),
            "",
            "this is between the proxy and the server"
        );
        kept.push(server);
    }
    drop((client, kept));
    pair.stop().await;
}
