//! Zipkin: `POST /api/v2/spans`, as JSON or protobuf by content type, plain or gzip by content encoding.
//!
//! Bounds, counts and refusals are those of OTLP. Zipkin has no partial success: where some spans of a request are
//! none, the others are kept and the sender is told by a 400, which no library of Zipkin's takes as a reason to send
//! them again.

use super::http::{Form, is_gzip, refuse, text};
use super::{Ingest, MAX_REQUEST_BYTES, Refusal, decode};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use clew_api::zipkin::spans_from_zipkin;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/api/v2/spans", post(collect))
        .with_state(ingest)
}

async fn collect(State(ingest): State<Ingest>, request: Request) -> Response {
    match take(&ingest, request).await {
        Ok(None) => StatusCode::ACCEPTED.into_response(),
        Ok(Some(rejected)) => refuse(&Refusal::Malformed(rejected), Some(Form::Json)),
        Err(refusal) => {
            ingest.refused(&refusal);
            refuse(&refusal, Some(Form::Json))
        }
    }
}

/// What is to be said of spans that are none; `None` when all were taken.
async fn take(ingest: &Ingest, request: Request) -> Result<Option<String>, Refusal> {
    let content_type = text(request.headers(), header::CONTENT_TYPE);
    let form = match content_type {
        // Zipkin's own server takes it for JSON, and small clients rely on that.
        "" => Form::Json,
        other => {
            Form::of(request.headers()).ok_or_else(|| Refusal::ContentType(other.to_owned()))?
        }
    };
    let is_gzip = is_gzip(request.headers())?;
    let convert = move |ingest: &Ingest, body: Bytes| {
        let body = if is_gzip {
            decode::decompress(&body)?
        } else {
            body
        };
        let list = match form {
            Form::Protobuf => decode::zipkin_protobuf(&body)?,
            Form::Json => decode::zipkin_json(&body)?,
        };
        let received = spans_from_zipkin(list, now_unix_nano());
        let rejected = received
            .reason
            .map(|reason| format!("{} spans were not taken: {reason}", received.rejected));
        ingest.store(received)?;
        Ok(rejected)
    };
    ingest
        .take(request.into_body(), MAX_REQUEST_BYTES, convert)
        .await
}

fn now_unix_nano() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
