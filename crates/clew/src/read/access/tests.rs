#![allow(clippy::unwrap_used)]

use super::super::golden::tests::plain;
use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;
use clew_api::rest::access::ServiceAccess;

fn table(services: Vec<(&str, Vec<AccessGrant>)>) -> AccessTable {
    AccessTable {
        trust_domain: Some("cluster.local".to_owned()),
        namespace: "default".to_owned(),
        default: vec![grant(AccessClients::Anyone)],
        services: services
            .into_iter()
            .map(|(service, grants)| ServiceAccess {
                service: service.to_owned(),
                grants,
            })
            .collect(),
    }
}

fn grant(clients: AccessClients) -> AccessGrant {
    AccessGrant {
        name: "test".to_owned(),
        clients,
        networks: Vec::new(),
        requests: Vec::new(),
    }
}

fn parse(flags: &[&str]) -> Result<AccessArgs, clap::Error> {
    let line = ["clew", "access"].iter().chain(flags);
    match Cli::try_parse_from(line)?.command {
        Command::Access(args) => Ok(args),
        other => panic!("{other:?}"),
    }
}

/// What the flags after `clew access books` make of it.
fn change(flags: &[&str]) -> Result<Vec<AccessGrant>, ReadError> {
    let flags = [&["books"], flags].concat();
    grants(&parse(&flags).unwrap(), &table(Vec::new()))
}

#[test]
fn what_contradicts_itself_or_names_no_service_is_refused() {
    for wrong in [
        &["--deny"][..],
        &["--reset"],
        &["--allow", "webapp"],
        &["books", "--deny", "--reset"],
        &["books", "--deny", "--allow", "webapp"],
        &["books", "--reset", "--allow", "webapp"],
        &["books", "--match", "/books"],
        &["books", "--network", "10.0.0.0/8"],
        &["books", "--deny", "--match", "/books"],
    ] {
        assert!(parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn names_become_identities() {
    let allowed = |names: &[&str]| {
        let flags: Vec<&str> = names.iter().flat_map(|name| ["--allow", *name]).collect();
        change(&flags).map(|mut grants| grants.remove(0))
    };
    let of = |id: &str| format!("spiffe://cluster.local/ns/{id}");
    for (names, ids) in [
        (&["webapp"][..], vec![of("default/sa/webapp")]),
        (
            &["shop/webapp", "shell"],
            vec![of("shop/sa/webapp"), of("default/sa/shell")],
        ),
        (
            &["spiffe://other.domain/ns/a/sa/b"],
            vec!["spiffe://other.domain/ns/a/sa/b".to_owned()],
        ),
    ] {
        let grant = allowed(names).unwrap();
        assert_eq!(grant.clients, AccessClients::Identities(ids), "{names:?}");
        assert_eq!(grant.name, names.join(", "));
    }
    assert_eq!(allowed(&["anyone"]).unwrap().clients, AccessClients::Anyone);
    assert_eq!(allowed(&["meshed"]).unwrap().clients, AccessClients::Meshed);
    for wrong in [
        &["anyone", "webapp"][..],
        &["a/b/c"],
        &["spiffe://a"],
        &["two words"],
        &[""],
    ] {
        let error = allowed(wrong).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{wrong:?}");
    }
    let long = "a".repeat(60);
    let many = allowed(&[&long, &long, &long, &long]).unwrap();
    assert_eq!(many.name, "4 workloads");
}

#[test]
fn names_are_nobodys_where_there_are_no_identities() {
    let args = parse(&["books", "--allow", "webapp"]).unwrap();
    let now = AccessTable {
        trust_domain: None,
        ..table(Vec::new())
    };
    let error = grants(&args, &now).unwrap_err();
    assert!(error.to_string().contains("webapp"), "{error}");
    let args = parse(&["books", "--allow", "anyone", "--network", "10.0.0.0/8"]).unwrap();
    assert_eq!(grants(&args, &now).unwrap()[0].networks, ["10.0.0.0/8"]);
}

#[test]
fn requests_are_named_as_in_the_file() {
    let asks = |text| {
        let grants = change(&["--allow", "webapp", "--match", text])?;
        Ok(grants[0].requests[0].clone())
    };
    for (text, method, path) in [
        (
            "GET /books/*",
            Some("GET"),
            AccessPath::Prefix("/books".into()),
        ),
        ("/*", None, AccessPath::Prefix("/".into())),
        ("/books", None, AccessPath::Exact("/books".into())),
        (
            "PUT /books/{id}",
            Some("PUT"),
            AccessPath::Template("/books/{id}".into()),
        ),
    ] {
        let request: Result<AccessRequest, ReadError> = asks(text);
        let expected = AccessRequest {
            method: method.map(str::to_owned),
            path: Some(path),
        };
        assert_eq!(request.unwrap(), expected, "{text}");
    }
    let error = asks("books").unwrap_err();
    assert!(error.to_string().contains("[METHOD ]PATH"), "{error}");
}

#[test]
fn who_may_call_is_said_in_words() {
    let id = |id: &str| format!("spiffe://{id}");
    let those = vec![
        id("cluster.local/ns/default/sa/webapp"),
        id("cluster.local/ns/shop/sa/shell"),
        id("other/ns/a/sa/b"),
    ];
    let request = |method: Option<&str>, path| AccessRequest {
        method: method.map(str::to_owned),
        path,
    };
    let reads = AccessGrant {
        requests: vec![
            request(
                Some("GET"),
                Some(AccessPath::Template("/books/{id}".to_owned())),
            ),
            request(None, Some(AccessPath::Prefix("/".to_owned()))),
            request(Some("PUT"), None),
        ],
        networks: vec!["10.0.0.0/8".to_owned()],
        ..grant(AccessClients::Identities(those))
    };
    let now = table(vec![
        ("authors", Vec::new()),
        ("books", vec![reads, grant(AccessClients::Meshed)]),
    ]);
    insta::assert_snapshot!(plain(&render(&now, None)), @r"
    SERVICE   MAY_CALL
    authors   nobody
    books     webapp, shop/shell, spiffe://other/ns/a/sa/b (GET /books/{id}, /*, PUT) from 10.0.0.0/8; whoever is of the mesh
    (others)  everyone (default)
    ");
    insta::assert_snapshot!(plain(&render(&now, Some("ratings"))), @r"
    SERVICE  MAY_CALL
    ratings  everyone (default)
    ");
    insta::assert_snapshot!(plain(&render(&table(Vec::new()), None)), @r"
    SERVICE  MAY_CALL
    (all)    everyone (default)
    ");
}
