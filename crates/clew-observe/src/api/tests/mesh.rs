//! An API over a real store, with a control and proxies that say what a test wants.

use super::super::{Sources, router};
use crate::ingest::Ingest;
use crate::scrape::Scraper;
use access_wire::access_server::{Access, AccessServer};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response};
use clew_api::client::{ControlClient, Instance, Port, Role};
use clew_api::convert::outbound::{outbound_to_wire, target_from_wire};
use clew_api::rest::problem::Problem;
use clew_api::wire::access as access_wire;
use clew_api::wire::linkerd::outbound as outbound_wire;
use clew_api::wire::registry as registry_wire;
use clew_api::wire::telemetry as telemetry_wire;
use clew_model::name::{InstanceId, Namespace, ServiceName, Workload};
use clew_model::policy::OutboundPolicy;
use clew_model::service::{Protocol, Target};
use clew_runtime::drain::Drain;
use clew_store::{Retention, Store, StorePath};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use outbound_wire::outbound_policies_server::{OutboundPolicies, OutboundPoliciesServer};
use registry_wire::registry_server::{Registry, RegistryServer};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use telemetry_wire::telemetry_server::{Telemetry, TelemetryServer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tonic::Status;
use tower::ServiceExt;

pub(super) struct TestMesh {
    pub(super) store: Store,
    pub(super) scraper: Scraper,
    pub(super) drain: Drain,
    pub(super) settings: watch::Sender<telemetry_wire::Settings>,
    /// Who may call what, as control has it.
    pub(super) access: FakeAccess,
    /// What control tells of services, by the authority that it is asked for; `None`: it does not answer.
    pub(super) policies: Policies,
    members: watch::Sender<registry_wire::Instances>,
    router: Router,
}

impl TestMesh {
    /// Nobody is in it.
    pub(super) async fn begin() -> Self {
        Self::of(Vec::new()).await
    }

    /// These are in it, and observe knows.
    pub(super) async fn of(members: Vec<Instance>) -> Self {
        let store = Store::open(StorePath::Temporary, Retention::default()).unwrap();
        let settings = watch::Sender::new(telemetry_wire::Settings {
            tracing: true,
            sampling: Some(telemetry_wire::Sampling {
                ratio: 1.0,
                max_per_second: 0.0,
            }),
            access_log: "off".to_owned(),
            ..telemetry_wire::Settings::default()
        });
        let told = watch::Sender::new(registry_wire::Instances::default());
        let policies = Policies::default();
        let access = FakeAccess::default();
        let told_by_control = (told.clone(), settings.clone());
        let control = begin_control(told_by_control, policies.clone(), access.clone()).await;
        let scraper = Scraper::new(store.clone(), Duration::from_secs(3_600));
        let (drain, watch) = Drain::new(Duration::from_secs(5));
        let (running, client, until) = (scraper.clone(), control.clone(), watch.clone());
        tokio::spawn(async move { running.run(&client, until).await });
        let ingest = Ingest::new(store.clone());
        let sources = Sources {
            store: store.clone(),
            scraper: scraper.clone(),
            ingest,
            control,
            log: None,
            drain: watch,
        };
        let mesh = Self {
            store,
            scraper,
            drain,
            settings,
            access,
            policies,
            members: told,
            router: router(sources),
        };
        mesh.join(members).await;
        mesh
    }

    /// From now on these are in it; waits until observe knows.
    pub(super) async fn join(&self, members: Vec<Instance>) {
        let instances = members.iter().map(registry_wire::Instance::from).collect();
        self.members
            .send_replace(registry_wire::Instances { instances });
        let mut known = self.scraper.watch_members();
        known
            .wait_for(|known| known.as_ref() == Some(&members))
            .await
            .unwrap();
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: &str) -> Response<Body> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "127.0.0.1:8084")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// What `GET` answers; it is no refusal.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let response = self.ask(Method::GET, path, "").await;
        assert_eq!(response.status(), 200, "{path}");
        read(response).await
    }

    /// What `GET` refuses with.
    pub(super) async fn refused(&self, path: &str) -> Problem {
        problem(self.ask(Method::GET, path, "").await).await
    }
}

/// The body as JSON.
pub(super) async fn read<T: DeserializeOwned>(response: Response<Body>) -> T {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)))
}

/// The body as a problem, which says the same status.
pub(super) async fn problem(response: Response<Body>) -> Problem {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let status = response.status();
    let problem: Problem = read(response).await;
    assert_eq!(problem.status, status.as_u16());
    problem
}

/// A member without servers of its own.
pub(super) fn member(id: &str, workload: &str, service: Option<&str>) -> Instance {
    let address = SocketAddr::from(([127, 0, 0, 1], 7000));
    let port = |service| Port {
        service: ServiceName::from(service),
        application_address: address,
        endpoint_address: address,
        protocol: Protocol::Detect,
        weight: 1,
    };
    Instance {
        id: InstanceId::from(id),
        workload: Workload::new(workload, "default"),
        role: if workload == "gateway" {
            Role::Gateway
        } else {
            Role::Proxy
        },
        ports: service.map(port).into_iter().collect(),
        admin_address: None,
        tap_address: None,
        leaving: false,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: 7,
        started: UNIX_EPOCH + Duration::from_secs(1_000_000_000),
        identity: None,
    }
}

/// Policies by authority, and what could be asked.
pub(super) type Policies = Arc<Mutex<Option<BTreeMap<String, OutboundPolicy>>>>;

struct FakePolicies(Policies);
struct FakeRegistry(watch::Sender<registry_wire::Instances>);
struct FakeTelemetry(watch::Sender<telemetry_wire::Settings>);

async fn begin_control(
    (members, settings): (
        watch::Sender<registry_wire::Instances>,
        watch::Sender<telemetry_wire::Settings>,
    ),
    policies: Policies,
    access: FakeAccess,
) -> ControlClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let server = tonic::transport::Server::builder()
        .add_service(RegistryServer::new(FakeRegistry(members)))
        .add_service(TelemetryServer::new(FakeTelemetry(settings)))
        .add_service(AccessServer::new(access))
        .add_service(OutboundPoliciesServer::new(FakePolicies(policies)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    ControlClient::new(uri, Workload::new("observe", "clew"))
}

#[tonic::async_trait]
impl OutboundPolicies for FakePolicies {
    type WatchStream = BoxStream<'static, Result<outbound_wire::OutboundPolicy, Status>>;

    async fn get(
        &self,
        request: tonic::Request<outbound_wire::TrafficSpec>,
    ) -> Result<tonic::Response<outbound_wire::OutboundPolicy>, Status> {
        let (_, target) = target_from_wire(request.into_inner()).unwrap();
        let Target::Authority(authority) = target else {
            panic!("{target:?}")
        };
        let policies = self.0.lock().unwrap();
        let policies = policies.as_ref();
        let policies = policies.ok_or_else(|| Status::unavailable("not now"))?;
        let policy = policies.get(&*authority);
        let policy = policy.ok_or_else(|| Status::not_found("no such service"))?;
        let namespace = Namespace::from("default");
        Ok(tonic::Response::new(outbound_to_wire(
            policy, &namespace, 0,
        )))
    }

    async fn watch(
        &self,
        _: tonic::Request<outbound_wire::TrafficSpec>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("this control tells once"))
    }
}

#[tonic::async_trait]
impl Registry for FakeRegistry {
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
            WatchStream::new(self.0.subscribe()).map(Ok).boxed(),
        ))
    }
}

#[tonic::async_trait]
impl Telemetry for FakeTelemetry {
    type WatchStream = BoxStream<'static, Result<telemetry_wire::Settings, Status>>;

    async fn watch(
        &self,
        _: tonic::Request<telemetry_wire::WatchRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        Ok(tonic::Response::new(
            WatchStream::new(self.0.subscribe()).map(Ok).boxed(),
        ))
    }

    async fn set(
        &self,
        request: tonic::Request<telemetry_wire::Settings>,
    ) -> Result<tonic::Response<telemetry_wire::Settings>, Status> {
        let settings = request.into_inner();
        if settings
            .show_headers
            .iter()
            .any(|header| header == "forbidden")
        {
            return Err(Status::invalid_argument("show_headers: not this one"));
        }
        self.0.send_replace(settings.clone());
        Ok(tonic::Response::new(settings))
    }
}

/// Takes whatever it is told.
#[derive(Clone, Default)]
pub(super) struct FakeAccess(pub(super) Arc<Mutex<access_wire::Table>>);

impl FakeAccess {
    fn change(
        &self,
        change: impl FnOnce(&mut access_wire::Table),
    ) -> tonic::Response<access_wire::Table> {
        let mut table = self.0.lock().unwrap();
        table.trust_domain = "cluster.local".to_owned();
        table.namespace = "default".to_owned();
        table.default.get_or_insert_default();
        change(&mut table);
        tonic::Response::new(table.clone())
    }
}

#[tonic::async_trait]
impl Access for FakeAccess {
    async fn get(
        &self,
        _: tonic::Request<access_wire::GetRequest>,
    ) -> Result<tonic::Response<access_wire::Table>, Status> {
        Ok(self.change(|_| ()))
    }

    async fn set(
        &self,
        request: tonic::Request<access_wire::SetRequest>,
    ) -> Result<tonic::Response<access_wire::Table>, Status> {
        let access_wire::SetRequest { service, grants } = request.into_inner();
        if service == "forbidden" {
            return Err(Status::invalid_argument("service: not this one"));
        }
        let grants = access_wire::Grants { grants };
        Ok(self.change(|table| drop(table.services.insert(service, grants))))
    }

    async fn reset(
        &self,
        request: tonic::Request<access_wire::ResetRequest>,
    ) -> Result<tonic::Response<access_wire::Table>, Status> {
        let service = request.into_inner().service;
        Ok(self.change(|table| drop(table.services.remove(&service))))
    }
}
