//! Proxies in this process: the sidecar of an instance, and the gateway.

use super::keys::{Keys, KeysError};
use super::plan::GatewayPlan;
use super::record::{Record, own_state_dir};
use crate::address::uri;
use crate::cli::local::ProxyArgs;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::service::Protocol;
use clew_proxy::config::{Limits, Listener, LogStream, ProxyConfig};
use clew_proxy::proxy::{BoundProxy, Proxy, ProxyError};
use clew_runtime::drain::Drain;
use clew_runtime::logging::LogControl;
use http::Uri;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Any port of this machine.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The mesh that a proxy belongs to, and how much of the machine it gets.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Where control answers.
    control: Uri,
    /// Where spans go.
    otlp: Option<Uri>,
    /// Data-plane threads.
    workers: NonZeroUsize,
    /// At the end: how long open requests may go on.
    drain: Duration,
    /// Who is who; `None` in a mesh that has no identities.
    keys: Option<Keys>,
    /// Of this process.
    log: LogControl,
}

impl Surroundings {
    /// The mesh of these roles.
    pub(crate) fn new(
        roles: &Record,
        workers: NonZeroUsize,
        drain: Duration,
        keys: Option<Keys>,
        log: LogControl,
    ) -> Self {
        let otlp = roles.otlp_grpc.map(uri);
        Self {
            control: uri(roles.control),
            otlp,
            workers,
            drain,
            keys,
            log,
        }
    }

    /// What proxies that are bound from now on prove who they are with, and go by until control has spoken.
    pub(crate) fn set_keys(&mut self, keys: Keys) {
        self.keys = Some(keys);
    }

    /// The mesh of these roles, and a proxy as the flags say.
    pub(crate) fn of(roles: &Record, flags: ProxyArgs, log: LogControl) -> Result<Self, KeysError> {
        // An older Clew gives no identities, and keeps no keys.
        let keys = Keys::read(&own_state_dir(), roles.api)?;
        // The flag is 1 or more.
        let workers = NonZeroUsize::new(flags.workers.into()).unwrap_or(NonZeroUsize::MIN);
        let drain = flags.drain.duration();
        Ok(Self::new(roles, workers, drain, keys, log))
    }
}

/// What stands beside one instance.
#[derive(Clone, Debug)]
pub(crate) struct SidecarPlan {
    /// The workload.
    pub(crate) workload: Workload,
    /// Where the application listens, for which service, and what it speaks there.
    pub(crate) ports: Vec<(SocketAddr, ServiceName, Protocol)>,
    /// The services that it calls.
    pub(crate) to: Vec<ServiceName>,
}

/// A bound sidecar and its addresses.
#[derive(Debug)]
pub(crate) struct Sidecar {
    /// The instance.
    pub(crate) instance: InstanceId,
    /// The way out for requests by `HTTP_PROXY`.
    pub(crate) http_proxy: SocketAddr,
    /// The way out to each dependency.
    pub(crate) dependencies: Vec<(ServiceName, SocketAddr)>,
    /// The way in, by port of the application.
    pub(crate) inbound: Vec<SocketAddr>,
    proxy: BoundProxy,
    drain: Duration,
}

impl Sidecar {
    /// Binds a sidecar; the system chooses its ports.
    pub(crate) fn bind(plan: SidecarPlan, mesh: &Surroundings) -> Result<Self, ProxyError> {
        let mut listeners = vec![Listener::HttpProxy { listen: LOOPBACK }];
        let dependencies = plan.to.iter().map(|service| Listener::Dependency {
            listen: LOOPBACK,
            service: service.clone(),
        });
        listeners.extend(dependencies);
        let inbound = plan
            .ports
            .into_iter()
            .map(|(application, service, protocol)| Listener::Inbound {
                listen: LOOPBACK,
                application,
                service,
                protocol,
            });
        listeners.extend(inbound);
        let config = config(plan.workload, listeners, mesh);
        let instance = config.instance.clone();
        let proxy = Proxy::bind(config)?;
        let mut addresses = proxy.addresses().listeners.iter().copied();
        // In the order of the listeners above; the proxy has bound as many.
        let http_proxy = addresses.next().unwrap_or(LOOPBACK);
        let dependencies = plan.to.into_iter().zip(addresses.by_ref()).collect();
        let inbound = addresses.collect();
        Ok(Self {
            instance,
            http_proxy,
            dependencies,
            inbound,
            proxy,
            drain: mesh.drain,
        })
    }

    /// Joins the mesh and begins to serve, as a task of this runtime.
    pub(crate) fn start(self) -> RunningProxy {
        RunningProxy::start(self.proxy, self.drain)
    }
}

/// A bound gateway and its address.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// The instance.
    pub(crate) instance: InstanceId,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    proxy: BoundProxy,
    drain: Duration,
}

impl Gateway {
    /// Binds a gateway.
    pub(crate) fn bind(
        workload: Workload,
        plan: GatewayPlan,
        mesh: &Surroundings,
    ) -> Result<Self, ProxyError> {
        let GatewayPlan {
            listen,
            routes,
            trusted,
        } = plan;
        let listener = Listener::Gateway {
            listen,
            routes: routes.into(),
            trusted: trusted.into(),
        };
        let config = config(workload, vec![listener], mesh);
        let instance = config.instance.clone();
        let proxy = Proxy::bind(config)?;
        let address = proxy
            .addresses()
            .listeners
            .first()
            .copied()
            .unwrap_or(listen);
        Ok(Self {
            instance,
            address,
            proxy,
            drain: mesh.drain,
        })
    }

    /// Joins the mesh and begins to serve, as a task of this runtime.
    pub(crate) fn start(self) -> RunningProxy {
        RunningProxy::start(self.proxy, self.drain)
    }
}

fn config(workload: Workload, listeners: Vec<Listener>, mesh: &Surroundings) -> ProxyConfig {
    ProxyConfig {
        instance: new_instance(&workload),
        workers: mesh.workers,
        control: mesh.control.clone(),
        otlp: mesh.otlp.clone(),
        listeners,
        admin: LOOPBACK,
        tap: LOOPBACK,
        // Standard output is the application's.
        access_log: LogStream::Stderr,
        log: Some(mesh.log.clone()),
        limits: Limits {
            drain_timeout: mesh.drain,
            ..Limits::default()
        },
        audit: true,
        // Names of workloads are labels, which identities take.
        identity: mesh
            .keys
            .as_ref()
            .and_then(|keys| keys.identity(&workload).ok()),
        workload,
        join: true,
    }
}

/// A name that no other instance of the mesh has: one in four thousand million, per workload.
fn new_instance(workload: &Workload) -> InstanceId {
    InstanceId::new(format!("{}-{:08x}", workload.name, fastrand::u32(..)))
}

/// A proxy that serves.
#[derive(Debug)]
pub(crate) struct RunningProxy {
    drain: Drain,
    /// `None` once its end was told.
    task: Option<JoinHandle<Result<(), ProxyError>>>,
}

impl RunningProxy {
    fn start(proxy: BoundProxy, grace: Duration) -> Self {
        let (drain, watch) = Drain::new(grace);
        Self {
            drain,
            task: Some(tokio::spawn(proxy.run(watch))),
        }
    }

    /// Leaves the mesh and lets open requests finish; does not wait for it.
    pub(crate) fn leave(&self) {
        self.drain.start();
    }

    /// Ends open requests.
    pub(crate) fn force(&self) {
        self.drain.force();
    }

    /// Nothing of it is left to wait for.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for its end, which is told once; a failure goes to the log. Safe to cancel.
    pub(crate) async fn ended(&mut self) {
        let Some(task) = &mut self.task else { return };
        let ended = task.await;
        self.task = None;
        let failure = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => anyhow::Error::new(error),
            Err(error) => anyhow::Error::new(error),
        };
        tracing::error!("a proxy has ended: {failure:#}");
    }

    /// Resolves when it ends although it was not told to. Safe to cancel.
    pub(crate) async fn failed(&mut self) {
        if self.task.is_none() {
            std::future::pending::<()>().await;
        }
        self.ended().await;
    }
}
