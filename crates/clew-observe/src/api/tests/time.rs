//! Windows that ended some time ago.

use super::mesh::{TestMesh, member};
use super::traffic::{Proxy, good};
use clew_api::rest::golden::{Routes, Stat};
use clew_store::SampleValue;
use jiff::Timestamp;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

const INBOUND: &[(&str, &str)] = &[("direction", "inbound"), ("route", "GET /")];

/// All times of a test are counted from one moment: it may take long.
static NOW: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

fn ago(seconds: u64) -> SystemTime {
    *NOW - Duration::from_secs(seconds)
}

fn rfc3339(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap().to_string()
}

/// Two requests five minutes ago, seven now; open connections and streams at both times.
async fn mesh() -> TestMesh {
    let mesh = TestMesh::of(vec![member("web-2", "web", Some("web"))]).await;
    for (instance, at, requests) in [("web-1", ago(300), 2), ("web-2", ago(0), 7)] {
        let mut proxy = Proxy::read_at("web", at);
        proxy.add(&good(INBOUND, requests));
        let side = [("direction", "inbound")];
        proxy.sample("tcp_open_total", &side, SampleValue::Counter(3.0));
        proxy.sample("tcp_open_connections", &side, SampleValue::Gauge(3.0));
        proxy.sample("clew_open_streams", INBOUND, SampleValue::Gauge(1.0));
        proxy.write(&mesh.store, instance).await;
    }
    mesh
}

#[tokio::test]
async fn a_window_that_ended_earlier_holds_what_happened_then() {
    let mesh = mesh().await;
    let now: Stat = mesh.get("/stat?window=2m").await;
    let then = format!("window=2m&until={}", rfc3339(ago(290)));
    let earlier: Stat = mesh.get(&format!("/stat?{then}")).await;
    let side = |stat: &Stat| stat.workloads[0].inbound.clone().unwrap();
    assert_eq!(side(&now).golden.unwrap().requests, 7);
    assert_eq!(side(&earlier).golden.unwrap().requests, 2);
    assert_eq!(
        earlier.workloads[0].instances, 1,
        "members are those of now"
    );
    let routes: Routes = mesh.get(&format!("/routes?workload=web&{then}")).await;
    assert_eq!(routes.routes[0].golden.requests, 2);
    // Nothing is known of the time before.
    assert!(
        (10.0..13.0).contains(&earlier.window.seconds),
        "{earlier:?}"
    );
}

#[tokio::test]
async fn what_was_open_then_is_not_said_for_it_is_not_kept() {
    let mesh = mesh().await;
    let now: Stat = mesh.get("/stat").await;
    let then = format!("/stat?window=2m&until={}", rfc3339(ago(290)));
    let earlier: Stat = mesh.get(&then).await;
    let open = |stat: &Stat| {
        let side = stat.workloads[0].inbound.clone().unwrap();
        (side.tcp.unwrap().open, side.golden.unwrap().open_streams)
    };
    assert_eq!(open(&now), (Some(3), 1));
    assert_eq!(open(&earlier), (None, 0));
}
