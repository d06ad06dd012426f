//! Who may call, in the words of the API: authorizations of a server, which hold for all of it, and of routes, which add to
//! those. What we could not enforce as it is written is left out, so that nobody is admitted who should not be.

use super::{Ignored, OWN_GROUP};
use crate::wire::linkerd::inbound::authn::permit_mesh_tls::Clients as MeshClients;
use crate::wire::linkerd::inbound::authn::permit_mesh_tls::PermitClientIdentities;
use crate::wire::linkerd::inbound::authn::{Permit, PermitMeshTls, PermitUnauthenticated};
use crate::wire::linkerd::inbound::{Authn, Authz, Identity as WireIdentity, Network};
use crate::wire::linkerd::meta::{Metadata, Resource, metadata};
use crate::wire::linkerd::net::{IpAddress, IpNetwork};
use clew_model::identity::Identity;
use clew_model::policy::{Access, Clients, Grant, IpPrefix, RequestMatch};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Kind of resource that a grant of ours is.
const KIND: &str = "Access";

/// Grants that hold whatever is asked.
pub(super) fn of_server(access: &Access) -> Vec<Authz> {
    let unconditional = access
        .grants
        .iter()
        .filter(|grant| grant.requests.is_empty());
    unconditional.map(to_wire).collect()
}

/// Grants that ask for something of the request: routes of their own.
pub(super) fn conditional(access: &Access) -> impl Iterator<Item = &Grant> {
    access
        .grants
        .iter()
        .filter(|grant| !grant.requests.is_empty())
}

pub(super) fn metadata(grant: &Grant) -> Metadata {
    Metadata {
        kind: Some(metadata::Kind::Resource(Resource {
            group: OWN_GROUP.to_owned(),
            kind: KIND.to_owned(),
            name: grant.name.to_string(),
            ..Resource::default()
        })),
    }
}

/// A route that names nothing: it is there for who may ask for it.
pub(super) fn is_grant(of_route: Option<&Metadata>) -> bool {
    matches!(
        of_route.and_then(|metadata| metadata.kind.as_ref()),
        Some(metadata::Kind::Resource(resource)) if resource.group == OWN_GROUP && resource.kind == KIND
    )
}

pub(super) fn to_wire(grant: &Grant) -> Authz {
    let identities = |those: &Arc<[Identity]>| PermitClientIdentities {
        identities: those
            .iter()
            .map(|identity| WireIdentity {
                name: identity.to_string(),
            })
            .collect(),
        suffixes: Vec::new(),
    };
    let permit = match &grant.clients {
        Clients::Anyone => Permit::Unauthenticated(PermitUnauthenticated {}),
        Clients::Meshed => Permit::MeshTls(PermitMeshTls {
            clients: Some(MeshClients::Unauthenticated(PermitUnauthenticated {})),
        }),
        Clients::Identities(those) => Permit::MeshTls(PermitMeshTls {
            clients: Some(MeshClients::Identities(identities(those))),
        }),
    };
    let everywhere = [
        IpPrefix {
            address: Ipv4Addr::UNSPECIFIED.into(),
            bits: 0,
        },
        IpPrefix {
            address: Ipv6Addr::UNSPECIFIED.into(),
            bits: 0,
        },
    ];
    let networks = match grant.networks.is_empty() {
        true => &everywhere[..],
        false => &grant.networks,
    };
    Authz {
        networks: networks.iter().map(network_to_wire).collect(),
        authentication: Some(Authn {
            permit: Some(permit),
        }),
        labels: HashMap::new(),
        metadata: Some(metadata(grant)),
    }
}

fn network_to_wire(network: &IpPrefix) -> Network {
    Network {
        net: Some(IpNetwork {
            ip: Some(IpAddress::from(network.address)),
            prefix_len: network.bits.into(),
        }),
        except: Vec::new(),
    }
}

/// The grants of a list of authorizations, for requests that meet one of the conditions.
pub(super) fn from_wire<'a>(
    authorizations: &'a [Authz],
    requests: &'a Arc<[RequestMatch]>,
    ignored: &'a mut Vec<Ignored>,
) -> impl Iterator<Item = Grant> + 'a {
    authorizations.iter().filter_map(move |authz| {
        let grant = grant_from_wire(authz, requests);
        if grant.is_none() {
            ignored.push(Ignored::Authorization {
                name: name_of(authz),
            });
        }
        grant
    })
}

/// What people are told of an authorization.
pub(super) fn name_of(authz: &Authz) -> Arc<str> {
    match authz
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.kind.as_ref())
    {
        Some(metadata::Kind::Resource(resource)) => resource.name.as_str().into(),
        Some(metadata::Kind::Default(name)) => name.as_str().into(),
        None => "".into(),
    }
}

/// `None`: it asks for something that is not enforced here.
fn grant_from_wire(authz: &Authz, requests: &Arc<[RequestMatch]>) -> Option<Grant> {
    let clients = match authz.authentication.as_ref()?.permit.as_ref()? {
        Permit::Unauthenticated(_) => Clients::Anyone,
        Permit::MeshTls(mesh) => match mesh.clients.as_ref()? {
            MeshClients::Unauthenticated(_) => Clients::Meshed,
            MeshClients::Identities(those) => identities_from_wire(those)?,
        },
    };
    let networks: Option<Vec<IpPrefix>> = authz.networks.iter().map(network_from_wire).collect();
    let networks = networks?;
    // By the API's word, one without a network holds for nobody.
    if networks.is_empty() {
        return None;
    }
    let is_everywhere = |is_family: fn(&IpAddr) -> bool| {
        let mut all = networks.iter();
        all.any(|network| network.bits == 0 && is_family(&network.address))
    };
    let is_anywhere = is_everywhere(IpAddr::is_ipv4) && is_everywhere(IpAddr::is_ipv6);
    Some(Grant {
        name: name_of(authz),
        clients,
        networks: match is_anywhere {
            true => Arc::new([]),
            false => networks.into(),
        },
        requests: Arc::clone(requests),
    })
}

fn identities_from_wire(those: &PermitClientIdentities) -> Option<Clients> {
    // The suffix of all names.
    if those.suffixes.iter().any(|suffix| suffix.parts.is_empty()) {
        return Some(Clients::Meshed);
    }
    let named = those.identities.iter();
    // Of several names, one that we cannot read takes nothing from the others.
    let read: Vec<Identity> = named
        .filter_map(|name| Identity::parse(&name.name).ok())
        .collect();
    (!read.is_empty()).then(|| Clients::Identities(read.into()))
}

fn network_from_wire(network: &Network) -> Option<IpPrefix> {
    let net = network.net.as_ref()?;
    let address = IpAddr::try_from(net.ip?).ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = u8::try_from(net.prefix_len)
        .ok()
        .filter(|bits| *bits <= most)?;
    // Less than what is written would be more than is meant.
    network
        .except
        .is_empty()
        .then_some(IpPrefix { address, bits })
}
