//! Reading a policy: ours, and what other control planes send.

use super::backend::Choice;
use crate::convert::route::{Conditions, NamedRoute, grpc_conditions, http_conditions};
use crate::convert::{ConversionError, DETECT_TIMEOUT, Decoded, Ignored, Resolution};
use crate::wire::linkerd::meta::{Resource, metadata};
use crate::wire::linkerd::outbound::{self as wire, proxy_protocol::Kind};
use clew_model::name::{RouteName, ServiceName};
use clew_model::policy::{OutboundPolicy, RouteRule};
use clew_model::service::Protocol;
use std::sync::Arc;
use std::time::Duration;

/// Kind of resource that a policy is about, when it is about one of the mesh.
const SERVICE_KIND: &str = "Service";
/// How the route of everything else is called in remarks.
const DEFAULT_ROUTE: &str = "default";

/// The policy in a message. A policy that is about no service (metadata `default`, as for an address
/// outside of the mesh, or another kind of resource, as an EgressNetwork) is [`Resolution::Unknown`].
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
    let resource = match metadata {
        metadata::Kind::Resource(resource) if resource.kind.eq_ignore_ascii_case(SERVICE_KIND) => {
            resource
        }
        metadata::Kind::Resource(_) | metadata::Kind::Default(_) => {
            return Ok(Decoded {
                value: Resolution::Unknown,
                ignored: Vec::new(),
            });
        }
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
                self.read_grpc(grpc.routes, grpc.failure_accrual.is_some());
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
        let rules = opaque.routes.into_iter().flat_map(|route| route.rules);
        if let Some(rule) = rules.into_iter().next() {
            let choice = Choice::of_opaque(rule.backends);
            self.note_backend(DEFAULT_ROUTE.into(), &choice);
            self.fallback = choice.heaviest();
        }
    }

    fn read_http(&mut self, routes: Vec<wire::HttpRoute>, failure_accrual: bool) {
        self.note(failure_accrual, Ignored::FailureAccrual);
        for route in routes {
            let named = NamedRoute::read(route.metadata.as_ref());
            for rule in route.rules {
                let choice = Choice::of_http(rule.backends);
                let Some(named) = &named else {
                    self.note_backend(DEFAULT_ROUTE.into(), &choice);
                    self.fallback = choice.heaviest().or(self.fallback.take());
                    continue;
                };
                let resilience = rule.timeouts.is_some() || rule.retry.is_some();
                self.note_extras(named, !rule.filters.is_empty(), resilience);
                let hosts = &route.hosts;
                let conditions =
                    http_conditions(&named.name, hosts, rule.matches, &mut self.ignored);
                self.push(named, conditions, &choice);
            }
        }
    }

    fn read_grpc(&mut self, routes: Vec<wire::GrpcRoute>, failure_accrual: bool) {
        self.note(failure_accrual, Ignored::FailureAccrual);
        for route in routes {
            let named = NamedRoute::read(route.metadata.as_ref());
            for rule in route.rules {
                let choice = Choice::of_grpc(rule.backends);
                let Some(named) = &named else {
                    self.note_backend(DEFAULT_ROUTE.into(), &choice);
                    self.fallback = choice.heaviest().or(self.fallback.take());
                    continue;
                };
                let resilience = rule.timeouts.is_some() || rule.retry.is_some();
                self.note_extras(named, !rule.filters.is_empty(), resilience);
                let hosts = &route.hosts;
                let conditions =
                    grpc_conditions(&named.name, hosts, rule.matches, &mut self.ignored);
                self.push(named, conditions, &choice);
            }
        }
    }

    fn push(&mut self, named: &NamedRoute, conditions: Option<Conditions>, choice: &Choice) {
        let route = named.name.clone();
        self.note(choice.count() > 1, Ignored::Split { route });
        self.note_backend(named.name.clone(), choice);
        if let Some(conditions) = conditions {
            self.rules.push(named.rule(conditions, choice.heaviest()));
        }
    }

    fn note_backend(&mut self, route: RouteName, choice: &Choice) {
        self.note(choice.is_no_service(), Ignored::Backend { route });
    }

    fn note_extras(&mut self, named: &NamedRoute, filters: bool, resilience: bool) {
        let route = || named.name.clone();
        self.note(filters, Ignored::Filters { route: route() });
        self.note(resilience, Ignored::Resilience { route: route() });
    }

    fn note(&mut self, is_there: bool, part: Ignored) {
        if is_there {
            self.ignored.push(part);
        }
    }
}
