//! What nobody should write of who may call.

use crate::convert::access_table::{access_from_rest, service_from_text};
use crate::rest::access::{AccessClients, AccessGrant, AccessPath, AccessRequest};

fn grant() -> AccessGrant {
    AccessGrant {
        name: "test".to_owned(),
        clients: AccessClients::Anyone,
        networks: Vec::new(),
        requests: Vec::new(),
    }
}

/// All mistakes, in one line.
fn mistakes(grants: Vec<AccessGrant>) -> String {
    let mistakes = access_from_rest(grants).unwrap_err();
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

#[test]
fn each_mistake_is_named() {
    let asks = |method: Option<&str>, path: Option<AccessPath>| AccessGrant {
        requests: vec![AccessRequest {
            method: method.map(str::to_owned),
            path,
        }],
        ..grant()
    };
    let exact = |path: &str| asks(None, Some(AccessPath::Exact(path.to_owned())));
    let template = |path: &str| asks(None, Some(AccessPath::Template(path.to_owned())));
    let by = |ids: &[&str]| AccessGrant {
        clients: AccessClients::Identities(ids.iter().map(|id| (*id).to_owned()).collect()),
        ..grant()
    };
    let from = |network: &str| AccessGrant {
        networks: vec![network.to_owned()],
        ..grant()
    };
    let named = |name: &str| AccessGrant {
        name: name.to_owned(),
        ..grant()
    };
    for (wrong, named) in [
        (named(""), "grant.name"),
        (named("a\nb"), "grant.name"),
        (by(&[]), "grant.identities is missing"),
        (by(&["webapp"]), "a SPIFFE id"),
        (from("10.0.0.0/33"), "10.0.0.0/33"),
        (from("ten"), "CIDR"),
        (asks(Some("get"), None), "upper case"),
        (asks(None, None), "requests.path is missing"),
        (exact("books"), "begins with /"),
        (exact("/books?full=1"), "without query"),
        (exact("/two words"), "spaces"),
        (template("/books/{id"), "/books/{id}"),
        (template("/books/{a}{b}"), "/books/{id}"),
        (template("/books/id}"), "/books/{id}"),
    ] {
        let said = mistakes(vec![wrong]);
        assert!(said.contains(named), "{said}: {named}");
    }
    let all = mistakes(vec![from("ten"), by(&["webapp"])]);
    assert!(all.contains("CIDR") && all.contains("SPIFFE"), "{all}");
    assert!(mistakes(vec![grant(); 257]).contains("at most 256"));
}

#[test]
fn one_address_is_a_network() {
    for (text, bits) in [("10.0.0.7", 32), ("::1", 128), ("::/0", 0)] {
        let networks = vec![text.to_owned()];
        let access = access_from_rest(vec![AccessGrant {
            networks,
            ..grant()
        }])
        .unwrap();
        assert_eq!(access.grants[0].networks[0].bits, bits, "{text}");
    }
}

#[test]
fn a_service_has_a_name_that_can_be_one() {
    assert!(service_from_text("books-2.shop_x").is_ok());
    for wrong in ["", "a b", "a/b", "a\n", "é", &"a".repeat(201)] {
        assert!(service_from_text(wrong).is_err(), "{wrong}");
    }
}
