//! Members of the mesh, as the registry (`clew.registry.v1`) knows them.

use crate::convert::ConversionError;
use crate::wire::registry as wire;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::service::Protocol;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A version that is longer is none.
const MAX_VERSION_BYTES: usize = 256;

/// One running copy of a workload with its proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Unique in the mesh.
    pub id: InstanceId,
    /// Whose copy it is.
    pub workload: Workload,
    /// What its proxy does.
    pub role: Role,
    /// Ports of the application.
    pub ports: Vec<Port>,
    /// The proxy's admin server (/metrics), when it has one.
    pub admin_address: Option<SocketAddr>,
    /// The proxy's tap server, when it has one.
    pub tap_address: Option<SocketAddr>,
    /// It has asked to leave and is draining. Control says so; ignored when joining.
    pub leaving: bool,
    /// Version of the proxy.
    pub version: String,
    /// Process id of the proxy.
    pub pid: u32,
    /// When the proxy started.
    pub started: SystemTime,
    /// Who it proves to be to those who connect to its ports, by TLS; `None`: it speaks in clear.
    pub identity: Option<Identity>,
}

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Stands beside an application.
    Proxy,
    /// Stands at the edge.
    Gateway,
}

/// One port of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The service that it answers to.
    pub service: ServiceName,
    /// Where the application listens, as clients know it without a mesh.
    pub application_address: SocketAddr,
    /// Where clients' proxies connect to.
    pub endpoint_address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// Relative share of requests; 0 takes none.
    pub weight: u32,
}

impl From<&Instance> for wire::Instance {
    fn from(instance: &Instance) -> Self {
        let address =
            |address: Option<SocketAddr>| address.map_or_else(String::new, |a| a.to_string());
        let role = match instance.role {
            Role::Proxy => wire::Role::Proxy,
            Role::Gateway => wire::Role::Gateway,
        };
        let started = instance
            .started
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            id: instance.id.to_string(),
            workload: instance.workload.name.to_string(),
            namespace: instance.workload.namespace.to_string(),
            role: role.into(),
            ports: instance.ports.iter().map(port_to_wire).collect(),
            admin_address: address(instance.admin_address),
            tap_address: address(instance.tap_address),
            leaving: instance.leaving,
            version: instance.version.clone(),
            pid: instance.pid,
            started_unix_nano: u64::try_from(started.as_nanos()).unwrap_or(u64::MAX),
            identity: instance
                .identity
                .as_ref()
                .map(Identity::to_string)
                .unwrap_or_default(),
        }
    }
}

fn port_to_wire(port: &Port) -> wire::Port {
    let protocol = match port.protocol {
        Protocol::Detect => wire::Protocol::Detect,
        Protocol::Http1 => wire::Protocol::Http1,
        Protocol::Http2 => wire::Protocol::Http2,
        Protocol::Grpc => wire::Protocol::Grpc,
        Protocol::Opaque => wire::Protocol::Opaque,
    };
    wire::Port {
        service: port.service.to_string(),
        application_address: port.application_address.to_string(),
        endpoint_address: port.endpoint_address.to_string(),
        protocol: protocol.into(),
        weight: port.weight,
    }
}

impl TryFrom<wire::Instance> for Instance {
    type Error = ConversionError;

    fn try_from(instance: wire::Instance) -> Result<Self, ConversionError> {
        let role = match instance.role() {
            wire::Role::Proxy => Role::Proxy,
            wire::Role::Gateway => Role::Gateway,
            wire::Role::Unspecified => {
                return Err(ConversionError::invalid(
                    "role",
                    instance.role,
                    "a known role",
                ));
            }
        };
        named("id", &instance.id)?;
        named("workload", &instance.workload)?;
        named("namespace", &instance.namespace)?;
        in_lower_case("namespace", &instance.namespace)?;
        if instance.version.len() > MAX_VERSION_BYTES {
            return Err(ConversionError::invalid(
                "version",
                instance.version,
                "a short text",
            ));
        }
        Ok(Self {
            role,
            admin_address: optional_address("admin_address", &instance.admin_address)?,
            tap_address: optional_address("tap_address", &instance.tap_address)?,
            ports: instance
                .ports
                .into_iter()
                .map(port_from_wire)
                .collect::<Result<_, _>>()?,
            id: InstanceId::new(instance.id),
            workload: Workload::new(instance.workload, instance.namespace),
            leaving: instance.leaving,
            version: instance.version,
            pid: instance.pid,
            started: UNIX_EPOCH + Duration::from_nanos(instance.started_unix_nano),
            identity: optional_identity(&instance.identity)?,
        })
    }
}

fn optional_identity(text: &str) -> Result<Option<Identity>, ConversionError> {
    if text.is_empty() {
        return Ok(None);
    }
    Identity::parse(text)
        .map(Some)
        .map_err(|_| ConversionError::invalid("identity", text, "an identity of a workload"))
}

fn port_from_wire(port: wire::Port) -> Result<Port, ConversionError> {
    let protocol = wire::Protocol::try_from(port.protocol).map_err(|_| {
        ConversionError::invalid("ports.protocol", port.protocol, "a known protocol")
    })?;
    named("ports.service", &port.service)?;
    in_lower_case("ports.service", &port.service)?;
    Ok(Port {
        application_address: address("ports.application_address", &port.application_address)?,
        endpoint_address: address("ports.endpoint_address", &port.endpoint_address)?,
        protocol: match protocol {
            wire::Protocol::Detect => Protocol::Detect,
            wire::Protocol::Http1 => Protocol::Http1,
            wire::Protocol::Http2 => Protocol::Http2,
            wire::Protocol::Grpc => Protocol::Grpc,
            wire::Protocol::Opaque => Protocol::Opaque,
        },
        service: ServiceName::new(port.service),
        weight: port.weight,
    })
}

/// Names are what a DNS name may hold, so that they fit into paths, headers and labels as they are.
fn named(field: &'static str, text: &str) -> Result<(), ConversionError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() {
        return Err(ConversionError::Missing { field });
    }
    if text.len() > 253 || !text.bytes().all(allowed) {
        return Err(ConversionError::invalid(
            field,
            text,
            "a name of letters, digits, '-', '_' and '.'",
        ));
    }
    Ok(())
}

/// What a host name is looked up by: host names have no case, and are looked up in lower case.
fn in_lower_case(field: &'static str, text: &str) -> Result<(), ConversionError> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ConversionError::invalid(
            field,
            text,
            "a name in lower case",
        ));
    }
    Ok(())
}

fn address(field: &'static str, text: &str) -> Result<SocketAddr, ConversionError> {
    text.parse()
        .map_err(|_| ConversionError::invalid(field, text, "an address and port"))
}

fn optional_address(
    field: &'static str,
    text: &str,
) -> Result<Option<SocketAddr>, ConversionError> {
    if text.is_empty() {
        Ok(None)
    } else {
        address(field, text).map(Some)
    }
}

#[cfg(test)]
mod tests;
