//! What a test waits for: members that come and go, endpoints, hops that are closed.

use super::{NAMESPACE, named};
use crate::within;
use clew_api::client::{ControlClient, Instance, Port, Role, Updates};
use clew_api::wire::tap::tap_client::TapClient;
use clew_api::wire::tap::{TapEvent, TapRequest};
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::service::Protocol;
use futures_util::StreamExt;
use std::net::SocketAddr;
use std::time::SystemTime;
use tokio::task::AbortHandle;
use tonic::Streaming;
use tonic::transport::Endpoint;

/// The members of the mesh, as control tells everyone who asks.
pub struct Members {
    updates: Updates<Vec<Instance>>,
    now: Vec<Instance>,
}

impl Members {
    pub(super) fn follow(control: &ControlClient) -> Self {
        Self {
            updates: control.watch_instances(),
            now: Vec::new(),
        }
    }

    /// Waits until the members are as they should be. `what` says how.
    pub async fn until(
        &mut self,
        what: &str,
        mut as_it_should_be: impl FnMut(&[Instance]) -> bool,
    ) -> &[Instance] {
        while !as_it_should_be(&self.now) {
            let awaited = format!("{what}; the members are {:?}", named(&self.now));
            self.now = within(&awaited, self.updates.next())
                .await
                .expect("streams of control do not end");
        }
        &self.now
    }

    /// Waits until an instance is in, and not about to leave.
    pub async fn joined(&mut self, instance: &str) {
        let what = format!("{instance} to join");
        let is_in = |members: &[Instance]| {
            members
                .iter()
                .any(|member| member.id.as_str() == instance && !member.leaving)
        };
        self.until(&what, is_in).await;
    }

    /// Waits until an instance's endpoints are withdrawn: it leaves, or is gone.
    pub async fn withdrawn(&mut self, instance: &str) {
        let what = format!("{instance} to leave");
        let is_out = |members: &[Instance]| {
            members
                .iter()
                .all(|member| member.id.as_str() != instance || member.leaving)
        };
        self.until(&what, is_out).await;
    }

    /// Waits until an instance is no member any more.
    pub async fn gone(&mut self, instance: &str) {
        let what = format!("{instance} to be gone");
        let is_gone =
            |members: &[Instance]| members.iter().all(|member| member.id.as_str() != instance);
        self.until(&what, is_gone).await;
    }
}

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(named(&self.now)).finish()
    }
}

/// A member without a proxy: an endpoint that clients' proxies connect to directly. It dies when it is
/// dropped, as the member of a process that was killed.
#[derive(Debug)]
pub struct BareMember(AbortHandle);

impl BareMember {
    pub(super) async fn join(
        control: &ControlClient,
        service: &str,
        instance: &str,
        address: SocketAddr,
        identity: Option<Identity>,
    ) -> Self {
        let mut joined = control.join(Instance {
            id: InstanceId::from(instance),
            workload: Workload::new(service, NAMESPACE),
            role: Role::Proxy,
            ports: vec![Port {
                service: ServiceName::from(service),
                application_address: address,
                endpoint_address: address,
                protocol: Protocol::Detect,
                weight: 1,
            }],
            admin_address: None,
            tap_address: None,
            leaving: false,
            version: String::new(),
            pid: std::process::id(),
            started: SystemTime::now(),
            identity,
        });
        within("control to take a member", joined.next()).await;
        let staying = tokio::spawn(async move { while joined.next().await.is_some() {} });
        Self(staying.abort_handle())
    }
}

impl Drop for BareMember {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The hops that a proxy closes, each as it is closed. When one is told, it has been counted.
#[derive(Debug)]
pub struct Hops(Streaming<TapEvent>);

impl Hops {
    /// Watches what matches the request. Every hop that is closed from here on is told.
    pub(super) async fn watch(tap: SocketAddr, request: TapRequest) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{tap}")).unwrap();
        let channel = within("the tap server", endpoint.connect()).await.unwrap();
        let mut client = TapClient::new(channel);
        let watching = within("the tap server to answer", client.watch(request)).await;
        Self(watching.unwrap().into_inner())
    }

    /// The next closed hop.
    pub async fn next(&mut self) -> TapEvent {
        within("a hop to be closed", self.0.message())
            .await
            .unwrap()
            .expect("the tap goes on")
    }

    /// The next closed hops, in the order in which they are closed.
    pub async fn take(&mut self, count: usize) -> Vec<TapEvent> {
        let mut hops = Vec::with_capacity(count);
        while hops.len() < count {
            hops.push(self.next().await);
        }
        hops
    }
}
