//! Members that die, controls that are restarted, readers that do not read.

use super::{DEADLINE, Running, config, in_time, instance, join, next};
use crate::config::ControlConfig;
use clew_api::client::{ControlClient, Resolution};
use clew_api::wire::registry::WatchRequest;
use clew_api::wire::registry::registry_client::RegistryClient;
use clew_model::name::Workload;
use clew_model::service::{EndpointUpdate, Target};
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

/// 1. A knows two endpoints, and who is a member. 2. Control is replaced by one that knows nobody. 3. One of the
///    two comes back, as a newcomer sees: for A it must not be the only one that there is. 4. The other comes
///    back, a third one joins, and control has settled: what A hears is of the third.
#[tokio::test]
async fn a_restart_of_control_is_not_noticed() {
    let control = Running::start();
    let (a, b, c) = (
        control.client("web"),
        control.client("books"),
        control.client("books"),
    );
    let mut first = join(&b, instance("books-1", 7002)).await;
    let mut second = join(&c, instance("books-2", 7003)).await;
    let mut endpoints = a.watch_endpoints(BOOKS.into());
    let mut policy = a.watch_outbound(Target::Service("books".into()));
    let mut members = a.watch_instances();
    assert!(matches!(next(&mut endpoints).await, EndpointUpdate::Reset(all) if all.len() == 2));
    while !matches!(next(&mut policy).await, Resolution::Known(_)) {}
    while next(&mut members).await.len() < 2 {}

    let successor = restart(control.stop().await, DEADLINE * 10);
    let back = async {
        next(&mut first).await;
        let newcomer = successor.client("late");
        let mut seen = newcomer.watch_endpoints(BOOKS.into());
        assert!(matches!(next(&mut seen).await, EndpointUpdate::Reset(some) if some.len() == 1));
        // The connection of A is there again, and its other streams are not far.
        next(&mut a.watch_instances()).await;
        next(&mut second).await;
        let third = join(&b, instance("books-3", 7004)).await;
        successor.mesh.settle();
        third
    };
    let (update, listed, _third) = tokio::join!(next(&mut endpoints), next(&mut members), back);
    let (EndpointUpdate::Reset(now) | EndpointUpdate::Add(now)) = update else {
        panic!("nobody was ever gone: {update:?}")
    };
    assert_eq!(now.iter().map(|e| e.address.port()).max(), Some(17_004));
    assert!(matches!(now.len(), 1 | 3), "{now:?}");
    assert_eq!(listed.len(), 3);
    successor.stop().await;
}

/// 1. A member leaves, and drains. 2. Control is replaced, and forgets. 3. The member joins again, to be read to its
///    end, and once was an endpoint again.
#[tokio::test]
async fn who_was_leaving_is_leaving_after_a_restart_of_control() {
    let control = Running::start();
    let client = control.client("books");
    let mut membership = join(&client, instance("books-1", 7002)).await;
    client.leave("books-1".into()).await.unwrap();
    let successor = restart(control.stop().await, DEADLINE);
    next(&mut membership).await;
    let members = next(&mut successor.client("web").watch_instances()).await;
    assert!(members[0].leaving, "{members:?}");
    drop(membership);
    let mut again = client.join(instance("books-1", 7002));
    next(&mut again).await;
    let members = next(&mut successor.client("web").watch_instances()).await;
    assert!(!members[0].leaving, "a new membership begins anew");
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
