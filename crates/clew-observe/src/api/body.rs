//! Bodies of requests: JSON objects, read in a bound of time and size.

use super::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// In which a body has to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// The body, when it comes in time: a connection has no other bound while a request is under way.
pub(super) async fn load_body<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let read = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, &()));
    let read = read.await.map_err(|_| Refusal::slow(BODY_TIMEOUT))?;
    let body = read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(rejection.body_text()),
        _ => Refusal::bad_body(rejection.body_text()),
    })?;
    parse(&body).map_err(|error| Refusal::bad_body(error.to_string()))
}

/// An object first: serde would take a list for one, too.
fn parse<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)?;
    serde_json::from_value(object.into())
}
