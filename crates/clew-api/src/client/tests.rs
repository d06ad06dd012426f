#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;

/// 1. Control accepts a connection and is frozen: it reads nothing and answers nothing, and its kernel keeps
///    the connection open. 2. Nothing but a ping can tell. 3. The client connects again.
#[tokio::test]
async fn a_frozen_control_is_noticed() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", frozen.local_addr().unwrap());
    let pings = Pings {
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(20),
    };
    let workload = Workload::new("web", "default");
    let client = ControlClient::with_pings(uri.parse().unwrap(), workload, pings);
    let mut settings = client.watch_telemetry();
    let connections = async {
        (
            frozen.accept().await.unwrap(),
            frozen.accept().await.unwrap(),
        )
    };
    let connected_twice = async {
        tokio::select! {
            connections = connections => drop(connections),
            settings = settings.next() => panic!("nobody has said that: {settings:?}"),
        }
    };
    tokio::time::timeout(Duration::from_secs(30), connected_twice)
        .await
        .expect("in time");
}
