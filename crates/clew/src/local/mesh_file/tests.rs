#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::parse;
use crate::local::plan::{MeshPlan, PortChoice, Restart};
use clew_model::policy::PathMatch;
use clew_model::service::Protocol;
use clew_runtime::config::docs;
use std::path::Path;

const WHOLE: &str = r#"
mesh: books
api: 127.0.0.1:8084
telemetry:
  tracing: true
  sampling: { ratio: 0.5, max_per_second: 100 }
  write: [b3]
  access_log: off
  show_headers: [User-Agent]
  audit: false
retention: { age: 24h, size: 1GiB }
gateway:
  listen: 127.0.0.1:8080
  trusted: [10.0.0.0/8]
  routes: [ { host: "*", path: /, to: webapp } ]
services:
  webapp:
    port: auto
    run: python3 'web app.py'
    replicas: 2
    to: [books]
  books:
    port: 7002
    protocol: http1
    run: [python3, books.py]
    dir: ./books
    env: { KEY: value, EMPTY: "" }
    restart: always
    routes:
      - { name: edit, match: "POST /books/{id}/edit" }
      - { name: static, match: [/static/*, /favicon.ico] }
"#;

fn mistakes_of(text: &str) -> Vec<String> {
    let mistakes = parse("mesh.yaml", text).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_file_is_understood() {
    let plan = parse("mesh.yaml", WHOLE).unwrap();
    assert_eq!(plan.telemetry.sampling.ratio, 0.5);
    assert_eq!(plan.telemetry.sampling.max_per_second, Some(100.0));
    assert_eq!(plan.telemetry.write.names().collect::<Vec<_>>(), ["b3"]);
    assert_eq!(&*plan.telemetry.show_headers[0], "user-agent");
    assert!(!plan.telemetry.audit);
    let gateway = plan.gateway.as_ref().unwrap();
    assert!(gateway.routes[0].host.is_none());
    assert!(gateway.trusted[0].contains("10.1.2.3".parse().unwrap()));
    let [webapp, books] = plan.services.as_slice() else {
        panic!("{:?}", plan.services)
    };
    assert_eq!(
        (webapp.port, webapp.replicas),
        (Some(PortChoice::System), 2)
    );
    assert_eq!(
        webapp.program.as_ref().unwrap().words,
        ["python3", "web app.py"]
    );
    assert_eq!(
        (books.port, books.protocol),
        (
            Some(PortChoice::Fixed("127.0.0.1:7002".parse().unwrap())),
            Protocol::Http1
        )
    );
    let program = books.program.as_ref().unwrap();
    assert_eq!((program.env.len(), program.restart), (2, Restart::Always));
    let paths: Vec<_> = books
        .routes
        .iter()
        .flat_map(|rule| rule.matches.iter())
        .map(|m| m.path.clone())
        .collect();
    assert_eq!(
        paths,
        [
            Some(PathMatch::Template("/books/{id}/edit".into())),
            Some(PathMatch::Prefix("/static".into())),
            Some(PathMatch::Exact("/favicon.ico".into())),
        ]
    );
}

#[test]
fn what_is_left_out_has_its_default() {
    let plan = parse("mesh.yaml", "mesh: a\nservices: { b: {} }").unwrap();
    assert_eq!(plan.namespace, "default");
    assert!(plan.telemetry.tracing && plan.api.is_none() && plan.gateway.is_none());
    assert_eq!(
        (plan.retention.age.as_secs(), plan.retention.bytes),
        (86_400, 1 << 30)
    );
    assert_eq!(plan.services[0].protocol, Protocol::Detect);
    assert!(plan.services[0].program.is_none());
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let text = "\
mesh: Books
gateway:
  routes:
    - { path: books, to: webap }
services:
  webapp:
    port: seven
    protocoll: http1
    to: [books, author]
  books:
    port: 7002
    replicas: 2
    run: npm ci && npm start
  authors:
    port: 7002
    run: []
    routes: [ { name: edit, match: books } ]
telemetry: { sampling: { ratio: 2 }, write: [zipkin] }
retention: { age: 1s, size: 1MiB }
";
    assert_eq!(
        mistakes_of(text),
        [
            r#"mesh.yaml:1: mesh: given "Books", expected a name of a-z, 0-9 and -, at most 63 characters, no - at its ends"#,
            r#"mesh.yaml:4: gateway.routes[0].path: given "books", expected a path that starts with /"#,
            r#"mesh.yaml:4: gateway.routes[0].to: given "webap", expected the name of a service of this file"#,
            r#"mesh.yaml:7: services.webapp.port: given "seven", expected a port number from 1 to 65535, ADDRESS:PORT, or auto"#,
            r#"mesh.yaml:8: services.webapp.protocoll: given an unknown key, expected one of port, protocol, run, dir, env, restart, replicas, to, access, routes (did you mean protocol?)"#,
            r#"mesh.yaml:9: services.webapp.to[1]: given "author", expected the name of a service of this file"#,
            "mesh.yaml:12: services.books.replicas: given 2, expected 1, or port: auto",
            r#"mesh.yaml:13: services.books.run: given "npm ci && npm start", expected no & outside of single quotes; for a shell write [sh, -c, "..."]"#,
            "mesh.yaml:15: services.authors.port: given 7002, which is the port of books, expected a port of its own",
            r#"mesh.yaml:16: services.authors.run: given an empty list, expected a list of at least one: a word of a command"#,
            r#"mesh.yaml:17: services.authors.routes[0].match: given "books", expected [METHOD ]PATH, where PATH may hold {placeholders} or end in /*"#,
            r#"mesh.yaml:18: telemetry.sampling.ratio: given "2", expected a ratio from 0 to 1"#,
            r#"mesh.yaml:18: telemetry.write[0]: given "zipkin", expected b3, b3multi, jaeger, datadog, xray or grpc-trace-bin"#,
            "mesh.yaml:19: retention.age: given \"1s\", expected a time from 1m to 365d",
            "mesh.yaml:19: retention.size: given \"1MiB\", expected a size of at least 8MiB",
        ]
    );
}

/// What cannot be read at all is still there by its name, and nothing is said twice.
#[test]
fn a_service_that_is_wrong_as_a_whole_can_still_be_referred_to() {
    let text = "mesh: a\nservices:\n  a: { to: [b, c] }\n  b: 7\n  Big: {}\n";
    assert_eq!(
        mistakes_of(text),
        [
            r#"mesh.yaml:3: services.a.to[1]: given "c", expected the name of a service of this file"#,
            r#"mesh.yaml:4: services.b: given "7", expected a table of port, protocol, run, dir, env, restart, replicas, to, access, routes"#,
            r#"mesh.yaml:5: services.Big: given the key "Big", expected a name of a-z, 0-9 and -, at most 63 characters, no - at its ends"#,
        ]
    );
}

#[test]
fn mistakes_between_services_are_told_where_they_are_written() {
    let text = "\
mesh: books
gateway: { routes: [ { to: webap } ] }
services:
  webapp:
    to: [books, author]
  books:
    port: 7002
    replicas: 2
  authors:
    port: 7002
  gateway:
    port: 7003
";
    assert_eq!(
        mistakes_of(text),
        [
            r#"mesh.yaml:2: gateway.routes[0].to: given "webap", expected the name of a service of this file"#,
            r#"mesh.yaml:5: services.webapp.to[1]: given "author", expected the name of a service of this file"#,
            "mesh.yaml:8: services.books.replicas: given 2, expected 1, or port: auto",
            "mesh.yaml:10: services.authors.port: given 7002, which is the port of books, expected a port of its own",
            "mesh.yaml:11: services.gateway: given the gateway's name, expected another name",
        ]
    );
}

/// Files that a file names lie beside it.
#[test]
fn routes_are_read_from_the_description_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "api.yaml",
        "openapi: 3.1.0\npaths: { /books: { get: {} } }\n",
    );
    write("wrong.proto", "service {}\n");
    write(
        "mesh.yaml",
        "mesh: a\nservices:\n  b: { routes: api.yaml }\n",
    );
    let file = folder.path().join("mesh.yaml");
    let plan = super::load(&file).unwrap();
    assert_eq!(plan.services[0].routes[0].name.as_str(), "GET /books");

    write(
        "mesh.yaml",
        "mesh: a\nservices:\n  b: { routes: wrong.proto }\n  c: { routes: none.yaml }\n",
    );
    let mistakes = super::load(&file).unwrap_err();
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(
        mistakes[0].contains("wrong.proto:1: given a service"),
        "{mistakes:?}"
    );
    assert!(
        mistakes[1].contains("mesh.yaml:4: services.c.routes: given"),
        "{mistakes:?}"
    );
    assert_eq!(mistakes.len(), 2);
}

#[test]
fn placeholders_are_whole_segments() {
    for wrong in [
        "/a/{id", "/a{id}", "/a/{}", "/a/*/b", "/{id}/*", "get /a", "GET", "a", "/a b",
    ] {
        let text =
            format!("mesh: a\nservices: {{ b: {{ routes: [{{ name: x, match: '{wrong}' }}] }} }}");
        assert_eq!(mistakes_of(&text).len(), 1, "{wrong}");
    }
}

#[test]
fn a_mesh_needs_a_name_and_services() {
    assert_eq!(
        mistakes_of("gateway: ~"),
        [
            "mesh.yaml:1: mesh: given nothing, expected a name of a-z, 0-9 and -, at most 63 characters, no - at its ends",
            "mesh.yaml:1: gateway.routes: given nothing, expected a list of at least one: a table of host, path, to",
            "mesh.yaml:1: services: given nothing, expected a table by service",
        ]
    );
}

/// Every key of the file is documented from its declaration: `make docs` writes it after a change.
#[test]
fn the_reference_in_the_documents_is_what_is_declared() {
    const BEGIN: &str = "<!-- mesh.yaml: begin -->\n";
    const END: &str = "<!-- mesh.yaml: end -->";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/one-machine.md");
    let document = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("begin of the reference");
    let (written, after) = rest.split_once(END).expect("end of the reference");
    let declared = docs::markdown::<MeshPlan>().replace("\n## ", "\n### ");
    let declared = format!("\n#{declared}\n");
    if std::env::var_os("UPDATE").is_some() {
        let fresh = format!("{before}{BEGIN}{declared}{END}{after}");
        std::fs::write(&file, fresh).unwrap();
    } else {
        assert!(
            written == declared,
            "docs/one-machine.md is not what is declared: run `make docs`"
        );
    }
}

#[test]
fn the_examples_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            super::load(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            examples += 1;
        }
    }
    assert!(examples > 0);
}
