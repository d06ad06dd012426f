//! All that an application has to do for traces: copy these headers from the request that it serves to
//! the requests that it makes meanwhile.

use axum::http::{HeaderMap, HeaderName};

/// The headers that carry trace context, in the formats in use (W3C, B3), and the request's id.
const CONTEXT: [HeaderName; 10] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
    HeaderName::from_static("b3"),
    HeaderName::from_static("x-b3-traceid"),
    HeaderName::from_static("x-b3-spanid"),
    HeaderName::from_static("x-b3-parentspanid"),
    HeaderName::from_static("x-b3-sampled"),
    HeaderName::from_static("x-b3-flags"),
    HeaderName::from_static("x-request-id"),
];

/// Copies the context of the request being served onto a request about to be made.
pub fn copy_context(served: &HeaderMap, made: &mut HeaderMap) {
    for name in &CONTEXT {
        for value in served.get_all(name) {
            made.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
