//! `OutboundPolicies`: what a proxy asks about a target, and the policy that it gets.

use super::route::{
    default_metadata, grpc_matches_to_wire, hosts_to_wire, http_matches_to_wire, route_metadata,
};
use super::{Caller, ConversionError};
use crate::wire::linkerd::meta::{Metadata, Resource, metadata};
use crate::wire::linkerd::outbound::{self as wire, proxy_protocol::Kind};
use clew_model::name::{Namespace, Workload};
use clew_model::policy::{OutboundPolicy, RouteRule};
use clew_model::service::{Protocol, Target};

mod backend;
mod read;

use backend::Backends;
pub use read::outbound_from_wire;

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
        routes: vec![opaque_route_to_wire(backends)],
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

/// Opaque bytes have one route.
fn opaque_route_to_wire(backends: &Backends<'_>) -> wire::OpaqueRoute {
    wire::OpaqueRoute {
        metadata: Some(default_metadata()),
        rules: vec![wire::opaque_route::Rule {
            backends: Some(backends.opaque()),
            ..Default::default()
        }],
    }
}
