//! Requests hidden in others: refused, or passed on so that nobody finds them.

use super::pair::Pair;
use clew_testkit::client::{Client, get};
use clew_testkit::smuggling::{HIDDEN, corpus, send};
use clew_testkit::upstream::Answering;
use clew_testkit::wire::Wire;

/// 1. Each is sent on a connection of its own, whose end is then closed: more does not come.
/// 2. A request after it shows that all before it has been seen.
#[tokio::test]
async fn a_request_that_hides_another_smuggles_nothing() {
    let application = Answering::ok().await;
    let pair = Pair::of(application.address()).await;
    for (name, bytes) in corpus() {
        send(pair.entry(), &bytes).await;
        let mut other = Client::http1(pair.entry()).await;
        other.ask(get("http://books/after")).await;
        let seen: Vec<_> = application
            .seen()
            .into_iter()
            .map(|seen| seen.uri)
            .collect();
        let is_hidden = |uri: &http::Uri| uri.path() == HIDDEN;
        assert!(!seen.iter().any(is_hidden), "{name}: {seen:?}");
    }
    // What is written as two requests is two: the application would tell.
    let mut client = Wire::connect(pair.entry()).await;
    let plain =
        format!("GET / HTTP/1.1\r\nHost: b\r\n\r\nGET {HIDDEN} HTTP/1.1\r\nHost: b\r\n\r\n");
    client.write(plain).await;
    client.read_message().await;
    client.read_message().await;
    assert_eq!(application.seen().pop().unwrap().uri.path(), HIDDEN);
    drop(client);
    pair.stop().await;
}
