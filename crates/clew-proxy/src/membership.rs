//! Being a member of the mesh, for as long as the proxy serves.

use crate::config::{Addresses, Listener, ProxyConfig};
use crate::identity::CredentialNews;
use clew_api::client::{ControlClient, Instance, Port, Role};
use clew_runtime::buildinfo;
use futures_util::StreamExt;
use std::future::Future;
use std::time::{Duration, SystemTime};

/// How long control may take to take note that this instance leaves, before it drains all the same.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// The membership of one proxy.
pub(crate) struct Membership {
    control: ControlClient,
    instance: Option<Instance>,
    /// What it needs before others may come, where they ask who it is.
    credentials: Option<CredentialNews>,
}

impl Membership {
    /// The membership that the configuration asks for, if it does.
    pub(crate) fn new(
        control: ControlClient,
        config: &ProxyConfig,
        addresses: &Addresses,
        credentials: Option<CredentialNews>,
    ) -> Self {
        Self {
            control,
            credentials,
            instance: config.join.then(|| describe(config, addresses)),
        }
    }

    /// Stays a member until `leaving` resolves; then the endpoints are withdrawn, so that nobody new comes,
    /// and the work of ending begins. The membership ends with that work, so that the last numbers are read.
    pub(crate) async fn hold<T>(
        self,
        leaving: impl Future<Output = ()>,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(instance) = self.instance else {
            leaving.await;
            return work.await;
        };
        let id = instance.id.clone();
        let mut joined = self.control.join(instance);
        let mut credentials = self.credentials;
        let staying = async {
            if let Some(credentials) = &mut credentials {
                // Who keeps them ends with the proxy: there is no other end to wait for.
                drop(credentials.wait_for(Option::is_some).await);
            }
            while let Some(()) = joined.next().await {
                tracing::debug!(instance = %id, "joined the mesh");
            }
            std::future::pending().await
        };
        let departing = async {
            leaving.await;
            // Control may be gone itself; then nobody routes to this instance either.
            drop(tokio::time::timeout(LEAVE_TIMEOUT, self.control.leave(id.clone())).await);
            work.await
        };
        tokio::select! {
            never = staying => never,
            worked = departing => worked,
        }
    }
}

fn describe(config: &ProxyConfig, addresses: &Addresses) -> Instance {
    let listeners = config.listeners.iter().zip(&addresses.listeners);
    let is_gateway = config
        .listeners
        .iter()
        .any(|listener| matches!(listener, Listener::Gateway { .. }));
    Instance {
        id: config.instance.clone(),
        workload: config.workload.clone(),
        role: if is_gateway {
            Role::Gateway
        } else {
            Role::Proxy
        },
        ports: listeners
            .flat_map(|(listener, address)| ports(listener, *address))
            .collect(),
        admin_address: Some(addresses.admin),
        tap_address: Some(addresses.tap),
        leaving: false,
        version: buildinfo::VERSION.to_owned(),
        pid: std::process::id(),
        started: SystemTime::now(),
        identity: config
            .identity
            .as_ref()
            .map(|config| config.identity.clone()),
    }
}

fn ports(listener: &Listener, bound: std::net::SocketAddr) -> Vec<Port> {
    match listener {
        Listener::Inbound {
            application,
            service,
            protocol,
            ..
        } => vec![Port {
            service: service.clone(),
            application_address: *application,
            endpoint_address: bound,
            protocol: *protocol,
            weight: 1,
        }],
        Listener::RedirectedInbound { ports, .. } => ports
            .iter()
            .map(|port| Port {
                service: port.service.clone(),
                application_address: port.address,
                endpoint_address: port.address,
                protocol: port.protocol,
                weight: 1,
            })
            .collect(),
        Listener::HttpProxy { .. }
        | Listener::Dependency { .. }
        | Listener::RedirectedOutbound { .. }
        | Listener::Gateway { .. } => Vec::new(),
    }
}
