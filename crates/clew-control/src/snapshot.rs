//! The mesh at one moment: members, and the services that follow from them.

mod resolve;

pub(crate) use resolve::Question;

use crate::access::AccessTable;
use crate::config::ControlConfig;
use clew_api::convert::Caller;
use clew_api::member::Instance;
use clew_model::identity::Identity;
use clew_model::name::{Namespace, ServiceName};
use clew_model::policy::{InboundPolicy, OutboundPolicy, RouteRule};
use clew_model::service::{Endpoint, Protocol};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A service's name in its namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServiceKey {
    pub(crate) namespace: Namespace,
    pub(crate) name: ServiceName,
}

impl ServiceKey {
    /// What the destination API calls it.
    pub(crate) fn path(&self) -> Arc<str> {
        format!("{}.{}.svc.cluster.local", self.name, self.namespace).into()
    }
}

/// Endpoints by address.
pub(crate) type Endpoints = BTreeMap<SocketAddr, Endpoint>;

/// A service that is declared, or that a member answers to.
#[derive(Clone, Debug)]
struct Service {
    protocol: Protocol,
    routes: Arc<[RouteRule]>,
    /// Of all members that answer to it and are not leaving.
    endpoints: Arc<Endpoints>,
}

/// One member, and which of its joins this is: an instance that joins again replaces itself.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) instance: Instance,
    /// Who it has proven to be to control.
    pub(crate) identity: Option<Identity>,
    pub(crate) joined: u64,
}

/// What the snapshots have in common.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) namespace: Namespace,
    detect_timeout: Duration,
    services: BTreeMap<ServiceKey, (Option<Protocol>, Arc<[RouteRule]>)>,
}

impl Declared {
    pub(crate) fn new(config: &ControlConfig) -> Self {
        let keyed = config.services.iter().map(|service| {
            let key = ServiceKey {
                namespace: config.namespace.clone(),
                name: service.name.clone(),
            };
            (key, (service.protocol, Arc::clone(&service.routes)))
        });
        Self {
            namespace: config.namespace.clone(),
            detect_timeout: config.detect_timeout,
            services: keyed.collect(),
        }
    }
}

/// The mesh at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    declared: Arc<Declared>,
    access: Arc<AccessTable>,
    /// By id.
    pub(crate) members: Vec<Arc<Member>>,
    services: BTreeMap<ServiceKey, Service>,
    /// Services by the addresses of their applications.
    addresses: HashMap<SocketAddr, ServiceKey>,
    /// Members of before a restart have had the time to join again.
    pub(crate) settled: bool,
}

impl Snapshot {
    /// What follows from the members, given in the order in which they joined: of two that claim the same
    /// address, the later one is right, for the other must be gone.
    pub(crate) fn new(
        declared: Arc<Declared>,
        access: Arc<AccessTable>,
        mut members: Vec<Arc<Member>>,
        settled: bool,
    ) -> Self {
        let mut protocols: BTreeMap<ServiceKey, Vec<Protocol>> = BTreeMap::new();
        let mut endpoints: BTreeMap<ServiceKey, Endpoints> = BTreeMap::new();
        let mut addresses = HashMap::new();
        for member in &members {
            let instance = &member.instance;
            for port in &instance.ports {
                let key = ServiceKey {
                    namespace: instance.workload.namespace.clone(),
                    name: port.service.clone(),
                };
                addresses.insert(canonical(port.application_address), key.clone());
                protocols
                    .entry(key.clone())
                    .or_default()
                    .push(port.protocol);
                let of_service = endpoints.entry(key).or_default();
                if !instance.leaving {
                    of_service.insert(port.endpoint_address, endpoint(instance, port));
                }
            }
        }
        let keys = declared.services.keys().chain(endpoints.keys());
        let services = keys.map(|key| {
            let spoken = protocols.get(key).map_or(&[][..], Vec::as_slice);
            let (given, routes) = declared.services.get(key).cloned().unwrap_or_default();
            let endpoints = endpoints.get(key).cloned().unwrap_or_default();
            let protocol = given.unwrap_or_else(|| common(spoken));
            (
                key.clone(),
                Service {
                    protocol,
                    routes,
                    endpoints: Arc::new(endpoints),
                },
            )
        });
        let services = services.collect();
        members.sort_by(|a, b| a.instance.id.cmp(&b.instance.id));
        Self {
            declared,
            access,
            members,
            services,
            addresses,
            settled,
        }
    }

    /// Endpoints of a service, when it exists.
    pub(crate) fn endpoints(&self, key: &ServiceKey) -> Option<&Arc<Endpoints>> {
        self.service(key).map(|service| &service.endpoints)
    }

    fn service(&self, key: &ServiceKey) -> Option<&Service> {
        self.services.get(key)
    }

    /// How requests to a service are classed and where they go.
    pub(crate) fn outbound_policy(&self, key: &ServiceKey) -> Option<OutboundPolicy> {
        let service = self.service(key)?;
        Some(OutboundPolicy {
            service: key.name.clone(),
            protocol: service.protocol,
            detect_timeout: self.declared.detect_timeout,
            routes: Arc::clone(&service.routes),
            destination: key.path(),
        })
    }

    /// How requests are classed that arrive at a port of the calling workload or instance.
    pub(crate) fn inbound_policy(
        &self,
        caller: &Caller,
        port: u16,
    ) -> Option<(ServiceKey, InboundPolicy)> {
        let Caller { namespace, name } = caller;
        let named = |instance: &&Instance| {
            instance.workload.namespace == *namespace
                && (instance.id.as_str() == &**name || instance.workload.name.as_str() == &**name)
        };
        let instances = self
            .members
            .iter()
            .map(|member| &member.instance)
            .filter(named);
        let mut ports = instances.flat_map(|instance| &instance.ports);
        let port = ports.find(|p| p.application_address.port() == port)?;
        let key = ServiceKey {
            namespace: namespace.clone(),
            name: port.service.clone(),
        };
        let service = self.service(&key)?;
        let policy = InboundPolicy {
            service: port.service.clone(),
            protocol: if port.protocol == Protocol::Detect {
                service.protocol
            } else {
                port.protocol
            },
            detect_timeout: self.declared.detect_timeout,
            routes: Arc::clone(&service.routes),
            access: self
                .access
                .of(&key.name, key.namespace == self.declared.namespace)
                .clone(),
        };
        Some((key, policy))
    }
}

/// What all ports speak, if they agree.
fn common(spoken: &[Protocol]) -> Protocol {
    match spoken {
        [first, rest @ ..] if rest.iter().all(|protocol| protocol == first) => *first,
        _ => Protocol::Detect,
    }
}

fn endpoint(instance: &Instance, port: &clew_api::member::Port) -> Endpoint {
    Endpoint {
        address: port.endpoint_address,
        weight: port.weight,
        workload: Some(instance.workload.clone()),
        instance: Some(instance.id.clone()),
        identity: instance.identity.clone(),
    }
}

/// IPv4 mapped into IPv6 is the IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests;
