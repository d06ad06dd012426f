#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn instance() -> Instance {
    Instance {
        id: "books-1".into(),
        workload: Workload::new("books", "shop"),
        role: Role::Gateway,
        ports: vec![Port {
            service: "books".into(),
            application_address: "127.0.0.1:7002".parse().unwrap(),
            endpoint_address: "[::1]:4143".parse().unwrap(),
            protocol: Protocol::Grpc,
            weight: 3,
        }],
        admin_address: Some("127.0.0.1:4191".parse().unwrap()),
        tap_address: None,
        leaving: true,
        version: "0.1.0".to_owned(),
        pid: 42,
        started: UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789),
        identity: None,
    }
}

#[test]
fn an_instance_goes_over_and_comes_back() {
    let sent = instance();
    assert_eq!(Instance::try_from(wire::Instance::from(&sent)), Ok(sent));
}

#[test]
fn an_instance_that_makes_no_sense_is_refused_by_the_field() {
    type Spoil = fn(&mut wire::Instance);
    let cases: [(&str, Spoil); 11] = [
        ("version: ", |i| i.version = "x".repeat(300)),
        ("id is missing", |i| i.id.clear()),
        ("workload: ", |i| i.workload = "two words".to_owned()),
        ("namespace: ", |i| i.namespace = "x".repeat(254)),
        ("role: ", |i| i.role = 9),
        ("admin_address: ", |i| {
            i.admin_address = "localhost".to_owned()
        }),
        ("ports.protocol: ", |i| i.ports[0].protocol = 77),
        ("ports.application_address: ", |i| {
            i.ports[0].application_address.clear()
        }),
        // A host name is looked up in lower case: this one would never be found.
        ("ports.service: ", |i| {
            i.ports[0].service = "Books".to_owned()
        }),
        ("namespace: ", |i| i.namespace = "Shop".to_owned()),
        ("ports.service is missing", |i| i.ports[0].service.clear()),
    ];
    for (expected, spoil) in cases {
        let mut sent = wire::Instance::from(&instance());
        spoil(&mut sent);
        let error = Instance::try_from(sent).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
