//! The description of the API that is in the repository is the one that is served.

use super::mesh::TestMesh;
use crate::api::document;
use serde_json::Value;
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
    assert_eq!(paths.len(), 11);
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let path = path.strip_prefix("/api/v1").unwrap().replace("{id}", "abc");
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
