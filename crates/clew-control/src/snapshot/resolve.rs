//! Which service a target means.

use super::{ServiceKey, Snapshot, canonical};
use clew_model::name::{Namespace, ServiceName};
use clew_model::service::Target;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Port of an authority that names none: targets are reached by plain HTTP.
const DEFAULT_PORT: u16 = 80;

/// A target that was asked about, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) target: Target,
    /// Short names are names of this namespace.
    pub(crate) namespace: Namespace,
}

impl Question {
    /// The port that the target names; 0 when it names none.
    pub(crate) fn port(&self) -> u16 {
        match &self.target {
            Target::Address(address) => address.port(),
            Target::Authority(authority) => split_authority(authority).1.unwrap_or(0),
            Target::Service(_) => 0,
        }
    }
}

impl Snapshot {
    /// The service that a target means, when there is one.
    ///
    /// An address is the address of an application, as clients know it without a mesh. An authority is one
    /// of `books`, `books.default`, `books.default.svc` and `books.default.svc.cluster.local`, or such an
    /// address, or `localhost`. The port of a name is not looked at: a service is one port.
    pub(crate) fn resolve(&self, question: &Question) -> Option<ServiceKey> {
        match &question.target {
            Target::Address(address) => self.resolve_address(*address),
            Target::Service(service) => {
                let key = ServiceKey {
                    namespace: question.namespace.clone(),
                    name: service.clone(),
                };
                self.service(&key).map(|_| key)
            }
            Target::Authority(authority) => self.resolve_authority(authority, &question.namespace),
        }
    }

    fn resolve_address(&self, address: SocketAddr) -> Option<ServiceKey> {
        self.addresses.get(&canonical(address)).cloned()
    }

    fn resolve_authority(&self, authority: &str, caller: &Namespace) -> Option<ServiceKey> {
        let (host, port) = split_authority(authority);
        let port = port.unwrap_or(DEFAULT_PORT);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return self.resolve_address(SocketAddr::new(ip, port));
        }
        if host == "localhost" {
            let loopback = [
                IpAddr::from(Ipv4Addr::LOCALHOST),
                IpAddr::from(Ipv6Addr::LOCALHOST),
            ];
            return loopback
                .into_iter()
                .find_map(|ip| self.resolve_address(SocketAddr::new(ip, port)));
        }
        self.resolve_name(host, caller)
    }

    fn resolve_name(&self, host: &str, caller: &Namespace) -> Option<ServiceKey> {
        let existing = |namespace: &Namespace, name: &str| {
            let key = ServiceKey {
                namespace: namespace.clone(),
                name: ServiceName::from(name),
            };
            self.service(&key).map(|_| key)
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let qualified = host
            .strip_suffix(".svc.cluster.local")
            .or_else(|| host.strip_suffix(".svc"));
        if qualified.is_none()
            && let Some(key) = existing(caller, host)
        {
            return Some(key);
        }
        let (name, namespace) = qualified.unwrap_or(host).rsplit_once('.')?;
        existing(&Namespace::from(namespace), name)
    }
}

/// Host (IPv6 without its brackets) and port. A port that is none makes the whole a host that nobody has.
fn split_authority(authority: &str) -> (&str, Option<u16>) {
    if let Some(bracketed) = authority.strip_prefix('[')
        && let Some((host, rest)) = bracketed.split_once(']')
    {
        return (
            host,
            rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        );
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (authority, None),
        },
        _ => (authority, None),
    }
}
