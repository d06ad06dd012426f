//! `GET version`.

use super::described::Always;
use super::query::{Asked, Nothing};
use axum::Json;
use clew_api::rest::Version;

/// Version of the program and of the API
#[utoipa::path(get, path = "/api/v1/version", tag = "mesh", responses(Always, (status = 200, body = Version)))]
pub(super) async fn version(_: Asked<Nothing>) -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: "v1".to_owned(),
    })
}
