//! OTLP/HTTP: `POST /v1/traces`, as protobuf or JSON by content type, plain or gzip by content encoding.

use super::{Ingest, MAX_REQUEST_BYTES, Refusal, decode};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use clew_api::otlp::ExportTraceServiceResponse;
use prost::Message as _;

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
    let is_gzip = is_gzip(request.headers())?;
    let convert = move |ingest: &Ingest, body: Bytes| {
        let body = if is_gzip {
            decode::decompress(&body)?
        } else {
            body
        };
        ingest.accept(match form {
            Form::Protobuf => decode::protobuf(&body)?,
            Form::Json => decode::json(&body)?,
        })
    };
    let taken = ingest.take(request.into_body(), MAX_REQUEST_BYTES, convert);
    Ok((form, taken.await?))
}

/// Whether the body is compressed.
pub(super) fn is_gzip(headers: &HeaderMap) -> Result<bool, Refusal> {
    match text(headers, header::CONTENT_ENCODING) {
        "" | "identity" => Ok(false),
        encoding if encoding.eq_ignore_ascii_case("gzip") => Ok(true),
        encoding => Err(Refusal::ContentEncoding(encoding.to_owned())),
    }
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
        Refusal::TooLarge | Refusal::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::ContentType(_) | Refusal::ContentEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::Busy | Refusal::Store(_) => StatusCode::TOO_MANY_REQUESTS,
        // Not 408, upon which senders drop what they could send again: the specification lists 429, 502, 503, 504.
        Refusal::Slow => StatusCode::SERVICE_UNAVAILABLE,
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
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
