//! HTTP/1: what a server says before the request is complete, or when it was not asked.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_testkit::client::{Client, get};
use clew_testkit::wire::{Wire, WireListener, header};

/// 1. A server refuses an upload and closes, with most of it unread: its system resets the connection.
/// 2. The client hears why, although it cannot send any more.
#[tokio::test]
async fn a_client_that_is_still_sending_hears_the_answer() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("PUT /large HTTP/1.1\r\nHost: books\r\nContent-Length: 10000000\r\n\r\n")
        .await;
    client.write(vec![b'x'; 100_000]).await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 8\r\n\r\ntoo much")
        .await;
    drop(server);
    let (head, body) = client.read_message().await;
    assert!(head.starts_with("http/1.1 413"), "{head}");
    assert_eq!(body, b"too much");
    pair.both_counted(1, &[SUCCESS, ("status_code", "413")])
        .await;
    drop(client);
    pair.stop().await;
}

/// The next request begins where this one ends, and not where its answer did.
#[tokio::test]
async fn what_is_left_of_a_request_is_no_request() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: b\r\n\r\n";
    let (length, half) = (hidden.len() + 4, "half");
    client
        .write(format!(
            "POST /one HTTP/1.1\r\nHost: books\r\nContent-Length: {length}\r\n\r\n{half}"
        ))
        .await;
    let mut server = listener.accept().await;
    server.read_until(half).await;
    let enough = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nenough";
    server.write(enough).await;
    let (_, body) = client.read_message().await;
    assert_eq!(body, b"enough");
    client.write(hidden).await;
    client
        .write("GET /two HTTP/1.1\r\nHost: books\r\n\r\n")
        .await;
    // The other connection still waits for the body.
    let mut next = listener.accept().await;
    let head = next.read_head().await;
    assert!(head.starts_with("get /two"), "{head}");
    next.write(enough).await;
    client.read_message().await;
    pair.both_counted(2, &[SUCCESS]).await;
    drop((client, server, next));
    pair.stop().await;
}

/// Whether it sends the body all the same, nobody can tell: nothing after it is read.
#[tokio::test]
async fn a_client_that_was_not_told_to_go_on_is_told_that_the_connection_ends() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("PUT / HTTP/1.1\r\nHost: books\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let mut server = listener.accept().await;
    let head = server.read_head().await;
    assert_eq!(header(&head, "expect"), Some("100-continue"));
    server
        .write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        .await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 401"), "{head}");
    assert_eq!(header(&head, "connection"), Some("close"));
    client.finish().await;
    assert_eq!(client.closed().await, b"");
    drop(server);
    pair.stop().await;
}

/// To a client of HTTP/1.0 an end is the end of the answer.
#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_complete_to_http_1_0() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("GET / HTTP/1.0\r\nHost: books\r\n\r\n").await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        .await;
    client.read_until("half").await;
    drop(server);
    let rest = client.read_to_end().await;
    assert!(rest.is_err(), "{rest:?}");
    pair.both_counted(1, &[FAILURE]).await;
    pair.stop().await;
}

#[tokio::test]
async fn interim_responses_are_not_for_http_1_0() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("GET / HTTP/1.0\r\nHost: books\r\n\r\n").await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let answer = String::from_utf8(client.closed().await).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    drop(server);
    pair.stop().await;
}

/// What comes after an answer is nobody's: the next request gets a connection of its own.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_given_to_nobody() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let one = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    let two = one.replace("one", "two");
    let mut kept = Vec::new();
    for (asked, sent) in [("one", format!("{one}{two}")), ("two", two.clone())] {
        let serving = async {
            let mut server = listener.accept().await;
            server.read_head().await;
            server.write(sent).await;
            server
        };
        let (answer, server) = tokio::join!(client.ask(get("http://books/")), serving);
        assert_eq!(answer.text(), asked);
        kept.push(server);
    }
    drop((client, kept));
    pair.stop().await;
}

/// 1. A client sends more than all buffers on the way hold, and the server answers without reading it.
/// 2. Were the connection closed with that unread, it would be reset, and the end of the answer lost.
#[tokio::test]
async fn the_end_of_an_early_answer_is_not_lost() {
    for (version, framing) in [
        ("HTTP/1.0", "Connection: close\r\n"),
        (
            "HTTP/1.1",
            "Connection: close\r\nContent-Length: 1000000\r\n",
        ),
    ] {
        let listener = WireListener::bind().await;
        let pair = Pair::of(listener.address()).await;
        let mut client = Wire::connect(pair.entry()).await;
        client
            .write(format!(
                "POST / {version}\r\nHost: books\r\nContent-Length: 10000000\r\n\r\n"
            ))
            .await;
        let mut server = listener.accept().await;
        server.read_head().await;
        server
            .write(format!("HTTP/1.1 200 OK\r\n{framing}\r\n"))
            .await;
        server.write(vec![b'y'; 1_000_000]).await;
        server.finish().await;
        client.write(vec![b'x'; 3_000_000]).await;
        client.read_head().await;
        let rest = client.read_to_end().await.map(|rest| rest.len());
        assert_eq!(rest.unwrap(), 1_000_000, "{version}");
        drop(server);
        pair.stop().await;
    }
}
