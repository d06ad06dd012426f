//! WebSocket and other upgrades: a request whose connection stops being HTTP.

use super::pair::{Pair, SUCCESS};
use clew_testkit::upstream::{Scripted, ok, status};
use clew_testkit::wire::{Wire, WireListener, header};
use clew_testkit::within;
use http::Response;

const HANDSHAKE: &str = concat!(
    "GET /chat/7 HTTP/1.1\r\nHost: books\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
);

fn accepted() -> Response<clew_testkit::body::Body> {
    let mut response = status(101);
    let headers = response.headers_mut();
    headers.insert("connection", "Upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    headers.insert(
        "sec-websocket-accept",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap(),
    );
    response
}

#[tokio::test]
async fn a_web_socket_is_one_hop_that_ends_with_the_tunnel() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut hops = pair.books.hops().await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write(HANDSHAKE).await;

    let mut exchange = application.next().await;
    let asked = &exchange.head.headers;
    assert_eq!(asked["upgrade"], "websocket");
    assert_eq!(asked["connection"], "upgrade");
    assert_eq!(asked["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = exchange.upgrade();
    exchange.answer(accepted());
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert_eq!(header(&head, "upgrade"), Some("websocket"));
    assert_eq!(header(&head, "connection"), Some("upgrade"));
    assert_eq!(
        header(&head, "sec-websocket-accept"),
        Some("s3pplmbitxaq9kygzzhzrbk+xoo=")
    );

    let server = within("the upgrade at the server", upgrade).await.unwrap();
    let mut server = Wire::of_tunnel(server);
    client.write([0x81, 0x02, b'h', b'i']).await;
    assert_eq!(server.read(4).await, [0x81, 0x02, b'h', b'i']);
    server
        .write([0x81, 0x05, b'h', b'e', b'l', b'l', b'o'])
        .await;
    assert_eq!(client.read(7).await[2..], *b"hello");
    for side in pair.metrics().await {
        assert_eq!(
            (side.requests(&[]), side.responses(&[])),
            (1, 0),
            "it goes on"
        );
    }

    client.finish().await;
    assert_eq!(
        server.read_to_end().await.unwrap(),
        b"",
        "half of it may end first"
    );
    server.write("bye").await;
    drop(server);
    assert_eq!(client.read_to_end().await.unwrap(), b"bye");
    let hop = hops.next().await;
    assert_eq!(hop.status_code, 101);
    assert_eq!((hop.request_bytes, hop.response_bytes), (4, 10));
    let labels = [SUCCESS, ("status_code", "101"), ("route", "GET /chat/{id}")];
    let ended = |metrics: &clew_testkit::metrics::Metrics| metrics.responses(&[]) == 1;
    pair.webapp.metrics_when("the tunnel to end", ended).await;
    pair.both_counted(1, &labels).await;
    for side in pair.metrics().await {
        assert_eq!(
            side.sum("response_latency_ms", &[]),
            0,
            "a tunnel is no latency"
        );
        assert_eq!(side.sum("clew_stream_duration_ms", &[]), 1);
    }
    pair.stop().await;
}

#[tokio::test]
async fn a_web_socket_inside_a_tunnel_of_the_proxy_is_measured_too() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut hops = pair.webapp.hops().await;
    let mut client = Wire::connect(pair.webapp.http_proxy()).await;
    client
        .write("CONNECT books:80 HTTP/1.1\r\nHost: books:80\r\n\r\n")
        .await;
    client.read_head().await;
    client.write(HANDSHAKE).await;
    let mut exchange = application.next().await;
    let upgrade = exchange.upgrade();
    exchange.answer(accepted());
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    let mut server = Wire::of_tunnel(within("the upgrade", upgrade).await.unwrap());
    client.write("ping").await;
    assert_eq!(server.read(4).await, b"ping");
    drop(client);
    assert_eq!(server.read_to_end().await.unwrap(), b"");
    drop(server);
    let hop = hops.next().await;
    assert_eq!((hop.status_code, hop.request_bytes), (101, 4));
    assert_eq!(hop.route, "GET /chat/{id}");
    pair.stop().await;
}

#[tokio::test]
async fn an_upgrade_that_the_server_declines_is_a_request_like_any_other() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    for _ in 0..2 {
        client.write(HANDSHAKE).await;
        application.answer_next(ok("no, thanks")).await;
        let (head, body) = client.read_message().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, b"no, thanks");
    }
    assert_eq!(application.connections(), 1);
    pair.both_counted(2, &[SUCCESS]).await;
    for side in pair.metrics().await {
        assert_eq!(side.sum("response_latency_ms", &[]), 2);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn an_upgrade_to_http_2_is_not_passed_on() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "GET / HTTP/1.1\r\nHost: books\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
            "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        ))
        .await;
    let seen = application.answer_next(ok("still 1.1")).await;
    for name in ["upgrade", "connection", "http2-settings"] {
        assert_eq!(seen.header(name), "");
    }
    let (_, body) = client.read_message().await;
    assert_eq!(body, b"still 1.1");
    drop(client);
    pair.stop().await;
}

/// A server that reads lists must not find it there, either.
#[tokio::test]
async fn an_upgrade_to_http_2_in_a_list_is_not_passed_on() {
    for upgrade in ["Upgrade: h2c, x", "Upgrade: x\r\nUpgrade: h2c"] {
        let mut application = Scripted::start().await;
        let pair = Pair::of(application.address()).await;
        let mut client = Wire::connect(pair.entry()).await;
        client
            .write(format!(
                "GET / HTTP/1.1\r\nHost: books\r\nConnection: Upgrade\r\n{upgrade}\r\n\r\n"
            ))
            .await;
        let seen = application.answer_next(ok("still 1.1")).await;
        assert_eq!(seen.header("upgrade"), "", "{upgrade}");
        drop(client);
        pair.stop().await;
    }
}

/// RFC 9110, section 7.8.
#[tokio::test]
async fn http_1_0_asks_for_no_upgrade() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(HANDSHAKE.replace("HTTP/1.1", "HTTP/1.0"))
        .await;
    let seen = application.answer_next(ok("still 1.0")).await;
    assert_eq!(seen.header("upgrade"), "");
    drop(client);
    pair.stop().await;
}

/// What is left of the body would be taken for bytes of the tunnel.
#[tokio::test]
async fn an_upgrade_in_the_middle_of_a_body_is_no_upgrade() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "POST / HTTP/1.1\r\nHost: books\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
            "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
        ))
        .await;
    let mut server = listener.accept().await;
    server.read_until("half\r\n").await;
    server.write(ACCEPTED).await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 502"), "{head}");
    drop(server);
    pair.stop().await;
}

const ACCEPTED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/// 1. A client asks for an upgrade with a body that nobody reads, until nothing more of it goes on its way.
/// 2. It resets the connection, which nobody notices, and then the server accepts.
/// 3. Whoever waits for the client's connection must hear that there is none: the hops end, and so does a drain.
#[tokio::test]
async fn an_upgrade_of_a_client_that_has_gone_ends() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(HANDSHAKE.replace("\r\n\r\n", "\r\nContent-Length: 100000000\r\n\r\n"))
        .await;
    let mut server = listener.accept().await;
    server.read_head().await;
    let mut is_taken = true;
    while is_taken {
        let writing = client.try_write(vec![b'x'; 100_000]);
        let taken = tokio::time::timeout(std::time::Duration::from_millis(300), writing).await;
        is_taken = taken.is_ok();
    }
    client.reset();
    server.write(ACCEPTED).await;
    for side in [&pair.webapp, &pair.books] {
        side.metrics_when("the hop to end", |metrics| metrics.responses(&[]) == 1)
            .await;
    }
    drop(server);
    pair.stop().await;
}

#[tokio::test]
async fn an_accepted_connect_says_no_length() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("CONNECT books:80 HTTP/1.1\r\nHost: books:80\r\n\r\n")
        .await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        .await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(header(&head, "content-length"), None, "{head}");
    drop((client, server));
    pair.stop().await;
}
