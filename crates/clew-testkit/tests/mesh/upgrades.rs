//! WebSocket and other upgrades: a request whose connection stops being HTTP.

use super::pair::{Pair, SUCCESS};
use clew_testkit::upstream::{Scripted, ok, status};
use clew_testkit::wire::{Wire, header};
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
