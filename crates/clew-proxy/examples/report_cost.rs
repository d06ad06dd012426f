//! What the reports of one request cost: `cargo run --profile dist -p clew-proxy --example report_cost`.
//!
//! Closes hops on one thread, with and without spans, and prints nanoseconds per hop, the work of freeing the
//! record included. The collector does not exist: batches of spans are made, queued and dropped.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clew_model::name::{InstanceId, RouteName, ServiceName, Workload};
use clew_proxy::config::{Limits, ProxyConfig};
use clew_proxy::hop::{
    Classification, Direction, End, Exchange, HopRecord, HopTrace, Peer, Phase, PhaseTimes,
    SeriesKey, Told,
};
use clew_proxy::report::{Reports, ReportsConfig, WorkerReports};
use clew_trace::{SpanId, TraceId};
use http::{Method, StatusCode, Uri, Version};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOPS: usize = 20_000;
const ROUNDS: usize = 20;
const AT_A_TIME: usize = 20;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let _entered = runtime.enter();
    let loopback = ([127, 0, 0, 1], 1).into();
    let collector = Uri::from_static("http://127.0.0.1:1");
    for (what, otlp) in [("metrics", None), ("metrics and spans", Some(collector))] {
        let config = ProxyConfig {
            workload: Workload::new("books", "default"),
            instance: InstanceId::from("books-1"),
            workers: NonZeroUsize::MIN,
            control: Uri::from_static("http://127.0.0.1:1"),
            otlp,
            listeners: Vec::new(),
            admin: loopback,
            tap: loopback,
            access_log: clew_proxy::config::LogStream::Stdout,
            log: None,
            limits: Limits::default(),
            audit: true,
            identity: None,
            join: false,
        };
        let (_reports, slots) = Reports::new(ReportsConfig::new(&config));
        for worker in slots.into_iter().map(|slot| slot.open()) {
            let best = (0..ROUNDS).map(|_| close_hops(&worker)).min();
            let best = best.unwrap_or_default() / HOPS as u32;
            println!("{what}: {} ns a hop", best.as_nanos());
        }
    }
    Ok(())
}

/// Time to close many hops of a handful of routes.
fn close_hops(worker: &WorkerReports) -> Duration {
    let peer = Arc::new(Peer {
        workload: Some(Workload::new("webapp", "default")),
        instance: Some(InstanceId::from("webapp-1")),
        service: Some(ServiceName::from("books")),
        identity: None,
    });
    let authority = Arc::from("books:7002");
    let mut spent = Duration::ZERO;
    // A few at a time: in a proxy, the record of a request is in the processor's cache when it is closed.
    for first in (0..HOPS as u64).step_by(AT_A_TIME) {
        let hops: Vec<_> = (first..first + AT_A_TIME as u64)
            .filter_map(|number| hop(number, &peer, &authority))
            // As connections do, which keep the series of their routes.
            .map(|record| (worker.series(&record.key), record))
            .collect();
        let start = Instant::now();
        for (series, record) in hops {
            worker.opened(&series);
            worker.close(&series, &record);
        }
        spent += start.elapsed();
    }
    spent
}

fn hop(number: u64, peer: &Arc<Peer>, authority: &Arc<str>) -> Option<HopRecord> {
    const ROUTES: [&str; 4] = [
        "GET /books",
        "GET /books/{id}",
        "GET /authors/{id}",
        "POST /books",
    ];
    let start = Instant::now();
    let latency = Duration::from_nanos(200_000 + number.wrapping_mul(7_919) % 5_000_000);
    let mut phases = PhaseTimes::default();
    for phase in [
        Phase::Route,
        Phase::Balance,
        Phase::Request,
        Phase::Response,
    ] {
        phases.add(phase, Duration::from_nanos(300 + number % 9_000));
    }
    Some(HopRecord {
        key: SeriesKey {
            direction: Direction::Inbound,
            peer: Arc::clone(peer),
            route: RouteName::from(ROUTES[number as usize % ROUTES.len()]),
        },
        route_is_configured: false,
        route_path: None,
        method: Method::GET,
        scheme: "http",
        authority: Arc::clone(authority),
        path: format!("/books/{number}?page=2").parse().ok()?,
        version: Version::HTTP_11,
        is_grpc: false,
        peer_address: Some(([127, 0, 0, 1], 40_000).into()),
        request_headers: None,
        response_headers: None,
        start,
        start_unix_nano: 1_700_000_000_000_000_000 + number,
        response_start: Some(start + latency),
        first_body: Some(start + latency),
        end: start + latency,
        phases,
        evidence: None,
        trace: Some(HopTrace {
            trace_id: TraceId::new(u128::from(number) + 1)?,
            span_id: SpanId::new(number + 1)?,
            parent: SpanId::new(number + 2),
            link: None,
            kept: true,
            flags: clew_trace::TraceFlags::new(true, true),
            state: clew_trace::TraceState::default(),
        }),
        status: Some(StatusCode::OK),
        grpc_status: None,
        outcome: End::Complete,
        classification: Classification::Success,
        exchange: Exchange::Unary,
        request_bytes: 0,
        response_bytes: 1_024,
        told: Told::default(),
    })
}
