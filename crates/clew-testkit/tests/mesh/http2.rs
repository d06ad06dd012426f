//! HTTP/2 by prior knowledge.

use super::pair::{FAILURE, Pair, SUCCESS};
use clew_testkit::client::{Client, answer, get, request};
use clew_testkit::upstream::{Answering, Scripted, ok, status};
use clew_testkit::{body, within};
use http::{HeaderMap, Method, Response, StatusCode, Version};

#[tokio::test]
async fn a_request_stays_http_2_to_the_application() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let answer = client.ask(get("http://books.example/a?b=c")).await;
    assert_eq!(answer.text(), "ok");
    let seen = &application.seen()[0];
    assert_eq!(seen.version, Version::HTTP_2);
    assert_eq!(seen.uri, "http://books.example/a?b=c");
    assert_eq!(seen.header("host"), "");
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn one_listener_speaks_both_versions() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    let mut one = Client::http1(pair.entry()).await;
    let mut two = Client::http2(pair.entry()).await;
    one.ask(get("http://books/")).await;
    two.ask(get("http://books/")).await;
    let versions: Vec<_> = application.seen().iter().map(|seen| seen.version).collect();
    assert_eq!(versions, [Version::HTTP_11, Version::HTTP_2]);
    pair.both_counted(2, &[SUCCESS]).await;
    drop((one, two));
    pair.stop().await;
}

#[tokio::test]
async fn streams_at_the_same_time_share_one_connection() {
    const STREAMS: usize = 50;
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;
    let asking: Vec<_> = (0..STREAMS)
        .map(|number| {
            let uri = format!("http://books/{number}");
            let sending = client.share().send(get(&uri));
            tokio::spawn(async move { answer(sending.await.unwrap()).await })
        })
        .collect();
    let mut open = Vec::new();
    while open.len() < STREAMS {
        open.push(application.next().await);
    }
    assert_eq!(application.connections(), 1);
    // None waits for another: they are answered from the last to the first.
    while let Some(exchange) = open.pop() {
        let path = exchange.head.uri.path().to_owned();
        exchange.answer(ok(&path));
    }
    for (number, task) in asking.into_iter().enumerate() {
        let answer = within("an answer", task).await.unwrap();
        assert_eq!(answer.text(), format!("/{number}"));
    }
    pair.both_counted(STREAMS as u64, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn bodies_and_trailers_stream_in_both_directions() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;

    let (upload, asked) = body::written();
    let sending = client
        .share()
        .send(request(Method::POST, "http://books/", asked));
    let sending = tokio::spawn(sending);
    upload.data("one").await;
    let mut exchange = application.next().await;
    let mut incoming = exchange.body.take().unwrap();
    assert_eq!(
        body::next_data(&mut incoming).await.unwrap().unwrap(),
        "one"
    );
    let (download, answering) = body::written();
    exchange.answer(Response::new(answering));
    let response = within("the head of the answer", sending)
        .await
        .unwrap()
        .unwrap();
    download.data("early").await;
    let mut outgoing = response.into_body();
    assert_eq!(
        body::next_data(&mut outgoing).await.unwrap().unwrap(),
        "early"
    );

    upload.data("two").await;
    upload.trailers(named("asked")).await;
    let rest = body::read(incoming).await.unwrap();
    assert_eq!(
        (&rest.data[..], rest.trailers),
        (&b"two"[..], named("asked"))
    );
    download.trailers(named("answered")).await;
    let rest = body::read(outgoing).await.unwrap();
    assert_eq!(
        (&rest.data[..], rest.trailers),
        (&b""[..], named("answered"))
    );
    pair.both_counted(1, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

fn named(value: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", value.parse().unwrap());
    trailers
}

#[tokio::test]
async fn head_and_204_have_no_body() {
    let application = Answering::start(|asked| async move {
        match asked.uri.path() {
            "/204" => status(204),
            // Over HTTP/2 hyper leaves it to the application to send no body.
            _ if asked.method == Method::HEAD => {
                let mut response = status(200);
                let headers = response.headers_mut();
                headers.insert("content-length", "12".parse().unwrap());
                response
            }
            _ => ok("twelve bytes"),
        }
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut client = Client::http2(pair.entry()).await;
    let head = request(Method::HEAD, "http://books/", body::empty());
    let answer = client.ask(head).await;
    assert_eq!((answer.header("content-length"), answer.text()), ("12", ""));
    let answer = client.ask(get("http://books/204")).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::NO_CONTENT, ""));
    pair.both_counted(2, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_stream_that_the_server_resets_is_its_failure() {
    let mut application = Scripted::start().await;
    let pair = Pair::of(application.address()).await;
    let client = Client::http2(pair.entry()).await;

    // Before the head: the proxy answers in place of the server.
    let sending = tokio::spawn(client.share().send(get("http://books/")));
    drop(application.next().await);
    let response = within("an answer", sending).await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(response.headers()["clew-error"], "server_reset");

    // In the middle: what has begun cannot be taken back, and the client's stream is reset.
    let sending = tokio::spawn(client.share().send(get("http://books/")));
    let exchange = application.next().await;
    let (download, answering) = body::written();
    exchange.answer(Response::new(answering));
    let response = within("an answer", sending).await.unwrap().unwrap();
    download.data("begun").await;
    let mut incoming = response.into_body();
    assert_eq!(
        body::next_data(&mut incoming).await.unwrap().unwrap(),
        "begun"
    );
    download.abort().await;
    assert!(body::next_data(&mut incoming).await.unwrap().is_err());

    let [webapp, books] = pair.metrics().await;
    assert_eq!(webapp.responses(&[FAILURE]), 2);
    assert_eq!(books.responses(&[FAILURE, ("error", "server_reset")]), 2);
    // The sidecar of books has answered the first with 502.
    assert_eq!(webapp.responses(&[("error", "server_reset")]), 1);
    assert_eq!(
        webapp.responses(&[("status_code", "502"), ("error", "")]),
        1
    );
    drop(client);
    pair.stop().await;
}

/// 1. Clients ask for more than anyone holds for them, and read nothing of it. Between the proxies their streams
///    share one connection.
/// 2. Another request on it is answered all the same.
#[tokio::test]
async fn streams_that_nobody_reads_do_not_stop_the_others() {
    const SLOW: usize = 24;
    let application = Answering::start(|asked| {
        let body = match asked.uri.path() {
            "/large" => body::full(vec![b'x'; 8 * 1024 * 1024]),
            _ => body::full("ok"),
        };
        std::future::ready(Response::new(body))
    })
    .await;
    let pair = Pair::of(application.address()).await;
    let mut unread = Vec::new();
    for _ in 0..SLOW {
        let mut client = Client::http2(pair.entry()).await;
        let response = client.send(get("http://books/large")).await.unwrap();
        unread.push((client, response));
    }
    let mut client = Client::http2(pair.entry()).await;
    for _ in 0..10 {
        assert_eq!(client.ask(get("http://books/")).await.text(), "ok");
    }
    drop((client, unread));
    pair.stop().await;
}
