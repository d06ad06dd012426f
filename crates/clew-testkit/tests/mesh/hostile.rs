//! Frames of HTTP/2 that are allowed one by one, and an attack together (RFC 9113, section 10.5).

use super::pair::{CANCELLED, FAILURE, Pair};
use clew_testkit::body;
use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, Scripted, ok};
use clew_testkit::wire::{Wire, WireListener};
use clew_testkit::within;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// `GET http://books/`, in HPACK without a dynamic table.
fn get_books() -> Vec<u8> {
    [&[0x82, 0x86, 0x84, 0x41, 5][..], b"books"].concat()
}

/// `POST http://books/`, likewise.
fn post_books() -> Vec<u8> {
    [&[0x83, 0x86, 0x84, 0x41, 5][..], b"books"].concat()
}

/// A connection of HTTP/2 of which the test writes every frame.
async fn connect(pair: &Pair) -> Wire {
    let mut client = Wire::connect(pair.entry()).await;
    client.write(PREFACE).await;
    client.write(frame(SETTINGS, 0, 0, &[])).await;
    client
}

/// Writes until the proxy has had enough. True when it had.
async fn is_ended(client: &mut Wire, frames: impl Iterator<Item = Vec<u8>>) -> bool {
    for frames in frames {
        if client.try_write(frames).await.is_err() {
            return true;
        }
    }
    // What was written last may have been the last straw.
    client.closed().await;
    true
}

async fn serves_others(pair: &Pair, application: &Answering) {
    let before = application.seen().len();
    let mut other = Client::http2(pair.entry()).await;
    assert_eq!(other.ask(get("http://books/")).await.text(), "ok");
    assert!(application.seen().len() > before);
}

/// Each stream is reset as soon as it is opened: nobody waits for the answers ("rapid reset").
#[tokio::test]
async fn a_client_that_resets_every_stream_loses_its_connection() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = connect(&pair).await;
    let attack = (0..100_000_u32).map(|number| {
        let stream = 2 * number + 1;
        let asked = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get_books());
        let given_up = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [asked, given_up].concat()
    });
    assert!(is_ended(&mut client, attack).await);
    serves_others(&pair, &application).await;
    let settled = |metrics: &Metrics| metrics.requests(&[]) == metrics.responses(&[]);
    let metrics = pair.webapp.metrics_when("all to be counted", settled).await;
    let asked = metrics.requests(&[]);
    assert!(asked < 50_000, "{asked} of 100,000 were let through");
    drop(client);
    pair.stop().await;
}

/// The same, slowly enough that each request has reached the application by the time that it is given up.
#[tokio::test]
async fn a_client_that_gives_up_hundreds_at_once_loses_its_connection() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = connect(&pair).await;
    let flood = [FAILURE, ("error", "client_flood")];
    let (mut asked, mut unanswered) = (0_u32, Vec::new());
    let attacking = async {
        loop {
            let stream = 2 * asked + 1;
            let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get_books());
            if client.try_write(request).await.is_err() {
                return;
            }
            // Either the application is asked, or the proxy has had enough.
            tokio::select! {
                exchange = application.next() => unanswered.push(exchange),
                _ = pair.webapp.metrics_when("the flood", |m| m.responses(&flood) == 1) => return,
            }
            asked += 1;
            let reset = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
            if client.try_write(reset).await.is_err() {
                return;
            }
        }
    };
    attacking.await;
    let is_counted = |metrics: &Metrics| metrics.responses(&flood) == 1;
    pair.webapp
        .metrics_when("it to be counted", is_counted)
        .await;
    assert!((500..1_000).contains(&asked), "{asked} requests");
    drop(client);
    pair.stop().await;
}

/// A head that never ends, in frames that are small ("CONTINUATION flood").
#[tokio::test]
async fn a_head_without_an_end_ends_the_connection() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = connect(&pair).await;
    client
        .write(frame(HEADERS, END_STREAM, 1, &get_books()))
        .await;
    // A header that is never indexed: `x: ` and a kilobyte.
    let header = [&[0x10, 1, b'x', 0x7f, 0x81, 7][..], &[b'y'; 1_024]].concat();
    let endless = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &header));
    assert!(is_ended(&mut client, endless).await);
    assert!(application.seen().is_empty());
    serves_others(&pair, &application).await;
    let flood = [FAILURE, ("error", "client_flood")];
    let is_counted = |metrics: &Metrics| metrics.responses(&flood) == 1;
    pair.webapp
        .metrics_when("it to be counted", is_counted)
        .await;
    drop(client);
    pair.stop().await;
}

/// 1. Every PING and SETTINGS wants an answer, and the client reads none.
/// 2. The proxy stops to read when its answers are not taken, and holds no more of them; others are served.
#[tokio::test]
async fn a_client_that_wants_answers_and_reads_none_stops_itself() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for flood in [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])] {
        let mut client = connect(&pair).await;
        let many = flood.repeat(1_000);
        // 100 MB of answers would be held, were they held.
        let writing = async {
            for _ in 0..5_000 {
                if client.try_write(&many).await.is_err() {
                    break;
                }
            }
        };
        let patience = tokio::time::timeout(std::time::Duration::from_millis(500), writing);
        drop(patience.await);
        serves_others(&pair, &application).await;
    }
    pair.stop().await;
}

/// 1. Frames of data with nothing in them, and none of them the last (CVE-2019-9518): no window bounds them.
/// 2. The codec lets a hundred of them pass in the life of a connection, keeps none, and then ends it.
/// 3. The flood counts as one, and the request that it was a part of as broken off.
#[tokio::test]
async fn a_body_of_empty_frames_ends_the_connection() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let padded = [&[255][..], &[0; 255]].concat();
    let nothing = [frame(DATA, 0, 1, &[]), frame(DATA, PADDED, 1, &padded)];
    for (floods, nothing) in (1_u64..).zip(nothing) {
        let mut client = connect(&pair).await;
        client
            .write(frame(HEADERS, END_HEADERS, 1, &post_books()))
            .await;
        let mut exchange = application.next().await;
        let flood = (0..10_000).map(|_| nothing.repeat(100));
        assert!(is_ended(&mut client, flood).await);
        exchange.given_up().await;
        let ended = |metrics: &Metrics| {
            let failed = |error| metrics.responses(&[FAILURE, ("error", error)]);
            (failed("client_flood"), metrics.responses(&[CANCELLED])) == (floods, floods)
        };
        pair.webapp.metrics_when("both to be counted", ended).await;
    }
    let mut other = Client::http2(pair.entry()).await;
    let asking = other.ask(get("http://books/"));
    let (answer, _) = tokio::join!(asking, application.answer_next(ok("ok")));
    assert_eq!(answer.text(), "ok");
    drop(other);
    pair.stop().await;
}

/// The same, of an answer: the server loses its connection, and the client is told that the answer broke off.
#[tokio::test]
async fn an_answer_of_empty_frames_ends_the_connection_to_the_server() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let client = Client::http2(pair.entry()).await;
    let calling = tokio::spawn(client.share().send(get("http://books/")));
    let mut server = listener.accept().await;
    assert_eq!(server.read(PREFACE.len()).await, PREFACE);
    server.write(frame(SETTINGS, 0, 0, &[])).await;
    let stream = next_request(&mut server).await;
    // `:status: 200`
    server
        .write(frame(HEADERS, END_HEADERS, stream, &[0x88]))
        .await;
    let response = within("a head", calling).await.unwrap().unwrap();
    let flood = (0..10_000).map(|_| frame(DATA, 0, stream, &[]).repeat(100));
    assert!(is_ended(&mut server, flood).await);
    let broken = body::read(response.into_body()).await;
    assert!(broken.is_err(), "{broken:?}");
    for side in [&pair.webapp, &pair.books] {
        let is_counted = |metrics: &Metrics| metrics.responses(&[FAILURE]) == 1;
        side.metrics_when("the broken answer", is_counted).await;
    }
    drop(client);
    pair.stop().await;
}

/// The stream of the next request.
async fn next_request(server: &mut Wire) -> u32 {
    loop {
        let head = server.read(9).await;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        server.read(length as usize).await;
        if head[3] == HEADERS {
            return u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        }
    }
}
