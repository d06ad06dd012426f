//! `InboundServerPolicies`: what a proxy asks about a port of its own, and the policy that it gets.

use super::route::{
    NamedRoute, default_metadata, grpc_conditions, grpc_matches_to_wire, hosts_to_wire,
    http_conditions, http_matches_to_wire, route_metadata,
};
use super::{Caller, ConversionError, DETECT_TIMEOUT, Decoded, Ignored};
use crate::wire::linkerd::inbound::{self as wire, proxy_protocol::Kind};
use crate::wire::linkerd::net::{IpAddress, IpNetwork};
use clew_model::name::{Namespace, ServiceName, Workload};
use clew_model::policy::{InboundPolicy, RouteRule};
use clew_model::service::Protocol;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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

/// The policy of a port. Everybody may connect: authorization comes with identities.
pub fn inbound_to_wire(policy: &InboundPolicy, namespace: &Namespace) -> wire::Server {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    wire::Server {
        protocol: Some(wire::ProxyProtocol {
            kind: Some(protocol_to_wire(policy)),
        }),
        server_ips: Vec::new(),
        authorizations: vec![everybody()],
        labels: HashMap::from([
            label("group", "core"),
            label("kind", "Service"),
            label("name", policy.service.as_str()),
            label("namespace", namespace.as_str()),
        ]),
    }
}

fn protocol_to_wire(policy: &InboundPolicy) -> Kind {
    let routes = || http_routes_to_wire(&policy.routes);
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
            routes: grpc_routes_to_wire(&policy.routes),
        }),
    }
}

fn everybody() -> wire::Authz {
    let network = |ip: IpAddr| wire::Network {
        net: Some(IpNetwork {
            ip: Some(IpAddress::from(ip)),
            prefix_len: 0,
        }),
        except: Vec::new(),
    };
    let unauthenticated =
        wire::authn::Permit::Unauthenticated(wire::authn::PermitUnauthenticated {});
    wire::Authz {
        networks: vec![
            network(Ipv4Addr::UNSPECIFIED.into()),
            network(Ipv6Addr::UNSPECIFIED.into()),
        ],
        authentication: Some(wire::Authn {
            permit: Some(unauthenticated),
        }),
        labels: HashMap::new(),
        metadata: Some(default_metadata()),
    }
}

fn http_routes_to_wire(rules: &[RouteRule]) -> Vec<wire::HttpRoute> {
    let configured = rules.iter().map(|rule| wire::HttpRoute {
        metadata: Some(route_metadata(rule)),
        hosts: hosts_to_wire(&rule.hosts),
        authorizations: vec![everybody()],
        rules: vec![wire::http_route::Rule {
            matches: http_matches_to_wire(&rule.matches),
            filters: Vec::new(),
        }],
    });
    let everything_else = wire::HttpRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        authorizations: vec![everybody()],
        rules: vec![wire::http_route::Rule::default()],
    };
    configured.chain([everything_else]).collect()
}

fn grpc_routes_to_wire(rules: &[RouteRule]) -> Vec<wire::GrpcRoute> {
    let configured = rules.iter().filter_map(|rule| {
        Some(wire::GrpcRoute {
            metadata: Some(route_metadata(rule)),
            hosts: hosts_to_wire(&rule.hosts),
            authorizations: vec![everybody()],
            rules: vec![wire::grpc_route::Rule {
                matches: grpc_matches_to_wire(&rule.matches)?,
                filters: Vec::new(),
            }],
        })
    });
    let everything_else = wire::GrpcRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        authorizations: vec![everybody()],
        rules: vec![wire::grpc_route::Rule::default()],
    };
    configured.chain([everything_else]).collect()
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
    if !server.authorizations.contains(&everybody()) {
        ignored.push(Ignored::Authorizations);
    }
    let is_service = server
        .labels
        .get("kind")
        .is_some_and(|kind| kind == "Service");
    let named = server.labels.get("name").filter(|_| is_service);
    let (protocol, detect_timeout, routes) = read_protocol(kind, &mut ignored)?;
    let value = InboundPolicy {
        service: named.map_or_else(|| service.clone(), |name| ServiceName::new(name.as_str())),
        protocol,
        detect_timeout,
        routes: routes.into(),
    };
    Ok(Decoded { value, ignored })
}

fn read_protocol(
    kind: Kind,
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
            let routes = read_http_routes(detect.http_routes, ignored);
            (
                Protocol::Detect,
                routes,
                detect.http_local_rate_limit.is_some(),
            )
        }
        Kind::Http1(http) => (
            Protocol::Http1,
            read_http_routes(http.routes, ignored),
            http.local_rate_limit.is_some(),
        ),
        Kind::Http2(http) => (
            Protocol::Http2,
            read_http_routes(http.routes, ignored),
            http.local_rate_limit.is_some(),
        ),
        Kind::Grpc(grpc) => (
            Protocol::Grpc,
            read_grpc_routes(grpc.routes, ignored),
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

fn read_http_routes(routes: Vec<wire::HttpRoute>, ignored: &mut Vec<Ignored>) -> Vec<RouteRule> {
    let mut rules = Vec::new();
    for route in routes {
        let Some(named) = NamedRoute::read(route.metadata.as_ref()) else {
            continue;
        };
        for rule in route.rules {
            note_filters(&named, !rule.filters.is_empty(), ignored);
            let conditions = http_conditions(&named.name, &route.hosts, rule.matches, ignored);
            rules.extend(conditions.map(|conditions| named.rule(conditions, None)));
        }
    }
    rules
}

fn read_grpc_routes(routes: Vec<wire::GrpcRoute>, ignored: &mut Vec<Ignored>) -> Vec<RouteRule> {
    let mut rules = Vec::new();
    for route in routes {
        let Some(named) = NamedRoute::read(route.metadata.as_ref()) else {
            continue;
        };
        for rule in route.rules {
            note_filters(&named, !rule.filters.is_empty(), ignored);
            let conditions = grpc_conditions(&named.name, &route.hosts, rule.matches, ignored);
            rules.extend(conditions.map(|conditions| named.rule(conditions, None)));
        }
    }
    rules
}

fn note_filters(named: &NamedRoute, are_there: bool, ignored: &mut Vec<Ignored>) {
    if are_there {
        let route = named.name.clone();
        ignored.push(Ignored::Filters { route });
    }
}
