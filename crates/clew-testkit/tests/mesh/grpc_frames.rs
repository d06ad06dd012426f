//! Messages of gRPC that are none. Their lengths are the server's business: a proxy passes bytes on as they come, and
//! holds none of them.

use super::pair::{Pair, SUCCESS};
use clew_testkit::body;
use clew_testkit::client::{Client, grpc};
use clew_testkit::grpc::{message, status};
use clew_testkit::upstream::Answering;
use http::Response;

const GET: &str = "http://ratings/books.Ratings/Get";
/// INVALID_ARGUMENT, which is no failure of the server.
const REFUSED: u16 = 3;

/// A message whose prefix says what it likes.
fn framed(flag: u8, length: u32, payload: &[u8]) -> Vec<u8> {
    [&[flag][..], &length.to_be_bytes(), payload].concat()
}

/// What is wrong, and the body.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a length past the end", framed(0, 100, b"short")),
        ("a length before the end", framed(0, 2, b"longer")),
        ("a length of four gigabytes", framed(0, u32::MAX, b"short")),
        ("the same, compressed", framed(1, u32::MAX, b"short")),
        ("compressed without a word how", framed(1, 5, b"plain")),
        ("a flag that there is not", framed(0xff, 5, b"plain")),
        ("a prefix that is cut off", vec![0, 0, 0]),
        ("a prefix alone", framed(0, 1, b"")),
        ("no message at all", Vec::new()),
        (
            "a good one and half of another",
            [&message("good")[..], &framed(0, 9, b"ha")].concat(),
        ),
        ("a head of HTTP/1", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (
            "trailers of gRPC-Web",
            framed(0x80, 15, b"grpc-status:0\r\n"),
        ),
    ]
}

/// A server that refuses each call when it has read all of it.
async fn refusing() -> Answering {
    Answering::start(|_| async {
        let (writer, body) = body::written();
        tokio::spawn(async move {
            writer.data(message("why")).await;
            writer.trailers(status(REFUSED)).await;
        });
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert("content-type", "application/grpc".parse().unwrap());
        response
    })
    .await
}

/// The most that this process has ever asked for, in bytes (proc(5), VmPeak).
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn a_message_that_is_none_reaches_the_server_as_it_is() {
    let application = refusing().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let before = peak_bytes();
    let all = malformed();
    for (what, bytes) in &all {
        // Byte by byte, and in one piece: a proxy that looked for a prefix would find it in one of them.
        for pieces in [bytes.chunks(1), bytes.chunks(bytes.len().max(1))] {
            let (writer, body) = body::written();
            let calling = tokio::spawn(client.share().send(grpc(GET, body)));
            for piece in pieces {
                writer.data(piece.to_vec()).await;
            }
            writer.end();
            let response = calling.await.unwrap().unwrap();
            let answer = clew_testkit::client::answer(response).await;
            assert_eq!(answer.grpc_status(), Some(REFUSED), "{what}");
            assert_eq!(answer.body.data, message("why"), "{what}");
            let seen = application.seen().pop().unwrap();
            assert_eq!(seen.body.data, bytes[..], "{what}");
        }
    }
    let grown = peak_bytes() - before;
    assert!(
        grown < 1 << 30,
        "{grown} bytes: room for one of the lengths"
    );
    let labels = [SUCCESS, ("grpc_status", "3"), ("status_code", "200")];
    pair.both_counted(2 * all.len() as u64, &labels).await;
    // The connection is as good as before.
    let whole = grpc(GET, body::full(message("whole")));
    assert_eq!(client.ask(whole).await.grpc_status(), Some(REFUSED));
    drop(client);
    pair.stop().await;
}

/// The server's own messages may be none, too.
#[tokio::test]
async fn an_answer_that_is_no_message_reaches_the_client_as_it_is() {
    let application = Answering::start(|asked| async move {
        let (writer, body) = body::written();
        tokio::spawn(async move {
            writer.data(asked.body.data).await;
            writer.trailers(status(0)).await;
        });
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert("content-type", "application/grpc".parse().unwrap());
        response
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let all = malformed();
    for (what, bytes) in &all {
        let answer = client.ask(grpc(GET, body::full(bytes.clone()))).await;
        assert_eq!(answer.body.data, bytes[..], "{what}");
        assert_eq!(answer.grpc_status(), Some(0), "{what}");
    }
    pair.both_counted(all.len() as u64, &[SUCCESS, ("grpc_status", "0")])
        .await;
    drop(client);
    pair.stop().await;
}
