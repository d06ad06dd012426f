//! Proxies of a mesh in a test.

use super::watch::{Hops, Members};
use super::{Mesh, NAMESPACE, uri};
use crate::address::loopback;
use crate::client::{Client, get};
use crate::metrics::Metrics;
use crate::{DEADLINE, within};
use clew_api::wire::tap::TapRequest;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::service::Protocol;
use clew_model::telemetry::TelemetrySettings;
use clew_proxy::config::{Addresses, GatewayRoute, IpPrefix, Limits, Listener, ProxyConfig};
use clew_proxy::proxy::{Proxy, ProxyError};
use clew_runtime::drain::Drain;
use http::Uri;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long open requests may go on when a proxy of a test drains, where the test does not say.
const DRAIN: Duration = Duration::from_secs(10);

/// Describes a proxy.
#[derive(Debug)]
pub struct ProxyBuilder<'a> {
    mesh: &'a Mesh,
    config: ProxyConfig,
}

impl<'a> ProxyBuilder<'a> {
    pub(super) fn new(mesh: &'a Mesh, workload: &str) -> Self {
        let limits = Limits {
            // A test says itself when all have heard of it.
            leave_grace: Duration::ZERO,
            drain_timeout: DRAIN,
            // Tests that scrape are done when they drain.
            last_scrape_timeout: Duration::ZERO,
            ..Limits::default()
        };
        Self {
            mesh,
            config: ProxyConfig {
                workload: Workload::new(workload, NAMESPACE),
                instance: InstanceId::new(format!("{workload}-1")),
                workers: NonZeroUsize::MIN,
                control: mesh.control_uri(),
                otlp: mesh.observe.as_ref().map(|observe| uri(observe.otlp)),
                listeners: Vec::new(),
                admin: loopback(),
                tap: loopback(),
                access_log: clew_proxy::config::LogStream::Stdout,
                log: None,
                limits,
                audit: true,
                identity: mesh.identity(workload),
                join: true,
            },
        }
    }

    /// The instance; by default the workload's name and `-1`.
    pub fn instance(mut self, instance: &str) -> Self {
        self.config.instance = InstanceId::from(instance);
        self
    }

    /// Data-plane threads; by default one, so that a test knows which pool a request meets.
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = NonZeroUsize::new(workers).unwrap();
        self
    }

    /// The application serves the service that is called like the workload.
    pub fn serves(self, application: SocketAddr) -> Self {
        let service = self.config.workload.name.to_string();
        self.serves_as(application, &service, Protocol::Detect)
    }

    /// The application serves a service, by a protocol.
    pub fn serves_as(self, application: SocketAddr, service: &str, protocol: Protocol) -> Self {
        self.listener(Listener::Inbound {
            listen: loopback(),
            application,
            service: ServiceName::from(service),
            protocol,
        })
    }

    /// The application calls a service by a listener of its own.
    pub fn calls(self, service: &str) -> Self {
        self.listener(Listener::Dependency {
            listen: loopback(),
            service: ServiceName::from(service),
        })
    }

    /// The application uses the proxy as its HTTP proxy.
    pub fn http_proxy(self) -> Self {
        self.listener(Listener::HttpProxy { listen: loopback() })
    }

    /// It is a gateway: requests of these hosts (`None`: all) and path prefixes go to these services.
    pub fn gateway(self, routes: &[(Option<&str>, &str, &str)]) -> Self {
        self.gateway_that_trusts(routes, &[])
    }

    /// A gateway that believes the trace context of clients in these networks.
    pub fn gateway_that_trusts(
        self,
        routes: &[(Option<&str>, &str, &str)],
        trusted: &[IpPrefix],
    ) -> Self {
        let route = |&(host, path, service): &(Option<&str>, &str, &str)| GatewayRoute {
            host: host.map(Arc::from),
            path_prefix: path.into(),
            service: service.into(),
        };
        self.listener(Listener::Gateway {
            listen: loopback(),
            routes: routes.iter().map(route).collect(),
            trusted: trusted.into(),
        })
    }

    /// Spans go to this collector.
    pub fn collector(mut self, address: SocketAddr) -> Self {
        self.config.otlp = Some(uri(address));
        self
    }

    /// Control is elsewhere, or nowhere. The proxy is no member then.
    pub fn control(mut self, control: Uri) -> Self {
        self.config.control = control;
        self.config.join = false;
        self
    }

    /// Nobody waits for it to be a member: control may be gone.
    pub fn does_not_join(mut self) -> Self {
        self.config.join = false;
        self
    }

    /// Other bounds.
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Begins to serve. The proxy is a member when this returns.
    pub async fn start(self) -> Sidecar {
        let Self { mesh, config } = self;
        let services = config.listeners.iter().map(service_of).collect();
        let (instance, joins) = (config.instance.clone(), config.join);
        let (drain, watch) = Drain::new(config.limits.drain_timeout);
        let bound = Proxy::bind(config).expect("ports for a proxy");
        let addresses = bound.addresses().clone();
        let task = tokio::spawn(bound.run(watch));
        let running = Arc::new(Running {
            name: instance.to_string(),
            drain,
            task: Mutex::new(Some(task)),
        });
        mesh.proxies().push(Arc::clone(&running));
        if joins {
            Members::follow(mesh.control())
                .joined(instance.as_str())
                .await;
        }
        Sidecar {
            running,
            addresses,
            services,
        }
    }

    fn listener(mut self, listener: Listener) -> Self {
        self.config.listeners.push(listener);
        self
    }
}

fn service_of(listener: &Listener) -> Way {
    match listener {
        Listener::Inbound { .. } | Listener::RedirectedInbound { .. } => Way::Inbound,
        Listener::Dependency { service, .. } => Way::Dependency(service.to_string()),
        Listener::HttpProxy { .. } | Listener::RedirectedOutbound { .. } => Way::HttpProxy,
        Listener::Gateway { .. } => Way::Gateway,
    }
}

/// What a listener is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Inbound,
    Dependency(String),
    HttpProxy,
    Gateway,
}

/// A proxy that runs: a sidecar, or a gateway.
#[derive(Debug)]
pub struct Sidecar {
    running: Arc<Running>,
    addresses: Addresses,
    services: Vec<Way>,
}

impl Sidecar {
    /// Where clients' proxies connect to.
    pub fn inbound(&self) -> SocketAddr {
        self.listener(&Way::Inbound)
    }

    /// Where the application calls a service.
    pub fn dependency(&self, service: &str) -> SocketAddr {
        self.listener(&Way::Dependency(service.to_owned()))
    }

    /// Where the application finds its HTTP proxy.
    pub fn http_proxy(&self) -> SocketAddr {
        self.listener(&Way::HttpProxy)
    }

    /// Where clients from outside come in.
    pub fn gateway(&self) -> SocketAddr {
        self.listener(&Way::Gateway)
    }

    /// Where it says how it is.
    pub fn admin(&self) -> SocketAddr {
        self.addresses.admin
    }

    /// Where its hops can be watched.
    pub fn tap(&self) -> SocketAddr {
        self.addresses.tap
    }

    /// Its numbers, now.
    pub async fn metrics(&self) -> Metrics {
        Metrics::scrape(self.addresses.admin).await
    }

    /// Its numbers, once they are as they should be. `what` says how. It is asked again and again: for what
    /// no hop tells.
    pub async fn metrics_when(
        &self,
        what: &str,
        as_they_should_be: impl Fn(&Metrics) -> bool,
    ) -> Metrics {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let metrics = self.metrics().await;
            if as_they_should_be(&metrics) {
                return metrics;
            }
            assert!(
                Instant::now() < deadline,
                "not within {DEADLINE:?}: {what}; the last numbers are {metrics:#?}"
            );
        }
    }

    /// Waits until these settings are in force, because control has sent them.
    pub async fn obeys(&self, settings: &TelemetrySettings) {
        let shown = format!("settings (by control): {settings:#?}");
        let mut client = Client::http1(self.addresses.admin).await;
        let uri = format!("http://{}/config", self.addresses.admin);
        let asking = async { while !client.ask(get(&uri)).await.text().contains(&shown) {} };
        within("a proxy to obey settings", asking).await;
    }

    /// Watches the hops that it closes, on both sides.
    pub async fn hops(&self) -> Hops {
        self.watch(TapRequest::default()).await
    }

    /// Watches the hops of one direction that it closes.
    pub async fn hops_of(&self, direction: &str) -> Hops {
        self.watch(TapRequest {
            direction: direction.to_owned(),
            ..TapRequest::default()
        })
        .await
    }

    /// Watches some of the hops that it closes. A rate that the request does not limit is not limited.
    pub async fn watch(&self, request: TapRequest) -> Hops {
        let max_per_second = match request.max_per_second {
            0 => u32::MAX,
            given => given,
        };
        let request = TapRequest {
            max_per_second,
            ..request
        };
        Hops::watch(self.addresses.tap, request).await
    }

    /// Begins to drain; see [`Sidecar::stop`].
    pub fn drain(&self) {
        self.running.drain.start();
    }

    /// Ends what is open.
    pub fn force(&self) {
        self.running.drain.force();
    }

    /// Drains, if it has not begun, and waits for the end.
    ///
    /// # Panics
    /// It did not end, or ended badly.
    pub async fn stop(&self) {
        self.running.drain.start();
        self.running.join().await;
    }

    /// As [`Sidecar::stop`], while somebody reads its numbers again and again, for which it waits.
    pub async fn stop_while_read(&self) {
        let reading = async {
            loop {
                // It fails when the proxy has ended, which the other branch is about to notice.
                let _ = Metrics::try_scrape(self.addresses.admin).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = self.stop() => {}
            () = reading => {}
        }
    }

    fn listener(&self, way: &Way) -> SocketAddr {
        let index = self.services.iter().position(|known| known == way);
        let index = index.unwrap_or_else(|| panic!("{} has no such listener", self.running.name));
        self.addresses.listeners[index]
    }
}

/// A proxy that runs, for those who end it.
#[derive(Debug)]
pub(super) struct Running {
    name: String,
    pub(super) drain: Drain,
    task: Mutex<Option<JoinHandle<Result<(), ProxyError>>>>,
}

impl Running {
    /// Waits for its end, if nobody has.
    pub(super) async fn join(&self) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(task) = task else { return };
        let ended = within(&format!("the proxy of {} to end", self.name), task).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("the proxy of {} ended badly: {error:?}", self.name),
            Err(panicked) => panic!("the proxy of {} panicked: {panicked}", self.name),
        }
    }
}
