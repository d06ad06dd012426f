//! Bodies in HTTP/1: whole, in pieces, none, and what comes before and after them.

use super::pair::{Pair, SUCCESS};
use clew_testkit::client::{Client, get, request, with};
use clew_testkit::upstream::{Answering, Scripted, ok, status};
use clew_testkit::wire::{Wire, WireListener, header};
use clew_testkit::{body, within};
use http::{HeaderMap, Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn chunked_bodies_pass_in_both_directions() {
    let application = Answering::start(|asked| async move {
        let (writer, body) = body::written();
        let echo = asked.body.data.clone();
        tokio::spawn(async move {
            for piece in echo.chunks(3) {
                writer.data(piece.to_vec()).await;
            }
        });
        Response::new(body)
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;

    client
        .write("POST /echo HTTP/1.1\r\nHost: books\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    client.write("5;name=value\r\nhello\r\n").await;
    client.write("1\r\n \r\n6\r\nchunks\r\n0\r\n\r\n").await;

    let head = client.read_head().await;
    assert_eq!(header(&head, "transfer-encoding"), Some("chunked"));
    assert_eq!(header(&head, "content-length"), None);
    let chunks = client.read_until("0\r\n\r\n").await;
    assert_eq!(unchunked(&chunks), "hello chunks");
    let seen = &application.seen()[0];
    assert_eq!(&seen.body.data[..], b"hello chunks");
    assert_eq!(seen.header("transfer-encoding"), "chunked");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

/// The data of chunks up to and with the last.
fn unchunked(mut chunks: &str) -> String {
    let mut data = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        data.push_str(&rest[..size]);
        chunks = &rest[size + 2..];
    }
    data
}

#[tokio::test]
async fn a_length_that_was_announced_stays_announced() {
    let application =
        Answering::start(|asked| async move { Response::new(body::full(asked.body.data)) }).await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let asked = request(
        Method::PUT,
        "http://books/thing",
        body::full("twelve bytes"),
    );
    let answer = client.ask(asked).await;
    assert_eq!(answer.header("content-length"), "12");
    assert_eq!(answer.text(), "twelve bytes");
    assert_eq!(application.seen()[0].header("content-length"), "12");
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn bodies_stream_while_they_are_written() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;

    let (upload, asked) = body::written();
    let answering = tokio::spawn(async move {
        let answer = client
            .send(request(Method::POST, "http://books/", asked))
            .await;
        (client, answer.unwrap())
    });
    upload.data("first half, ").await;
    let mut exchange = application.next().await;
    let first = body::next_data(exchange.body()).await.unwrap().unwrap();
    assert_eq!(
        first, "first half, ",
        "the client has not written the rest yet"
    );

    // The answer begins while the question goes on, and both go on.
    let (download, answer) = body::written();
    let mut incoming = exchange.body.take().unwrap();
    exchange.answer(Response::new(answer));
    let (client, response) = within("the head of the answer", answering).await.unwrap();
    download.data("early ").await;
    let mut response = response.into_body();
    let early = body::next_data(&mut response).await.unwrap().unwrap();
    assert_eq!(early, "early ");

    upload.data("second half").await;
    upload.end();
    let second = body::next_data(&mut incoming).await.unwrap().unwrap();
    assert_eq!(second, "second half");
    assert!(body::next_data(&mut incoming).await.is_none());
    download.end();
    assert!(body::next_data(&mut response).await.is_none());
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_body_of_64_mib_passes_whole_in_both_directions() {
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 1024;
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;

    let (upload, asked) = body::written();
    let uploading = tokio::spawn(async move {
        for number in 0..PIECES {
            upload.data(vec![number as u8; PIECE]).await;
        }
    });
    let echoing = tokio::spawn(async move {
        let mut exchange = application.next().await;
        let mut incoming = exchange.body.take().unwrap();
        let (download, answer) = body::written();
        exchange.answer(Response::new(answer));
        while let Some(piece) = body::next_data(&mut incoming).await {
            download.data(piece.unwrap()).await;
        }
        application
    });
    let response = client
        .send(request(Method::POST, "http://books/echo", asked))
        .await
        .unwrap();
    let mut incoming = response.into_body();
    let mut length = 0;
    while let Some(piece) = body::next_data(&mut incoming).await {
        for byte in piece.unwrap() {
            assert_eq!(byte, (length / PIECE) as u8);
            length += 1;
        }
    }
    assert_eq!(length, PIECE * PIECES);
    uploading.await.unwrap();
    let _application = echoing.await.unwrap();
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn responses_without_a_body_leave_the_connection_usable() {
    let application = Answering::start(|asked| async move {
        match asked.uri.path() {
            "/204" => status(204),
            "/304" => {
                let mut response = status(304);
                response
                    .headers_mut()
                    .insert("etag", "\"x\"".parse().unwrap());
                response
            }
            _ => ok("twelve bytes"),
        }
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    let mut hops = pair.webapp.hops().await;

    let head = request(Method::HEAD, "http://books/thing", body::empty());
    let answer = client.ask(head).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-length"), "12");
    assert_eq!(answer.text(), "");
    for code in [204, 304] {
        let answer = client.ask(get(&format!("http://books/{code}"))).await;
        assert_eq!(answer.status.as_u16(), code);
        assert_eq!(answer.text(), "");
        assert_eq!(answer.header("transfer-encoding"), "");
    }
    assert_eq!(
        client.ask(get("http://books/after")).await.text(),
        "twelve bytes"
    );

    for hop in hops.take(4).await {
        assert_eq!(
            (hop.classification.as_str(), hop.error.as_str()),
            ("success", "")
        );
        let expected = if hop.path == "/after" { 12 } else { 0 };
        assert_eq!(hop.response_bytes, expected, "{hop:?}");
    }
    assert_eq!(application.connections(), 1);
    pair.both_counted(4, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;

    client
        .write("PUT /thing HTTP/1.1\r\nHost: books\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let interim = client.read_head().await;
    assert!(interim.starts_with("http/1.1 100"), "{interim}");
    client.write("data").await;
    let (head, body) = client.read_message().await;
    assert!(
        head.starts_with("http/1.1 200"),
        "one interim response only: {head}"
    );
    assert_eq!(body, b"ok");
    assert_eq!(&application.seen()[0].body.data[..], b"data");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_server_may_refuse_before_the_client_goes_on() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("PUT /thing HTTP/1.1\r\nHost: books\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server
        .write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .await;
    let mut head = client.read_head().await;
    if head.starts_with("http/1.1 100") {
        // The proxy began to read the body before it had the answer.
        head = client.read_head().await;
    }
    assert!(head.starts_with("http/1.1 417"), "{head}");
    drop(client);
    pair.both_counted(1, &[SUCCESS, ("status_code", "417")])
        .await;
    pair.stop().await;
}

#[tokio::test]
async fn interim_responses_pass_before_the_answer() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
    let mut server = listener.accept().await;
    server.read_head().await;
    server.write("HTTP/1.1 102 Processing\r\n\r\n").await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 102 processing"), "{head}");
    server
        .write(
            "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x-own\r\nX-Own: 1\r\n\r\n",
        )
        .await;
    let head = client.read_head().await;
    assert_eq!(head, "http/1.1 103 early hints\r\nlink: </a.css>\r\n\r\n");
    server
        .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let (head, body) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"ok");
    pair.both_counted(1, &[SUCCESS]).await;
    drop((client, server));
    pair.stop().await;
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;

    let (upload, asked) = body::written();
    let asked = request(Method::POST, "http://books/", asked);
    let asked = with(with(asked, "te", "trailers"), "trailer", "x-sum");
    let asking = tokio::spawn(async move { (client.ask(asked).await, client) });
    upload.data("data").await;
    upload.trailers(sum("asked")).await;

    let mut exchange = application.next().await;
    let seen = exchange.read().await;
    assert_eq!(seen.header("te"), "trailers");
    assert_eq!(seen.body.trailers, sum("asked"));
    let (download, answer) = body::written();
    let mut response = Response::new(answer);
    response
        .headers_mut()
        .insert("trailer", "x-sum".parse().unwrap());
    exchange.answer(response);
    download.data("data").await;
    download.trailers(sum("answered")).await;

    let (answer, client) = within("the answer", asking).await.unwrap();
    assert_eq!(answer.text(), "data");
    assert_eq!(answer.body.trailers, sum("answered"));
    drop(client);
    pair.stop().await;
}

fn sum(value: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", value.parse().unwrap());
    trailers
}

/// 1. A client sends all of its body before it reads, and a server answers while it reads.
/// 2. What goes one way must not wait for the other: both hold more than all buffers on the way.
#[tokio::test]
async fn both_directions_are_independent() {
    const BYTES: usize = 32 * 1024 * 1024;
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(format!(
            "POST / HTTP/1.1\r\nHost: books\r\nContent-Length: {BYTES}\r\n\r\n"
        ))
        .await;
    let mut server = listener.accept().await;
    server.read_head().await;
    let (mut read, mut write) = server.split();
    let answering = tokio::spawn(async move {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        write.write_all(&vec![b'y'; BYTES]).await.unwrap();
        write
    });
    let reading = tokio::spawn(async move { read.read_exact(&mut vec![0; BYTES]).await });
    client.write(vec![b'x'; BYTES]).await;
    client.read_head().await;
    assert_eq!(client.read(BYTES).await.len(), BYTES);
    reading.await.unwrap().unwrap();
    drop(answering.await.unwrap());
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

/// Some servers fill the lines of chunk sizes up with blanks, which are no extensions.
#[tokio::test]
async fn chunk_sizes_with_blanks_do_not_add_up() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
    let mut server = listener.accept().await;
    server.read_head().await;
    let chunks = "1     \r\nx\r\n".repeat(4_000);
    server
        .write(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        ))
        .await;
    client.read_head().await;
    client.read_until("0\r\n\r\n").await;
    pair.both_counted(1, &[SUCCESS]).await;
    drop((client, server));
    pair.stop().await;
}
