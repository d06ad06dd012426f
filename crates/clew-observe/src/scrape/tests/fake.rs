//! A control that says who is there, and proxies that say what they counted.

use super::wire;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clew_api::client::{ControlClient, Instance, Role};
use clew_api::wire::registry as registry_wire;
use clew_model::name::{InstanceId, Workload};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use registry_wire::registry_server::{Registry, RegistryServer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tonic::Status;

pub(super) struct FakeControl {
    address: SocketAddr,
    members: watch::Sender<registry_wire::Instances>,
}

struct Service(watch::Receiver<registry_wire::Instances>);

#[tonic::async_trait]
impl Registry for Service {
    type JoinStream = BoxStream<'static, Result<registry_wire::Joined, Status>>;
    type WatchStream = BoxStream<'static, Result<registry_wire::Instances, Status>>;

    async fn join(
        &self,
        _: tonic::Request<registry_wire::Instance>,
    ) -> Result<tonic::Response<Self::JoinStream>, Status> {
        Err(Status::unimplemented("this control only tells"))
    }

    async fn leave(
        &self,
        _: tonic::Request<registry_wire::LeaveRequest>,
    ) -> Result<tonic::Response<registry_wire::LeaveResponse>, Status> {
        Err(Status::unimplemented("this control only tells"))
    }

    async fn watch(
        &self,
        _: tonic::Request<registry_wire::WatchRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        Ok(tonic::Response::new(
            WatchStream::new(self.0.clone()).map(Ok).boxed(),
        ))
    }
}

impl FakeControl {
    pub(super) async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (members, watched) = watch::channel(registry_wire::Instances::default());
        let server =
            tonic::transport::Server::builder().add_service(RegistryServer::new(Service(watched)));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { address, members }
    }

    pub(super) fn client(&self) -> ControlClient {
        let uri = format!("http://{}", self.address).parse().unwrap();
        ControlClient::new(uri, Workload::new("observe", "clew"))
    }

    pub(super) fn tell(&self, members: &[Instance]) {
        let instances = members.iter().map(registry_wire::Instance::from).collect();
        self.members
            .send_replace(registry_wire::Instances { instances });
    }
}

/// A member whose proxy is this one.
pub(super) fn member(id: &str, proxy: Option<&FakeProxy>) -> Instance {
    Instance {
        id: InstanceId::from(id),
        workload: Workload::new("web", "default"),
        role: Role::Proxy,
        ports: Vec::new(),
        admin_address: proxy.map(|proxy| proxy.address),
        tap_address: None,
        leaving: false,
        version: "0.1.0".to_owned(),
        pid: 100,
        started: UNIX_EPOCH + Duration::from_secs(1),
        identity: None,
    }
}

pub(super) struct FakeProxy {
    address: SocketAddr,
    shown: Arc<Mutex<Shown>>,
    signals: Signals,
    server: tokio::task::JoinHandle<()>,
}

struct Shown {
    requests: f64,
    created: u64,
    status: u16,
    content_type: &'static str,
}

/// What it was asked and has answered, and whether it answers at all.
#[derive(Clone)]
struct Signals {
    asked: watch::Sender<usize>,
    reads: watch::Sender<usize>,
    frozen: watch::Sender<bool>,
}

fn unix_nano_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap().as_nanos()).unwrap()
}

impl FakeProxy {
    pub(super) async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shown = Shown {
            requests: 0.0,
            created: unix_nano_now(),
            status: 200,
            content_type: wire::CONTENT_TYPE_PROTOBUF,
        };
        let shown = Arc::new(Mutex::new(shown));
        let signals = Signals {
            asked: watch::Sender::new(0),
            reads: watch::Sender::new(0),
            frozen: watch::Sender::new(false),
        };
        let router = axum::Router::new()
            .route("/metrics", axum::routing::get(metrics))
            .with_state((Arc::clone(&shown), signals.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shown,
            signals,
            server,
        }
    }

    pub(super) fn count(&self, more: f64) {
        self.shown.lock().unwrap().requests += more;
    }

    pub(super) fn count_to(&self, total: f64) {
        self.shown.lock().unwrap().requests = total;
    }

    pub(super) fn created_later(&self) {
        self.shown.lock().unwrap().created += 1_000_000_000;
    }

    pub(super) fn answer_with(&self, status: u16, content_type: &'static str) {
        let mut shown = self.shown.lock().unwrap();
        (shown.status, shown.content_type) = (status, content_type);
    }

    pub(super) fn freeze(&self) {
        self.signals.frozen.send_replace(true);
    }

    pub(super) fn thaw(&self) {
        self.signals.frozen.send_replace(false);
    }

    /// Waits until it was asked so many times, answered or not.
    pub(super) async fn was_asked(&self, times: usize) {
        let mut asked = self.signals.asked.subscribe();
        asked.wait_for(|asked| *asked >= times).await.unwrap();
    }

    /// Waits until it was read so many times.
    pub(super) async fn was_read(&self, times: usize) {
        self.signals
            .reads
            .subscribe()
            .wait_for(|reads| *reads >= times)
            .await
            .unwrap();
    }

    /// Nobody listens on its port afterwards.
    pub(super) async fn end(self) {
        self.server.abort();
        let _ = self.server.await;
    }
}

type ProxyState = (Arc<Mutex<Shown>>, Signals);

async fn metrics(State((shown, signals)): State<ProxyState>, headers: HeaderMap) -> Response {
    let accept = headers[header::ACCEPT].to_str().unwrap();
    assert!(
        accept.starts_with("application/vnd.google.protobuf"),
        "{accept}"
    );
    signals.asked.send_modify(|asked| *asked += 1);
    let mut frozen = signals.frozen.subscribe();
    frozen.wait_for(|frozen| !frozen).await.unwrap();
    let (status, content_type, body) = {
        let shown = shown.lock().unwrap();
        (
            shown.status,
            shown.content_type,
            wire::encode_delimited(&families(&shown)),
        )
    };
    signals.reads.send_modify(|reads| *reads += 1);
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn families(shown: &Shown) -> Vec<wire::MetricFamily> {
    let label = |name: &str, value: &str| wire::LabelPair {
        name: Some(name.to_owned()),
        value: Some(value.to_owned()),
    };
    let labels = vec![label("workload", "web"), label("route", "r")];
    let created = Some(wire::Timestamp::from_unix_nano(shown.created));
    let family = |name: &str, metric| wire::MetricFamily {
        name: Some(name.to_owned()),
        metric: vec![metric],
        ..wire::MetricFamily::default()
    };
    let counter = wire::Counter {
        value: Some(shown.requests),
        exemplar: None,
        created_timestamp: created,
    };
    let mut histogram = wire::Histogram {
        sample_count: Some(shown.requests as u64),
        sample_sum: Some(shown.requests * 8.0),
        schema: Some(3),
        zero_threshold: Some(0.0),
        zero_count: Some(0),
        created_timestamp: created,
        ..wire::Histogram::default()
    };
    if shown.requests > 0.0 {
        histogram.set_positive_buckets([(24, shown.requests as u64)]);
    }
    let metric = wire::Metric {
        label: labels,
        ..wire::Metric::default()
    };
    vec![
        family(
            "request_total",
            wire::Metric {
                counter: Some(counter),
                ..metric.clone()
            },
        ),
        family(
            "response_latency_ms",
            wire::Metric {
                histogram: Some(histogram),
                ..metric.clone()
            },
        ),
        family(
            "tcp_open_connections",
            wire::Metric {
                gauge: Some(wire::Gauge { value: Some(2.0) }),
                ..metric
            },
        ),
    ]
}
