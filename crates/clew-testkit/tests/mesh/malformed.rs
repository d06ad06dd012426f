//! What is no request: refused with the right status, counted with a reason, never passed on.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_testkit::body;
use clew_testkit::client::{Client, get, with};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::{Answering, Scripted};
use clew_testkit::wire::{Wire, WireListener, header};

/// Name of the mistake, bytes, status.
const MALFORMED: &[(&str, &str, &str)] = &[
    ("no version", "GET /\r\n\r\n", "400"),
    (
        "a version that there is not",
        "GET / HTTP/1.7\r\nHost: b\r\n\r\n",
        "400",
    ),
    (
        "a control character in the target",
        "GET /\x01 HTTP/1.1\r\nHost: b\r\n\r\n",
        "400",
    ),
    (
        "a space in the target",
        "GET /a b HTTP/1.1\r\nHost: b\r\n\r\n",
        "400",
    ),
    (
        "a space in a name",
        "GET / HTTP/1.1\r\nHost: b\r\nA B: x\r\n\r\n",
        "400",
    ),
    (
        "a space before a colon",
        "GET / HTTP/1.1\r\nHost: b\r\nA : x\r\n\r\n",
        "400",
    ),
    (
        "a header without a name",
        "GET / HTTP/1.1\r\nHost: b\r\n: x\r\n\r\n",
        "400",
    ),
    (
        "a header without a colon",
        "GET / HTTP/1.1\r\nHost: b\r\nabc\r\n\r\n",
        "400",
    ),
    (
        "a folded header",
        "GET / HTTP/1.1\r\nHost: b\r\nA: x\r\n y\r\n\r\n",
        "400",
    ),
    (
        "NUL in a value",
        "GET / HTTP/1.1\r\nHost: b\r\nA: x\0y\r\n\r\n",
        "400",
    ),
    ("no host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", "400"),
    (
        "two hosts",
        "GET / HTTP/1.1\r\nHost: b\r\nHost: c\r\n\r\n",
        "400",
    ),
    (
        "a host that is none",
        "GET / HTTP/1.1\r\nHost: b c\r\n\r\n",
        "400",
    ),
    (
        "a host with a path",
        "GET / HTTP/1.1\r\nHost: b/c\r\n\r\n",
        "400",
    ),
    (
        "lengths that differ",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "400",
    ),
    (
        "a list of lengths that differ",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1, 2\r\n\r\nxx",
        "400",
    ),
    (
        "a length below zero",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: -1\r\n\r\n",
        "400",
    ),
    (
        "a length with a sign",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: +1\r\n\r\nx",
        "400",
    ),
    (
        "a length that is no number",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: one\r\n\r\n",
        "400",
    ),
    (
        "a length past all numbers",
        "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "400",
    ),
    (
        "chunks that are not last",
        "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "400",
    ),
    (
        "a coding without chunks",
        "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: gzip\r\n\r\n",
        "400",
    ),
    (
        "chunks in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "400",
    ),
];

#[tokio::test]
async fn what_is_no_request_is_refused_and_counted_and_never_passed_on() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let (webapp, books) = (&pair.webapp, &pair.books);
    for (side, entry, direction) in [
        (webapp, pair.entry(), "outbound"),
        (webapp, webapp.http_proxy(), "outbound"),
        (books, books.inbound(), "inbound"),
    ] {
        let mut wrong = Vec::new();
        for (mistake, bytes, status) in MALFORMED {
            let before = side.metrics().await;
            let mut client = Wire::connect(entry).await;
            client.write(bytes).await;
            let answer = client.read_head().await;
            let is_refused = answer.starts_with(&format!("http/1.1 {status} "))
                || answer.starts_with(&format!("http/1.0 {status} "));
            // The codec tells of some when the connection has ended.
            let counted = |metrics: &Metrics| metrics.requests(&[]) > before.requests(&[]);
            let after = side.metrics_when(mistake, counted).await;
            let refused = [
                ("direction", direction),
                FAILURE,
                ("error", "malformed_request"),
                ("route", "(unknown)"),
                ("status_code", status),
            ];
            let counted = after.responses(&refused) - before.responses(&refused);
            let requests = after.requests(&[]) - before.requests(&[]);
            if !is_refused || (requests, counted) != (1, 1) {
                wrong.push(format!(
                    "{mistake}: answered {answer:?}, counted {requests} request and {counted} refusal; {:?}",
                    after.by("response_total", "error", &[])
                ));
            }
        }
        assert!(wrong.is_empty(), "{direction}: {wrong:#?}");
    }
    assert!(application.seen().is_empty(), "{:?}", application.seen());
    assert_eq!(application.connections(), 0);
    pair.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let large = "x".repeat(70 * 1024);
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let heads = [
        format!("GET / HTTP/1.1\r\nHost: b\r\nX-Large: {large}\r\n\r\n"),
        format!("GET /{large} HTTP/1.1\r\nHost: b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: b\r\n{many}\r\n"),
    ];
    for (number, head) in heads.iter().enumerate() {
        let mut client = Wire::connect(pair.entry()).await;
        // The proxy may close before it has read everything.
        let _ = client.try_write(head).await;
        let answer = client.read_head().await;
        assert!(answer.starts_with("http/1.1 431"), "{number}: {answer}");
        let counted = |metrics: &Metrics| metrics.requests(&[]) > number as u64;
        let metrics = pair.webapp.metrics_when("it to be counted", counted).await;
        let refused = [FAILURE, ("error", "head_too_large"), ("status_code", "431")];
        assert_eq!(metrics.responses(&refused), number as u64 + 1);
        assert_eq!(metrics.requests(&[]), number as u64 + 1);
    }
    assert_eq!(application.connections(), 0);
    pair.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_431_in_http_2() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let mut large = get("http://books/");
    for number in 0..70 {
        let name: http::HeaderName = format!("x-{number}").parse().unwrap();
        let value = "x".repeat(1024).parse().unwrap();
        large.headers_mut().insert(name, value);
    }
    assert_eq!(client.ask(large).await.status.as_u16(), 431);
    let refused = [FAILURE, ("error", "head_too_large"), ("status_code", "431")];
    let metrics = pair.webapp.metrics().await;
    assert_eq!((metrics.responses(&refused), metrics.requests(&[])), (1, 1));
    // The connection is as good as before.
    assert_eq!(client.ask(get("http://books/")).await.text(), "ok");
    assert_eq!(application.seen().len(), 1);
    drop(client);
    pair.stop().await;
}

/// A frame of HTTP/2 that breaks the protocol ends the connection, and is counted as a request that was none.
#[tokio::test]
async fn a_broken_frame_of_http_2_is_counted() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    // SETTINGS on a stream of its own (RFC 9113, section 6.5): length 0, type 4, no flags, stream 1.
    client.write([0, 0, 0, 4, 0, 0, 0, 0, 1]).await;
    client.closed().await;
    let malformed = [FAILURE, ("error", "malformed_request")];
    let is_counted = |metrics: &Metrics| metrics.responses(&malformed) == 1;
    let counted = pair.webapp.metrics_when("it to be counted", is_counted);
    assert_eq!(counted.await.requests(&[]), 1);
    pair.stop().await;
}

/// Two readers of one request must not see two hosts (RFC 9113, section 8.3.1).
#[tokio::test]
async fn a_host_beside_another_authority_is_400_in_http_2() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let two = with(get("http://public.example/"), "host", "admin.internal");
    assert_eq!(client.ask(two).await.status.as_u16(), 400);
    let same = with(get("http://Public.example/"), "host", "public.example");
    assert_eq!(client.ask(same).await.status.as_u16(), 200);
    assert_eq!(application.seen().len(), 1);
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_length_beside_chunks_is_not_passed_on() {
    // Who believes the length and who believes the chunks would see two different requests.
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "POST / HTTP/1.1\r\nHost: books\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            "2\r\nhi\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: books\r\n\r\n"
        ))
        .await;
    let (head, _) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(
        header(&head, "connection"),
        Some("close"),
        "and nothing after it is believed"
    );
    client.closed().await;
    let seen = application.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("content-length"), "");
    assert_eq!(&seen[0].body.data[..], b"hi");
    pair.stop().await;
}

#[tokio::test]
async fn a_broken_request_after_good_ones_takes_nothing_from_them() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("GET /good HTTP/1.1\r\nHost: books\r\n\r\n")
        .await;
    let (head, body) = client.read_message().await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"ok");
    client
        .write("GET /bad HTTP/1.1\r\nBad Header: x\r\n\r\n")
        .await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    client.closed().await;
    let both = |metrics: &Metrics| metrics.requests(&[]) == 2;
    let metrics = pair.webapp.metrics_when("both to be counted", both).await;
    assert_eq!(metrics.responses(&[SUCCESS]), 1);
    assert_eq!(
        metrics.responses(&[FAILURE, ("error", "malformed_request")]),
        1
    );
    assert_eq!(application.seen().len(), 1);
    pair.stop().await;
}

#[tokio::test]
async fn a_body_with_broken_chunks_is_the_clients_mistake() {
    let listener = WireListener::bind().await;
    let pair = Pair::of(listener.address()).await;
    let mut hops = pair.webapp.hops().await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write("POST / HTTP/1.1\r\nHost: books\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n")
        .await;
    let mut server = listener.accept().await;
    server.read_until("good").await;
    client.write("no size\r\n").await;
    let rest = server.closed().await;
    assert!(
        !rest.ends_with(b"0\r\n\r\n"),
        "the end must not look like one: {rest:?}"
    );
    let hop = hops.next().await;
    assert_eq!(
        (hop.classification.as_str(), hop.error.as_str()),
        ("failure", "malformed_request")
    );
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert_eq!(header(&head, "connection"), Some("close"));
    client.closed().await;
    drop(server);
    pair.stop().await;
}

/// 1. What stands where trailers should is none, and what follows it could be some, or a request.
/// 2. Where a message ends that is none nobody knows: nothing after it is read.
#[tokio::test]
async fn nothing_is_read_behind_malformed_trailers() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Wire::connect(pair.entry()).await;
    client
        .write(concat!(
            "POST /one HTTP/1.1\r\nHost: books\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0\r\nno trailer\r\n\r\nX: y\r\n\r\nGET /two HTTP/1.1\r\nHost: books\r\n\r\n",
        ))
        .await;
    let (head, _) = client.read_message().await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert_eq!(header(&head, "connection"), Some("close"));
    client.finish().await;
    assert_eq!(client.closed().await, b"");
    assert!(
        application
            .seen()
            .iter()
            .all(|seen| seen.uri.path() != "/two")
    );
    pair.stop().await;
}

/// Is what follows the body of the request, or the tunnel's?
#[tokio::test]
async fn a_connect_with_a_body_is_no_request() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for framing in ["Content-Length: 4", "Transfer-Encoding: chunked"] {
        let mut client = Wire::connect(pair.webapp.http_proxy()).await;
        client
            .write(format!(
                "CONNECT books:80 HTTP/1.1\r\nHost: books:80\r\n{framing}\r\n\r\n"
            ))
            .await;
        let head = client.read_head().await;
        assert!(head.starts_with("http/1.1 400"), "{head}");
    }
    assert_eq!(application.connections(), 0);
    pair.stop().await;
}

/// Half an empty line is no beginning of a head: the connection is as idle as before.
#[tokio::test]
async fn line_ends_do_not_keep_a_connection() {
    let application = Answering::ok().await;
    let mesh = clew_testkit::Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| limits.client_idle_timeout = std::time::Duration::from_millis(50))
        .start()
        .await;
    let mut client = Wire::connect(books.inbound()).await;
    client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
    client.read_message().await;
    client.write("\r").await;
    assert_eq!(client.closed().await, b"");
    assert_eq!(books.metrics().await.requests(&[]), 1);
    mesh.stop().await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let application = Answering::ok().await;
    let mesh = clew_testkit::Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| {
            limits.head_timeout = std::time::Duration::from_millis(50);
            limits.client_idle_timeout = std::time::Duration::from_millis(100);
        })
        .start()
        .await;
    let mut client = Wire::connect(books.inbound()).await;
    client
        .write("GET / HTTP/1.1\r\nHost: books\r\nX-Slow: ")
        .await;
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 408"), "{head}");
    client.closed().await;
    assert!(application.seen().is_empty());
    let cut_off = [FAILURE, ("error", "head_timeout"), ("status_code", "408")];
    let is_counted = |metrics: &Metrics| metrics.responses(&cut_off) == 1;
    books.metrics_when("it to be counted", is_counted).await;

    // Who has asked and says no more has no request open.
    let mut idle = Wire::connect(books.inbound()).await;
    idle.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
    idle.closed().await;
    let metrics = books.metrics().await;
    assert_eq!((metrics.requests(&[]), metrics.responses(&cut_off)), (2, 1));
    mesh.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_no_request() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for bytes in ["", "GE", "GET / HTTP/1.1\r\nHo"] {
        let mut client = Wire::connect(pair.entry()).await;
        client.write(bytes).await;
        client.finish().await;
        client.closed().await;
    }
    assert_eq!(pair.webapp.metrics().await.requests(&[]), 0);
    assert!(application.seen().is_empty());
    pair.stop().await;
}

/// 1. A client says that a body comes, and stops in the middle of it.
/// 2. It is told so, the application's connection is given up, and it counts as the client's failure.
#[tokio::test]
async fn a_body_that_stops_to_arrive_is_cut_off() {
    let mut application = Scripted::start().await;
    let mesh = clew_testkit::Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .limits(|limits| limits.body_timeout = std::time::Duration::from_millis(50))
        .start()
        .await;
    let mut client = Wire::connect(books.inbound()).await;
    client
        .write("POST / HTTP/1.1\r\nHost: books\r\nContent-Length: 10\r\n\r\nhalf")
        .await;
    let mut exchange = application.next().await;
    let half = body::next_data(exchange.body()).await.unwrap().unwrap();
    assert_eq!(&half[..], b"half");
    let head = client.read_head().await;
    assert!(head.starts_with("http/1.1 408"), "{head}");
    let rest = body::next_data(exchange.body()).await;
    assert!(matches!(rest, Some(Err(_))), "{rest:?}");
    let slow = [FAILURE, ("error", "body_timeout"), ("status_code", "408")];
    let is_counted = |metrics: &Metrics| metrics.responses(&slow) == 1;
    books.metrics_when("it to be counted", is_counted).await;
    drop(client);
    mesh.stop().await;
}
