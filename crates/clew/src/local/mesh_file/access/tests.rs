#![allow(clippy::unwrap_used)]

use crate::local::mesh_file::parse;
use clew_model::identity::Identity;
use clew_model::policy::{Access, Clients, Grant, IpPrefix, PathMatch, RequestMatch};

const WHOLE: &str = r#"
mesh: books
namespace: shop
access: { default: deny }
gateway: { routes: [ { to: webapp } ] }
services:
  webapp:
    access: { default: meshed, allow: [ { from: [gateway, webapp] } ] }
  books:
    access:
      allow:
        - from: webapp
          match: [ "GET /books/{id}", "POST /books/*" ]
          name: readers
        - { from: [other/reports, "spiffe://cluster.local/ns/a/sa/Audit"], networks: 10.0.0.0/8 }
        - { match: /health }
        - { from: [webapp, meshed] }
        - { from: [webapp, anyone], networks: ["::1", 127.0.0.1] }
  authors: { access: { default: allow } }
  closed: { access: { allow: [] } }
  silent: {}
"#;

fn grant(name: &str, clients: Clients) -> Grant {
    Grant {
        name: name.into(),
        clients,
        networks: [].into(),
        requests: [].into(),
    }
}

fn identities(texts: &[&str]) -> Clients {
    let identity = |text: &&str| Identity::parse(&format!("spiffe://cluster.local/{text}"));
    Clients::Identities(texts.iter().map(|text| identity(text).unwrap()).collect())
}

fn network(address: &str, bits: u8) -> IpPrefix {
    IpPrefix {
        address: address.parse().unwrap(),
        bits,
    }
}

fn request(method: Option<&str>, path: PathMatch) -> RequestMatch {
    RequestMatch {
        path: Some(path),
        method: method.map(Into::into),
    }
}

fn mistakes_of(text: &str) -> Vec<String> {
    let mistakes = parse("mesh.yaml", text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_written_is_what_control_is_told() {
    let table = parse("mesh.yaml", WHOLE).unwrap().access_table();
    assert_eq!(table.default, Access::nobody());
    let of = |service: &str| table.services.get(&service.into()).cloned();
    let webapp = [
        grant(
            "webapp[0]",
            identities(&["ns/shop/sa/gateway", "ns/shop/sa/webapp"]),
        ),
        grant("meshed", Clients::Meshed),
    ];
    assert_eq!(of("webapp"), Some(Access::of(webapp)));
    let books = [
        Grant {
            requests: [
                request(Some("GET"), PathMatch::Template("/books/{id}".into())),
                request(Some("POST"), PathMatch::Prefix("/books".into())),
            ]
            .into(),
            ..grant("readers", identities(&["ns/shop/sa/webapp"]))
        },
        Grant {
            networks: [network("10.0.0.0", 8)].into(),
            ..grant(
                "books[1]",
                identities(&["ns/other/sa/reports", "ns/a/sa/Audit"]),
            )
        },
        Grant {
            requests: [request(None, PathMatch::Exact("/health".into()))].into(),
            ..grant("books[2]", Clients::Anyone)
        },
        grant("books[3]", Clients::Meshed),
        Grant {
            networks: [network("::1", 128), network("127.0.0.1", 32)].into(),
            ..grant("books[4]", Clients::Anyone)
        },
    ];
    assert_eq!(of("books"), Some(Access::of(books)));
    assert_eq!(of("authors"), Some(Access::everyone()));
    assert_eq!(of("closed"), Some(Access::nobody()));
    assert_eq!(of("silent"), None);
}

#[test]
fn where_nothing_is_written_everyone_may_call() {
    for text in [
        "mesh: a\nservices: { b: {} }",
        "mesh: a\naccess:\nservices: { b: {} }",
    ] {
        let table = parse("mesh.yaml", text).unwrap().access_table();
        assert_eq!(table, clew_control::AccessTable::default());
    }
    let meshed = "mesh: a\naccess: { default: meshed }\nservices: { b: {} }";
    let table = parse("mesh.yaml", meshed).unwrap().access_table();
    assert_eq!(
        table.default,
        Access::of([grant("meshed", Clients::Meshed)])
    );
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let text = "\
mesh: a
access: { default: nobody }
services:
  b:
    port: seven
    access:
      default: everyone
      allow:
        - { from: [webap, c, gateway, A B, spiffe://x/b, a/b/c] }
        - { name: x }
        - { from: [], networks: [10.0.0.0/33], match: [get /] }
        - c
        - { networks: [], match: [] }
  c: { access: {} }
  d: { access: { alow: [] } }
  e: { access: deny }
";
    let caller = "the name of a service, gateway, NAMESPACE/WORKLOAD, a SPIFFE id \
                  (spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/WORKLOAD), meshed or anyone";
    let network = "an address or network such as 10.0.0.0/8 or fd00::/8";
    let request = "[METHOD ]PATH, where PATH may hold {placeholders} or end in /*";
    let grants = "services.b.access.allow";
    let list = "or a list of at least one such";
    assert_eq!(
        mistakes_of(text),
        [
            "mesh.yaml:2: access.default: given \"nobody\", expected allow, meshed or deny".to_owned(),
            "mesh.yaml:5: services.b.port: given \"seven\", expected a port number from 1 to 65535, ADDRESS:PORT, or auto".to_owned(),
            "mesh.yaml:7: services.b.access.default: given \"everyone\", expected allow, meshed or deny".to_owned(),
            format!("mesh.yaml:9: {grants}[0].from[3]: given \"A B\", expected {caller}"),
            format!("mesh.yaml:9: {grants}[0].from[4]: given \"spiffe://x/b\", expected {caller}"),
            format!("mesh.yaml:9: {grants}[0].from[5]: given \"a/b/c\", expected {caller}"),
            format!("mesh.yaml:9: {grants}[0].from[0]: given \"webap\", expected the name of a service of this file, or NAMESPACE/WORKLOAD for another workload"),
            format!("mesh.yaml:10: {grants}[1].from: given nothing, expected at least one of from, networks and match"),
            format!("mesh.yaml:11: {grants}[2].from: given an empty list, expected {caller}, {list}"),
            format!("mesh.yaml:11: {grants}[2].networks[0]: given \"10.0.0.0/33\", expected {network}"),
            format!("mesh.yaml:11: {grants}[2].match[0]: given \"get /\", expected {request}"),
            format!("mesh.yaml:12: {grants}[3]: given \"c\", expected a table of name, from, networks, match"),
            format!("mesh.yaml:13: {grants}[4].networks: given an empty list, expected {network}, {list}"),
            format!("mesh.yaml:13: {grants}[4].match: given an empty list, expected {request}, {list}"),
            "mesh.yaml:14: services.c.access.allow: given nothing, expected grants, or a default".to_owned(),
            "mesh.yaml:15: services.d.access.allow: given nothing, expected grants, or a default".to_owned(),
            "mesh.yaml:15: services.d.access.alow: given an unknown key, expected one of default, allow (did you mean allow?)".to_owned(),
            "mesh.yaml:16: services.e.access: given \"deny\", expected a table of default, allow".to_owned(),
        ]
    );
}

/// 1. A service has the name of a word that opens a door. 2. Whoever lists it means that service, and would have admitted all.
#[test]
fn a_service_by_the_name_of_a_word_is_not_taken_for_the_word() {
    let text = "\
mesh: a
services:
  anyone: { access: { allow: [ { from: meshed } ] } }
  b: { access: { allow: [ { from: anyone } ] } }
";
    assert_eq!(
        mistakes_of(text),
        [
            "mesh.yaml:4: services.b.access.allow[0].from: given \"anyone\", which is a service too, expected another name of that service"
        ]
    );
}

#[test]
fn the_file_in_the_documents_is_right() {
    let document = include_str!("../../../../../../docs/access.md");
    let (_, rest) = document.split_once("```yaml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    parse("docs/access.md", file).unwrap();
}
