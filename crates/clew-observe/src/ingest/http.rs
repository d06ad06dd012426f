//! OTLP/HTTP: `POST /v1/traces`, as protobuf or JSON by content type, plain or gzip by content encoding.

use super::{Ingest, MAX_REQUEST_BYTES, Refusal};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use clew_api::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse, request_from_json};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prost::Message as _;
use std::io::Read as _;

pub(super) fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/v1/traces", post(export))
        .with_state(ingest)
}

/// How messages are written, which is how the answer is written too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

impl Form {
    /// The form that the content type names; `None` when it names another.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let media = text(headers, header::CONTENT_TYPE);
        match media
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "application/x-protobuf" | "application/protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        })
    }
}

async fn export(State(ingest): State<Ingest>, request: Request) -> Response {
    let form = Form::of(request.headers());
    match take(&ingest, form, request).await {
        Ok((form, response)) => answer(form, &response),
        Err(refusal) => {
            ingest.refused(&refusal);
            refuse(&refusal, form)
        }
    }
}

async fn take(
    ingest: &Ingest,
    form: Option<Form>,
    request: Request,
) -> Result<(Form, ExportTraceServiceResponse), Refusal> {
    let form = form.ok_or_else(|| {
        Refusal::ContentType(text(request.headers(), header::CONTENT_TYPE).to_owned())
    })?;
    let is_gzip = match text(request.headers(), header::CONTENT_ENCODING) {
        "" | "identity" => false,
        encoding if encoding.eq_ignore_ascii_case("gzip") => true,
        encoding => return Err(Refusal::ContentEncoding(encoding.to_owned())),
    };
    let body = read(request.into_body()).await?;
    let ingest = ingest.clone();
    // Decompressing and parsing some megabytes takes milliseconds, which other connections should not wait for.
    let taken = tokio::task::spawn_blocking(move || {
        let body = if is_gzip { decompress(&body)? } else { body };
        ingest.accept(parse(form, &body)?)
    });
    let response = taken
        .await
        .map_err(|_| Refusal::Malformed("it could not be converted".to_owned()))??;
    Ok((form, response))
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(error) => Err(Refusal::Malformed(error.to_string())),
    }
}

/// What is inside, unless that is larger than a request may be.
fn decompress(body: &[u8]) -> Result<Bytes, Refusal> {
    let limit = MAX_REQUEST_BYTES as u64;
    let mut inside = Vec::with_capacity(body.len().saturating_mul(4).min(MAX_REQUEST_BYTES));
    MultiGzDecoder::new(body)
        .take(limit + 1)
        .read_to_end(&mut inside)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    if inside.len() > MAX_REQUEST_BYTES {
        Err(Refusal::TooLarge)
    } else {
        Ok(inside.into())
    }
}

fn parse(form: Form, body: &[u8]) -> Result<ExportTraceServiceRequest, Refusal> {
    match form {
        Form::Protobuf => ExportTraceServiceRequest::decode(body)
            .map_err(|error| Refusal::Malformed(error.to_string())),
        Form::Json => {
            request_from_json(body).map_err(|error| Refusal::Malformed(with_cause(&error)))
        }
    }
}

/// An error and what is behind it, for the sender to read.
fn with_cause(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn answer(form: Form, response: &ExportTraceServiceResponse) -> Response {
    let body = match form {
        Form::Protobuf => response.encode_to_vec(),
        Form::Json => match &response.partial_success {
            None => b"{}".to_vec(),
            Some(partial) => serde_json::json!({
                "partialSuccess": {
                    // 64-bit integers are strings in protobuf's JSON.
                    "rejectedSpans": partial.rejected_spans.to_string(),
                    "errorMessage": partial.error_message,
                }
            })
            .to_string()
            .into_bytes(),
        },
    };
    ([(header::CONTENT_TYPE, form.content_type())], body).into_response()
}

/// `google.rpc.Status`, as far as OTLP/HTTP uses it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    message: String,
}

/// The answer to a request that was not taken in, in its own form, else as JSON.
pub(super) fn refuse(refusal: &Refusal, form: Option<Form>) -> Response {
    let status = match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::ContentType(_) | Refusal::ContentEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Busy | Refusal::Store(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
    };
    let form = form.unwrap_or(Form::Json);
    let message = refusal.to_string();
    let body = match form {
        Form::Protobuf => RpcStatus { message }.encode_to_vec(),
        Form::Json => serde_json::json!({ "message": message })
            .to_string()
            .into_bytes(),
    };
    let mut response =
        (status, [(header::CONTENT_TYPE, form.content_type())], body).into_response();
    if status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
