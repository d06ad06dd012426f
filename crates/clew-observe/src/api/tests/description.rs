//! The description of the API that is in the repository is the one that is served.

use super::mesh::TestMesh;
use crate::api::document;
use crate::api::refusal::Kind;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// `UPDATE=1 cargo test -p clew-observe openapi` writes it.
#[test]
fn docs_openapi_json_is_what_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, document()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document(),
        "docs/openapi.json is old: UPDATE=1 cargo test -p clew-observe openapi"
    );
}

#[tokio::test]
async fn every_path_of_openapi_json_is_served() {
    let mesh = TestMesh::begin().await;
    let document: Value = mesh.get("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 24);
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let path = path
                .strip_prefix("/api/v1")
                .unwrap()
                .replace("{id}", "abc")
                .replace("{service}", "abc");
            // That there is no such parameter says that there is such a path.
            let response = mesh
                .ask(
                    method.to_ascii_uppercase().parse().unwrap(),
                    &format!("{path}?x=y"),
                    "{}",
                )
                .await;
            assert_eq!(response.status(), 400, "{method} {path}");
        }
    }
}

/// Statuses of refusals that are of no operation: there is none at that path.
const OF_NO_OPERATION: [Kind; 2] = [Kind::NoSuchPath, Kind::NoSuchMethod];

#[test]
fn every_refusal_that_there_is_is_described_and_no_other() {
    let document: Value = serde_json::from_str(document()).unwrap();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.contains_key("400") && responses.contains_key("421"),
                "{method} {path}"
            );
            for (status, response) in responses.iter().filter(|(status, _)| *status != "200") {
                assert!(
                    response["content"]["application/problem+json"].is_object(),
                    "{method} {path} {status}"
                );
                described.insert(status.parse::<u16>().unwrap());
            }
        }
    }
    let kinds = Kind::ALL
        .iter()
        .filter(|kind| !OF_NO_OPERATION.contains(kind));
    let refused: BTreeSet<u16> = kinds.map(|kind| kind.parts().0.as_u16()).collect();
    assert_eq!(described, refused);
}

/// A problem is documented wherever parameters are taken.
#[test]
fn every_operation_with_parameters_says_how_it_refuses() {
    let document: Value = serde_json::from_str(document()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation.get("parameters").is_some() {
                assert!(
                    operation["responses"].get("400").is_some(),
                    "{method} {path}"
                );
            }
            assert!(operation.get("summary").is_some(), "{method} {path}");
        }
    }
}
