//! Who may call what (`clew.access.v1`): for those who look at it and change it. Proxies are told in the words of the Linkerd
//! API.

use super::ConversionError;
use crate::access::AccessInForce;
use crate::rest::access::{
    AccessClients, AccessGrant, AccessPath, AccessRequest, AccessTable, ServiceAccess,
};
use crate::wire::access as wire;
use clew_model::identity::Identity;
use clew_model::name::{Namespace, ServiceName};
use clew_model::policy::{Access, Clients, Grant, IpPrefix, PathMatch, RequestMatch};
use std::net::IpAddr;
use std::sync::Arc;

/// Grants of a service, and identities, networks or requests of a grant, at most.
const MAX_ITEMS: usize = 256;
/// Length of a name, in bytes, at most.
const MAX_NAME_BYTES: usize = 200;
/// Length of a path, in bytes, at most.
const MAX_PATH_BYTES: usize = 2_000;

/// What is wrong, as far as it was read.
type Mistakes = Vec<ConversionError>;

/// The table as control tells it.
pub fn table_to_wire(table: &AccessInForce) -> wire::Table {
    let services = table.services.iter();
    wire::Table {
        trust_domain: table.trust_domain.as_deref().unwrap_or_default().to_owned(),
        namespace: table.namespace.to_string(),
        default: Some(grants_of(&table.default)),
        services: services
            .map(|(name, access)| (name.to_string(), grants_of(access)))
            .collect(),
    }
}

/// The table in a message, or all that is wrong with it.
pub fn table_from_wire(table: wire::Table) -> Result<AccessInForce, Mistakes> {
    let default = table.default.ok_or_else(|| vec![missing("default")])?;
    let services = table
        .services
        .into_iter()
        .map(|(name, grants)| Ok((name.as_str().into(), grants_from_wire(grants.grants)?)));
    Ok(AccessInForce {
        trust_domain: Some(table.trust_domain)
            .filter(|domain| !domain.is_empty())
            .map(Arc::from),
        namespace: Namespace::new(table.namespace),
        default: grants_from_wire(default.grants)?,
        services: services.collect::<Result<_, Mistakes>>()?,
    })
}

/// The grants of a service.
pub fn access_to_wire(access: &Access) -> Vec<wire::Grant> {
    access.grants.iter().map(grant_to_wire).collect()
}

/// The grants that somebody wants to have in force, or all that is wrong with them.
pub fn access_from_wire(grants: Vec<wire::Grant>) -> Result<Access, Mistakes> {
    let access = grants_from_wire(grants)?;
    let mistakes = excesses(&access);
    valid(access, mistakes)
}

/// The name of a service as somebody writes it.
pub fn service_from_text(name: &str) -> Result<ServiceName, ConversionError> {
    let is_name =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let is_valid = !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.chars().all(is_name);
    let expected = "the name of a service: letters, digits, `-`, `_` and `.`";
    match is_valid {
        true => Ok(name.into()),
        false => Err(ConversionError::invalid("service", name, expected)),
    }
}

/// The table as the API shows it.
pub fn table_to_rest(table: &AccessInForce) -> AccessTable {
    let services = table.services.iter();
    AccessTable {
        trust_domain: table.trust_domain.as_deref().map(str::to_owned),
        namespace: table.namespace.to_string(),
        default: grants_to_rest(&table.default),
        services: services
            .map(|(name, access)| ServiceAccess {
                service: name.to_string(),
                grants: grants_to_rest(access),
            })
            .collect(),
    }
}

/// The grants that the API is given, or all that is wrong with them.
pub fn access_from_rest(grants: Vec<AccessGrant>) -> Result<Access, Mistakes> {
    access_from_wire(grants.into_iter().map(rest_to_wire).collect())
}

fn valid<T>(value: T, mistakes: Mistakes) -> Result<T, Mistakes> {
    match mistakes.is_empty() {
        true => Ok(value),
        false => Err(mistakes),
    }
}

fn missing(field: &'static str) -> ConversionError {
    ConversionError::Missing { field }
}

/// What can be read, and is more or less than somebody should write.
fn excesses(access: &Access) -> Mistakes {
    let mut mistakes = Mistakes::new();
    let mut check = |field, number: usize| {
        if number > MAX_ITEMS {
            let expected = "a list of at most 256";
            mistakes.push(ConversionError::invalid(field, number, expected));
        }
    };
    check("grants", access.grants.len());
    for grant in access.grants.iter() {
        check("grant.networks", grant.networks.len());
        check("grant.requests", grant.requests.len());
        if let Clients::Identities(those) = &grant.clients {
            check("grant.identities", those.len());
        }
    }
    for grant in access.grants.iter() {
        let name = &grant.name;
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(char::is_control) {
            let expected = "a name of 1 to 200 bytes, in one line";
            mistakes.push(ConversionError::invalid("grant.name", name, expected));
        }
        if grant.clients == Clients::Identities(Arc::new([])) {
            mistakes.push(missing("grant.identities"));
        }
    }
    mistakes
}

fn grants_from_wire(grants: Vec<wire::Grant>) -> Result<Access, Mistakes> {
    let mut mistakes = Mistakes::new();
    let read = |grant| grant_from_wire(grant).map_err(|more| mistakes.extend(more));
    let read: Vec<Grant> = grants
        .into_iter()
        .map(read)
        .filter_map(Result::ok)
        .collect();
    valid(Access::of(read), mistakes)
}

fn grants_of(access: &Access) -> wire::Grants {
    wire::Grants {
        grants: access_to_wire(access),
    }
}

fn grant_to_wire(grant: &Grant) -> wire::Grant {
    use wire::grant::Clients as Wire;
    let clients = match &grant.clients {
        Clients::Anyone => Wire::Anyone(wire::grant::Anyone {}),
        Clients::Meshed => Wire::Meshed(wire::grant::Meshed {}),
        Clients::Identities(those) => Wire::Identities(wire::grant::Identities {
            ids: those.iter().map(ToString::to_string).collect(),
        }),
    };
    wire::Grant {
        name: grant.name.to_string(),
        clients: Some(clients),
        networks: grant.networks.iter().map(network_to_text).collect(),
        requests: grant.requests.iter().map(request_to_wire).collect(),
    }
}

fn grant_from_wire(grant: wire::Grant) -> Result<Grant, Mistakes> {
    let mut mistakes = Mistakes::new();
    let clients = clients_from_wire(grant.clients, &mut mistakes);
    let networks = each(grant.networks, network_from_text, &mut mistakes);
    let requests = each(grant.requests, request_from_wire, &mut mistakes);
    let grant = Grant {
        name: grant.name.into(),
        clients,
        networks,
        requests,
    };
    valid(grant, mistakes)
}

/// All that can be read.
fn each<W, T>(
    items: Vec<W>,
    read: impl Fn(W) -> Result<T, ConversionError>,
    mistakes: &mut Mistakes,
) -> Arc<[T]> {
    let read = |item| read(item).map_err(|mistake| mistakes.push(mistake)).ok();
    items.into_iter().filter_map(read).collect()
}

fn clients_from_wire(clients: Option<wire::grant::Clients>, mistakes: &mut Mistakes) -> Clients {
    use wire::grant::Clients as Wire;
    match clients {
        Some(Wire::Anyone(_)) => Clients::Anyone,
        Some(Wire::Meshed(_)) => Clients::Meshed,
        Some(Wire::Identities(those)) => {
            Clients::Identities(each(those.ids, identity_from_text, mistakes))
        }
        // Whatever is made of it is not used: it is a mistake.
        None => {
            mistakes.push(missing("grant.clients"));
            Clients::Identities(Arc::new([]))
        }
    }
}

fn identity_from_text(text: String) -> Result<Identity, ConversionError> {
    let expected = "a SPIFFE id: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/WORKLOAD";
    Identity::parse(&text).map_err(|_| ConversionError::invalid("grant.identities", text, expected))
}

fn network_to_text(network: &IpPrefix) -> String {
    format!("{}/{}", network.address, network.bits)
}

/// `10.0.0.0/8`, or one address.
fn network_from_text(text: String) -> Result<IpPrefix, ConversionError> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text.as_str(), None),
    };
    let read = || {
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok())?;
        (bits <= all).then_some(IpPrefix { address, bits })
    };
    let expected = "a network in CIDR notation, such as 10.0.0.0/8";
    read().ok_or_else(|| ConversionError::invalid("grant.networks", &text, expected))
}

fn request_to_wire(wanted: &RequestMatch) -> wire::RequestMatch {
    use wire::request_match::Path as Wire;
    let path = wanted.path.as_ref().map(|path| match path {
        PathMatch::Exact(path) => Wire::Exact(path.to_string()),
        PathMatch::Prefix(path) => Wire::Prefix(path.to_string()),
        PathMatch::Template(path) => Wire::Template(path.to_string()),
    });
    wire::RequestMatch {
        method: wanted.method.as_deref().unwrap_or_default().to_owned(),
        path,
    }
}

fn request_from_wire(wanted: wire::RequestMatch) -> Result<RequestMatch, ConversionError> {
    use wire::request_match::Path as Wire;
    let method = wanted.method;
    if !method.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
        let expected = "a method in upper case";
        return Err(ConversionError::invalid(
            "requests.method",
            method,
            expected,
        ));
    }
    let path = match wanted.path {
        None => None,
        Some(Wire::Exact(path)) => Some(PathMatch::Exact(path_from_text(path)?)),
        Some(Wire::Prefix(path)) => Some(PathMatch::Prefix(path_from_text(path)?)),
        Some(Wire::Template(path)) => Some(PathMatch::Template(template_from_text(path)?)),
    };
    if method.is_empty() && path.is_none() {
        return Err(missing("requests.path"));
    }
    Ok(RequestMatch {
        path,
        method: Some(method)
            .filter(|method| !method.is_empty())
            .map(Arc::from),
    })
}

fn path_from_text(path: String) -> Result<Arc<str>, ConversionError> {
    // What no request's path has in it would admit nothing, and nobody would know why.
    let is_strange = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#');
    if path.starts_with('/') && path.len() <= MAX_PATH_BYTES && !path.contains(is_strange) {
        return Ok(path.into());
    }
    let expected = "a path that begins with /, without query and spaces";
    Err(ConversionError::invalid("requests.path", path, expected))
}

/// A segment has at most one name in braces.
fn template_from_text(path: String) -> Result<Arc<str>, ConversionError> {
    let has_one_at_most = |segment: &str| match segment.split_once('{') {
        None => !segment.contains('}'),
        Some((before, rest)) => {
            let ends = rest.split_once('}');
            !before.contains('}')
                && ends
                    .is_some_and(|(name, after)| !name.contains('{') && !after.contains(['{', '}']))
        }
    };
    let path = path_from_text(path)?;
    if path.split('/').all(has_one_at_most) {
        return Ok(path);
    }
    let expected = "a template such as /books/{id}";
    Err(ConversionError::invalid("requests.path", path, expected))
}

fn grants_to_rest(access: &Access) -> Vec<AccessGrant> {
    let grants = access.grants.iter();
    let grants = grants.map(|grant| AccessGrant {
        name: grant.name.to_string(),
        clients: match &grant.clients {
            Clients::Anyone => AccessClients::Anyone,
            Clients::Meshed => AccessClients::Meshed,
            Clients::Identities(those) => {
                AccessClients::Identities(those.iter().map(ToString::to_string).collect())
            }
        },
        networks: grant.networks.iter().map(network_to_text).collect(),
        requests: grant.requests.iter().map(request_to_rest).collect(),
    });
    grants.collect()
}

fn request_to_rest(wanted: &RequestMatch) -> AccessRequest {
    let path = wanted.path.as_ref().map(|path| match path {
        PathMatch::Exact(path) => AccessPath::Exact(path.to_string()),
        PathMatch::Prefix(path) => AccessPath::Prefix(path.to_string()),
        PathMatch::Template(path) => AccessPath::Template(path.to_string()),
    });
    AccessRequest {
        method: wanted.method.as_deref().map(str::to_owned),
        path,
    }
}

fn rest_to_wire(grant: AccessGrant) -> wire::Grant {
    use wire::grant::Clients as Wire;
    let clients = match grant.clients {
        AccessClients::Anyone => Wire::Anyone(wire::grant::Anyone {}),
        AccessClients::Meshed => Wire::Meshed(wire::grant::Meshed {}),
        AccessClients::Identities(ids) => Wire::Identities(wire::grant::Identities { ids }),
    };
    let request = |wanted: AccessRequest| wire::RequestMatch {
        method: wanted.method.unwrap_or_default(),
        path: wanted.path.map(|path| match path {
            AccessPath::Exact(path) => wire::request_match::Path::Exact(path),
            AccessPath::Prefix(path) => wire::request_match::Path::Prefix(path),
            AccessPath::Template(path) => wire::request_match::Path::Template(path),
        }),
    };
    wire::Grant {
        name: grant.name,
        clients: Some(clients),
        networks: grant.networks,
        requests: grant.requests.into_iter().map(request).collect(),
    }
}
