//! A whole application and its mesh, running: roles, gateway, and every instance with its sidecar.

use super::instance::{Addresses, Ended, Instance, InstanceError, PreparedInstance};
use super::journal::folder_of;
use super::keys::KeysError;
use super::mesh_file::GATEWAY;
use super::plan::{MeshPlan, ServicePlan};
use super::prefix::Lines;
use super::record::{Record, own_state_dir};
use super::roles::{Roles, RolesError, RolesPlan};
use super::sidecar::{Gateway, RunningProxy, Surroundings};
use crate::address::uri;
use clew_api::client::ControlClient;
use clew_control::AccessTable;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_proxy::proxy::ProxyError;
use futures_util::future::{join_all, pending, select_all};
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Serialize;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Open requests may go on for this long at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Ends that can be told at once of instances that a reload has added.
const ROOM_FOR_NEW: usize = 1_024;
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

/// An application whose programs are not started: its roles answer, and every port is taken.
#[derive(Debug)]
pub(crate) struct BoundMesh {
    roles: Roles,
    gateway: Option<Gateway>,
    /// The instances in the order in which they end.
    waves: Vec<Vec<PreparedInstance>>,
    namespace: String,
    surroundings: Surroundings,
}

impl BoundMesh {
    /// Takes every port, of the API first.
    pub(crate) async fn bind(plan: MeshPlan, roles: RolesPlan) -> Result<Self, MeshError> {
        let log = roles.log.clone();
        let roles = Roles::start(roles).await?;
        let mesh = Surroundings::new(
            &roles.record,
            NonZeroUsize::MIN,
            DRAIN_TIMEOUT,
            Some(roles.keys.clone()),
            log,
        );
        let namespace = plan.namespace.clone();
        let mut waves_of_instances = Vec::new();
        for wave in waves(&plan.services) {
            let mut instances = Vec::new();
            for (service, number) in wave.into_iter().flat_map(each_instance) {
                let roles = &roles.record;
                instances.push(PreparedInstance::prepare(
                    service, number, &namespace, roles, &mesh,
                )?);
            }
            waves_of_instances.push(instances);
        }
        let workload = Workload::new(GATEWAY, namespace.as_str());
        let gateway = plan
            .gateway
            .map(|gateway| Gateway::bind(workload, gateway, &mesh));
        Ok(Self {
            roles,
            gateway: gateway.transpose()?,
            waves: waves_of_instances,
            namespace: plan.namespace,
            surroundings: mesh,
        })
    }

    /// Where what the programs write is kept.
    pub(crate) fn log_folder(&self) -> PathBuf {
        folder_of(&own_state_dir(), self.roles.record.api)
    }

    /// Starts the programs, and joins everything to the mesh. When a program cannot be started the rest
    /// is not tried: what runs by then is in the mesh that comes back, to be ended.
    pub(crate) fn start(self, lines: &Lines) -> (Mesh, Result<(), InstanceError>) {
        // Each of them ends once before it is started again, which is after its end was read.
        let count = self.waves.iter().flatten().count();
        let (sender, ends) = mpsc::channel(count + ROOM_FOR_NEW);
        let gateway = self
            .gateway
            .map(|gateway| (gateway.address, gateway.instance.clone(), gateway.start()));
        let mut mesh = Mesh {
            roles: self.roles,
            gateway,
            waves: Vec::new(),
            ends,
            sender: sender.clone(),
            namespace: self.namespace,
            surroundings: self.surroundings,
        };
        for wave in self.waves {
            let mut started = Vec::new();
            for instance in wave {
                let voice = lines.voice(instance.service(), instance.name());
                match instance.start(voice, sender.clone()) {
                    Ok(instance) => started.push(instance),
                    Err(error) => {
                        mesh.waves.push(started);
                        return (mesh, Err(error));
                    }
                }
            }
            mesh.waves.push(started);
        }
        (mesh, Ok(()))
    }
}

/// A running application.
#[derive(Debug)]
pub(crate) struct Mesh {
    roles: Roles,
    gateway: Option<(SocketAddr, InstanceId, RunningProxy)>,
    /// The instances in the order in which they end.
    waves: Vec<Vec<Instance>>,
    ends: mpsc::Receiver<Ended>,
    sender: mpsc::Sender<Ended>,
    namespace: String,
    surroundings: Surroundings,
}

impl Mesh {
    fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.waves.iter().flatten()
    }

    /// Where everything is.
    pub(crate) fn whereabouts(&self) -> Whereabouts {
        Whereabouts {
            roles: self.roles.record.clone(),
            gateway: self.gateway.as_ref().map(|(address, ..)| *address),
            instances: self
                .instances()
                .map(|instance| instance.addresses.clone())
                .collect(),
        }
    }

    /// Instances whose program is for someone else to start.
    pub(crate) fn not_ours(&self) -> impl Iterator<Item = &Instance> {
        self.instances().filter(|instance| !instance.is_ours())
    }

    /// A program of ours runs, or will again.
    pub(crate) fn goes_on(&self) -> bool {
        self.instances().any(Instance::goes_on)
    }

    /// These may call what, from now on.
    pub(crate) fn set_access(&mut self, access: AccessTable) -> Result<(), KeysError> {
        let is_kept = self.roles.set_access(access);
        self.surroundings.set_keys(self.roles.keys.clone());
        is_kept
    }

    /// Ends the instances of these services: their programs, and then their sidecars. Safe to cancel: they
    /// stay until all have ended.
    pub(crate) async fn remove(&mut self, services: &[ServiceName]) {
        let is_one = |instance: &Instance| services.iter().any(|service| instance.is_of(service));
        for wave in &mut self.waves {
            let ending = wave.iter_mut().filter(|instance| is_one(instance));
            join_all(ending.map(Instance::end_program)).await;
        }
        let ending = self.waves.iter_mut().flatten();
        let ending = ending.filter(|instance| is_one(instance));
        join_all(ending.map(Instance::end_sidecar)).await;
        for wave in &mut self.waves {
            wave.retain(|instance| !is_one(instance));
        }
    }

    /// Starts every instance of a service; those that could be started run, also when one could not.
    pub(crate) fn add(
        &mut self,
        service: &ServicePlan,
        lines: &Lines,
    ) -> Result<(), InstanceError> {
        let mut started = Vec::new();
        let mut start = || {
            for (service, number) in each_instance(service) {
                let (roles, mesh) = (&self.roles.record, &self.surroundings);
                let instance =
                    PreparedInstance::prepare(service, number, &self.namespace, roles, mesh)?;
                let voice = lines.voice(&service.name, instance.name());
                started.push(instance.start(voice, self.sender.clone())?);
            }
            Ok(())
        };
        let result = start();
        self.waves.push(started);
        result
    }

    /// Puts all into the order in which they are to end.
    pub(crate) fn put_in_order(&mut self, services: &[ServicePlan]) {
        let mut left: Vec<Instance> = std::mem::take(&mut self.waves)
            .into_iter()
            .flatten()
            .collect();
        for wave in waves(services) {
            let is_of_it = |instance: &Instance| wave.iter().any(|of| instance.is_of(&of.name));
            let (these, others) = left.into_iter().partition(is_of_it);
            self.waves.push(these);
            left = others;
        }
        self.waves.push(left);
    }

    /// Waits until all are in the mesh that have not ended meanwhile, and every application of those
    /// that we started listens; never, while a program waits to be started again. Ask again after a change.
    pub(crate) fn ready(&self) -> impl Future<Output = ()> + use<> {
        let is_waiting = self.instances().any(|instance| instance.due().is_some());
        let instances = || self.instances().filter(|instance| !instance.is_leaving());
        let ours = instances().filter(|instance| instance.is_ours());
        let applications = ours.filter_map(|instance| instance.addresses.application);
        let listen = join_all(applications.map(listens));
        let gateway = self.gateway.iter().map(|(_, id, _)| id.clone());
        let missing = instances().map(Instance::id).chain(gateway).collect();
        let joined = joined(self.roles.record.control, missing);
        async move {
            if is_waiting {
                pending::<()>().await;
            }
            tokio::join!(joined, listen);
        }
    }

    /// The next end of a program that nobody asked for, or the next start of one that had ended. When a
    /// role or a proxy has failed, there is nothing to wait for: `None`. Safe to cancel.
    pub(crate) async fn next_change(&mut self) -> Option<Change> {
        let due = self.instances().filter_map(Instance::due).min();
        let Self {
            roles,
            gateway,
            waves,
            ends,
            ..
        } = self;
        let gateway = gateway
            .iter_mut()
            .map(|(_, _, gateway)| gateway.failed().boxed());
        let sidecars = waves
            .iter_mut()
            .flatten()
            .filter(|instance| !instance.is_leaving());
        let sidecars = sidecars.map(|instance| instance.sidecar_failed().boxed());
        let proxies = gateway.chain(sidecars).chain([pending().boxed()]);
        let ended = tokio::select! {
            Some(ended) = ends.recv() => Some(ended),
            () = until(due) => None,
            () = roles.failed() => return None,
            _ = select_all(proxies) => return None,
        };
        let mut instances = self.waves.iter_mut().flatten();
        match ended {
            Some(ended) => {
                let instance =
                    instances.find(|instance| instance.addresses.instance == ended.instance);
                if let Some(instance) = instance {
                    instance.rest(ended.again);
                }
                Some(Change::Ended(ended))
            }
            None => {
                let instance = instances.find(|instance| instance.due() == due);
                if let Some(instance) = instance {
                    instance.start_again().await;
                }
                Some(Change::StartedAgain)
            }
        }
    }

    /// Ends everything in order: no request from outside is taken any more; programs end, callers before
    /// those they call; then the sidecars, whose last numbers are read; then the roles. Safe to cancel.
    pub(crate) async fn stop(&mut self) {
        let Self {
            roles,
            gateway,
            waves,
            ..
        } = self;
        if let Some((_, _, gateway)) = gateway {
            gateway.leave();
        }
        for wave in waves.iter_mut() {
            join_all(wave.iter_mut().map(Instance::end_program)).await;
        }
        let gateway = join_all(gateway.iter_mut().map(|(_, _, gateway)| gateway.ended()));
        let sidecars = join_all(waves.iter_mut().flatten().map(Instance::end_sidecar));
        tokio::join!(gateway, sidecars);
        roles.stop().await;
    }

    /// Kills every program, and waits for nothing else: what is in this process ends with it.
    pub(crate) async fn kill(&mut self) {
        if let Some((_, _, gateway)) = &self.gateway {
            gateway.force();
        }
        join_all(self.waves.iter_mut().flatten().map(Instance::kill)).await;
    }
}

/// What happened to a program by itself.
#[derive(Debug)]
pub(crate) enum Change {
    /// It has ended, and its instance is leaving the mesh.
    Ended(Ended),
    /// It had ended, and was started again, or could not be and waits for longer.
    StartedAgain,
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
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

/// Every instance of a service, with its number where there are several.
fn each_instance(service: &ServicePlan) -> impl Iterator<Item = (&ServicePlan, Option<u16>)> {
    let number = |number| (service.replicas > 1).then_some(number);
    (1..=service.replicas).map(move |n| (service, number(n)))
}

/// The names that output can have, in the order of the services.
pub(crate) fn names(services: &[ServicePlan]) -> Vec<String> {
    services
        .iter()
        .flat_map(each_instance)
        .map(|(service, number)| service.instance_name(number))
        .collect()
}

/// The order in which services end: who is called by nobody that still runs, first. Of those that call
/// each other in a circle, the first in the file begins.
fn waves(services: &[ServicePlan]) -> Vec<Vec<&ServicePlan>> {
    let mut left: Vec<&ServicePlan> = services.iter().collect();
    let mut waves = Vec::new();
    while let Some(first) = left.first().copied() {
        let callees: HashSet<&ServiceName> = left
            .iter()
            .flat_map(|service| service.to.iter().filter(|to| **to != service.name))
            .collect();
        let (called, mut wave): (Vec<_>, Vec<_>) = left
            .iter()
            .copied()
            .partition(|service| callees.contains(&service.name));
        left = called;
        if wave.is_empty() {
            wave.push(first);
            left.retain(|service| service.name != first.name);
        }
        waves.push(wave);
    }
    waves
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{names, waves};
    use crate::local::mesh_file::parse;
    use crate::local::plan::ServicePlan;

    fn order(services: &str) -> Vec<Vec<String>> {
        let text = format!("mesh: a\nservices:\n{services}");
        let services = parse("mesh.yaml", &text).unwrap().services;
        let names = |wave: Vec<&ServicePlan>| wave.iter().map(|s| s.name.to_string()).collect();
        waves(&services).into_iter().map(names).collect()
    }

    #[test]
    fn callers_end_before_those_they_call() {
        let text =
            "  authors: {}\n  webapp: { to: [books, authors] }\n  books: { to: [authors] }\n";
        assert_eq!(order(text), [["webapp"], ["books"], ["authors"]]);
    }

    #[test]
    fn a_circle_of_calls_ends_too() {
        let text = "  a: { to: [b] }\n  b: { to: [a] }\n  c: { to: [c, a] }\n";
        assert_eq!(order(text), [["c"], ["a"], ["b"]]);
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
