//! The mesh's own answers, where there is none of the server's.

use crate::error::Reason;
use crate::headers::ERROR;
use crate::hop::End;
use crate::response_body::{Hops, ResponseBody};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Response, StatusCode};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Answers in place of the server and closes the hops.
pub(super) fn refuse(mut hops: Hops, reason: Reason) -> Response<ResponseBody> {
    let is_grpc = hops.inner.record().is_some_and(|record| record.is_grpc);
    let response = if is_grpc { grpc(reason) } else { http(reason) };
    hops.each(|hop| {
        if let Some(record) = hop.record() {
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
