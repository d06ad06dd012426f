//! Where a proxy takes requests of its application, which is where it must not send any.

use crate::config::{Addresses, Listener, ProxyConfig};
use clew_model::name::ServiceName;
use clew_model::service::Target;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The outbound listeners of one proxy.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnListeners {
    all: Vec<SocketAddr>,
    dependencies: Vec<(SocketAddr, ServiceName)>,
}

impl OwnListeners {
    /// Those of the configuration, where they are bound.
    pub(crate) fn new(config: &ProxyConfig, addresses: &Addresses) -> Self {
        let mut own = Self::default();
        for (listener, address) in config.listeners.iter().zip(&addresses.listeners) {
            if listener.is_outbound() {
                own.all.push(*address);
            }
            if let Listener::Dependency { service, .. } = listener {
                own.dependencies.push((*address, service.clone()));
            }
        }
        own
    }

    /// Sending a request there would bring it back.
    pub(crate) fn contains(&self, address: SocketAddr) -> bool {
        let address = canonical(address);
        self.all.iter().any(|own| {
            let own = canonical(*own);
            // One that listens everywhere is at every address of this machine; at which others there are
            // is not asked, since its port is taken on all of them.
            let is_there =
                own.ip() == address.ip() || own.ip().is_unspecified() && address.ip().is_loopback();
            is_there && own.port() == address.port()
        })
    }

    /// What a request to the HTTP proxy is for.
    ///
    /// Clients that send everything through the proxy (`HTTP_PROXY`) do so with what they address to a
    /// dependency's own listener too. That means the dependency, and is no loop.
    pub(crate) fn target(&self, authority: &Arc<str>) -> Target {
        let dependency = address_of(authority).and_then(|address| {
            let mut known = self.dependencies.iter();
            known.find(|(listener, _)| *listener == address)
        });
        match dependency {
            Some((_, service)) => Target::Service(service.clone()),
            None => Target::Authority(Arc::clone(authority)),
        }
    }
}

/// The same address however it is written: IPv4 mapped into IPv6 is IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The address that an authority is, as far as it can be told without asking anyone.
fn address_of(authority: &str) -> Option<SocketAddr> {
    match authority.strip_prefix("localhost:") {
        Some(port) => {
            let port = port.parse().ok()?;
            Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
        }
        None => authority.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_loop_is_seen_however_the_address_is_written() {
        let own = |listen: &str| OwnListeners {
            all: vec![listen.parse().unwrap()],
            dependencies: Vec::new(),
        };
        let contains = |listen, address: &str| own(listen).contains(address.parse().unwrap());
        assert!(contains("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
        assert!(contains("0.0.0.0:80", "127.0.0.1:80"));
        assert!(contains("[::]:80", "[::1]:80"));
        assert!(!contains("0.0.0.0:80", "127.0.0.1:81"));
        assert!(!contains("0.0.0.0:80", "192.0.2.1:80"));
    }

    #[test]
    fn what_is_addressed_to_a_dependencys_listener_is_for_the_dependency() {
        let proxy = SocketAddr::from(([127, 0, 0, 1], 4000));
        let books = SocketAddr::from(([127, 0, 0, 1], 4001));
        let own = OwnListeners {
            all: vec![proxy, books],
            dependencies: vec![(books, ServiceName::new("books"))],
        };
        let target = |authority: &str| own.target(&Arc::from(authority));
        let dependency = Target::Service(ServiceName::new("books"));
        assert_eq!(target("127.0.0.1:4001"), dependency);
        assert_eq!(target("localhost:4001"), dependency);
        for other in ["127.0.0.1:4000", "127.0.0.1:4002", "books", "books:4001"] {
            assert_eq!(target(other), Target::Authority(Arc::from(other)));
        }
        assert!(own.contains(proxy) && own.contains(books));
    }
}
