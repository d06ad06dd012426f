//! Collectors that are gone, refuse or freeze: spans are lost and counted, requests are not.

use super::pair::SUCCESS;
use clew_testkit::address::Refusing;
use clew_testkit::client::{Client, get};
use clew_testkit::collector::{Collector, Manners};
use clew_testkit::metrics::Metrics;
use clew_testkit::upstream::Answering;
use clew_testkit::{Mesh, Sidecar};
use std::net::SocketAddr;

/// More than the queue of the proxy holds.
const REQUESTS: u64 = 400;
const QUEUE: usize = 128;

fn outcome(metrics: &Metrics, outcome: &str) -> u64 {
    metrics.sum("clew_spans_total", &[("outcome", outcome)])
}

/// A proxy that exports to the address and holds few spans, after a load of which no request was lost.
async fn after_a_load(mesh: &Mesh, collector: SocketAddr) -> Sidecar {
    let application = Answering::ok().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .collector(collector)
        .limits(|limits| limits.max_queued_spans = QUEUE)
        .start()
        .await;
    let mut client = Client::http1(books.inbound()).await;
    for _ in 0..REQUESTS {
        assert_eq!(client.ask(get("http://books/")).await.status.as_u16(), 200);
    }
    let metrics = books.metrics().await;
    assert_eq!(metrics.requests(&[]), REQUESTS);
    assert_eq!(metrics.responses(&[SUCCESS]), REQUESTS);
    assert_eq!(outcome(&metrics, "emitted"), REQUESTS);
    books
}

#[tokio::test]
async fn a_frozen_collector_costs_spans_and_no_request() {
    let mut collector = Collector::with(Manners::Freezes).await;
    let mesh = Mesh::begin().await;
    let books = after_a_load(&mesh, collector.address()).await;
    // It holds what it was given and says nothing.
    collector.next().await;
    let full = |metrics: &Metrics| outcome(metrics, "dropped_queue_full") > 0;
    let metrics = books.metrics_when("the queue to be full", full).await;
    assert_eq!(outcome(&metrics, "exported"), 0);
    let waiting = REQUESTS
        - outcome(&metrics, "dropped_queue_full")
        - outcome(&metrics, "dropped_export_failed");
    assert!(waiting > 0, "the rest still waits");
    mesh.stop().await;
}

#[tokio::test]
async fn a_collector_that_refuses_spans_costs_them_and_each_is_counted() {
    let mut collector = Collector::with(Manners::Refuses).await;
    let mesh = Mesh::begin().await;
    let books = after_a_load(&mesh, collector.address()).await;
    let all = |metrics: &Metrics| {
        outcome(metrics, "dropped_export_failed") + outcome(metrics, "dropped_queue_full")
            == REQUESTS
    };
    let metrics = books.metrics_when("all spans to be settled", all).await;
    assert_eq!(outcome(&metrics, "exported"), 0);
    assert!(outcome(&metrics, "dropped_export_failed") > 0);
    let refused = collector.rest().len() as u64;
    assert_eq!(refused, outcome(&metrics, "dropped_export_failed"));
    mesh.stop().await;
}

#[tokio::test]
async fn an_absent_collector_costs_spans_and_no_request() {
    let nobody = Refusing::bind();
    let mesh = Mesh::begin().await;
    let books = after_a_load(&mesh, nobody.address()).await;
    let full = |metrics: &Metrics| outcome(metrics, "dropped_queue_full") > 0;
    let metrics = books.metrics_when("the queue to be full", full).await;
    assert_eq!(outcome(&metrics, "exported"), 0);
    assert_eq!(metrics.responses(&[SUCCESS]), REQUESTS);
    mesh.stop().await;
}

#[tokio::test]
async fn a_collector_that_works_gets_every_span_that_was_not_dropped() {
    let mut collector = Collector::start().await;
    let mesh = Mesh::begin().await;
    let books = after_a_load(&mesh, collector.address()).await;
    let settled = |metrics: &Metrics| {
        outcome(metrics, "exported") + outcome(metrics, "dropped_queue_full") == REQUESTS
    };
    let metrics = books.metrics_when("all spans to be settled", settled).await;
    assert_eq!(outcome(&metrics, "dropped_export_failed"), 0);
    assert_eq!(collector.rest().len() as u64, outcome(&metrics, "exported"));
    mesh.stop().await;
}

#[tokio::test]
async fn the_last_spans_are_exported_when_the_proxy_ends() {
    let mut collector = Collector::start().await;
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .collector(collector.address())
        .start()
        .await;
    let mut client = Client::http1(books.inbound()).await;
    client.ask(get("http://books/")).await;
    drop(client);
    // Sooner than spans leave by themselves.
    books.stop().await;
    assert_eq!(collector.rest().len(), 1);
    mesh.stop().await;
}
