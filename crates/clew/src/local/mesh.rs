//! A whole application and its mesh, running: roles, gateway, and every instance with its sidecar.

use super::instance::{Addresses, Ended, Instance, InstanceError, PreparedInstance};
use super::plan::{MeshPlan, ServicePlan};
use super::prefix::Lines;
use super::record::Record;
use super::roles::{Roles, RolesError, RolesPlan};
use super::sidecar::{Gateway, RunningProxy, Surroundings, uri};
use clew_api::client::ControlClient;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_proxy::proxy::ProxyError;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use serde::Serialize;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Open requests may go on for this long at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two attempts to reach an application that does not listen yet.
const READY_INTERVAL: Duration = Duration::from_millis(20);

/// An application could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeshError {
    /// The roles could not.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// The gateway could not.
    #[error(transparent)]
    Gateway(#[from] ProxyError),
    /// An instance could not.
    #[error(transparent)]
    Instance(#[from] InstanceError),
}

/// Where everything is, as a file that programs read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Whereabouts {
    /// The roles.
    #[serde(flatten)]
    pub(crate) roles: Record,
    /// The gateway.
    pub(crate) gateway: Option<SocketAddr>,
    /// The instances.
    pub(crate) instances: Vec<Addresses>,
}

/// A running application.
#[derive(Debug)]
pub(crate) struct Mesh {
    roles: Roles,
    gateway: Option<(SocketAddr, InstanceId, RunningProxy)>,
    instances: Vec<Instance>,
    /// Instances by their indices, those that are called by nobody first.
    waves: Vec<Vec<usize>>,
    ends: mpsc::Receiver<Ended>,
}

impl Mesh {
    /// Starts everything. On an error everything that was started is ended.
    pub(crate) async fn start(
        plan: MeshPlan,
        roles: RolesPlan,
        lines: &Lines,
    ) -> Result<Self, MeshError> {
        let roles = Roles::start(roles).await?;
        let mesh = Surroundings::new(&roles.record, NonZeroUsize::MIN, DRAIN_TIMEOUT);
        let mut prepared = Vec::new();
        for (index, service, number) in each_instance(&plan.services) {
            let instance =
                PreparedInstance::prepare(service, number, &plan.namespace, &roles.record, &mesh)?;
            prepared.push((index, instance));
        }
        let workload = Workload::new(super::mesh_file::GATEWAY, plan.namespace.as_str());
        let gateway = plan
            .gateway
            .map(|gateway| Gateway::bind(workload, gateway, &mesh));
        let gateway = gateway
            .transpose()?
            .map(|gateway| (gateway.address, gateway.instance.clone(), gateway.start()));
        // Each of them ends once.
        let (sender, ends) = mpsc::channel(prepared.len().max(1));
        let mut instances = Vec::new();
        let mut owners = Vec::new();
        for (index, instance) in prepared {
            let voice = lines.voice(instance.name(), index);
            instances.push(instance.start(voice, sender.clone())?);
            owners.push(index);
        }
        let waves = waves(&plan.services)
            .into_iter()
            .map(|wave| {
                (0..owners.len())
                    .filter(|i| wave.contains(&owners[*i]))
                    .collect()
            })
            .collect();
        Ok(Self {
            roles,
            gateway,
            instances,
            waves,
            ends,
        })
    }

    /// Where everything is.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            roles: self.roles.record.clone(),
            gateway: self.gateway.as_ref().map(|(address, ..)| *address),
            instances: self
                .instances
                .iter()
                .map(|instance| instance.addresses.clone())
                .collect(),
        }
    }

    /// Instances whose program is for someone else to start.
    pub(crate) fn not_ours(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().filter(|instance| !instance.is_ours())
    }

    /// Number of programs that we started.
    pub(crate) fn programs(&self) -> usize {
        self.instances
            .iter()
            .filter(|instance| instance.is_ours())
            .count()
    }

    /// Waits until all are in the mesh, and every application that we started listens.
    pub(crate) fn ready(&self) -> impl Future<Output = ()> + use<> {
        let ours = self.instances.iter().filter(|instance| instance.is_ours());
        let applications = ours.filter_map(|instance| instance.addresses.application);
        let listen = join_all(applications.map(listens));
        let gateway = self.gateway.iter().map(|(_, id, _)| id.clone());
        let missing = self
            .instances
            .iter()
            .map(Instance::id)
            .chain(gateway)
            .collect();
        let joined = joined(self.roles.record.control, missing);
        async {
            tokio::join!(joined, listen);
        }
    }

    /// The next end of a program that nobody asked for. Its instance has left the mesh by then. When a
    /// role or the gateway fails, nothing is left to wait for: `None`. Safe to cancel.
    pub(crate) async fn next_end(&mut self) -> Option<Ended> {
        let gateway = async {
            match &mut self.gateway {
                Some((_, _, gateway)) => gateway.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = self.ends.recv() => {
                let ended = ended?;
                let instance = self.instances.iter().find(|i| i.addresses.name == ended.name);
                instance.into_iter().for_each(Instance::leave);
                Some(ended)
            }
            () = self.roles.failed() => None,
            ended = gateway => {
                if let Err(error) = ended {
                    tracing::error!("{:#}", anyhow::Error::new(error));
                }
                None
            }
        }
    }

    /// Ends everything in order: no request from outside is taken any more; programs end, callers before
    /// those they call; then the sidecars, whose last numbers are read; then the roles.
    pub(crate) async fn stop(&mut self) {
        if let Some((_, _, gateway)) = &self.gateway {
            gateway.leave();
        }
        for wave in &self.waves {
            let instances = self.instances.iter_mut().enumerate();
            let members = instances.filter(|(index, _)| wave.contains(index));
            join_all(members.map(|(_, instance)| instance.end_program())).await;
        }
        let gateway = async {
            if let Some((_, _, gateway)) = &mut self.gateway {
                // Its failure was told when it happened.
                let _ = gateway.ended().await;
            }
        };
        let sidecars = join_all(self.instances.iter_mut().map(Instance::end_sidecar));
        tokio::join!(gateway, sidecars);
        self.roles.stop().await;
    }
}

/// Waits until an application listens.
async fn listens(application: SocketAddr) {
    while TcpStream::connect(application).await.is_err() {
        tokio::time::sleep(READY_INTERVAL).await;
    }
}

/// Waits until every one of them was a member.
async fn joined(control: SocketAddr, mut missing: HashSet<InstanceId>) {
    let control = ControlClient::new(uri(control), Workload::new("roles", "clew"));
    let mut members = control.watch_instances();
    while !missing.is_empty()
        && let Some(members) = members.next().await
    {
        for member in &members {
            missing.remove(&member.id);
        }
    }
}

/// Every instance of every service: the service's index, the service, and the instance's number where
/// there are several.
fn each_instance(
    services: &[ServicePlan],
) -> impl Iterator<Item = (usize, &ServicePlan, Option<u16>)> {
    services.iter().enumerate().flat_map(|(index, service)| {
        let number = move |number| (service.replicas > 1).then_some(number);
        (1..=service.replicas).map(move |n| (index, service, number(n)))
    })
}

/// The names that output can have.
pub(crate) fn names(services: &[ServicePlan]) -> Vec<String> {
    let name = |(_, service, number): (usize, &ServicePlan, Option<u16>)| match number {
        Some(number) => format!("{}-{number}", service.name),
        None => service.name.to_string(),
    };
    each_instance(services).map(name).collect()
}

/// The order in which services end: who is called by nobody that still runs, first. Of those that call
/// each other in a circle, the first in the file begins.
fn waves(services: &[ServicePlan]) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..services.len()).collect();
    let mut waves = Vec::new();
    while let Some(first) = left.first().copied() {
        let callees: HashSet<&ServiceName> = left
            .iter()
            .filter_map(|index| services.get(*index))
            .flat_map(|service| service.to.iter().filter(|to| **to != service.name))
            .collect();
        let is_called = |index: usize| {
            services
                .get(index)
                .is_some_and(|s| callees.contains(&s.name))
        };
        let mut wave: Vec<usize> = left
            .iter()
            .copied()
            .filter(|index| !is_called(*index))
            .collect();
        if wave.is_empty() {
            wave.push(first);
        }
        left.retain(|index| !wave.contains(index));
        waves.push(wave);
    }
    waves
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{names, waves};
    use crate::local::mesh_file::parse;

    fn order(services: &str) -> Vec<Vec<usize>> {
        waves(
            &parse("mesh.yaml", &format!("mesh: a\nservices:\n{services}"))
                .unwrap()
                .services,
        )
    }

    #[test]
    fn callers_end_before_those_they_call() {
        let text =
            "  authors: {}\n  webapp: { to: [books, authors] }\n  books: { to: [authors] }\n";
        assert_eq!(order(text), [vec![1], vec![2], vec![0]]);
    }

    #[test]
    fn a_circle_of_calls_ends_too() {
        let text = "  a: { to: [b] }\n  b: { to: [a] }\n  c: { to: [c, a] }\n";
        assert_eq!(order(text), [vec![2], vec![0], vec![1]]);
    }

    #[test]
    fn several_instances_are_told_apart() {
        let text = "mesh: a\nservices: { b: { port: auto, replicas: 2 }, c: {} }";
        assert_eq!(
            names(&parse("mesh.yaml", text).unwrap().services),
            ["b-1", "b-2", "c"]
        );
    }
}
