//! What reads the files of users, for tests that give it any text. No interface: only `clew-fuzz` calls it.

use super::{described, foreign, mesh_file};
use clew_runtime::config::Mistakes;

/// What is in a `mesh.yaml`, or its mistakes.
pub fn mesh_yaml(text: &str) -> Result<String, Mistakes> {
    mesh_file::parse("mesh.yaml", text).map(|plan| format!("{plan:?}"))
}

/// The `mesh.yaml` that a compose file means.
pub fn compose(text: &str) -> Result<String, Mistakes> {
    foreign::convert_compose("compose.yaml", text, "app")
}

/// The `mesh.yaml` that a Procfile means.
pub fn procfile(text: &str) -> Result<String, Mistakes> {
    foreign::convert_procfile("Procfile", text, "app")
}

/// The names of the routes that an OpenAPI document describes.
pub fn openapi(text: &str) -> Result<Vec<String>, Mistakes> {
    let rules = described::parse_openapi("openapi.yaml", text)?;
    Ok(rules.iter().map(|rule| rule.name.to_string()).collect())
}

/// The names of the routes that a `.proto` file describes.
pub fn proto(text: &str) -> Result<Vec<String>, Mistakes> {
    let rules = described::parse_proto("api.proto", text)?;
    Ok(rules.iter().map(|rule| rule.name.to_string()).collect())
}
