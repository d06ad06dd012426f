//! `GET traces/{id}/otlp`: a trace to take elsewhere.

use super::super::Api;
use super::super::answer::build_json;
use super::super::described::{Always, FromStore};
use super::super::query::{Asked, Nothing};
use super::super::refusal::Refusal;
use super::load_trace;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::Response;
use clew_api::otlp::request_from_spans;
use clew_api::rest::problem::Problem;

/// One trace in OTLP/JSON, as `POST /v1/traces` takes it
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}/otlp",
    tag = "traces",
    params(("id" = String, Path, description = "Its id, or as many hexadecimal digits of its beginning as make it the only one")),
    responses(
        Always,
        FromStore,
        (status = 200, body = serde_json::Value, description = "An ExportTraceServiceRequest, as the JSON encoding of OTLP has it"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "That is no id"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such trace"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Several ids begin so"),
    )
)]
pub(in crate::api) async fn otlp(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    _: Asked<Nothing>,
) -> Result<Response, Refusal> {
    let (trace_id, trace) = load_trace(&api, id).await?;
    let build = move || request_from_spans(trace.spans);
    let mut response = build_json(&format!("trace {trace_id}"), build).await?;
    // Hexadecimal digits are always a header.
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=trace-{trace_id}.json")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
