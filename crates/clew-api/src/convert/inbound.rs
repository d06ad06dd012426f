//! `InboundServerPolicies`: what a proxy asks about a port of its own, and the policy that it gets.

use super::access;
use super::route::{
    NamedRoute, default_metadata, grpc_conditions, grpc_matches_to_wire, hosts_to_wire,
    http_conditions, http_matches_to_wire, route_metadata,
};
use super::{Caller, ConversionError, DETECT_TIMEOUT, Decoded, Ignored};
use crate::wire::linkerd::inbound::{self as wire, proxy_protocol::Kind};
use clew_model::name::{Namespace, ServiceName, Workload};
use clew_model::policy::{Access, Grant, InboundPolicy, RequestMatch, RouteRule};
use clew_model::service::Protocol;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The question about a port.
pub fn port_to_wire(workload: &Workload, port: u16) -> wire::PortSpec {
    wire::PortSpec {
        workload: Caller::token(workload),
        port: port.into(),
    }
}

/// Who asks, and about which port.
pub fn port_from_wire(spec: wire::PortSpec) -> Result<(Caller, u16), ConversionError> {
    let port = u16::try_from(spec.port).ok().filter(|port| *port > 0);
    let port =
        port.ok_or_else(|| ConversionError::invalid("port", spec.port, "a port, 1 to 65535"))?;
    Ok((Caller::parse(&spec.workload)?, port))
}

/// The policy of a port.
pub fn inbound_to_wire(policy: &InboundPolicy, namespace: &Namespace) -> wire::Server {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    wire::Server {
        protocol: Some(wire::ProxyProtocol {
            kind: Some(protocol_to_wire(policy)),
        }),
        server_ips: Vec::new(),
        authorizations: access::of_server(&policy.access),
        labels: HashMap::from([
            label("group", "core"),
            label("kind", "Service"),
            label("name", policy.service.as_str()),
            label("namespace", namespace.as_str()),
        ]),
    }
}

fn protocol_to_wire(policy: &InboundPolicy) -> Kind {
    let routes = || http_routes_to_wire(&policy.routes, &policy.access);
    match policy.protocol {
        Protocol::Detect => Kind::Detect(wire::proxy_protocol::Detect {
            timeout: policy.detect_timeout.try_into().ok(),
            http_routes: routes(),
            http_local_rate_limit: None,
        }),
        Protocol::Opaque => Kind::Opaque(wire::proxy_protocol::Opaque {}),
        Protocol::Http1 => Kind::Http1(wire::proxy_protocol::Http1 {
            routes: routes(),
            local_rate_limit: None,
        }),
        Protocol::Http2 => Kind::Http2(wire::proxy_protocol::Http2 {
            routes: routes(),
            local_rate_limit: None,
        }),
        Protocol::Grpc => Kind::Grpc(wire::proxy_protocol::Grpc {
            routes: grpc_routes_to_wire(&policy.routes, &policy.access),
        }),
    }
}

fn http_routes_to_wire(rules: &[RouteRule], access: &Access) -> Vec<wire::HttpRoute> {
    let configured = rules.iter().map(|rule| wire::HttpRoute {
        metadata: Some(route_metadata(rule)),
        hosts: hosts_to_wire(&rule.hosts),
        authorizations: Vec::new(),
        rules: vec![wire::http_route::Rule {
            matches: http_matches_to_wire(&rule.matches),
            filters: Vec::new(),
        }],
    });
    let everything_else = wire::HttpRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        authorizations: Vec::new(),
        rules: vec![wire::http_route::Rule::default()],
    };
    let granted = access::conditional(access).map(|grant| wire::HttpRoute {
        metadata: Some(access::metadata(grant)),
        hosts: Vec::new(),
        authorizations: vec![access::to_wire(grant)],
        rules: vec![wire::http_route::Rule {
            matches: http_matches_to_wire(&grant.requests),
            filters: Vec::new(),
        }],
    });
    configured.chain(granted).chain([everything_else]).collect()
}

fn grpc_routes_to_wire(rules: &[RouteRule], access: &Access) -> Vec<wire::GrpcRoute> {
    let configured = rules.iter().filter_map(|rule| {
        Some(wire::GrpcRoute {
            metadata: Some(route_metadata(rule)),
            hosts: hosts_to_wire(&rule.hosts),
            authorizations: Vec::new(),
            rules: vec![wire::grpc_route::Rule {
                matches: grpc_matches_to_wire(&rule.matches)?,
                filters: Vec::new(),
            }],
        })
    });
    let everything_else = wire::GrpcRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        authorizations: Vec::new(),
        rules: vec![wire::grpc_route::Rule::default()],
    };
    let granted = access::conditional(access).filter_map(|grant| {
        Some(wire::GrpcRoute {
            metadata: Some(access::metadata(grant)),
            hosts: Vec::new(),
            authorizations: vec![access::to_wire(grant)],
            rules: vec![wire::grpc_route::Rule {
                matches: grpc_matches_to_wire(&grant.requests)?,
                filters: Vec::new(),
            }],
        })
    });
    configured.chain(granted).chain([everything_else]).collect()
}

/// The policy in a message. A control plane that is not ours names no service for a port: `service` is the
/// one that the proxy was told to answer to.
pub fn inbound_from_wire(
    server: wire::Server,
    service: &ServiceName,
) -> Result<Decoded<InboundPolicy>, ConversionError> {
    let kind = server
        .protocol
        .and_then(|p| p.kind)
        .ok_or(ConversionError::Missing { field: "protocol" })?;
    let mut ignored = Vec::new();
    let any_request: Arc<[RequestMatch]> = Arc::new([]);
    let of_server = access::from_wire(&server.authorizations, &any_request, &mut ignored);
    let mut grants: Vec<Grant> = of_server.collect();
    let is_service = server
        .labels
        .get("kind")
        .is_some_and(|kind| kind == "Service");
    let named = server.labels.get("name").filter(|_| is_service);
    let (protocol, detect_timeout, routes) = read_protocol(kind, &mut grants, &mut ignored)?;
    let value = InboundPolicy {
        service: named.map_or_else(|| service.clone(), |name| ServiceName::new(name.as_str())),
        protocol,
        detect_timeout,
        routes: routes.into(),
        access: Access::of(grants),
    };
    Ok(Decoded { value, ignored })
}

fn read_protocol(
    kind: Kind,
    grants: &mut Vec<Grant>,
    ignored: &mut Vec<Ignored>,
) -> Result<(Protocol, Duration, Vec<RouteRule>), ConversionError> {
    let mut detect_timeout = DETECT_TIMEOUT;
    let (protocol, routes, rate_limited) = match kind {
        Kind::Detect(detect) => {
            if let Some(timeout) = detect.timeout {
                detect_timeout = timeout.try_into().map_err(|_| {
                    ConversionError::invalid("timeout", timeout, "a duration that is not negative")
                })?;
            }
            let routes = read_http_routes(detect.http_routes, grants, ignored);
            (
                Protocol::Detect,
                routes,
                detect.http_local_rate_limit.is_some(),
            )
        }
        Kind::Http1(http) => (
            Protocol::Http1,
            read_http_routes(http.routes, grants, ignored),
            http.local_rate_limit.is_some(),
        ),
        Kind::Http2(http) => (
            Protocol::Http2,
            read_http_routes(http.routes, grants, ignored),
            http.local_rate_limit.is_some(),
        ),
        Kind::Grpc(grpc) => (
            Protocol::Grpc,
            read_grpc_routes(grpc.routes, grants, ignored),
            false,
        ),
        // TLS that the application itself ends is bytes to us.
        Kind::Opaque(_) | Kind::Tls(_) => (Protocol::Opaque, Vec::new(), false),
    };
    if rate_limited {
        ignored.push(Ignored::RateLimit);
    }
    Ok((protocol, detect_timeout, routes))
}

fn read_http_routes(
    routes: Vec<wire::HttpRoute>,
    grants: &mut Vec<Grant>,
    ignored: &mut Vec<Ignored>,
) -> Vec<RouteRule> {
    let mut rules = Vec::new();
    for route in routes {
        let is_grant = access::is_grant(route.metadata.as_ref());
        let Some(named) = NamedRoute::read(route.metadata.as_ref()) else {
            note_unconditional(&route.authorizations, ignored);
            continue;
        };
        for rule in route.rules {
            note_filters(&named, !rule.filters.is_empty(), ignored);
            let Some(conditions) =
                http_conditions(&named.name, &route.hosts, rule.matches, ignored)
            else {
                continue;
            };
            match conditions.requests() {
                Some(requests) => {
                    grants.extend(access::from_wire(&route.authorizations, requests, ignored));
                }
                None => note_unconditional(&route.authorizations, ignored),
            }
            if !is_grant {
                rules.push(named.rule(conditions, None));
            }
        }
    }
    rules
}

fn read_grpc_routes(
    routes: Vec<wire::GrpcRoute>,
    grants: &mut Vec<Grant>,
    ignored: &mut Vec<Ignored>,
) -> Vec<RouteRule> {
    let mut rules = Vec::new();
    for route in routes {
        let is_grant = access::is_grant(route.metadata.as_ref());
        let Some(named) = NamedRoute::read(route.metadata.as_ref()) else {
            note_unconditional(&route.authorizations, ignored);
            continue;
        };
        for rule in route.rules {
            note_filters(&named, !rule.filters.is_empty(), ignored);
            let Some(conditions) =
                grpc_conditions(&named.name, &route.hosts, rule.matches, ignored)
            else {
                continue;
            };
            match conditions.requests() {
                Some(requests) => {
                    grants.extend(access::from_wire(&route.authorizations, requests, ignored));
                }
                None => note_unconditional(&route.authorizations, ignored),
            }
            if !is_grant {
                rules.push(named.rule(conditions, None));
            }
        }
    }
    rules
}

/// Authorizations of a route whose conditions we cannot tell: admitting whoever asks for anything would be too much.
fn note_unconditional(authorizations: &[wire::Authz], ignored: &mut Vec<Ignored>) {
    let left_out = authorizations.iter().map(|authz| Ignored::Authorization {
        name: access::name_of(authz),
    });
    ignored.extend(left_out);
}

fn note_filters(named: &NamedRoute, are_there: bool, ignored: &mut Vec<Ignored>) {
    if are_there {
        let route = named.name.clone();
        ignored.push(Ignored::Filters { route });
    }
}
