//! Control absent, gone and back: its last word stands, and its first one is waited for.

use super::pair::{CANCELLED, FAILURE, Pair, SUCCESS};
use clew_testkit::address::{Blackhole, Refusing};
use clew_testkit::client::{Client, get};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::Answering;
use clew_testkit::wire::Wire;
use clew_testkit::{Mesh, within};
use http::StatusCode;
use std::time::Duration;

#[tokio::test]
async fn when_control_is_gone_its_last_word_stands() {
    let application = Answering::ok().await;
    let mut pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    client.ask(get("http://books/")).await;
    pair.mesh.kill_control().await;
    for _ in 0..5 {
        let answer = client.ask(get("http://books/")).await;
        assert_eq!(answer.status, StatusCode::OK);
        let mut other = Client::http2(pair.entry()).await;
        assert_eq!(other.ask(get("http://books/")).await.status, StatusCode::OK);
    }
    pair.both_counted(11, &[SUCCESS]).await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_control_that_forgot_everything_learns_it_again_and_no_request_fails() {
    let application = Answering::ok().await;
    let mut pair = Pair::of(application.address()).await;
    let mut client = Client::http1(pair.entry()).await;
    client.ask(get("http://books/")).await;
    pair.mesh.kill_control().await;
    pair.mesh.restart_control();
    let mut members = pair.mesh.members();
    // Requests all the time, until both are members again.
    let mut asked = 1;
    let back = async {
        members.joined("books-1").await;
        members.joined("webapp-1").await;
    };
    let mut back = std::pin::pin!(back);
    loop {
        tokio::select! {
            () = &mut back => break,
            answer = client.ask(get("http://books/")) => {
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
                asked += 1;
            }
        }
        client = Client::http1(pair.entry()).await;
    }
    // The request that the loop gave up last may have been counted as cancelled.
    let settled = |metrics: &Metrics| metrics.requests(&[]) == metrics.responses(&[]);
    let metrics = pair
        .webapp
        .metrics_when("all hops to be closed", settled)
        .await;
    assert!(metrics.responses(&[SUCCESS]) >= asked);
    assert_eq!(metrics.responses(&[FAILURE]), 0);

    // What the new control says is obeyed.
    let _more = pair
        .mesh
        .join("books", "books-2", application.address())
        .await;
    drop(client);
    pair.stop().await;
}

#[tokio::test]
async fn a_service_that_joins_later_is_found() {
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let webapp = mesh.sidecar("webapp").calls("books").start().await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    let answer = client.ask(get("http://books/")).await;
    assert_eq!(answer.header("clew-error"), "no_endpoints");
    let _books = mesh
        .sidecar("books")
        .serves(application.address())
        .start()
        .await;
    let finding = async { while client.ask(get("http://books/")).await.status != 200 {} };
    within("webapp to find books", finding).await;
    drop(client);
    mesh.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_control_or_a_connection_is_cancelled() {
    let (nobody, blackhole) = (Refusing::bind(), Blackhole::bind().await);
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", blackhole.address()).await;
    let control = format!("http://{}", nobody.address()).parse().unwrap();
    let for_ever = Duration::from_secs(3_600);
    let lost = mesh
        .sidecar("lost")
        .http_proxy()
        .control(control)
        .limits(|limits| limits.discovery_timeout = for_ever)
        .start()
        .await;
    let waiting = mesh
        .sidecar("waiting")
        .http_proxy()
        .limits(|limits| limits.connect_timeout = for_ever)
        .start()
        .await;
    for proxy in [lost, waiting] {
        let mut hops = proxy.hops().await;
        let mut client = Wire::connect(proxy.http_proxy()).await;
        client.write("GET / HTTP/1.1\r\nHost: books\r\n\r\n").await;
        client.finish().await;
        let hop = hops.next().await;
        assert_eq!(hop.error, "client_cancelled");
        let metrics = proxy.metrics().await;
        assert_eq!(metrics.responses(&[CANCELLED]), 1);
        assert_eq!(metrics.requests(&[]), 1);
    }
    mesh.stop().await;
}
