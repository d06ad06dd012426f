//! `Destination`: endpoints and their changes.

use super::ConversionError;
use crate::wire::linkerd::destination::tls_identity::{DnsLikeIdentity, Strategy, UriLikeIdentity};
use crate::wire::linkerd::destination::{self as wire, update};
use crate::wire::linkerd::net::TcpAddress;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, Namespace, Workload, WorkloadName};
use clew_model::service::{Endpoint, EndpointUpdate};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// Label with the workload's name.
const WORKLOAD: &str = "workload";
/// Label with the namespace; Linkerd's control plane has the same, for the whole set.
const NAMESPACE: &str = "namespace";
/// Label with the instance.
const INSTANCE: &str = "instance";
/// What Linkerd's control plane calls workloads, by kind.
const LINKERD_WORKLOADS: [&str; 8] = [
    "deployment",
    "statefulset",
    "daemonset",
    "replicationcontroller",
    "replicaset",
    "job",
    "cronjob",
    "external_workload",
];
/// What Linkerd's control plane calls instances.
const LINKERD_INSTANCE: &str = "pod";

/// The question about a destination path.
pub fn destination_to_wire(path: &str) -> wire::GetDestination {
    wire::GetDestination {
        path: path.to_owned(),
        ..Default::default()
    }
}

/// A change. The API has no word for [`EndpointUpdate::Reset`]: it is the first message of a stream that
/// says so, and on the wire it is an `add`.
pub fn update_to_wire(update: &EndpointUpdate) -> wire::Update {
    let update = match update {
        EndpointUpdate::Reset(endpoints) | EndpointUpdate::Add(endpoints) => {
            update::Update::Add(wire::WeightedAddrSet {
                addrs: endpoints.iter().map(endpoint_to_wire).collect(),
                metric_labels: HashMap::new(),
            })
        }
        EndpointUpdate::Remove(addresses) => update::Update::Remove(wire::AddrSet {
            addrs: addresses.iter().map(|a| (*a).into()).collect(),
        }),
        EndpointUpdate::NoEndpoints { exists } => {
            update::Update::NoEndpoints(wire::NoEndpoints { exists: *exists })
        }
    };
    wire::Update {
        update: Some(update),
    }
}

fn endpoint_to_wire(endpoint: &Endpoint) -> wire::WeightedAddr {
    let mut labels = HashMap::new();
    if let Some(workload) = &endpoint.workload {
        labels.insert(WORKLOAD.to_owned(), workload.name.to_string());
        labels.insert(NAMESPACE.to_owned(), workload.namespace.to_string());
    }
    if let Some(instance) = &endpoint.instance {
        labels.insert(INSTANCE.to_owned(), instance.to_string());
    }
    wire::WeightedAddr {
        addr: Some(endpoint.address.into()),
        weight: endpoint.weight,
        metric_labels: labels,
        tls_identity: endpoint.identity.as_ref().map(identity_to_wire),
        ..Default::default()
    }
}

fn identity_to_wire(identity: &Identity) -> wire::TlsIdentity {
    let uri = identity.to_string();
    wire::TlsIdentity {
        strategy: Some(Strategy::UriLikeIdentity(UriLikeIdentity { uri })),
        server_name: Some(DnsLikeIdentity {
            name: identity.dns_name(),
        }),
    }
}

/// Who is there. An identity of another form is none that could be checked.
fn identity_from_wire(identity: wire::TlsIdentity) -> Result<Option<Identity>, ConversionError> {
    match identity.strategy {
        Some(Strategy::UriLikeIdentity(UriLikeIdentity { uri })) => {
            Identity::parse(&uri).map(Some).map_err(|_| {
                ConversionError::invalid("tls_identity", uri, "an identity of a workload")
            })
        }
        Some(Strategy::DnsLikeIdentity(_)) | None => Ok(None),
    }
}

/// The change in a message, as the message says it: never [`EndpointUpdate::Reset`].
pub fn update_from_wire(update: wire::Update) -> Result<EndpointUpdate, ConversionError> {
    match update
        .update
        .ok_or(ConversionError::Missing { field: "update" })?
    {
        update::Update::Add(set) => {
            let shared = set.metric_labels;
            let endpoints = set
                .addrs
                .into_iter()
                .map(|a| endpoint_from_wire(a, &shared));
            Ok(EndpointUpdate::Add(endpoints.collect::<Result<_, _>>()?))
        }
        update::Update::Remove(set) => {
            let addresses = set.addrs.into_iter().map(address_from_wire);
            Ok(EndpointUpdate::Remove(addresses.collect::<Result<_, _>>()?))
        }
        update::Update::NoEndpoints(none) => Ok(EndpointUpdate::NoEndpoints {
            exists: none.exists,
        }),
    }
}

fn endpoint_from_wire(
    endpoint: wire::WeightedAddr,
    shared: &HashMap<String, String>,
) -> Result<Endpoint, ConversionError> {
    let address = address_from_wire(
        endpoint
            .addr
            .ok_or(ConversionError::Missing { field: "addr" })?,
    )?;
    let label = |key: &str| {
        endpoint
            .metric_labels
            .get(key)
            .or_else(|| shared.get(key))
            .map(String::as_str)
    };
    let name = label(WORKLOAD).or_else(|| LINKERD_WORKLOADS.iter().find_map(|kind| label(kind)));
    let workload = name
        .zip(label(NAMESPACE))
        .map(|(name, namespace)| Workload {
            name: WorkloadName::from(name),
            namespace: Namespace::from(namespace),
        });
    let identity = endpoint.tls_identity.clone().map(identity_from_wire);
    let instance = label(INSTANCE)
        .or_else(|| label(LINKERD_INSTANCE))
        .map(InstanceId::from);
    Ok(Endpoint {
        address,
        weight: endpoint.weight,
        workload,
        instance,
        identity: identity.transpose()?.flatten(),
    })
}

/// An address, whose port must be one.
pub(super) fn address_from_wire(address: TcpAddress) -> Result<SocketAddr, ConversionError> {
    let ip = address.ip.ok_or(ConversionError::Missing { field: "ip" })?;
    let ip = IpAddr::try_from(ip).map_err(|_| ConversionError::Missing { field: "ip" })?;
    let port = u16::try_from(address.port)
        .map_err(|_| ConversionError::invalid("port", address.port, "a port, 0 to 65535"))?;
    Ok(SocketAddr::new(ip, port))
}
