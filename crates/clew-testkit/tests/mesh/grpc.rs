//! gRPC: its outcome is in the trailers.

use super::pair::{CANCELLED, FAILURE, Pair, SUCCESS};
use clew_testkit::body::{self, BodyWriter};
use clew_testkit::client::{Client, answer, grpc, with};
use clew_testkit::grpc::{message, payloads, status, status_of};
use clew_testkit::upstream::{Answering, Exchange, Scripted};
use clew_testkit::within;
use http::{Response, StatusCode};

const GET: &str = "http://ratings/books.Ratings/Get";
const ROUTE: (&str, &str) = ("route", "books.Ratings/Get");

fn head(body: body::Body) -> Response<body::Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    response
}

/// Answers with messages that are written later.
fn stream(exchange: Exchange) -> BodyWriter {
    let (writer, body) = body::written();
    exchange.answer(head(body));
    writer
}

/// Answers each call with its own message and the status that its header asks for.
async fn ratings() -> Answering {
    Answering::start(|asked| async move {
        let wanted: u16 = asked.header("want-status").parse().unwrap();
        if !asked.header("want-trailers-only").is_empty() {
            let mut response = head(body::empty());
            response.headers_mut().extend(status(wanted));
            return response;
        }
        let (writer, body) = body::written();
        tokio::spawn(async move {
            writer.data(asked.body.data).await;
            writer.trailers(status(wanted)).await;
        });
        head(body)
    })
    .await
}

fn call(status: u16) -> http::Request<body::Body> {
    let call = grpc(GET, body::full(message("book 7")));
    with(call, "want-status", &status.to_string())
}

#[tokio::test]
async fn a_unary_call_is_a_request_with_its_method_as_route() {
    let application = ratings().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let answer = client.ask(call(0)).await;
    assert_eq!(payloads(&answer.body.data), [b"book 7"]);
    assert_eq!(answer.grpc_status(), Some(0));
    assert_eq!(application.seen()[0].header("te"), "trailers");
    pair.both_counted(
        1,
        &[SUCCESS, ROUTE, ("grpc_status", "0"), ("status_code", "200")],
    )
    .await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn the_status_decides_what_is_a_failure_of_the_server() {
    let application = ratings().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    for status in 0..=16 {
        for trailers_only in [false, true] {
            let mut call = call(status);
            if trailers_only {
                call = with(call, "want-trailers-only", "1");
            }
            assert_eq!(client.ask(call).await.grpc_status(), Some(status));
        }
    }
    for side in pair.metrics().await {
        for status in 0..=16 {
            let failed = [2, 4, 12, 13, 14, 15].contains(&status);
            let class = if failed { FAILURE } else { SUCCESS };
            let status = status.to_string();
            let labels = [
                class,
                ROUTE,
                ("grpc_status", status.as_str()),
                ("error", ""),
            ];
            assert_eq!(side.responses(&labels), 2, "status {status} is {class:?}");
        }
        assert_eq!(side.responses(&[]), 34);
        assert_eq!(side.requests(&[]), 34);
    }
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_response_that_never_says_its_status_is_a_failure() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;
    let calling = tokio::spawn(client.share().send(call(0)));
    let writer = stream(application.next().await);
    writer.data(message("half")).await;
    writer.end();
    let response = within("an answer", calling).await.unwrap().unwrap();
    assert_eq!(answer(response).await.grpc_status(), None);
    pair.both_counted(1, &[FAILURE, ("grpc_status", "2"), ("status_code", "200")])
        .await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn streams_of_messages_pass_one_by_one_in_both_directions() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;
    let (upload, asked) = body::written();
    let calling = tokio::spawn(client.share().send(grpc(GET, asked)));
    let mut exchange = application.next().await;
    let mut incoming = exchange.body.take().unwrap();
    let download = stream(exchange);
    let response = within("the head", calling).await.unwrap().unwrap();
    let mut outgoing = response.into_body();
    for number in 0..20 {
        // Each waits for the one before: nothing is held back on the way.
        let ping = message(format!("ping {number}"));
        upload.data(ping.clone()).await;
        assert_eq!(body::next_data(&mut incoming).await.unwrap().unwrap(), ping);
        let pong = message(format!("pong {number}"));
        download.data(pong.clone()).await;
        assert_eq!(body::next_data(&mut outgoing).await.unwrap().unwrap(), pong);
    }
    upload.end();
    assert!(body::next_data(&mut incoming).await.is_none());
    download.data(message("sum")).await;
    download.trailers(status(0)).await;
    let rest = body::read(outgoing).await.unwrap();
    assert_eq!(payloads(&rest.data), [b"sum"]);
    assert_eq!(status_of(&rest.trailers), Some(0));
    pair.both_counted(1, &[SUCCESS, ROUTE, ("grpc_status", "0")])
        .await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn the_server_may_answer_before_the_client_has_said_everything() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;
    let (upload, asked) = body::written();
    let calling = tokio::spawn(client.share().send(grpc(GET, asked)));
    upload.data(message("first of many")).await;
    let exchange = application.next().await;
    let mut response = head(body::empty());
    response.headers_mut().extend(status(3));
    exchange.answer(response);
    let response = within("the answer", calling).await.unwrap().unwrap();
    assert_eq!(answer(response).await.grpc_status(), Some(3));
    pair.both_counted(1, &[SUCCESS, ("grpc_status", "3")]).await;
    drop((client, upload));
    pair.stop().await;
}

#[tokio::test]
async fn a_call_that_the_client_resets_is_cancelled() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut hops = (pair.webapp.hops().await, pair.books.hops().await);
    let client = Client::http2(pair.entry()).await;

    // Before the head, as a client does whose deadline has passed.
    let calling = tokio::spawn(client.share().send(with(call(0), "grpc-timeout", "10m")));
    let mut exchange = application.next().await;
    assert_eq!(
        exchange.head.headers["grpc-timeout"], "10m",
        "the server knows it, too"
    );
    calling.abort();
    exchange.given_up().await;
    hops.0.next().await;
    hops.1.next().await;

    // In the middle of the answer.
    let calling = tokio::spawn(client.share().send(call(0)));
    let download = stream(application.next().await);
    let response = within("the head", calling).await.unwrap().unwrap();
    download.data(message("one")).await;
    let mut outgoing = response.into_body();
    body::next_data(&mut outgoing).await.unwrap().unwrap();
    drop(outgoing);
    download.unread().await;
    hops.0.next().await;
    hops.1.next().await;

    pair.both_counted(2, &[CANCELLED, ROUTE, ("error", "client_cancelled")])
        .await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_call_that_the_server_resets_is_its_failure() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;

    let resetting = async { drop(application.next().await) };
    let (response, ()) = tokio::join!(client.ask(call(0)), resetting);
    assert_eq!(response.status, StatusCode::OK, "gRPC has its own status");
    assert_eq!(status_of(&response.headers), Some(14), "trailers only");
    assert_eq!(response.header("clew-error"), "server_reset");
    assert_eq!(response.header("content-type"), "application/grpc");

    let calling = tokio::spawn(client.share().send(call(0)));
    let download = stream(application.next().await);
    let response = within("the head", calling).await.unwrap().unwrap();
    download.data(message("one")).await;
    let mut outgoing = response.into_body();
    body::next_data(&mut outgoing).await.unwrap().unwrap();
    download.abort().await;
    assert!(body::next_data(&mut outgoing).await.unwrap().is_err());

    pair.both_counted(2, &[FAILURE, ROUTE]).await;
    let [webapp, books] = pair.metrics().await;
    assert_eq!(books.responses(&[("error", "server_reset")]), 2);
    assert_eq!(webapp.responses(&[("error", ""), ("grpc_status", "14")]), 1);
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_deadline_that_the_server_keeps_is_a_failure_of_the_server() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;
    let calling = tokio::spawn(client.share().send(with(call(0), "grpc-timeout", "1S")));
    let exchange = application.next().await;
    let mut response = head(body::empty());
    response.headers_mut().extend(status(4));
    exchange.answer(response);
    let response = within("the answer", calling).await.unwrap().unwrap();
    assert_eq!(answer(response).await.grpc_status(), Some(4));
    pair.both_counted(1, &[FAILURE, ("grpc_status", "4"), ("error", "")])
        .await;
    drop(client);
    pair.stop().await;
}
