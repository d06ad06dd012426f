//! `mesh`, over fake admin servers.

use super::mesh::{TestMesh, member};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use clew_api::client::Instance;
use clew_api::prometheus::MetricType;
use clew_api::prometheus::exposition::{Exposition, FamilyName, Format, Labels, Value};
use clew_api::rest::mesh::{Mesh, MeshMember};
use clew_store::{Retention, WriteError};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// Families with their kind, and of each series a label and its value.
type Told = &'static [(
    &'static str,
    MetricType,
    &'static [(&'static str, &'static str, f64)],
)];

const COUNTER: MetricType = MetricType::Counter;
const GAUGE: MetricType = MetricType::Gauge;

/// A member whose proxy tells this, and as one that was counted since an hour ago.
async fn telling(id: &str, told: Told) -> Instance {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let created = u64::try_from(now.as_nanos()).unwrap() - 3_600_000_000_000;
    let router = Router::new().route(
        "/metrics",
        get(move || async move {
            (
                [(CONTENT_TYPE, Format::Protobuf.content_type())],
                exposed(told, created),
            )
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Instance {
        admin_address: Some(address),
        ..member(id, "web", None)
    }
}

fn exposed(told: Told, created: u64) -> Vec<u8> {
    let mut exposition = Exposition::new(Format::Protobuf);
    for (name, kind, series) in told {
        let mut family = exposition.family(FamilyName {
            name,
            help: "",
            kind: *kind,
        });
        for (label, value, number) in *series {
            let labels = Labels::new([(*label, *value), ("workload", "web")]);
            let number = match *kind {
                COUNTER => Value::counter(*number, created),
                _ => Value::gauge(*number),
            };
            family.write(&labels, &number);
        }
    }
    exposition.finish()
}

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

async fn only_member(told: Told) -> MeshMember {
    let mesh = TestMesh::of(vec![telling("web-1", told).await]).await;
    mesh.scraper.scrape_now().await;
    let mut state: Mesh = mesh.get("/mesh").await;
    assert_eq!(state.members.len(), 1);
    state.members.remove(0)
}

#[tokio::test]
async fn a_proxy_is_shown_as_it_tells_of_itself() {
    let web = only_member(&[
        (
            "clew_spans_total",
            COUNTER,
            &[
                ("outcome", "emitted", 20.0),
                ("outcome", "exported", 12.0),
                ("outcome", "dropped_queue_full", 5.0),
                ("outcome", "dropped_export_failed", 0.0),
                ("outcome", "unsampled", 7.0),
            ],
        ),
        (
            "clew_series",
            GAUGE,
            &[
                ("family", "request_total", 4.0),
                ("family", "response_total", 9.0),
                ("family", "tcp_open_total", 1.0),
            ],
        ),
        ("clew_series_limit", GAUGE, &[("", "", 10.0)]),
        (
            "clew_series_dropped_total",
            COUNTER,
            &[
                ("family", "request_total", 0.0),
                ("family", "response_total", 3.0),
            ],
        ),
        ("clew_access_log_dropped_total", COUNTER, &[("", "", 2.0)]),
        ("process_resident_memory_bytes", GAUGE, &[("", "", 4096.0)]),
        ("process_cpu_seconds_total", COUNTER, &[("", "", 1.5)]),
        ("process_open_fds", GAUGE, &[("", "", 30.0)]),
    ])
    .await;
    assert_eq!((web.id.as_str(), web.pid), ("web-1", 7));
    assert!(web.last_scrape.is_some() && web.scrape_error.is_none());
    let spans = web.spans.unwrap();
    assert_eq!((spans.emitted, spans.exported), (20, 12));
    assert_eq!((spans.waiting, spans.unsampled), (3, 7));
    assert_eq!(
        spans.dropped,
        counts(&[("export_failed", 0), ("queue_full", 5)])
    );
    let series = web.series.unwrap();
    assert_eq!(
        (series.family.as_str(), series.used, series.limit),
        ("response_total", 9, 10)
    );
    assert_eq!(series.by_family.len(), 3);
    assert_eq!(series.dropped, counts(&[("response_total", 3)]));
    assert_eq!(web.access_log_lines_dropped, Some(2));
    let process = web.process.unwrap();
    assert_eq!(process.resident_bytes, Some(4096));
    assert_eq!(
        (process.cpu_seconds, process.open_fds),
        (Some(1.5), Some(30))
    );
}

#[tokio::test]
async fn members_of_one_process_say_that_they_share_it() {
    const MEMORY: Told = &[("process_resident_memory_bytes", GAUGE, &[("", "", 4096.0)])];
    let of = async |id: &str, pid: u32| Instance {
        pid,
        ..telling(id, MEMORY).await
    };
    let own = std::process::id();
    let other = own + 1;
    let members = vec![
        of("web-1", own).await,
        of("web-2", other).await,
        of("web-3", own).await,
    ];
    let mesh = TestMesh::of(members).await;
    mesh.scraper.scrape_now().await;
    let state: Mesh = mesh.get("/mesh").await;
    let told = state.members.iter().map(|member| {
        let process = member.process.as_ref().unwrap();
        (
            member.id.as_str(),
            process.members,
            process.roles.as_slice(),
        )
    });
    let roles = ["control".to_owned(), "observe".to_owned()];
    let expected: [(&str, u64, &[String]); 3] = [
        ("web-1", 2, &roles),
        ("web-2", 1, &[]),
        ("web-3", 2, &roles),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(state.members.iter().all(|member| member.machine.is_none()));
}

/// A tick of that time is 10 ms: in a short window a process may use none, and increases of nothing are not kept.
#[tokio::test]
async fn a_process_that_used_no_time_is_shown_with_none() {
    const IDLE: Told = &[("process_cpu_seconds_total", COUNTER, &[("", "", 1.5)])];
    let mesh = TestMesh::of(vec![telling("web-1", IDLE).await]).await;
    mesh.scraper.scrape_now().await;
    mesh.scraper.scrape_now().await;
    let state: Mesh = mesh.get("/mesh").await;
    let process = state.members[0].process.as_ref().unwrap();
    assert_eq!(process.cpu_cores, Some(0.0));
}

/// Numbers that were never read are not 0.
#[tokio::test]
async fn what_nobody_measures_is_absent() {
    let old = only_member(&[("clew_build_info", GAUGE, &[("version", "0.0.1", 1.0)])]).await;
    assert!(old.last_scrape.is_some());
    assert_eq!(old.inbound_rps, Some(0.0), "it counts none");
    assert!(old.spans.is_none() && old.series.is_none() && old.process.is_none());

    let mut gone = member("web-2", "web", None);
    gone.admin_address = Some("127.0.0.1:9".parse().unwrap());
    let mesh = TestMesh::of(vec![gone]).await;
    mesh.scraper.scrape_now().await;
    let state: Mesh = mesh.get("/mesh").await;
    let [gone] = state.members.as_slice() else {
        panic!("{state:?}")
    };
    assert!(gone.scrape_error.is_some() && gone.last_scrape.is_none());
    assert!(gone.inbound_rps.is_none() && gone.spans.is_none());
}

#[tokio::test]
async fn rates_are_of_each_member_and_side() {
    use super::traffic::{good, record};
    let mesh = TestMesh::of(vec![
        telling("web-1", &[]).await,
        telling("web-2", &[]).await,
    ])
    .await;
    mesh.scraper.scrape_now().await;
    let inbound = &[("direction", "inbound"), ("route", "a")];
    let outbound = &[("direction", "outbound"), ("route", "b")];
    record(
        &mesh.store,
        "web-1",
        "web",
        &[good(inbound, 30), good(outbound, 10)],
    )
    .await;
    record(&mesh.store, "web-2", "web", &[good(inbound, 20)]).await;
    let state: Mesh = mesh.get("/mesh").await;
    let requests = |rps: Option<f64>| (rps.unwrap() * state.window.seconds).round();
    let [one, two] = state.members.as_slice() else {
        panic!("{state:?}")
    };
    assert_eq!(
        [
            one.inbound_rps,
            one.outbound_rps,
            two.inbound_rps,
            two.outbound_rps
        ]
        .map(requests),
        [30.0, 10.0, 20.0, 0.0]
    );
}

#[tokio::test]
async fn the_store_and_the_roles_are_shown() {
    let mesh = TestMesh::begin().await;
    assert_eq!(mesh.store.flush().await, Ok::<(), WriteError>(()));
    let state: Mesh = mesh.get("/mesh").await;
    assert!(state.members.is_empty());
    assert_eq!(state.store.path, mesh.store.path().display().to_string());
    let kept = Retention::default();
    assert_eq!(state.store.bytes_limit, kept.bytes);
    assert_eq!(state.store.age_limit_seconds, kept.age.as_secs_f64());
    assert!(state.store.bytes > 0 && state.store.lost.is_empty());
    assert!(state.ingest.spans_refused.is_empty());
    assert_eq!(state.observe.version, env!("CARGO_PKG_VERSION"));
    assert!(state.control.answers && state.control.error.is_none());
}
