//! What other control planes and clients send.

use crate::convert::destination::update_from_wire;
use crate::convert::inbound::{inbound_from_wire, port_from_wire};
use crate::convert::outbound::outbound_from_wire;
use crate::convert::telemetry::settings_from_wire;
use crate::convert::template::path_of_regex;
use crate::convert::{ConversionError, Ignored, Resolution};
use crate::wire::linkerd::http_route::{
    HeaderMatch, HttpRouteMatch, PathMatch as WirePath, path_match,
};
use crate::wire::linkerd::meta::{Metadata, Resource, metadata};
use crate::wire::linkerd::{destination, inbound, outbound};
use crate::wire::telemetry;
use clew_model::policy::{Access, OutboundPolicy, PathMatch};
use clew_model::service::{EndpointUpdate, Protocol};

#[test]
fn simple_expressions_of_others_are_understood() {
    let template = |t: &str| Some(PathMatch::Template(t.into()));
    let exact = |t: &str| Some(PathMatch::Exact(t.into()));
    assert_eq!(path_of_regex("/books/[^/]+"), template("/books/{segment}"));
    assert_eq!(
        path_of_regex("^/books/([^/]+)/edit$"),
        template("/books/{segment}/edit")
    );
    assert_eq!(
        path_of_regex("/books/(?:[^/]+)"),
        template("/books/{segment}")
    );
    assert_eq!(
        path_of_regex("/books/(?<id>[^/]+)"),
        template("/books/{id}")
    );
    assert_eq!(
        path_of_regex(r"/books/x[^/]+\.json"),
        template("/books/x{segment}.json")
    );
    assert_eq!(path_of_regex(r"^/v1\.0/books$"), exact("/v1.0/books"));
    assert_eq!(path_of_regex("/books"), exact("/books"));
}

#[test]
fn expressions_that_are_no_template_are_not_guessed_at() {
    for regex in [
        "/books/.*",
        "/books/[0-9]+",
        r"/books/\d+",
        "/books/[^/]+-[^/]+",
        r"/books/\{[^/]+",
        "/books/(a|b)",
        "/books?",
        "/books/[^/]*",
        r"/\{id\}",
        r"/\{id\}/[^/]+",
        r"/a\<b",
        "/books/[^/]+$x",
        r"/books\",
    ] {
        assert_eq!(path_of_regex(regex), None, "{regex}");
    }
}

fn resource(kind: &str, name: &str) -> Option<Metadata> {
    let resource = Resource {
        group: "gateway.networking.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        port: if kind == "Service" { 80 } else { 0 },
        ..Default::default()
    };
    Some(Metadata {
        kind: Some(metadata::Kind::Resource(resource)),
    })
}

fn backend(path: &str, weight: u32) -> outbound::http_route::WeightedRouteBackend {
    use outbound::backend::{BalanceP2c, EndpointDiscovery, Kind, endpoint_discovery};
    let get = endpoint_discovery::DestinationGet {
        path: path.to_owned(),
    };
    let discovery = EndpointDiscovery {
        kind: Some(endpoint_discovery::Kind::Dst(get)),
    };
    let balancer = BalanceP2c {
        discovery: Some(discovery),
        load: None,
    };
    let backend = outbound::Backend {
        kind: Some(Kind::Balancer(balancer)),
        ..Default::default()
    };
    let route = outbound::http_route::RouteBackend {
        backend: Some(backend),
        ..Default::default()
    };
    outbound::http_route::WeightedRouteBackend {
        backend: Some(route),
        weight,
    }
}

fn http1_policy(routes: Vec<outbound::HttpRoute>) -> outbound::OutboundPolicy {
    let http1 = outbound::proxy_protocol::Http1 {
        routes,
        failure_accrual: None,
    };
    let kind = outbound::proxy_protocol::Kind::Http1(http1);
    outbound::OutboundPolicy {
        protocol: Some(outbound::ProxyProtocol { kind: Some(kind) }),
        metadata: resource("Service", "books"),
    }
}

fn known(policy: outbound::OutboundPolicy) -> (OutboundPolicy, Vec<Ignored>) {
    let decoded = outbound_from_wire(policy).unwrap();
    match decoded.value {
        Resolution::Known(policy) => (policy, decoded.ignored),
        Resolution::Unknown => panic!("the policy names a service"),
    }
}

/// An HTTPRoute of a Linkerd control plane: a split, a filter, a match by header beside one by path. There
/// is no route for everything else, so the destination follows from the service.
#[test]
fn what_is_not_applied_is_said() {
    let by_header = HttpRouteMatch {
        headers: vec![HeaderMatch {
            name: "x-canary".to_owned(),
            value: None,
        }],
        ..Default::default()
    };
    let by_path = HttpRouteMatch {
        path: Some(WirePath {
            kind: Some(path_match::Kind::Prefix("/books".to_owned())),
        }),
        ..Default::default()
    };
    let random = outbound::http_route::distribution::RandomAvailable {
        backends: vec![backend("a.shop:80", 1), backend("b.shop:80", 9)],
    };
    let distribution = outbound::http_route::Distribution {
        kind: Some(outbound::http_route::distribution::Kind::RandomAvailable(
            random,
        )),
    };
    let rule = outbound::http_route::Rule {
        matches: vec![by_header, by_path],
        filters: vec![outbound::http_route::Filter { kind: None }],
        backends: Some(distribution),
        timeouts: Some(Default::default()),
        ..Default::default()
    };
    let route = outbound::HttpRoute {
        metadata: resource("HTTPRoute", "canary"),
        hosts: vec![],
        rules: vec![rule],
    };
    let (policy, ignored) = known(http1_policy(vec![route]));

    assert_eq!(policy.service.as_str(), "books");
    assert_eq!(policy.protocol, Protocol::Http1);
    assert_eq!(&*policy.destination, "books.shop.svc.cluster.local:80");
    assert_eq!(policy.routes.len(), 1);
    assert_eq!(policy.routes[0].name.as_str(), "canary");
    assert_eq!(
        policy.routes[0].matches.len(),
        1,
        "the match by header is skipped"
    );
    assert_eq!(
        policy.routes[0].backend.as_deref(),
        Some("b.shop:80"),
        "the heavier one"
    );
    let route = clew_model::name::RouteName::from("canary");
    for part in [
        Ignored::HeaderCondition {
            route: route.clone(),
        },
        Ignored::Filters {
            route: route.clone(),
        },
        Ignored::Split {
            route: route.clone(),
        },
        Ignored::Resilience { route },
    ] {
        assert!(ignored.contains(&part), "{part} is not in {ignored:?}");
    }
}

/// A rule whose every match is skipped must not become a rule for every request.
#[test]
fn a_rule_that_cannot_be_applied_matches_nothing() {
    let by_expression = HttpRouteMatch {
        path: Some(WirePath {
            kind: Some(path_match::Kind::Regex("/v[0-9]/.*".to_owned())),
        }),
        ..Default::default()
    };
    let rule = outbound::http_route::Rule {
        matches: vec![by_expression],
        ..Default::default()
    };
    let route = outbound::HttpRoute {
        metadata: resource("HTTPRoute", "versions"),
        hosts: vec![],
        rules: vec![rule],
    };
    let (policy, ignored) = known(http1_policy(vec![route]));
    assert!(policy.routes.is_empty());
    assert!(matches!(&ignored[..], [Ignored::PathExpression { .. }]));
}

#[test]
fn a_policy_about_no_service_is_unknown() {
    let mut policy = http1_policy(Vec::new());
    policy.metadata = Some(Metadata {
        kind: Some(metadata::Kind::Default("egress".to_owned())),
    });
    assert_eq!(
        outbound_from_wire(policy).unwrap().value,
        Resolution::Unknown
    );
}

/// Linkerd's control plane answers so about what lies outside of the cluster.
#[test]
fn a_policy_about_another_kind_of_resource_is_unknown() {
    let policy = outbound::OutboundPolicy {
        metadata: resource("EgressNetwork", "all-egress"),
        ..http1_policy(Vec::new())
    };
    let decoded = outbound_from_wire(policy).unwrap();
    assert_eq!(decoded.value, Resolution::Unknown);
}

#[test]
fn a_backend_that_is_no_service_is_said() {
    use outbound::http_route::{Distribution, distribution};
    let rule = outbound::http_route::Rule {
        backends: Some(Distribution {
            kind: Some(distribution::Kind::Empty(distribution::Empty {})),
        }),
        ..Default::default()
    };
    let route = outbound::HttpRoute {
        metadata: resource("HTTPRoute", "nowhere"),
        hosts: vec![],
        rules: vec![rule],
    };
    let (policy, ignored) = known(http1_policy(vec![route]));
    assert_eq!(policy.routes[0].backend, None);
    let route = "nowhere".into();
    assert_eq!(ignored, vec![Ignored::Backend { route }]);
}

#[test]
fn half_a_policy_is_refused() {
    let no_protocol = outbound::OutboundPolicy {
        protocol: None,
        ..http1_policy(Vec::new())
    };
    assert_eq!(
        outbound_from_wire(no_protocol),
        Err(ConversionError::Missing { field: "protocol" })
    );
    let no_metadata = outbound::OutboundPolicy {
        metadata: None,
        ..http1_policy(Vec::new())
    };
    assert_eq!(
        outbound_from_wire(no_metadata),
        Err(ConversionError::Missing { field: "metadata" })
    );
    let server = inbound::Server::default();
    assert_eq!(
        inbound_from_wire(server, &"books".into()),
        Err(ConversionError::Missing { field: "protocol" })
    );
}

#[test]
fn a_linkerd_server_names_no_service_and_restricts_who_may_connect() {
    let kind = inbound::proxy_protocol::Kind::Opaque(inbound::proxy_protocol::Opaque {});
    let server = inbound::Server {
        protocol: Some(inbound::ProxyProtocol { kind: Some(kind) }),
        labels: [
            ("kind".to_owned(), "server".to_owned()),
            ("name".to_owned(), "srv".to_owned()),
        ]
        .into(),
        ..Default::default()
    };
    let decoded = inbound_from_wire(server, &"books".into()).unwrap();
    assert_eq!(decoded.value.service.as_str(), "books");
    assert_eq!(decoded.value.protocol, Protocol::Opaque);
    // It authorizes nobody.
    assert_eq!(decoded.value.access, Access::nobody());
    assert_eq!(decoded.ignored, Vec::new());
}

#[test]
fn endpoints_of_a_linkerd_control_plane_have_their_workloads() {
    let labels = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let address: std::net::SocketAddr = "10.1.2.3:80".parse().unwrap();
    let addr = destination::WeightedAddr {
        addr: Some(address.into()),
        weight: 10_000,
        metric_labels: labels(&[("deployment", "books"), ("pod", "books-7f3a")]),
        ..Default::default()
    };
    let set = destination::WeightedAddrSet {
        addrs: vec![addr],
        metric_labels: labels(&[("namespace", "shop"), ("service", "books")]),
    };
    let update = destination::Update {
        update: Some(destination::update::Update::Add(set)),
    };
    let EndpointUpdate::Add(endpoints) = update_from_wire(update).unwrap() else {
        panic!("an add")
    };
    assert_eq!(endpoints[0].address, address);
    assert_eq!(
        endpoints[0].workload.as_ref().unwrap().to_string(),
        "books.shop"
    );
    assert_eq!(
        endpoints[0].instance.as_ref().unwrap().as_str(),
        "books-7f3a"
    );
}

#[test]
fn ports_that_are_none_are_refused() {
    for port in [0, 65_536, u32::MAX] {
        let spec = inbound::PortSpec {
            workload: "shop:books".to_owned(),
            port,
        };
        assert!(
            matches!(
                port_from_wire(spec),
                Err(ConversionError::Invalid { field: "port", .. })
            ),
            "{port}"
        );
    }
}

#[test]
fn all_mistakes_in_settings_are_said_at_once() {
    let settings = telemetry::Settings {
        sampling: Some(telemetry::Sampling {
            ratio: 1.5,
            max_per_second: f64::NAN,
        }),
        write_formats: vec!["b3".to_owned(), "zipkin".to_owned()],
        access_log: "some".to_owned(),
        show_headers: vec!["X-Upper".to_owned(), "not a header".to_owned()],
        ..Default::default()
    };
    let fields: Vec<String> = settings_from_wire(settings)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    let fields: Vec<&str> = fields
        .iter()
        .filter_map(|text| text.split(':').next())
        .collect();
    let expected = [
        "sampling.ratio",
        "sampling.max_per_second",
        "write_formats",
        "access_log",
        "show_headers",
        "show_headers",
    ];
    assert_eq!(fields, expected);
}
