//! What goes over comes back.

use crate::access::AccessInForce;
use crate::convert::Resolution;
use crate::convert::access_table::{
    access_from_rest, access_from_wire, access_to_wire, table_from_wire, table_to_rest,
    table_to_wire,
};
use crate::convert::destination::{update_from_wire, update_to_wire};
use crate::convert::inbound::{inbound_from_wire, inbound_to_wire, port_from_wire, port_to_wire};
use crate::convert::outbound::{
    outbound_from_wire, outbound_to_wire, target_from_wire, target_to_wire,
};
use crate::convert::telemetry::{settings_from_wire, settings_to_wire};
use crate::convert::template::{path_of_regex, regex_of_template};
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, RouteName, Workload};
use clew_model::policy::{
    Access, Clients, Grant, InboundPolicy, IpPrefix, OutboundPolicy, PathMatch, RequestMatch,
    RouteRule, RuleSource,
};
use clew_model::service::{Endpoint, EndpointUpdate, Protocol, Target};
use clew_model::telemetry::{AccessLog, Sampling, TelemetrySettings, WriteFormat};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// A literal segment, with all that means something in an expression.
fn segment() -> impl Strategy<Value = String> {
    r"[a-zA-Z0-9._~!$&'()*+,;=:@%^|?#\[\]\\éß-]{1,8}"
}

/// A placeholder, whose name may be anything that is no brace and no slash.
fn placeholder() -> impl Strategy<Value = String> {
    r"[a-zA-Z0-9_. é\[\]-]{0,6}".prop_map(|name| format!("{{{name}}}"))
}

/// A placeholder with text before it, after it, or both.
fn partial() -> impl Strategy<Value = String> {
    let text = || prop_oneof![Just(String::new()), segment()];
    (text(), placeholder(), text()).prop_map(|(before, one, after)| format!("{before}{one}{after}"))
}

/// At least one placeholder: without one it would come back as an exact path, which is the same.
fn template() -> impl Strategy<Value = String> {
    let part = || prop_oneof![segment(), placeholder(), partial()];
    (vec(part(), 0..3), partial(), vec(part(), 0..3)).prop_map(|(before, one, after)| {
        let segments: Vec<String> = before.into_iter().chain([one]).chain(after).collect();
        format!("/{}", segments.join("/"))
    })
}

fn path() -> impl Strategy<Value = Arc<str>> {
    vec(segment(), 0..4).prop_map(|segments| format!("/{}", segments.join("/")).into())
}

fn http_match() -> impl Strategy<Value = RequestMatch> {
    let path = prop_oneof![
        path().prop_map(PathMatch::Exact),
        path().prop_map(PathMatch::Prefix),
        template().prop_map(|t| PathMatch::Template(t.into())),
    ];
    let method = prop_oneof![
        Just("GET"),
        Just("POST"),
        Just("PATCH"),
        Just("TRACE"),
        Just("PURGE")
    ];
    (option::of(path), option::of(method.prop_map(Arc::from)))
        .prop_map(|(path, method)| RequestMatch { path, method })
}

fn grpc_match() -> impl Strategy<Value = RequestMatch> {
    let name = || "[a-zA-Z][a-zA-Z0-9.]{0,8}";
    let path = prop_oneof![
        (name(), name())
            .prop_map(|(service, method)| PathMatch::Exact(format!("/{service}/{method}").into())),
        name().prop_map(|service| PathMatch::Prefix(format!("/{service}").into())),
        name().prop_map(|method| PathMatch::Template(format!("/{{service}}/{method}").into())),
    ];
    option::of(path).prop_map(|path| RequestMatch { path, method: None })
}

fn statuses() -> impl Strategy<Value = Arc<[RangeInclusive<u16>]>> {
    vec(
        (100_u16..600, 0_u16..100).prop_map(|(start, length)| start..=start + length),
        0..3,
    )
    .prop_map(Arc::from)
}

fn host() -> impl Strategy<Value = Arc<str>> {
    (any::<bool>(), "[a-z]{1,6}(\\.[a-z]{1,4}){0,2}").prop_map(|(wild, host)| {
        if wild {
            format!("*.{host}").into()
        } else {
            host.into()
        }
    })
}

fn rule(request_match: BoxedStrategy<RequestMatch>) -> impl Strategy<Value = RouteRule> {
    let backend = option::of("[a-z]{1,8}\\.other\\.svc\\.cluster\\.local".prop_map(Arc::from));
    (
        "\\PC{1,20}",
        vec(host(), 0..3),
        vec(request_match, 0..3),
        backend,
        option::of(statuses()),
        source(),
    )
        .prop_map(
            |(name, hosts, matches, backend, failure_statuses, source)| RouteRule {
                name: RouteName::new(name),
                hosts: hosts.into(),
                matches: matches.into(),
                backend,
                failure_statuses,
                source,
            },
        )
}

fn source() -> impl Strategy<Value = RuleSource> {
    use RuleSource::{Configuration, OpenApi, Proto};
    prop_oneof![Just(Configuration), Just(OpenApi), Just(Proto)]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    use Protocol::{Detect, Grpc, Http1, Http2, Opaque};
    prop_oneof![
        Just(Detect),
        Just(Http1),
        Just(Http2),
        Just(Grpc),
        Just(Opaque)
    ]
}

/// What opaque bytes have no routes for, and protocols that are known no detection, is not carried.
fn outbound() -> impl Strategy<Value = OutboundPolicy> {
    protocol().prop_flat_map(|protocol| {
        let request_match = if protocol == Protocol::Grpc {
            grpc_match().boxed()
        } else {
            http_match().boxed()
        };
        let count = if protocol == Protocol::Opaque {
            0..1
        } else {
            0..4
        };
        let timeout = if protocol == Protocol::Detect {
            0..100_000_u64
        } else {
            10_000..10_001
        };
        (
            "[a-z]{1,8}",
            vec(rule(request_match), count),
            timeout,
            "[a-z.:0-9]{1,20}",
        )
            .prop_map(
                move |(service, routes, timeout_ms, destination)| OutboundPolicy {
                    service: service.as_str().into(),
                    protocol,
                    detect_timeout: Duration::from_millis(timeout_ms),
                    routes: routes.into(),
                    destination: destination.into(),
                },
            )
    })
}

fn grant() -> impl Strategy<Value = Grant> {
    let identity = ("[a-z]{1,8}", "[a-z]{1,8}").prop_filter_map("a name", |(name, ns)| {
        Identity::new("x.y", &Workload::new(name, ns)).ok()
    });
    let clients = prop_oneof![
        Just(Clients::Anyone),
        Just(Clients::Meshed),
        vec(identity, 1..3).prop_map(|those| Clients::Identities(those.into())),
    ];
    let network = (any::<std::net::IpAddr>(), 1..=32_u8)
        .prop_map(|(address, bits)| IpPrefix { address, bits });
    let request =
        ("/[a-z]{1,5}", option::of(Just("PUT"))).prop_map(|(path, method)| RequestMatch {
            path: Some(PathMatch::Prefix(path.into())),
            method: method.map(Arc::from),
        });
    (
        "[a-z]{1,8}",
        clients,
        vec(network, 0..3),
        vec(request, 0..3),
    )
        .prop_map(|(name, clients, networks, requests)| Grant {
            name: name.into(),
            clients,
            networks: networks.into(),
            requests: requests.into(),
        })
}

/// In the order in which they are on the wire: those that ask for nothing come first.
fn access() -> impl Strategy<Value = Access> {
    vec(grant(), 0..4).prop_map(|mut grants| {
        grants.sort_by_key(|grant| !grant.requests.is_empty());
        Access::of(grants)
    })
}

/// With all that a request may be asked for.
fn access_of_requests() -> impl Strategy<Value = Access> {
    let path = || "/[a-z0-9._~:@é-]{0,8}".prop_map(Arc::<str>::from);
    let path = prop_oneof![
        path().prop_map(PathMatch::Exact),
        path().prop_map(PathMatch::Prefix),
        "/[a-z]{0,3}\\{[a-z]{0,3}\\}(\\.[a-z]{1,3})?/[a-z]{0,3}"
            .prop_map(|path| PathMatch::Template(path.into())),
    ];
    let method = || "[A-Z]{1,6}(-[A-Z]{1,3})?".prop_map(Arc::<str>::from);
    let request = prop_oneof![
        (path, option::of(method())).prop_map(|(path, method)| RequestMatch {
            path: Some(path),
            method,
        }),
        method().prop_map(|method| RequestMatch {
            path: None,
            method: Some(method),
        }),
    ];
    let grant = (grant(), vec(request, 0..3)).prop_map(|(grant, requests)| Grant {
        requests: requests.into(),
        ..grant
    });
    vec(grant, 0..4).prop_map(Access::of)
}

fn access_table() -> impl Strategy<Value = AccessInForce> {
    let service = "[a-zA-Z0-9._-]{1,8}".prop_map(|name| name.as_str().into());
    let services = proptest::collection::btree_map(service, access_of_requests(), 0..4);
    let domain = option::of(Just(Arc::from("cluster.local")));
    (domain, access_of_requests(), services).prop_map(|(trust_domain, default, services)| {
        AccessInForce {
            trust_domain,
            namespace: "shop".into(),
            default,
            services,
        }
    })
}

fn inbound() -> impl Strategy<Value = InboundPolicy> {
    (outbound(), access()).prop_map(|(policy, access)| {
        let without_backend = |rule: &RouteRule| RouteRule {
            backend: None,
            ..rule.clone()
        };
        InboundPolicy {
            service: policy.service,
            protocol: policy.protocol,
            detect_timeout: policy.detect_timeout,
            routes: policy.routes.iter().map(without_backend).collect(),
            access: match policy.protocol {
                // Bytes ask nothing, and what gRPC cannot ask has no word in its routes.
                Protocol::Opaque | Protocol::Grpc => Access::of(
                    access
                        .grants
                        .iter()
                        .filter(|grant| grant.requests.is_empty())
                        .cloned(),
                ),
                _ => access,
            },
        }
    })
}

fn address() -> impl Strategy<Value = SocketAddr> {
    any::<(std::net::IpAddr, u16)>().prop_map(SocketAddr::from)
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let workload =
        option::of(("[a-z]{1,8}", "[a-z]{1,8}").prop_map(|(name, ns)| Workload::new(name, ns)));
    let instance = option::of("[a-z0-9-]{1,8}".prop_map(InstanceId::new));
    let name = ("[a-z]{1,8}", "[a-z]{1,8}").prop_map(|(name, ns)| Workload::new(name, ns));
    let identity =
        option::of(name.prop_filter_map("a name", |workload| Identity::new("x.y", &workload).ok()));
    (address(), any::<u32>(), workload, instance, identity).prop_map(
        |(address, weight, workload, instance, identity)| Endpoint {
            address,
            weight,
            workload,
            instance,
            identity,
        },
    )
}

fn update() -> impl Strategy<Value = EndpointUpdate> {
    prop_oneof![
        vec(endpoint(), 0..5).prop_map(EndpointUpdate::Add),
        vec(address(), 0..5).prop_map(EndpointUpdate::Remove),
        any::<bool>().prop_map(|exists| EndpointUpdate::NoEndpoints { exists }),
    ]
}

fn settings() -> impl Strategy<Value = TelemetrySettings> {
    let limit = option::of((1_u32..1_000_000).prop_map(f64::from));
    let log = prop_oneof![
        Just(AccessLog::Off),
        Just(AccessLog::Errors),
        Just(AccessLog::All)
    ];
    let headers = vec("[a-z][a-z0-9-]{0,10}".prop_map(Arc::<str>::from), 0..4);
    let write = subsequence(&WriteFormat::ALL[..], 0..=WriteFormat::ALL.len());
    let flags = (any::<bool>(), any::<bool>(), write);
    (flags, 0.0..=1.0_f64, limit, log, headers).prop_map(
        |((tracing, audit, write), ratio, max_per_second, access_log, headers)| TelemetrySettings {
            tracing,
            sampling: Sampling {
                ratio,
                max_per_second,
            },
            write: write.into_iter().collect(),
            access_log,
            show_headers: headers.into(),
            audit,
        },
    )
}

proptest! {
    #[test]
    fn outbound_policies(policy in outbound(), port: u16) {
        let read = outbound_from_wire(outbound_to_wire(&policy, &"default".into(), port)).unwrap();
        prop_assert_eq!(read.ignored, Vec::new());
        prop_assert_eq!(read.value, Resolution::Known(policy));
    }

    #[test]
    fn inbound_policies(policy in inbound()) {
        let read = inbound_from_wire(inbound_to_wire(&policy, &"default".into()), &"fallback".into()).unwrap();
        prop_assert_eq!(read.ignored, Vec::new());
        prop_assert_eq!(read.value, policy);
    }

    #[test]
    fn endpoint_updates(update in update()) {
        prop_assert_eq!(update_from_wire(update_to_wire(&update)).unwrap(), update);
    }

    #[test]
    fn telemetry_settings(settings in settings()) {
        prop_assert_eq!(settings_from_wire(settings_to_wire(&settings, 7)).unwrap(), settings);
    }

    #[test]
    fn access_tables(table in access_table()) {
        prop_assert_eq!(table_from_wire(table_to_wire(&table)), Ok(table.clone()));
        let shown = table_to_rest(&table);
        prop_assert_eq!(access_from_rest(shown.default), Ok(table.default));
        for of in shown.services {
            let access = &table.services[&of.service.as_str().into()];
            prop_assert_eq!(access_from_rest(of.grants), Ok(access.clone()));
            prop_assert_eq!(access_from_wire(access_to_wire(access)), Ok(access.clone()));
        }
    }

    #[test]
    fn templates(template in template()) {
        let regex = regex_of_template(&template);
        prop_assert_eq!(path_of_regex(&regex), Some(PathMatch::Template(template.into())), "{}", regex);
    }

    /// What a Linkerd proxy matches by our expression is what our own proxies match.
    #[test]
    fn templates_mean_the_same_to_a_linkerd_proxy(template in template(), path in path(), value in "[^/]{0,3}") {
        let compiled = regex::Regex::new(&regex_of_template(&template)).unwrap();
        let ours = PathMatch::Template(template.as_str().into());
        let filled: Vec<String> = template
            .split('/')
            .map(|segment| match (segment.find('{'), segment.find('}')) {
                (Some(from), Some(to)) => format!("{}{value}{}", &segment[..from], &segment[to + 1..]),
                _ => segment.to_owned(),
            })
            .collect();
        let filled = filled.join("/");
        for path in [&filled, &format!("{filled}/more"), &path.to_string()] {
            // What no path holds; `.` and `[^/]` do not agree on it.
            prop_assume!(!path.contains(['\n', '\r']));
            prop_assert_eq!(compiled.is_match(path), ours.matches(path), "{} and {}", compiled, path);
        }
        prop_assert_eq!(ours.matches(&filled), !value.is_empty());
    }

    #[test]
    fn targets(address in address(), name in "[a-z][a-z0-9.:-]{0,20}") {
        let caller = Workload::new("web", "shop");
        let targets = [
            (Target::Address(address), Target::Address(address)),
            (Target::Authority(name.as_str().into()), Target::Authority(name.as_str().into())),
            (Target::Service(name.as_str().into()), Target::Authority(name.as_str().into())),
        ];
        for (asked, read) in targets {
            let (from, target) = target_from_wire(target_to_wire(&asked, &caller)).unwrap();
            prop_assert_eq!(target, read);
            prop_assert_eq!((from.namespace.as_str(), &*from.name), ("shop", "web"));
        }
    }

    #[test]
    fn ports(port in 1_u16..) {
        let (caller, read) = port_from_wire(port_to_wire(&Workload::new("books", "shop"), port)).unwrap();
        prop_assert_eq!((caller.namespace.as_str(), &*caller.name, read), ("shop", "books", port));
    }
}
