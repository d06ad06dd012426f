//! What control tells a proxy about a service (outbound) or about a port of its own (inbound).

use crate::name::{RouteName, ServiceName};
use crate::service::Protocol;
use std::sync::Arc;
use std::time::Duration;

mod access;
mod table;

pub use access::{Access, Asked, Caller, Clients, Grant, IpPrefix};
pub use table::RouteTable;

/// How requests to one service are classed and where they go.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundPolicy {
    /// The service, as metrics name it (`dst_service`).
    pub service: ServiceName,
    /// What to expect on the connection.
    pub protocol: Protocol,
    /// Bound on detection when `protocol` is [`Protocol::Detect`].
    pub detect_timeout: Duration,
    /// Configured routes, in the order in which they are tried. When none matches, the route is learned.
    pub routes: Arc<[RouteRule]>,
    /// Path to ask the destination API for, when no route names a backend of its own.
    pub destination: Arc<str>,
}

/// How requests that arrive at one port of the application are classed.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundPolicy {
    /// The service that the port answers to.
    pub service: ServiceName,
    /// What to expect on the connection.
    pub protocol: Protocol,
    /// Bound on detection when `protocol` is [`Protocol::Detect`].
    pub detect_timeout: Duration,
    /// Configured routes, in the order in which they are tried. When none matches, the route is learned.
    pub routes: Arc<[RouteRule]>,
    /// Who may call.
    pub access: Access,
}

/// One configured route.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteRule {
    /// Name in metrics and spans.
    pub name: RouteName,
    /// Hosts it holds for; empty means all. A leading `*.` matches any labels before the rest.
    pub hosts: Arc<[Arc<str>]>,
    /// Any of these makes the rule match; empty means every request.
    pub matches: Arc<[RequestMatch]>,
    /// Destination path of its backend, when it is not the service's own.
    pub backend: Option<Arc<str>>,
    /// What counts as a failure, when it is not the default (HTTP 5xx, gRPC's server errors).
    pub failure_statuses: Option<Arc<[std::ops::RangeInclusive<u16>]>>,
    /// Where it was written down.
    pub source: RuleSource,
}

/// Where a configured route was written down. It changes nothing for requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RuleSource {
    /// In the configuration of the mesh.
    #[default]
    Configuration,
    /// In an OpenAPI document of the service.
    OpenApi,
    /// In a `.proto` file of the service.
    Proto,
}

/// All parts that are given must match.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RequestMatch {
    /// Path condition.
    pub path: Option<PathMatch>,
    /// Method, upper case.
    pub method: Option<Arc<str>>,
}

/// Condition on a request's path, query excluded (Gateway API `HTTPPathMatch`, and templates).
#[derive(Clone, Debug, PartialEq)]
pub enum PathMatch {
    /// The whole path.
    Exact(Arc<str>),
    /// Whole segments from the start: `/a` matches `/a` and `/a/b`, not `/ab`.
    Prefix(Arc<str>),
    /// Segments, where `{name}` stands for any one segment, `/books/{id}/edit`, or for a part of one,
    /// `/books/{id}.json`; one placeholder a segment.
    Template(Arc<str>),
}
