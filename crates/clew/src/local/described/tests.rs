#![allow(clippy::unwrap_used)]

use super::load;
use clew_model::policy::{RouteRule, RouteTable, RuleSource};
use clew_runtime::config::Place;
use std::path::Path;

fn described(name: &str, text: &str) -> Result<Vec<RouteRule>, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let origin = folder.path().display().to_string() + "/";
    load(&file, &Place::of("mesh.yaml")).map_err(|mistakes| {
        let lines = mistakes.iter().map(ToString::to_string);
        lines.map(|line| line.replace(&origin, "")).collect()
    })
}

/// The name of the route of a request.
fn route(rules: &[RouteRule], method: &str, path: &str) -> Option<String> {
    let table = RouteTable::new(rules.to_vec().into());
    let rule = table.match_request("books", method, path)?;
    Some(rule.name.to_string())
}

const OPENAPI: &str = r#"
openapi: 3.1.0
servers:
  - url: https://shop.example/v1/
  - url: "{scheme}://elsewhere/{base}"
paths:
  /books/{id}:
    summary: one book
    parameters: []
    get: { operationId: getBook }
    delete: {}
  /books/newest:
    get: {}
  /files/{name}.json:
    get: {}
  x-extension: 7
"#;

#[test]
fn the_operations_of_an_openapi_document_are_routes_and_the_most_specific_wins() {
    let rules = described("openapi.yaml", OPENAPI).unwrap();
    let is_from_it = |rule: &RouteRule| rule.source == RuleSource::OpenApi;
    assert!(rules.iter().all(is_from_it), "{rules:#?}");
    for (method, path, expected) in [
        ("GET", "/v1/books/newest", Some("GET /v1/books/newest")),
        ("GET", "/v1/books/7", Some("GET /v1/books/{id}")),
        ("DELETE", "/v1/books/7", Some("DELETE /v1/books/{id}")),
        ("GET", "/v1/files/a.json", Some("GET /v1/files/{name}.json")),
        ("PUT", "/v1/books/7", None),
        ("GET", "/books/7", None),
    ] {
        let found = route(&rules, method, path);
        assert_eq!(found.as_deref(), expected, "{method} {path}");
    }
}

#[test]
fn json_and_swagger_are_read_too() {
    let json = r#"{ "swagger": "2.0", "basePath": "/v2", "paths": { "/a": { "post": {} } } }"#;
    let rules = described("api.json", json).unwrap();
    assert_eq!(
        route(&rules, "POST", "/v2/a").as_deref(),
        Some("POST /v2/a")
    );
    // The largest description at hand: our own API.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let rules = load(&own, &Place::of("mesh.yaml")).unwrap();
    assert!(
        route(&rules, "GET", "/api/v1/traces/abc").is_some(),
        "{rules:#?}"
    );
}

#[test]
fn the_methods_of_a_proto_file_are_routes_by_their_grpc_names() {
    let proto = r#"
syntax = "proto3"; // service Not { rpc Counted (A) }
package books.v1;
option go_package = "a\"{";
message service_like { string rpc = 1; message Inner { } }
/* service Hidden { rpc Hidden (A) returns (B); } */
service Ratings {
  rpc GetRating (Request) returns (Reply) { option (http) = { get: "/ratings" }; }
  rpc Watch(Request) returns (stream Reply);
}
service Other { rpc Get (A) returns (B); }
"#;
    let rules = described("ratings.proto", proto).unwrap();
    let is_from_it = |rule: &RouteRule| rule.source == RuleSource::Proto;
    assert!(rules.iter().all(is_from_it), "{rules:#?}");
    let names: Vec<String> = rules.iter().map(|rule| rule.name.to_string()).collect();
    assert_eq!(
        names,
        [
            "books.v1.Ratings/GetRating",
            "books.v1.Ratings/Watch",
            "books.v1.Other/Get"
        ]
    );
    let found = route(&rules, "POST", "/books.v1.Ratings/Watch");
    assert_eq!(found.as_deref(), Some("books.v1.Ratings/Watch"));
}

#[test]
fn mistakes_of_a_description_are_told_with_its_name_and_lines() {
    for (name, text, expected) in [
        (
            "a.yaml",
            "openapi: 3.0.0\npaths:\n  books: {}\n  /a: 7\n",
            vec![
                r#"a.yaml:3: paths.books: given "books", expected a path that starts with /"#,
                r#"a.yaml:4: paths./a: given "7", expected a table of operations"#,
            ],
        ),
        (
            "b.yaml",
            "a: b\n",
            vec![
                "b.yaml:1: given something else, expected an OpenAPI document: `openapi: 3...` and `paths`",
            ],
        ),
        (
            "c.yaml",
            "openapi: 3.0.0\npaths: { /a: {} }\n",
            vec!["c.yaml:2: paths: given no operation, expected at least one"],
        ),
        (
            "d.proto",
            "service {\n  rpc (A);\n}\n}\n",
            vec![
                "d.proto:1: given a service without a name, expected service NAME { ... }",
                "d.proto:4: given a } too many, expected a { before it",
            ],
        ),
        (
            "e.proto",
            "message A {}\n",
            vec!["e.proto: given no operation, expected at least one"],
        ),
        (
            "f.proto",
            "service A {\n  rpc (A);\n",
            vec![
                "f.proto: given a { that is never closed, expected a } for each",
                "f.proto:2: given an rpc without a name, expected rpc NAME (...)",
            ],
        ),
    ] {
        assert_eq!(described(name, text).unwrap_err(), expected, "{name}");
    }
    let place = Place::of("mesh.yaml").at_line(7);
    let missing = load(Path::new("/no/such.yaml"), &place).unwrap_err();
    let missing = missing.to_string();
    assert!(
        missing.starts_with("mesh.yaml:7: given /no/such.yaml, which cannot be read"),
        "{missing}"
    );
}
