//! `OutboundPolicies`: what a proxy asks about a target, and the policy that it gets.

use super::route::{
    default_metadata, grpc_conditions, grpc_matches_to_wire, hosts_to_wire, http_conditions,
    http_matches_to_wire, read_route_metadata, route_metadata,
};
use super::{Caller, ConversionError, Decoded, Ignored, Resolution};
use crate::wire::linkerd::meta::{Metadata, Resource, metadata};
use crate::wire::linkerd::outbound::{self as wire, proxy_protocol::Kind};
use clew_model::name::{Namespace, RouteName, ServiceName, Workload};
use clew_model::policy::{OutboundPolicy, RouteRule};
use clew_model::service::{Protocol, Target};
use std::sync::Arc;
use std::time::Duration;

mod backend;

use backend::{Backends, grpc_backends, http_backends, opaque_backends};

/// What detection is given where a policy does not say.
const DETECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The question about a target.
pub fn target_to_wire(target: &Target, caller: &Workload) -> wire::TrafficSpec {
    let target = match target {
        Target::Address(address) => wire::traffic_spec::Target::Addr((*address).into()),
        Target::Authority(authority) => {
            wire::traffic_spec::Target::Authority(authority.to_string())
        }
        Target::Service(service) => wire::traffic_spec::Target::Authority(service.to_string()),
    };
    wire::TrafficSpec {
        source_workload: Caller::token(caller),
        target: Some(target),
    }
}

/// Who asks, and about what. A service that is asked for by name comes as an authority.
pub fn target_from_wire(spec: wire::TrafficSpec) -> Result<(Caller, Target), ConversionError> {
    let caller = Caller::parse(&spec.source_workload)?;
    let target = match spec
        .target
        .ok_or(ConversionError::Missing { field: "target" })?
    {
        wire::traffic_spec::Target::Addr(address) => {
            Target::Address(super::destination::address_from_wire(address)?)
        }
        wire::traffic_spec::Target::Authority(authority) => {
            Target::Authority(authority.to_ascii_lowercase().into())
        }
    };
    Ok((caller, target))
}

/// The policy of a service. `port` is the one that clients name, 0 when there is none to name.
pub fn outbound_to_wire(
    policy: &OutboundPolicy,
    namespace: &Namespace,
    port: u16,
) -> wire::OutboundPolicy {
    let metadata = Metadata {
        kind: Some(metadata::Kind::Resource(Resource {
            group: "core".to_owned(),
            kind: "Service".to_owned(),
            name: policy.service.to_string(),
            namespace: namespace.to_string(),
            section: String::new(),
            port: port.into(),
        })),
    };
    let backends = Backends {
        service: &metadata,
        own: &policy.destination,
    };
    let kind = protocol_to_wire(policy, &backends);
    wire::OutboundPolicy {
        protocol: Some(wire::ProxyProtocol { kind: Some(kind) }),
        metadata: Some(metadata),
    }
}

fn protocol_to_wire(policy: &OutboundPolicy, backends: &Backends<'_>) -> Kind {
    let http = || http_routes_to_wire(&policy.routes, backends);
    let opaque = || wire::proxy_protocol::Opaque {
        routes: vec![backends.opaque_route()],
    };
    let http1 = || wire::proxy_protocol::Http1 {
        routes: http(),
        failure_accrual: None,
    };
    let http2 = || wire::proxy_protocol::Http2 {
        routes: http(),
        failure_accrual: None,
    };
    match policy.protocol {
        Protocol::Detect => Kind::Detect(wire::proxy_protocol::Detect {
            timeout: policy.detect_timeout.try_into().ok(),
            opaque: Some(opaque()),
            http1: Some(http1()),
            http2: Some(http2()),
        }),
        Protocol::Opaque => Kind::Opaque(opaque()),
        Protocol::Http1 => Kind::Http1(http1()),
        Protocol::Http2 => Kind::Http2(http2()),
        Protocol::Grpc => Kind::Grpc(wire::proxy_protocol::Grpc {
            routes: grpc_routes_to_wire(&policy.routes, backends),
            failure_accrual: None,
        }),
    }
}

fn http_routes_to_wire(rules: &[RouteRule], backends: &Backends<'_>) -> Vec<wire::HttpRoute> {
    let configured = rules.iter().map(|rule| wire::HttpRoute {
        metadata: Some(route_metadata(rule)),
        hosts: hosts_to_wire(&rule.hosts),
        rules: vec![wire::http_route::Rule {
            matches: http_matches_to_wire(&rule.matches),
            backends: Some(backends.http(rule.backend.as_ref())),
            ..Default::default()
        }],
    });
    let everything_else = wire::HttpRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        rules: vec![wire::http_route::Rule {
            backends: Some(backends.http(None)),
            ..Default::default()
        }],
    };
    configured.chain([everything_else]).collect()
}

fn grpc_routes_to_wire(rules: &[RouteRule], backends: &Backends<'_>) -> Vec<wire::GrpcRoute> {
    let configured = rules.iter().filter_map(|rule| {
        Some(wire::GrpcRoute {
            metadata: Some(route_metadata(rule)),
            hosts: hosts_to_wire(&rule.hosts),
            rules: vec![wire::grpc_route::Rule {
                matches: grpc_matches_to_wire(&rule.matches)?,
                backends: Some(backends.grpc(rule.backend.as_ref())),
                ..Default::default()
            }],
        })
    });
    let everything_else = wire::GrpcRoute {
        metadata: Some(default_metadata()),
        hosts: Vec::new(),
        rules: vec![wire::grpc_route::Rule {
            backends: Some(backends.grpc(None)),
            ..Default::default()
        }],
    };
    configured.chain([everything_else]).collect()
}

/// The policy in a message. A policy that is about no service (metadata `default`, as for an address
/// outside of the mesh) is [`Resolution::Unknown`].
pub fn outbound_from_wire(
    policy: wire::OutboundPolicy,
) -> Result<Decoded<Resolution<OutboundPolicy>>, ConversionError> {
    let metadata = policy
        .metadata
        .and_then(|m| m.kind)
        .ok_or(ConversionError::Missing { field: "metadata" })?;
    let kind = policy
        .protocol
        .and_then(|p| p.kind)
        .ok_or(ConversionError::Missing { field: "protocol" })?;
    let metadata::Kind::Resource(resource) = metadata else {
        return Ok(Decoded {
            value: Resolution::Unknown,
            ignored: Vec::new(),
        });
    };
    let mut reader = RouteReader::default();
    let (protocol, detect_timeout) = reader.read_protocol(kind)?;
    let RouteReader {
        rules,
        fallback,
        ignored,
    } = reader;
    // A Linkerd control plane names no route for everything else once there are HTTPRoutes.
    let destination = fallback.unwrap_or_else(|| path_of_resource(&resource));
    let rules: Vec<RouteRule> = rules
        .into_iter()
        .map(|rule| RouteRule {
            backend: rule.backend.filter(|path| *path != destination),
            ..rule
        })
        .collect();
    let policy = OutboundPolicy {
        service: ServiceName::new(resource.name),
        protocol,
        detect_timeout,
        routes: rules.into(),
        destination,
    };
    Ok(Decoded {
        value: Resolution::Known(policy),
        ignored,
    })
}

/// What the destination API calls a service.
fn path_of_resource(service: &Resource) -> Arc<str> {
    let host = format!("{}.{}.svc.cluster.local", service.name, service.namespace);
    if service.port == 0 {
        host.into()
    } else {
        format!("{host}:{}", service.port).into()
    }
}

/// Collects rules from the routes of a policy.
#[derive(Default)]
struct RouteReader {
    rules: Vec<RouteRule>,
    /// Destination of the route of everything else.
    fallback: Option<Arc<str>>,
    ignored: Vec<Ignored>,
}

impl RouteReader {
    fn read_protocol(&mut self, kind: Kind) -> Result<(Protocol, Duration), ConversionError> {
        let mut detect_timeout = DETECT_TIMEOUT;
        let protocol = match kind {
            Kind::Detect(detect) => {
                if let Some(timeout) = detect.timeout {
                    detect_timeout = timeout.try_into().map_err(|_| {
                        ConversionError::invalid(
                            "timeout",
                            timeout,
                            "a duration that is not negative",
                        )
                    })?;
                }
                self.read_opaque(detect.opaque.unwrap_or_default());
                // Both lists say the same, in our control as in Linkerd's.
                match (detect.http1, detect.http2) {
                    (Some(http1), _) => {
                        self.read_http(http1.routes, http1.failure_accrual.is_some())
                    }
                    (None, Some(http2)) => {
                        self.read_http(http2.routes, http2.failure_accrual.is_some())
                    }
                    (None, None) => {}
                }
                Protocol::Detect
            }
            Kind::Opaque(opaque) => {
                self.read_opaque(opaque);
                Protocol::Opaque
            }
            Kind::Http1(http1) => {
                self.read_http(http1.routes, http1.failure_accrual.is_some());
                Protocol::Http1
            }
            Kind::Http2(http2) => {
                self.read_http(http2.routes, http2.failure_accrual.is_some());
                Protocol::Http2
            }
            Kind::Grpc(grpc) => {
                self.read_grpc(grpc);
                Protocol::Grpc
            }
            Kind::Tls(_) => {
                self.ignored.push(Ignored::TlsRoutes);
                Protocol::Opaque
            }
        };
        Ok((protocol, detect_timeout))
    }

    fn read_opaque(&mut self, opaque: wire::proxy_protocol::Opaque) {
        let first = opaque
            .routes
            .into_iter()
            .next()
            .and_then(|route| route.rules.into_iter().next());
        if let Some(backends) = first.and_then(|rule| rule.backends) {
            self.fallback = opaque_backends(backends).heaviest();
        }
    }

    fn read_http(&mut self, routes: Vec<wire::HttpRoute>, failure_accrual: bool) {
        if failure_accrual {
            self.ignored.push(Ignored::FailureAccrual);
        }
        for route in routes {
            let named = read_route_metadata(route.metadata.as_ref());
            for rule in route.rules {
                let choice = rule.backends.map(http_backends).unwrap_or_default();
                let Some((name, failure_statuses)) = named.clone() else {
                    self.fallback = choice.heaviest().or(self.fallback.take());
                    continue;
                };
                self.note(
                    &name,
                    !rule.filters.is_empty(),
                    rule.timeouts.is_some() || rule.retry.is_some(),
                );
                self.note_split(&name, choice.count());
                let conditions =
                    http_conditions(&name, &route.hosts, rule.matches, &mut self.ignored);
                self.rules.extend(conditions.map(|c| RouteRule {
                    name,
                    hosts: c.hosts,
                    matches: c.matches,
                    backend: choice.heaviest(),
                    failure_statuses,
                }));
            }
        }
    }

    fn read_grpc(&mut self, grpc: wire::proxy_protocol::Grpc) {
        if grpc.failure_accrual.is_some() {
            self.ignored.push(Ignored::FailureAccrual);
        }
        for route in grpc.routes {
            let named = read_route_metadata(route.metadata.as_ref());
            for rule in route.rules {
                let choice = rule.backends.map(grpc_backends).unwrap_or_default();
                let Some((name, failure_statuses)) = named.clone() else {
                    self.fallback = choice.heaviest().or(self.fallback.take());
                    continue;
                };
                self.note(
                    &name,
                    !rule.filters.is_empty(),
                    rule.timeouts.is_some() || rule.retry.is_some(),
                );
                self.note_split(&name, choice.count());
                let conditions =
                    grpc_conditions(&name, &route.hosts, rule.matches, &mut self.ignored);
                self.rules.extend(conditions.map(|c| RouteRule {
                    name,
                    hosts: c.hosts,
                    matches: c.matches,
                    backend: choice.heaviest(),
                    failure_statuses,
                }));
            }
        }
    }

    fn note(&mut self, route: &RouteName, filters: bool, resilience: bool) {
        if filters {
            self.ignored.push(Ignored::Filters {
                route: route.clone(),
            });
        }
        if resilience {
            self.ignored.push(Ignored::Resilience {
                route: route.clone(),
            });
        }
    }

    fn note_split(&mut self, route: &RouteName, backends: usize) {
        if backends > 1 {
            self.ignored.push(Ignored::Split {
                route: route.clone(),
            });
        }
    }
}
