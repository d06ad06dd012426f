//! Members that die, controls that are restarted, readers that do not read.

use super::{DEADLINE, Running, config, in_time, instance, join, next};
use crate::config::ControlConfig;
use clew_api::client::{ControlClient, Resolution};
use clew_api::wire::registry::WatchRequest;
use clew_api::wire::registry::registry_client::RegistryClient;
use clew_model::name::Workload;
use clew_model::service::{Endpoint, EndpointUpdate, Target};
use std::net::SocketAddr;
use std::time::Duration;

const BOOKS: &str = "books.default.svc.cluster.local";

/// A successor of a stopped control, at the same address.
fn restart(address: SocketAddr, settle: Duration) -> Running {
    Running::with(ControlConfig {
        listen: vec![address],
        settle,
        ..config()
    })
}

/// The runtime is all that the proxy has: with it go its tasks and its connection, as in a process that is
/// killed. Nothing is said to control; the end of the connection is all that it sees.
#[tokio::test]
async fn a_killed_proxy_is_out_at_once() {
    let control = Running::start();
    let mut members = control.client("web").watch_instances();
    assert_eq!(next(&mut members).await, Vec::new());

    let uri: http::Uri = format!("http://{}", control.address).parse().unwrap();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let proxy = builder.worker_threads(1).enable_all().build().unwrap();
    proxy.spawn(async move {
        let client = ControlClient::new(uri, Workload::new("books", "default"));
        let mut membership = client.join(instance("books-1", 7002));
        loop {
            next(&mut membership).await;
        }
    });
    assert_eq!(next(&mut members).await.len(), 1);
    proxy.shutdown_background();
    assert_eq!(next(&mut members).await, Vec::new());
    control.stop().await;
}

/// 1. A knows B. 2. Control is replaced by one that knows nobody. 3. A comes back, then B. What A hears next
///    is of C, which joins last: not a word of B, whose endpoints were good all along.
#[tokio::test]
async fn a_restart_of_control_is_not_noticed() {
    let control = Running::start();
    let (a, b) = (control.client("web"), control.client("books"));
    let mut endpoints = a.watch_endpoints(BOOKS.into());
    let mut policy = a.watch_outbound(Target::Service("books".into()));
    let mut membership = join(&b, instance("books-1", 7002)).await;
    while !matches!(next(&mut endpoints).await, EndpointUpdate::Reset(_)) {}
    while !matches!(next(&mut policy).await, Resolution::Known(_)) {}

    let successor = restart(control.stop().await, DEADLINE * 10);
    let later = async {
        // The connection of A is there again: its other streams are not far, in front of B or behind.
        assert_eq!(next(&mut a.watch_instances()).await, Vec::new());
        next(&mut membership).await;
        join(&b, instance("books-2", 7003)).await
    };
    let (update, _c) = tokio::join!(next(&mut endpoints), later);
    let ports = |endpoints: &[Endpoint]| {
        endpoints
            .iter()
            .map(|e| e.address.port())
            .collect::<Vec<_>>()
    };
    match update {
        // A was there before C, as it is most of the time, or came after it.
        EndpointUpdate::Add(news) => assert_eq!(ports(&news), [17_003]),
        EndpointUpdate::Reset(all) => assert_eq!(ports(&all), [17_002, 17_003]),
        other => panic!("B was never gone: {other:?}"),
    }
    successor.stop().await;
}

/// As above, but B does not come back, and the time to come back is over.
#[tokio::test]
async fn who_does_not_come_back_is_gone_when_control_has_settled() {
    let control = Running::start();
    let (a, b) = (control.client("web"), control.client("books"));
    let mut endpoints = a.watch_endpoints(BOOKS.into());
    let mut policy = a.watch_outbound(Target::Service("books".into()));
    let membership = join(&b, instance("books-1", 7002)).await;
    while !matches!(next(&mut endpoints).await, EndpointUpdate::Reset(_)) {}
    while !matches!(next(&mut policy).await, Resolution::Known(_)) {}

    let address = control.stop().await;
    drop(membership);
    let successor = restart(address, Duration::ZERO);
    assert_eq!(
        next(&mut endpoints).await,
        EndpointUpdate::NoEndpoints { exists: false }
    );
    assert_eq!(next(&mut policy).await, Resolution::Unknown);
    successor.stop().await;
}

#[tokio::test]
async fn a_client_may_start_before_control() {
    let control = Running::start();
    let client = control.client("books");
    let address = control.stop().await;
    let mut membership = client.join(instance("books-1", 7002));
    let mut settings = client.watch_telemetry();
    // In this order: both have asked in vain before there is somebody to ask.
    let (_, _, successor) = tokio::join!(next(&mut membership), next(&mut settings), async {
        restart(address, DEADLINE)
    });
    successor.stop().await;
}

/// One reader opens a stream and does not read it, while the mesh changes hundreds of times and another
/// reader keeps up. When the first reads at last, it is soon at the end: it is owed the present, not the past.
#[tokio::test]
async fn a_slow_reader_holds_up_nobody() {
    let control = Running::start();
    let uri = format!("http://{}", control.address);
    let channel = tonic::transport::Endpoint::from_shared(uri)
        .unwrap()
        .initial_stream_window_size(1_024)
        .connect_lazy();
    let mut slow = RegistryClient::new(channel)
        .watch(WatchRequest {})
        .await
        .unwrap()
        .into_inner();

    let client = control.client("books");
    let mut quick = client.watch_instances();
    // Enough to fill the window, and what the server's connection buffers of one stream (400 KiB in hyper).
    let mut crowd = Vec::new();
    for n in 0..200 {
        crowd.push(join(&client, instance(&format!("books-{n}"), 7002)).await);
    }
    while next(&mut quick).await.len() < crowd.len() {}

    let mut messages = 0;
    while in_time(slow.message())
        .await
        .unwrap()
        .unwrap()
        .instances
        .len()
        < crowd.len()
    {
        messages += 1;
    }
    assert!(
        messages < crowd.len() - 1,
        "{messages} messages were kept for a reader that did not read"
    );
    control.stop().await;
}
