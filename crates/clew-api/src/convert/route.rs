//! Routes: what outbound and inbound policies have in common.

use super::template::{path_of_regex, regex_of_template};
use super::{Ignored, OWN_GROUP};
use crate::wire::linkerd::grpc_route::{GrpcRouteMatch, GrpcRpcMatch};
use crate::wire::linkerd::http_route::{self, HostMatch, HttpRouteMatch, host_match, path_match};
use crate::wire::linkerd::meta::{Metadata, Resource, metadata};
use clew_model::name::RouteName;
use clew_model::policy::{PathMatch, RequestMatch, RouteRule, RuleSource};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Start of a `section` that lists failure statuses.
const FAILURE_STATUSES: &str = "failure-statuses=";

/// Conditions of one rule, whatever the kind of route they came in.
pub(super) struct Conditions {
    hosts: Arc<[Arc<str>]>,
    matches: Arc<[RequestMatch]>,
}

impl Conditions {
    /// Conditions on the request alone; `None` where there are others too, or none at all.
    pub(super) fn requests(&self) -> Option<&Arc<[RequestMatch]>> {
        (self.hosts.is_empty() && !self.matches.is_empty()).then_some(&self.matches)
    }
}

/// Metadata of something that is not a configured resource.
pub(super) fn default_metadata() -> Metadata {
    Metadata {
        kind: Some(metadata::Kind::Default("default".to_owned())),
    }
}

/// Metadata of a configured route.
pub(super) fn route_metadata(rule: &RouteRule) -> Metadata {
    let section = match &rule.failure_statuses {
        Some(ranges) => statuses_to_section(ranges),
        None => String::new(),
    };
    Metadata {
        kind: Some(metadata::Kind::Resource(Resource {
            group: OWN_GROUP.to_owned(),
            kind: kind_of(rule.source).to_owned(),
            name: rule.name.to_string(),
            section,
            ..Resource::default()
        })),
    }
}

/// Kind of resource that a route of ours is.
fn kind_of(source: RuleSource) -> &'static str {
    match source {
        RuleSource::Configuration => "Route",
        RuleSource::OpenApi => "OpenApiRoute",
        RuleSource::Proto => "ProtoRoute",
    }
}

/// Every route of another control plane is of its configuration.
fn source_of(resource: &Resource) -> RuleSource {
    let described = [RuleSource::OpenApi, RuleSource::Proto];
    let is_it = |source: &RuleSource| kind_of(*source) == resource.kind;
    described
        .into_iter()
        .find(|source| resource.group == OWN_GROUP && is_it(source))
        .unwrap_or_default()
}

/// What the metadata of a configured route says.
pub(super) struct NamedRoute {
    pub(super) name: RouteName,
    source: RuleSource,
    failure_statuses: Option<Statuses>,
}

impl NamedRoute {
    /// `None` for the route of everything else.
    pub(super) fn read(metadata: Option<&Metadata>) -> Option<Self> {
        let metadata::Kind::Resource(resource) = metadata?.kind.as_ref()? else {
            return None;
        };
        let own = resource.group == OWN_GROUP;
        Some(Self {
            name: RouteName::new(resource.name.as_str()),
            source: source_of(resource),
            failure_statuses: own
                .then(|| section_to_statuses(&resource.section))
                .flatten(),
        })
    }

    /// One rule of it.
    pub(super) fn rule(&self, conditions: Conditions, backend: Option<Arc<str>>) -> RouteRule {
        RouteRule {
            name: self.name.clone(),
            hosts: conditions.hosts,
            matches: conditions.matches,
            backend,
            failure_statuses: self.failure_statuses.clone(),
            source: self.source,
        }
    }
}

/// Status codes that count as failures.
type Statuses = Arc<[RangeInclusive<u16>]>;

fn statuses_to_section(ranges: &[RangeInclusive<u16>]) -> String {
    let texts: Vec<String> = ranges
        .iter()
        .map(|r| {
            if r.start() == r.end() {
                r.start().to_string()
            } else {
                format!("{}-{}", r.start(), r.end())
            }
        })
        .collect();
    format!("{FAILURE_STATUSES}{}", texts.join(","))
}

/// `None` when the section does not list statuses, or not only statuses.
fn section_to_statuses(section: &str) -> Option<Statuses> {
    let list = section.strip_prefix(FAILURE_STATUSES)?;
    let ranges: Option<Vec<_>> = list
        .split(',')
        .filter(|text| !text.is_empty())
        .map(read_range)
        .collect();
    ranges.map(Arc::from)
}

fn read_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    Some(start.parse().ok()?..=end.parse().ok()?)
}

/// Hosts as conditions of a route.
pub(super) fn hosts_to_wire(hosts: &[Arc<str>]) -> Vec<HostMatch> {
    let one = |host: &Arc<str>| match host.strip_prefix("*.") {
        Some(rest) => {
            let reverse_labels = rest.rsplit('.').map(str::to_owned).collect();
            host_match::Match::Suffix(host_match::Suffix { reverse_labels })
        }
        None => host_match::Match::Exact(host.to_string()),
    };
    hosts
        .iter()
        .map(|host| HostMatch {
            r#match: Some(one(host)),
        })
        .collect()
}

/// Conditions on hosts; `None` when there are some and all of them are empty.
fn hosts_from_wire(hosts: &[HostMatch]) -> Option<Arc<[Arc<str>]>> {
    let read: Vec<Arc<str>> = hosts
        .iter()
        .filter_map(|host| host.r#match.as_ref())
        .map(read_host)
        .collect();
    (hosts.is_empty() || !read.is_empty()).then(|| read.into())
}

fn read_host(host: &host_match::Match) -> Arc<str> {
    match host {
        host_match::Match::Exact(host) => host.to_ascii_lowercase().into(),
        host_match::Match::Suffix(suffix) => {
            let labels: Vec<&str> = suffix
                .reverse_labels
                .iter()
                .rev()
                .map(String::as_str)
                .collect();
            format!("*.{}", labels.join("."))
                .to_ascii_lowercase()
                .into()
        }
    }
}

/// Matches of an HTTP route.
pub(super) fn http_matches_to_wire(matches: &[RequestMatch]) -> Vec<HttpRouteMatch> {
    matches
        .iter()
        .map(|m| HttpRouteMatch {
            path: m.path.as_ref().map(path_to_wire),
            method: m.method.as_deref().map(method_to_wire),
            ..HttpRouteMatch::default()
        })
        .collect()
}

fn path_to_wire(path: &PathMatch) -> http_route::PathMatch {
    let kind = match path {
        PathMatch::Exact(path) => path_match::Kind::Exact(path.to_string()),
        PathMatch::Prefix(path) => path_match::Kind::Prefix(path.to_string()),
        PathMatch::Template(template) => path_match::Kind::Regex(regex_of_template(template)),
    };
    http_route::PathMatch { kind: Some(kind) }
}

fn method_to_wire(method: &str) -> crate::wire::linkerd::http_types::HttpMethod {
    use crate::wire::linkerd::http_types::{HttpMethod, http_method};
    match method.parse::<http::Method>() {
        Ok(method) => method.into(),
        Err(_) => HttpMethod {
            r#type: Some(http_method::Type::Unregistered(method.to_owned())),
        },
    }
}

/// Conditions of a rule of an HTTP route; `None` when none of them can be applied, and so the rule cannot.
pub(super) fn http_conditions(
    route: &RouteName,
    hosts: &[HostMatch],
    matches: Vec<HttpRouteMatch>,
    ignored: &mut Vec<Ignored>,
) -> Option<Conditions> {
    let read = read_matches(matches, |m| read_http_match(route, m), ignored);
    finish_conditions(route, hosts, read, ignored)
}

fn read_http_match(route: &RouteName, m: HttpRouteMatch) -> Result<RequestMatch, Ignored> {
    if !m.headers.is_empty() {
        return Err(Ignored::HeaderCondition {
            route: route.clone(),
        });
    }
    if !m.query_params.is_empty() {
        return Err(Ignored::QueryCondition {
            route: route.clone(),
        });
    }
    let path = match m.path.and_then(|path| path.kind) {
        None => None,
        Some(path_match::Kind::Exact(path)) => Some(PathMatch::Exact(path.into())),
        Some(path_match::Kind::Prefix(path)) => Some(PathMatch::Prefix(path.into())),
        Some(path_match::Kind::Regex(regex)) => match path_of_regex(&regex) {
            Some(path) => Some(path),
            None => {
                return Err(Ignored::PathExpression {
                    route: route.clone(),
                    regex: regex.into(),
                });
            }
        },
    };
    let method = match m.method {
        None => None,
        Some(method) => match http::Method::try_from(method) {
            Ok(method) => Some(Arc::from(method.as_str())),
            Err(_) => {
                return Err(Ignored::EmptyMatch {
                    route: route.clone(),
                });
            }
        },
    };
    Ok(RequestMatch { path, method })
}

/// Matches of a gRPC route, which knows only services and methods: a gRPC path is always
/// `/package.Service/Method`, and its method always POST. Matches that no gRPC request can meet are left
/// out; `None` when that was all of them, for an empty list would mean every request.
pub(super) fn grpc_matches_to_wire(matches: &[RequestMatch]) -> Option<Vec<GrpcRouteMatch>> {
    let wire: Vec<GrpcRouteMatch> = matches
        .iter()
        .filter(|m| m.method.as_deref().is_none_or(|method| method == "POST"))
        .filter_map(|m| rpc_of_path(m.path.as_ref()))
        .map(|rpc| GrpcRouteMatch {
            rpc: Some(rpc),
            headers: Vec::new(),
        })
        .collect();
    (matches.is_empty() || !wire.is_empty()).then_some(wire)
}

/// The calls that the path condition means; `None` when there can be none.
fn rpc_of_path(path: Option<&PathMatch>) -> Option<GrpcRpcMatch> {
    let (text, is_prefix) = match path {
        None => return Some(GrpcRpcMatch::default()),
        Some(PathMatch::Prefix(path)) => (path, true),
        Some(PathMatch::Exact(path) | PathMatch::Template(path)) => (path, false),
    };
    let is_template = matches!(path, Some(PathMatch::Template(_)));
    let any = |segment: &str| is_template && segment.starts_with('{') && segment.ends_with('}');
    let text_or_any = |segment: &str| {
        if any(segment) {
            String::new()
        } else {
            segment.to_owned()
        }
    };
    let segments: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
    // A part of a name that is anything: the API has no word for it.
    let is_partly_any = |segment: &&str| is_template && segment.contains('{') && !any(segment);
    if segments.iter().any(is_partly_any) {
        return None;
    }
    match (segments.as_slice(), is_prefix) {
        ([service, method], false) if !service.is_empty() && !method.is_empty() => {
            Some(GrpcRpcMatch {
                service: text_or_any(service),
                method: text_or_any(method),
            })
        }
        ([service] | [service, ""], true) => Some(GrpcRpcMatch {
            service: (*service).to_owned(),
            method: String::new(),
        }),
        ([service, method] | [service, method, ""], true) => Some(GrpcRpcMatch {
            service: (*service).to_owned(),
            method: (*method).to_owned(),
        }),
        _ => None,
    }
}

/// Conditions of a rule of a gRPC route; `None` when none of them can be applied, and so the rule cannot.
pub(super) fn grpc_conditions(
    route: &RouteName,
    hosts: &[HostMatch],
    matches: Vec<GrpcRouteMatch>,
    ignored: &mut Vec<Ignored>,
) -> Option<Conditions> {
    let read = read_matches(matches, |m| read_grpc_match(route, m), ignored);
    finish_conditions(route, hosts, read, ignored)
}

fn read_grpc_match(route: &RouteName, m: GrpcRouteMatch) -> Result<RequestMatch, Ignored> {
    if !m.headers.is_empty() {
        return Err(Ignored::HeaderCondition {
            route: route.clone(),
        });
    }
    let rpc = m.rpc.unwrap_or_default();
    let path = match (rpc.service.as_str(), rpc.method.as_str()) {
        ("", "") => None,
        (service, "") => Some(PathMatch::Prefix(format!("/{service}").into())),
        ("", method) => Some(PathMatch::Template(format!("/{{service}}/{method}").into())),
        (service, method) => Some(PathMatch::Exact(format!("/{service}/{method}").into())),
    };
    Ok(RequestMatch { path, method: None })
}

/// The matches that can be applied; `None` when there are some and none of them can.
fn read_matches<M>(
    matches: Vec<M>,
    read: impl Fn(M) -> Result<RequestMatch, Ignored>,
    ignored: &mut Vec<Ignored>,
) -> Option<Arc<[RequestMatch]>> {
    let had_some = !matches.is_empty();
    let mut kept = Vec::with_capacity(matches.len());
    for m in matches {
        match read(m) {
            Ok(m) => kept.push(m),
            Err(part) => ignored.push(part),
        }
    }
    (!had_some || !kept.is_empty()).then(|| kept.into())
}

fn finish_conditions(
    route: &RouteName,
    hosts: &[HostMatch],
    matches: Option<Arc<[RequestMatch]>>,
    ignored: &mut Vec<Ignored>,
) -> Option<Conditions> {
    let matches = matches?;
    let Some(hosts) = hosts_from_wire(hosts) else {
        ignored.push(Ignored::EmptyMatch {
            route: route.clone(),
        });
        return None;
    };
    Some(Conditions { hosts, matches })
}
