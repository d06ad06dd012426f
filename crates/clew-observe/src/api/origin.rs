//! Keeps web pages of strangers out. The API has no login: on one machine whoever may run programs may use it.
//! A browser may too, on behalf of any page that it shows, in two ways:
//!
//! - DNS rebinding: the page's own name is made to resolve to this machine. Then `Host` is that name. So only
//!   hosts are answered that no stranger can own: IP addresses and `localhost`.
//! - Cross-site requests, which need no permission when they are simple. Then `Origin` is the page's. So an
//!   origin has to be the host that is asked. There are no CORS headers: no page of another origin can read.

use super::refusal::Refusal;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Answers only what is addressed to this API, and not in the name of another site.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match admit(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn admit(uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    // HTTP/2 carries it in the URI (:authority).
    let host = text(HOST)
        .or_else(|| uri.authority().map(Authority::to_string))
        .unwrap_or_default();
    if !is_own(&host) {
        return Err(Refusal::misdirected("Host", &host));
    }
    match text(ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(&host) => {
            Err(Refusal::misdirected("Origin", &origin))
        }
        _ => Ok(()),
    }
}

/// A host that no stranger's name can resolve to.
fn is_own(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.ends_with(".localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests;
