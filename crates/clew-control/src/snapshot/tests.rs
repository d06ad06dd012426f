#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::config::DeclaredService;
use crate::sample;
use clew_api::member::Port;
use clew_model::name::{InstanceId, Workload};
use clew_model::service::Target;

fn member(id: &str, namespace: &str, ports: &[(&str, &str, Protocol)]) -> Arc<Member> {
    let port = |(service, application, protocol): &(&str, &str, Protocol)| Port {
        protocol: *protocol,
        ..sample::port(service, application.parse().unwrap())
    };
    let sample = sample::instance(id, 7_000);
    let instance = Instance {
        workload: Workload::new(sample.workload.name.as_str(), namespace),
        ports: ports.iter().map(port).collect(),
        ..sample
    };
    Arc::new(Member {
        instance,
        identity: None,
        joined: 0,
    })
}

fn leaving(member: &Arc<Member>) -> Arc<Member> {
    let instance = Instance {
        leaving: true,
        ..member.instance.clone()
    };
    Arc::new(Member {
        instance,
        identity: None,
        joined: member.joined,
    })
}

fn declared(services: Vec<DeclaredService>) -> Arc<Declared> {
    let config = ControlConfig {
        services,
        ..ControlConfig::new("127.0.0.1:0".parse().unwrap())
    };
    Arc::new(Declared::new(&config))
}

fn snapshot(members: Vec<Arc<Member>>) -> Snapshot {
    let tags = DeclaredService {
        name: "tags".into(),
        protocol: Some(Protocol::Grpc),
        routes: Arc::new([]),
    };
    Snapshot::new(declared(vec![tags]), Arc::default(), members, true)
}

fn key(name: &str, namespace: &str) -> ServiceKey {
    ServiceKey {
        namespace: namespace.into(),
        name: name.into(),
    }
}

fn authority(snapshot: &Snapshot, text: &str) -> Option<ServiceKey> {
    snapshot.resolve(&Question {
        target: Target::Authority(text.into()),
        namespace: "default".into(),
    })
}

#[test]
fn a_service_goes_by_all_its_names() {
    let mesh = snapshot(vec![
        member(
            "books-1",
            "default",
            &[("books", "127.0.0.1:7002", Protocol::Detect)],
        ),
        member(
            "books-2",
            "other",
            &[("books", "127.0.0.1:7102", Protocol::Detect)],
        ),
    ]);
    let default = Some(key("books", "default"));
    for text in [
        "books",
        "books:7002",
        "books:80",
        "books.default",
        "books.default:7002",
        "books.default.svc",
        "books.default.svc.cluster.local",
        "books.default.svc.cluster.local:7002",
        "books.default.svc.cluster.local.",
    ] {
        assert_eq!(authority(&mesh, text), default, "{text}");
    }
    assert_eq!(authority(&mesh, "books.other"), Some(key("books", "other")));
    for text in [
        "",
        ":",
        "nobody",
        "books.nowhere",
        "books.default.example.com",
        "books:no",
        "default",
        "example.com:80",
    ] {
        assert_eq!(authority(&mesh, text), None, "{text}");
    }
}

#[test]
fn an_applications_address_means_its_service() {
    let mesh = snapshot(vec![
        member(
            "books-1",
            "default",
            &[("books", "127.0.0.1:7002", Protocol::Detect)],
        ),
        member(
            "six-1",
            "default",
            &[("six", "[::1]:7006", Protocol::Detect)],
        ),
        member(
            "far-1",
            "default",
            &[("far", "10.1.2.3:80", Protocol::Detect)],
        ),
    ]);
    let address = |text: &str| {
        let target = Target::Address(text.parse().unwrap());
        mesh.resolve(&Question {
            target,
            namespace: "elsewhere".into(),
        })
    };
    assert_eq!(address("127.0.0.1:7002"), Some(key("books", "default")));
    assert_eq!(
        address("[::ffff:127.0.0.1]:7002"),
        Some(key("books", "default"))
    );
    assert_eq!(address("127.0.0.1:7003"), None);
    assert_eq!(
        authority(&mesh, "127.0.0.1:7002"),
        Some(key("books", "default"))
    );
    assert_eq!(
        authority(&mesh, "localhost:7002"),
        Some(key("books", "default"))
    );
    assert_eq!(
        authority(&mesh, "localhost:7006"),
        Some(key("six", "default"))
    );
    assert_eq!(authority(&mesh, "[::1]:7006"), Some(key("six", "default")));
    assert_eq!(
        authority(&mesh, "10.1.2.3"),
        Some(key("far", "default")),
        "port 80 goes without saying"
    );
    assert_eq!(authority(&mesh, "localhost"), None);
}

#[test]
fn short_names_are_names_of_the_callers_namespace() {
    let mesh = snapshot(vec![member(
        "books-1",
        "other",
        &[("books", "127.0.0.1:7002", Protocol::Detect)],
    )]);
    let target = Target::Service("books".into());
    let from = |namespace: &str| {
        mesh.resolve(&Question {
            target: target.clone(),
            namespace: namespace.into(),
        })
    };
    assert_eq!(from("other"), Some(key("books", "other")));
    assert_eq!(from("default"), None);
}

#[test]
fn a_declared_service_exists_without_members() {
    let mesh = snapshot(Vec::new());
    assert!(mesh.endpoints(&key("tags", "default")).unwrap().is_empty());
    assert!(mesh.endpoints(&key("books", "default")).is_none());
    let policy = mesh.outbound_policy(&key("tags", "default")).unwrap();
    assert_eq!(policy.protocol, Protocol::Grpc);
    assert_eq!(&*policy.destination, "tags.default.svc.cluster.local");
}

#[test]
fn a_leaving_member_has_no_endpoints_and_its_service_still_exists() {
    let books = member(
        "books-1",
        "default",
        &[("books", "127.0.0.1:7002", Protocol::Detect)],
    );
    let other = member(
        "books-2",
        "default",
        &[("books", "127.0.0.1:7003", Protocol::Detect)],
    );
    let mesh = snapshot(vec![leaving(&books), other.clone()]);
    let ports: Vec<u16> = mesh
        .endpoints(&key("books", "default"))
        .unwrap()
        .keys()
        .map(SocketAddr::port)
        .collect();
    assert_eq!(ports, [17_003]);
    let mesh = snapshot(vec![leaving(&books), leaving(&other)]);
    assert!(mesh.endpoints(&key("books", "default")).unwrap().is_empty());
}

#[test]
fn endpoints_say_whose_they_are() {
    let mesh = snapshot(vec![member(
        "books-1",
        "default",
        &[("books", "127.0.0.1:7002", Protocol::Detect)],
    )]);
    let endpoint = mesh
        .endpoints(&key("books", "default"))
        .unwrap()
        .values()
        .next()
        .unwrap()
        .clone();
    assert_eq!(endpoint.workload, Some(Workload::new("books", "default")));
    assert_eq!(endpoint.instance, Some(InstanceId::from("books-1")));
    assert_eq!(endpoint.weight, 1);
}

#[test]
fn of_two_that_claim_an_address_the_later_one_has_it() {
    let first = member(
        "a-1",
        "default",
        &[("a", "127.0.0.1:7002", Protocol::Detect)],
    );
    let second = member(
        "b-1",
        "default",
        &[("b", "127.0.0.1:7002", Protocol::Detect)],
    );
    assert_eq!(
        authority(
            &snapshot(vec![first.clone(), second.clone()]),
            "127.0.0.1:7002"
        ),
        Some(key("b", "default"))
    );
    assert_eq!(
        authority(&snapshot(vec![second, first]), "127.0.0.1:7002"),
        Some(key("a", "default"))
    );
}

#[test]
fn a_service_speaks_what_is_declared_or_what_its_members_agree_on() {
    let speaks = |members: Vec<Arc<Member>>, name: &str| {
        snapshot(members)
            .outbound_policy(&key(name, "default"))
            .unwrap()
            .protocol
    };
    let of = |id: &str, service: &str, protocol| {
        member(id, "default", &[(service, "127.0.0.1:7002", protocol)])
    };
    assert_eq!(
        speaks(vec![of("b-1", "books", Protocol::Http1)], "books"),
        Protocol::Http1
    );
    let disagree = vec![
        of("b-1", "books", Protocol::Http1),
        of("b-2", "books", Protocol::Http2),
    ];
    assert_eq!(speaks(disagree, "books"), Protocol::Detect);
    assert_eq!(
        speaks(vec![of("t-1", "tags", Protocol::Http1)], "tags"),
        Protocol::Grpc
    );
}

#[test]
fn a_port_is_found_by_workload_and_by_instance() {
    let mesh = snapshot(vec![
        member(
            "books-1",
            "default",
            &[("books", "127.0.0.1:7002", Protocol::Http2)],
        ),
        member(
            "tags-1",
            "default",
            &[("tags", "127.0.0.1:7003", Protocol::Detect)],
        ),
    ]);
    let find = |name: &str, port| {
        let caller = Caller {
            namespace: "default".into(),
            name: name.into(),
        };
        mesh.inbound_policy(&caller, port)
            .map(|(key, policy)| (key.name.to_string(), policy.protocol))
    };
    assert_eq!(
        find("books", 7002),
        Some(("books".to_owned(), Protocol::Http2))
    );
    assert_eq!(
        find("books-1", 7002),
        Some(("books".to_owned(), Protocol::Http2))
    );
    assert_eq!(
        find("tags", 7003),
        Some(("tags".to_owned(), Protocol::Grpc)),
        "what is declared fills in"
    );
    assert_eq!(find("books", 7003), None, "a port of somebody else");
}
