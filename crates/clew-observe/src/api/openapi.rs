//! `GET openapi.json`: the description of this API, generated from its handlers and shapes.

use super::query::{Asked, Nothing};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::sync::LazyLock;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Clew",
        description = "What a mesh measured and traced. Every answer is an object and may grow; units are in the \
                       names; what was not measured is absent. Refusals are problems (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        super::version::version,
        super::stat::stat,
        super::routes::routes,
        super::series::series,
        super::heatmap::heatmap,
        super::edges::edges,
        super::propagation::propagation,
        super::calls::calls,
        super::critical_path::critical_path,
        super::traces::traces,
        super::traces::compare::compare,
        super::traces::trace,
        super::traces::export::otlp,
        super::tap::tap,
        super::live::live,
        super::members::instances,
        super::mesh::mesh,
        super::access::access,
        super::access::change_access,
        super::access::reset_access,
        super::authz::authz,
        super::check::check,
        super::scrape::scrape,
        super::log_level::log_level,
        super::log_level::change_log_level,
        super::settings::telemetry,
        super::settings::change_telemetry,
    ),
    tags(
        (name = "metrics", description = "From unsampled metrics"),
        (name = "traces", description = "From spans"),
        (name = "tap", description = "Live requests"),
        (name = "live", description = "Answers that follow what changes"),
        (name = "settings", description = "What proxies report"),
        (name = "access", description = "Who may call, and who was refused"),
        (name = "mesh", description = "The mesh itself"),
    ),
)]
struct Description;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // None of these values can fail to be JSON.
    let mut json = Description::openapi().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
});

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn document() -> &'static str {
    &DOCUMENT
}

pub(super) async fn openapi(_: Asked<Nothing>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document())
}
