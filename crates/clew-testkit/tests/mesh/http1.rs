//! HTTP/1.0 and HTTP/1.1.

use super::pair::{Pair, SUCCESS};
use clew_testkit::body;
use clew_testkit::upstream::{Answering, Scripted, ok};
use clew_testkit::wire::{Wire, WireListener, header};
use http::{Response, Version};

#[tokio::test]
async fn http_1_0_is_answered_in_kind_and_the_connection_closed() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;

    client.write("GET /old HTTP/1.0\r\n\r\n").await;
    let exchange = application.next().await;
    assert_eq!(exchange.head.version, Version::HTTP_11);
    assert!(exchange.head.headers.contains_key("host"));
    // Of unknown length: to this client only the end of the connection can tell it.
    let (writer, body) = body::written();
    exchange.answer(Response::new(body));
    writer.data("until ").await;
    writer.data("the end").await;
    writer.end();

    let head = client.read_head().await;
    assert!(head.starts_with("http/1.0 200"), "{head}");
    assert_eq!(header(&head, "transfer-encoding"), None);
    assert_eq!(client.read_to_end().await.unwrap(), b"until the end");
    pair.both_counted(1, &[SUCCESS]).await;
    pair.stop().await;
}

#[tokio::test]
async fn http_1_0_with_keep_alive_may_ask_again() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;

    for _ in 0..2 {
        client
            .write("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            .await;
        let (head, body) = client.read_message().await;
        assert!(head.starts_with("http/1.0 200"), "{head}");
        assert_eq!(header(&head, "connection"), Some("keep-alive"));
        assert_eq!(body, b"ok");
    }
    assert_eq!(application.connections(), 1);
    pair.both_counted(2, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

/// To a client of HTTP/1.0 only the end of the connection tells the end of such an answer, whatever it asked for.
#[tokio::test]
async fn an_answer_of_unknown_length_ends_a_connection_of_http_1_0() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let (writer, body) = body::written();
    application.next().await.answer(Response::new(body));
    writer.data("all").await;
    writer.end();
    let head = client.read_head().await;
    assert_eq!(header(&head, "connection"), None, "{head}");
    assert_eq!(client.read_to_end().await.unwrap(), b"all");
    pair.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let application = Answering::start(|asked| async move { ok(asked.uri.path()) }).await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;

    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: books\r\n\r\n");
    client
        .write([one("/first"), one("/second"), one("/third")].concat())
        .await;
    for path in ["/first", "/second", "/third"] {
        let (_, body) = client.read_message().await;
        assert_eq!(String::from_utf8(body).unwrap(), path);
    }
    let seen: Vec<_> = application
        .seen()
        .iter()
        .map(|seen| seen.uri.to_string())
        .collect();
    assert_eq!(seen, ["/first", "/second", "/third"]);
    pair.both_counted(3, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_request_that_comes_in_single_bytes_is_a_request() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    for byte in b"PROPFIND /slow HTTP/1.1\r\nHost: books\r\nContent-Length: 2\r\n\r\nok" {
        client.write([*byte]).await;
        tokio::task::yield_now().await;
    }
    let (head, _) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let seen = &application.seen()[0];
    assert_eq!(seen.method.as_str(), "PROPFIND");
    assert_eq!(&seen.body.data[..], b"ok");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn what_is_for_one_connection_does_not_pass_and_the_rest_does() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "GET /a?b=c&d HTTP/1.1\r\nHost: books.example:8080\r\nConnection: x-private, keep-alive\r\n",
            "X-Private: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: x\r\n",
            "Cookie: a=1\r\nX-Twice: one\r\nX-Twice: two\r\nAuthorization: Bearer x\r\nX-Latin: caf\u{e9}\r\n\r\n"
        ))
        .await;
    let mut server = listener.accept().await;
    let head = server.read_head().await;
    assert!(head.starts_with("get /a?b=c&d http/1.1\r\n"), "{head}");
    for kept in [
        "host: books.example:8080",
        "cookie: a=1",
        "x-twice: one\r\nx-twice: two",
        "authorization: bearer x",
        "x-latin: caf\u{e9}",
        // For a proxy behind us, as when the application uses one to reach the outside.
        "proxy-authorization: basic ea==",
    ] {
        assert!(head.contains(kept), "{kept} in {head}");
    }
    for gone in ["x-private", "keep-alive", "proxy-connection", "clew-"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    server
        .write(concat!(
            "HTTP/1.1 200 OK\r\nConnection: x-internal\r\nX-Internal: 1\r\nKeep-Alive: timeout=5\r\n",
            "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    let head = client.read_head().await;
    assert!(
        head.contains("set-cookie: a=1\r\nset-cookie: b=2"),
        "{head}"
    );
    for gone in ["x-internal", "keep-alive", "connection:"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    drop((client, server));
    pair.stop().await;
}

/// Some clients send a body with GET and do not say how long it is.
#[tokio::test]
async fn a_get_keeps_its_chunked_body() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "GET /search HTTP/1.1\r\nHost: books\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n"
        ))
        .await;
    let (head, _) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(&application.seen()[0].body.data[..], b"{\"a\":1}");
    drop(client);
    pair.stop().await;
}

/// A proxy speaks for itself (RFC 9112, section 2.3), and keeps its connections to the next one.
#[tokio::test]
async fn an_answer_of_http_1_0_goes_on_as_http_1_1() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    for _ in 0..2 {
        client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
        let mut server = listener.accept().await;
        server.read_head().await;
        server.write("HTTP/1.0 200 OK\r\n\r\nold").await;
        drop(server);
        let head = client.read_head().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(
            client.read_until("0\r\n\r\n").await,
            "3\r\nold\r\n0\r\n\r\n"
        );
    }
    let opened = pair.webapp.metrics().await.sum("tcp_open_total", &[]);
    assert_eq!(opened, 1, "to the other proxy");
    drop(client);
    pair.stop().await;
}
