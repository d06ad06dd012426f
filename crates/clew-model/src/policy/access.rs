//! Who may call: the decision over what is known of a client and of its request.

use super::{RequestMatch, table::request_matches};
use crate::identity::Identity;
use std::net::IpAddr;
use std::sync::Arc;

/// Who may call a port of an application: whoever one of the grants admits, and nobody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// In the order in which they are tried; which one admits makes no difference but for its name.
    pub grants: Arc<[Grant]>,
}

/// One reason to be admitted. All its parts must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// As people are told of it.
    pub name: Arc<str>,
    /// Who the client has to be.
    pub clients: Clients,
    /// Where it has to be; empty: anywhere. An address that is not known is in no network.
    pub networks: Arc<[IpPrefix]>,
    /// What it has to ask, one of these; empty: anything, bytes that are not HTTP too.
    pub requests: Arc<[RequestMatch]>,
}

/// Who a client has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Anyone, in clear too.
    Anyone,
    /// Whoever has proven to be someone of the mesh.
    Meshed,
    /// One of these.
    Identities(Arc<[Identity]>),
}

/// What is known of whoever calls.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Who it has proven to be.
    pub identity: Option<&'a Identity>,
    /// Where its connection comes from.
    pub address: Option<IpAddr>,
}

/// What is asked, of HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Still encoded, without its query.
    pub path: &'a str,
}

impl Access {
    /// The name of the grant that admits everyone, where nothing else is said.
    pub const EVERYONE: &'static str = "everyone";

    /// Everyone may do everything.
    pub fn everyone() -> Self {
        Self::of([Grant {
            name: Self::EVERYONE.into(),
            clients: Clients::Anyone,
            networks: Arc::new([]),
            requests: Arc::new([]),
        }])
    }

    /// Nobody may do anything.
    pub fn nobody() -> Self {
        Self::of([])
    }

    /// Whoever one of these grants admits.
    pub fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        Self {
            grants: grants.into_iter().collect(),
        }
    }

    /// The grant that admits a request, or bytes where nothing is `asked`.
    pub fn admits(&self, caller: Caller<'_>, asked: Option<Asked<'_>>) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.admits(caller, asked))
    }

    /// Whether it makes a difference who calls, and what: if not, nothing has to be looked at.
    pub fn is_for_everyone(&self) -> bool {
        let is_open = |grant: &Grant| {
            grant.clients == Clients::Anyone
                && grant.networks.is_empty()
                && grant.requests.is_empty()
        };
        self.grants.iter().any(is_open)
    }
}

impl Grant {
    fn admits(&self, caller: Caller<'_>, asked: Option<Asked<'_>>) -> bool {
        let is_one = match (&self.clients, caller.identity) {
            (Clients::Anyone, _) => true,
            (Clients::Meshed, identity) => identity.is_some(),
            (Clients::Identities(those), Some(identity)) => those.contains(identity),
            (Clients::Identities(_), None) => false,
        };
        let is_there = |address| {
            self.networks
                .iter()
                .any(|network| network.contains(address))
        };
        is_one
            && (self.networks.is_empty() || caller.address.is_some_and(is_there))
            && (self.requests.is_empty()
                || asked.is_some_and(|Asked { method, path }| {
                    let mut wanted = self.requests.iter();
                    wanted.any(|wanted| {
                        (wanted.path.is_none() || is_unambiguous(path))
                            && request_matches(wanted, method, path)
                    })
                }))
    }
}

/// Every reader of the path sees the same segments in it. Applications differ in what they make of `..`, of empty segments, and
/// of slashes and dots that are encoded: such a path meets no condition on paths, so that none is got around.
fn is_unambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut segments = lower.split('/').skip(1).peekable();
    let mut is_plain = lower.starts_with('/');
    while let Some(segment) = segments.next() {
        // A path may end with a slash.
        let is_empty = segment.is_empty() && segments.peek().is_some();
        let dots = segment.replace("%2e", ".");
        let has_separator = ["%2f", "%5c", "\\", ";"]
            .iter()
            .any(|part| segment.contains(part));
        is_plain &= !is_empty && !has_separator && dots != "." && dots != "..";
    }
    is_plain
}

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPrefix {
    /// Its address; bits past the prefix do not matter.
    pub address: IpAddr,
    /// Number of leading bits that count, 0 to 32 or 128.
    pub bits: u8,
}

impl IpPrefix {
    /// Whether the address lies in the network. IPv4 mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        use std::net::IpAddr::{V4, V6};
        fn leading(a: u128, b: u128, width: u32, bits: u8) -> bool {
            let shift = width.saturating_sub(u32::from(bits));
            shift >= width || (a >> shift) == (b >> shift)
        }
        match (self.address.to_canonical(), address.to_canonical()) {
            (V4(a), V4(b)) => leading(u32::from(a).into(), u32::from(b).into(), 32, self.bits),
            (V6(a), V6(b)) => leading(a.into(), b.into(), 128, self.bits),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Workload;
    use crate::policy::PathMatch;

    fn identity(name: &str) -> Identity {
        Identity::new("cluster.local", &Workload::new(name, "default")).unwrap()
    }

    fn grant(clients: Clients) -> Grant {
        Grant {
            name: "test".into(),
            clients,
            networks: Arc::new([]),
            requests: Arc::new([]),
        }
    }

    fn may(access: &Access, who: Option<&str>, address: &str, asked: Option<(&str, &str)>) -> bool {
        let identity = who.map(identity);
        let caller = Caller {
            identity: identity.as_ref(),
            address: address.parse().ok(),
        };
        let asked = asked.map(|(method, path)| Asked { method, path });
        access.admits(caller, asked).is_some()
    }

    const GET: Option<(&str, &str)> = Some(("GET", "/books/1"));

    #[test]
    fn a_grant_admits_who_it_names_and_nobody_else() {
        let webapp = Clients::Identities(Arc::new([identity("webapp")]));
        let access = Access::of([grant(webapp)]);
        assert!(may(&access, Some("webapp"), "10.0.0.1", GET));
        assert!(may(&access, Some("webapp"), "", None));
        assert!(!may(&access, Some("authors"), "10.0.0.1", GET));
        assert!(!may(&access, None, "10.0.0.1", GET));
        let meshed = Access::of([grant(Clients::Meshed)]);
        assert!(may(&meshed, Some("authors"), "", GET));
        assert!(!may(&meshed, None, "127.0.0.1", GET));
        for (access, everyone) in [(Access::everyone(), true), (Access::nobody(), false)] {
            assert_eq!(may(&access, None, "", None), everyone);
            assert_eq!(access.is_for_everyone(), everyone);
        }
    }

    #[test]
    fn all_parts_of_a_grant_must_hold() {
        let access = Access::of([Grant {
            networks: Arc::new([IpPrefix {
                address: "10.0.0.0".parse().unwrap(),
                bits: 8,
            }]),
            requests: Arc::new([RequestMatch {
                path: Some(PathMatch::Prefix("/books".into())),
                method: Some("GET".into()),
            }]),
            ..grant(Clients::Anyone)
        }]);
        assert!(may(&access, None, "10.1.2.3", GET));
        assert!(may(&access, None, "::ffff:10.1.2.3", GET));
        assert!(!may(&access, None, "11.1.2.3", GET));
        assert!(!may(&access, None, "", GET), "an address that is not known");
        assert!(!may(&access, None, "10.1.2.3", Some(("POST", "/books/1"))));
        assert!(!may(
            &access,
            None,
            "10.1.2.3",
            Some(("GET", "/booksellers"))
        ));
        assert!(!may(&access, None, "10.1.2.3", None), "bytes ask nothing");
        assert!(!access.is_for_everyone());
        for path in [
            "/books/../admin",
            "/books/%2E%2e/admin",
            "/books/.",
            "/books//x",
            "/books%2fx",
            "/books/..%5cadmin",
            "/books/..;/admin",
            "books/1",
            "",
        ] {
            assert!(
                !may(&access, None, "10.1.2.3", Some(("GET", path))),
                "{path}"
            );
        }
        assert!(may(&access, None, "10.1.2.3", Some(("GET", "/books/"))));
    }
}
