//! The mesh's own answers, where there is none of the server's.

use crate::error::Reason;
use crate::headers::ERROR;
use crate::hop::End;
use crate::response_body::{Hops, ResponseBody};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Method, Response, StatusCode};
use http_body::Body;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Answers in place of the server and closes the hops.
pub(super) fn refuse(mut hops: Hops, reason: Reason) -> Response<ResponseBody> {
    let record = hops.inner.record();
    let (is_grpc, is_head) = record.map_or((false, false), |record| {
        (record.is_grpc, record.method == Method::HEAD)
    });
    let response = match (is_grpc, is_head) {
        (true, _) => grpc(reason),
        (false, true) => without_body(http(reason)),
        (false, false) => http(reason),
    };
    hops.each(|hop| {
        if let Some(mut record) = hop.record() {
            record.status = Some(response.status());
            record.grpc_status = is_grpc.then(|| reason.grpc_status());
        }
    });
    hops.close(match reason {
        Reason::ClientCancelled => End::CancelledByClient,
        reason => End::Failed(reason),
    });
    response
}

/// An answer to a request for which no hop was opened.
pub(super) fn http(reason: Reason) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::text(format!("clew: {}\n", reason.explain())));
    *response.status_mut() = reason.status();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(ERROR, HeaderValue::from_static(reason.as_str()));
    response
}

/// The answer to HEAD says how long the body would be, and has none. The codec takes bodies away in
/// HTTP/1, but in HTTP/2 it would send one.
fn without_body(response: Response<ResponseBody>) -> Response<ResponseBody> {
    let length = response.body().size_hint().exact();
    let (mut head, _) = response.into_parts();
    if let Some(length) = length {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(head, ResponseBody::Empty)
}

/// Trailers only: a head that is the whole response (gRPC over HTTP/2, "Responses").
fn grpc(reason: Reason) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(reason.grpc_status()));
    headers.insert(GRPC_MESSAGE, HeaderValue::from_static(reason.explain()));
    headers.insert(ERROR, HeaderValue::from_static(reason.as_str()));
    response
}
