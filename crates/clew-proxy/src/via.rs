//! The way by which a request came: what its connection says about it.

use crate::codec::Io;
use crate::config::{GatewayRoute, IpPrefix};
use crate::hop::{Direction, Peer, SeriesKey};
use crate::meter::Meter;
use crate::participation::Trust;
use crate::patience::Patience;
use crate::recent_series::RecentSeries;
use crate::report::HopSeries;
use crate::services::{Port, Service};
use crate::shard::Shard;
use clew_model::identity::Identity;
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{Caller, PathMatch, RequestMatch, RouteRule, RouteTable, RuleSource};
use http::HeaderValue;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// One client connection (or tunnel) as its requests see it.
pub(crate) struct Via {
    /// The thread.
    pub(crate) shard: Rc<Shard>,
    /// What the connection is for.
    pub(crate) way: Way,
    /// The client's address.
    pub(crate) client: Option<SocketAddr>,
    /// Time that detection took; charged to the first request, which takes it.
    pub(crate) detect: Cell<Option<Duration>>,
    /// Who the client has proven to be.
    identity: Option<Identity>,
    /// What it has left for the client.
    pub(crate) patience: Rc<Patience>,
    /// Counts the connection, where it is one to a peer.
    meter: Option<Rc<Meter>>,
    /// Authority of the last request, which is most likely that of the next.
    authority: RefCell<Option<Authority>>,
    /// Client of the last request, as above.
    peer: RefCell<Option<(Option<HeaderValue>, Arc<Peer>)>>,
    /// Series of the routes that were asked for on this connection.
    series: RecentSeries,
}

/// An authority as it came, and its text.
type Authority = (Box<[u8]>, Arc<str>);

/// What a connection is for.
#[derive(Clone)]
pub(crate) enum Way {
    /// Requests to the application.
    Inbound(Rc<Port>),
    /// Requests of the application to one target.
    Outbound(Rc<Service>),
    /// The same, and the target has this name whatever the Host header says.
    Dependency(Rc<Service>, Arc<str>),
    /// Requests of the application, each with its own target.
    HttpProxy,
    /// Requests from outside the mesh.
    Gateway(Rc<Edge>),
}

impl Way {
    /// The side that its requests are seen on.
    pub(crate) fn direction(&self) -> Direction {
        match self {
            Self::Inbound(_) | Self::Gateway(_) => Direction::Inbound,
            Self::Outbound(_) | Self::Dependency(..) | Self::HttpProxy => Direction::Outbound,
        }
    }

    /// Nothing but HTTP comes this way.
    pub(crate) fn is_http_only(&self) -> bool {
        matches!(self, Self::HttpProxy | Self::Gateway(_))
    }
}

/// The edge of the mesh.
pub(crate) struct Edge {
    /// The rules of the routes, most specific first, and the service of each.
    table: RouteTable,
    services: Box<[ServiceName]>,
    /// Peers whose trace context is believed.
    trusted: Arc<[IpPrefix]>,
}

impl Edge {
    /// Routes in any order: the most specific host counts first, then the longest path prefix (Gateway API,
    /// HTTPRoute precedence).
    pub(crate) fn new(routes: &[GatewayRoute], trusted: Arc<[IpPrefix]>) -> Self {
        let mut sorted: Vec<&GatewayRoute> = routes.iter().collect();
        sorted.sort_by_key(|route| {
            let prefix = route.path_prefix.trim_end_matches('/').len();
            std::cmp::Reverse((host_rank(route.host.as_deref()), prefix))
        });
        let rule = |route: &&GatewayRoute| RouteRule {
            name: RouteName::from("gateway"),
            hosts: route.host.iter().cloned().collect(),
            matches: Arc::new([RequestMatch {
                path: Some(PathMatch::Prefix(Arc::clone(&route.path_prefix))),
                method: None,
            }]),
            backend: None,
            failure_statuses: None,
            source: RuleSource::Configuration,
        };
        Self {
            table: RouteTable::new(sorted.iter().map(rule).collect()),
            services: sorted.iter().map(|route| route.service.clone()).collect(),
            trusted,
        }
    }

    /// The service that gets a request.
    pub(crate) fn service(&self, authority: &str, path: &str) -> Option<&ServiceName> {
        // No rule asks for a method.
        self.services.get(self.table.index_of(authority, "", path)?)
    }

    /// Whether this peer's trace context is believed.
    pub(crate) fn trusts(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|client| self.trusted.iter().any(|prefix| prefix.contains(client)))
    }
}

/// Exact hosts before wildcards before none; among wildcards the longer one.
fn host_rank(pattern: Option<&str>) -> (u8, usize) {
    match pattern {
        None => (0, 0),
        Some(pattern) if pattern.starts_with("*.") => (1, pattern.len()),
        Some(pattern) => (2, pattern.len()),
    }
}

impl Via {
    /// A connection of which no request was read yet.
    pub(crate) fn new(
        shard: Rc<Shard>,
        way: Way,
        client: Option<SocketAddr>,
        detect: Option<Duration>,
        io: &Io,
    ) -> Rc<Self> {
        let via = Self {
            shard,
            way,
            client,
            detect: Cell::new(detect),
            identity: io.peer().cloned(),
            patience: Rc::default(),
            meter: io.meter().cloned(),
            authority: RefCell::default(),
            peer: RefCell::default(),
            series: RecentSeries::default(),
        };
        if matches!(via.way, Way::Gateway(_)) {
            // Who comes from outside is not told apart.
            via.attribute(&via.shard.nobody);
        }
        Rc::new(via)
    }

    /// The series of a hop whose peer is the client.
    pub(crate) fn series(&self, key: &SeriesKey) -> Rc<HopSeries> {
        self.series.get(key, self.shard.reports())
    }

    /// Who calls, for the policy.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            identity: self.identity.as_ref(),
            address: self.client.map(|client| client.ip()),
        }
    }

    /// How far the trace context of its requests is believed: only at the edge there is doubt.
    pub(crate) fn trust(&self) -> Trust {
        match &self.way {
            Way::Gateway(edge) if !edge.trusts(self.client.map(|client| client.ip())) => {
                Trust::Untrusted
            }
            _ => Trust::Trusted,
        }
    }

    /// Counts the connection as one of this peer's, unless it is counted already.
    fn attribute(&self, peer: &Arc<Peer>) {
        if let Some(meter) = &self.meter {
            let direction = self.way.direction();
            meter.attribute(|| self.shard.reports().tcp(direction, peer));
        }
    }

    /// The text of an authority, shared between equal requests of the connection.
    pub(crate) fn authority(&self, value: &[u8]) -> Arc<str> {
        if let Some((last, text)) = &*self.authority.borrow()
            && **last == *value
        {
            return Arc::clone(text);
        }
        let text: Arc<str> = String::from_utf8_lossy(value).to_ascii_lowercase().into();
        *self.authority.borrow_mut() = Some((value.into(), Arc::clone(&text)));
        text
    }

    /// The client behind an inbound request, by the header that its sidecar sent.
    pub(crate) fn peer(
        &self,
        value: Option<HeaderValue>,
        port: &crate::services::PortState,
    ) -> Arc<Peer> {
        if let Some((last, peer)) = &*self.peer.borrow()
            && *last == value
            && peer.service.as_ref() == Some(&port.service)
        {
            return Arc::clone(peer);
        }
        let identity = self.identity.as_ref();
        let peer = self.shard.client(value.as_ref(), identity, &port.service);
        self.attribute(&peer);
        *self.peer.borrow_mut() = Some((value, Arc::clone(&peer)));
        peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(routes: &[(Option<&str>, &str, &str)]) -> Edge {
        let route = |&(host, path, service): &(Option<&str>, &str, &str)| GatewayRoute {
            host: host.map(Arc::from),
            path_prefix: path.into(),
            service: service.into(),
        };
        let routes: Vec<_> = routes.iter().map(route).collect();
        Edge::new(&routes, Arc::new([]))
    }

    fn chosen(edge: &Edge, host: &str, path: &str) -> Option<String> {
        edge.service(host, path).map(ServiceName::to_string)
    }

    #[test]
    fn the_longest_prefix_in_whole_segments_wins() {
        let edge = edge(&[
            (None, "/", "web"),
            (None, "/api", "api"),
            (None, "/api/v2/", "v2"),
        ]);
        assert_eq!(chosen(&edge, "h", "/").as_deref(), Some("web"));
        assert_eq!(chosen(&edge, "h", "/apix").as_deref(), Some("web"));
        assert_eq!(chosen(&edge, "h", "/api").as_deref(), Some("api"));
        assert_eq!(chosen(&edge, "h", "/api/v2/x").as_deref(), Some("v2"));
    }

    #[test]
    fn an_exact_host_wins_over_a_wildcard_and_that_over_none() {
        let edge = edge(&[
            (None, "/", "any"),
            (Some("*.example.com"), "/", "wild"),
            (Some("a.example.com"), "/", "exact"),
        ]);
        assert_eq!(
            chosen(&edge, "a.example.com", "/").as_deref(),
            Some("exact")
        );
        assert_eq!(chosen(&edge, "B.Example.com", "/").as_deref(), Some("wild"));
        assert_eq!(chosen(&edge, "example.com", "/").as_deref(), Some("any"));
    }

    #[test]
    fn without_a_matching_route_there_is_none() {
        let edge = edge(&[(Some("a"), "/x", "x")]);
        assert_eq!(chosen(&edge, "b", "/x"), None);
        assert_eq!(chosen(&edge, "a", "/y"), None);
    }
}
