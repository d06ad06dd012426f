//! Answers that take a moment to put together, which other requests should not wait for.

use super::refusal::Refusal;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// Builds an answer and writes it as JSON on a thread of its own. `what` names it where that fails.
pub(super) async fn build_json<T: Serialize>(
    what: &str,
    build: impl FnOnce() -> T + Send + 'static,
) -> Result<Response, Refusal> {
    match tokio::task::spawn_blocking(move || serde_json::to_vec(&build())).await {
        Ok(Ok(json)) => Ok(([(CONTENT_TYPE, "application/json")], json).into_response()),
        _ => Err(Refusal::failed(format!("{what} cannot be shown"))),
    }
}
