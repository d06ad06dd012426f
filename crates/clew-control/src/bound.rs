//! Bind, then run.

use crate::access::AccessTable;
use crate::authority::Authority;
use crate::config::{ControlConfig, Limits};
use crate::mesh::Mesh;
use crate::services::{
    AccessService, Destinations, Identities, InboundPolicies, Members, OutboundPolicies,
    RouteExchange, Shared, TelemetrySettingsService,
};
use crate::stream::Streams;
use clew_api::wire::access::access_server::AccessServer;
use clew_api::wire::identity::trust_server::TrustServer;
use clew_api::wire::linkerd::destination::destination_server::DestinationServer;
use clew_api::wire::linkerd::identity::identity_server::IdentityServer;
use clew_api::wire::linkerd::inbound::inbound_server_policies_server::InboundServerPoliciesServer;
use clew_api::wire::linkerd::outbound::outbound_policies_server::OutboundPoliciesServer;
use clew_api::wire::registry::registry_server::RegistryServer;
use clew_api::wire::telemetry::routes_server::RoutesServer;
use clew_api::wire::telemetry::telemetry_server::TelemetryServer;
use clew_model::name::ServiceName;
use clew_runtime::drain::DrainWatch;
use clew_runtime::listen::{Acceptor, ListenError, bind_tcp};
use futures_util::stream::{self, Stream, StreamExt as _};
use std::collections::HashSet;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tonic::transport::Server;
use tonic::transport::server::Router;

/// What the ports are for, in errors.
const PURPOSE: &str = "control";
/// Time between pings; a member whose machine vanished is out after this and [`PING_TIMEOUT`].
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Time in which a ping must be answered.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Streams of one connection: two for each service that a proxy knows, and it may know a thousand per
/// worker.
const STREAMS_PER_CONNECTION: u32 = 32 * 1024;

/// Why control did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The configuration names nowhere to listen.
    #[error("control is given no address to listen on")]
    NoAddress,
    /// One service, declared twice.
    #[error("service {name} is declared twice")]
    DeclaredTwice {
        /// Its name.
        name: ServiceName,
    },
    /// A port that cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The server ended before it was told to.
    #[error("control stopped serving")]
    Serve(#[source] tonic::transport::Error),
}

/// The control role.
#[derive(Debug)]
pub struct Control;

/// Control with its ports, before it answers.
#[derive(Debug)]
pub struct BoundControl {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    mesh: Arc<Mesh>,
    authority: Option<Arc<Authority>>,
    limits: Limits,
    settle: Duration,
}

impl Control {
    /// Takes the ports. Clients may connect from here on; they are answered when control runs.
    pub fn bind(config: ControlConfig) -> Result<BoundControl, ControlError> {
        let mut names = HashSet::new();
        if let Some(twice) = config
            .services
            .iter()
            .find(|service| !names.insert(&service.name))
        {
            return Err(ControlError::DeclaredTwice {
                name: twice.name.clone(),
            });
        }
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for wanted in &config.listen {
            let listener = bind_tcp(PURPOSE, *wanted)?;
            addresses.push(listener.local_addr().unwrap_or(*wanted));
            listeners.push(listener);
        }
        if listeners.is_empty() {
            return Err(ControlError::NoAddress);
        }
        Ok(BoundControl {
            listeners,
            addresses,
            mesh: Arc::new(Mesh::new(&config)),
            authority: config
                .authority
                .map(|config| Arc::new(Authority::new(config))),
            limits: config.limits,
            settle: config.settle,
        })
    }
}

/// Changes who may call what, while control runs. It does nothing any more once control has ended.
#[derive(Clone, Debug)]
pub struct AccessHandle(Arc<Mesh>);

impl AccessHandle {
    /// From now on these may call. Proxies hear of it at once.
    pub fn set(&self, access: AccessTable) {
        self.0.set_access(access);
    }
}

impl BoundControl {
    /// What changes who may call what.
    pub fn access(&self) -> AccessHandle {
        AccessHandle(Arc::clone(&self.mesh))
    }

    /// The first address, with the port that the system gave.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers until the drain. Then every stream ends, and clients go on with what they know.
    pub async fn run(self, drain: DrainWatch) -> Result<(), ControlError> {
        let _open = drain.guard();
        let mut acceptors = Vec::with_capacity(self.listeners.len());
        for listener in self.listeners {
            acceptors.push(Acceptor::new(PURPOSE, listener)?);
        }
        tracing::info!(addresses = ?self.addresses, "control answers");
        let shared = Shared {
            mesh: Arc::clone(&self.mesh),
            streams: Streams::new(
                self.limits.max_streams,
                self.limits.max_members,
                drain.clone(),
            ),
            authority: self.authority,
        };
        let started = drain.clone();
        let serving = router(shared)
            .serve_with_incoming_shutdown(connections(acceptors), async move {
                started.started().await
            });
        let mesh = self.mesh;
        let settling = async {
            tokio::time::sleep(self.settle).await;
            mesh.settle();
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            served = serving => served.map_err(ControlError::Serve),
            never = settling => match never {},
            () = drain.forced() => Ok(()),
        }
    }
}

fn router(shared: Shared) -> Router {
    Server::builder()
        .http2_keepalive_interval(Some(PING_INTERVAL))
        .http2_keepalive_timeout(Some(PING_TIMEOUT))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .add_service(DestinationServer::new(Destinations(shared.clone())))
        .add_service(OutboundPoliciesServer::new(OutboundPolicies(
            shared.clone(),
        )))
        .add_service(InboundServerPoliciesServer::new(InboundPolicies(
            shared.clone(),
        )))
        .add_service(IdentityServer::new(Identities(shared.clone())))
        .add_service(TrustServer::new(Identities(shared.clone())))
        .add_service(RegistryServer::new(Members(shared.clone())))
        .add_service(TelemetryServer::new(TelemetrySettingsService(
            shared.clone(),
        )))
        .add_service(AccessServer::new(AccessService(shared.clone())))
        .add_service(RoutesServer::new(RouteExchange(shared)))
}

/// Connections of all listeners.
fn connections(acceptors: Vec<Acceptor>) -> impl Stream<Item = Result<TcpStream, Infallible>> {
    let accepted = acceptors.into_iter().map(|acceptor| {
        stream::unfold(acceptor, |mut acceptor| async move {
            let (connection, _) = acceptor.accept().await;
            Some((Ok(connection), acceptor))
        })
        .boxed()
    });
    stream::select_all(accepted)
}

#[cfg(test)]
mod tests;
