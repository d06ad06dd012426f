//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, plain or gzip.
//!
//! One unary call, so its frame is read here and not by tonic: what is inside has to be counted before it is
//! decoded, and what is refused has to be counted and answered with a status that ends the sender's attempts.
//! Source: "gRPC over HTTP2" (Length-Prefixed-Message).

use super::http::text;
use super::{Ingest, MAX_REQUEST_BYTES, Refusal, decode};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::{BufMut as _, Bytes, BytesMut};
use clew_api::otlp::ExportTraceServiceResponse;
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tonic::Status;

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

pub(super) fn router(ingest: Ingest) -> Router {
    Router::new()
        .route(PATH, post(export))
        .fallback(|| async { Status::unimplemented("").into_http() as Response })
        .with_state(ingest)
}

async fn export(State(ingest): State<Ingest>, request: Request) -> Response {
    let content_type = text(request.headers(), header::CONTENT_TYPE);
    if !matches!(content_type, "application/grpc" | "application/grpc+proto") {
        ingest.refused(&Refusal::ContentType(content_type.to_owned()));
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match take(&ingest, request).await {
        Ok(response) => answer(&response),
        Err(refusal) => {
            ingest.refused(&refusal);
            refuse(&refusal)
        }
    }
}

async fn take(ingest: &Ingest, request: Request) -> Result<ExportTraceServiceResponse, Refusal> {
    let is_gzip = match text(request.headers(), ENCODING) {
        "" | "identity" => false,
        "gzip" => true,
        other => return Err(Refusal::ContentEncoding(other.to_owned())),
    };
    let limit = MAX_REQUEST_BYTES + PREFIX_BYTES;
    let convert = move |ingest: &Ingest, body: Bytes| {
        let (is_compressed, message) = unframe(body)?;
        let message = match (is_compressed, is_gzip) {
            (false, _) => message,
            (true, true) => decode::decompress(&message)?,
            (true, false) => {
                return Err(Refusal::Malformed(
                    "it is compressed without saying how".to_owned(),
                ));
            }
        };
        ingest.accept(decode::protobuf(&message)?)
    };
    ingest.take(request.into_body(), limit, convert).await
}

/// The one message of a body, and whether it is compressed.
pub(super) fn unframe(body: Bytes) -> Result<(bool, Bytes), Refusal> {
    let malformed = || Refusal::Malformed("it is not one gRPC message".to_owned());
    let prefix = body.first_chunk::<PREFIX_BYTES>().ok_or_else(malformed)?;
    let [compressed @ (0 | 1), length @ ..] = *prefix else {
        return Err(malformed());
    };
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_REQUEST_BYTES {
        return Err(Refusal::TooLarge);
    }
    let message = body.slice(PREFIX_BYTES..);
    if message.len() != length {
        return Err(malformed());
    }
    Ok((compressed == 1, message))
}

fn answer(response: &ExportTraceServiceResponse) -> Response {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES + response.encoded_len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(response.encoded_len()).unwrap_or(u32::MAX));
    framed.extend_from_slice(&response.encode_to_vec());
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let content_type = HeaderValue::from_static("application/grpc");
    ([(header::CONTENT_TYPE, content_type)], Body::new(body)).into_response()
}

/// The status that tells the sender what to do. Of these only UNAVAILABLE means that it should try again; a
/// message that is too large would be tried again for ever with OUT_OF_RANGE, which is what tonic would say.
/// Source: OTLP specification, "OTLP/gRPC response", "Failures".
fn refuse(refusal: &Refusal) -> Response {
    let message = refusal.to_string();
    let status = match refusal {
        Refusal::Busy | Refusal::Slow | Refusal::Store(_) => Status::unavailable(message),
        Refusal::Malformed(_) | Refusal::TooLarge | Refusal::TooMany | Refusal::ContentType(_) => {
            Status::invalid_argument(message)
        }
        Refusal::ContentEncoding(_) => Status::unimplemented(message),
    };
    let mut response: Response = status.into_http();
    response.headers_mut().insert(
        "grpc-accept-encoding",
        HeaderValue::from_static("identity,gzip"),
    );
    response
}
