//! The dashboard: the files of `dashboard/dist`, which `make` builds and the binary holds. A debug build reads them
//! from there while it runs.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

#[derive(RustEmbed)]
#[folder = "../../dashboard/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";

/// Files under this path have a digest of what is in them in their names.
const ASSETS: &str = "assets/";

/// Everything is ours, and nothing of it is shown inside of another page. Libraries set styles of single elements.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the dashboard; for a path that is one of its views, the page that draws them. `None`: it is a file that
/// there is not.
pub(crate) fn respond(request: &Request) -> Option<Response> {
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'))
        && is_known(path);
    let name = match path {
        _ if is_file => path,
        _ if path.starts_with(ASSETS) => return None,
        _ => PAGE,
    };
    Some(match Files::get(name) {
        Some(file) => with_protection(send(name, file, request.headers())),
        None => with_protection(not_built()),
    })
}

fn is_known(path: &str) -> bool {
    // What is packed is sent in the place of what it was made of.
    !path.ends_with(".gz") && Files::get(path).is_some()
}

fn send(name: &str, file: EmbeddedFile, asked: &HeaderMap) -> Response {
    let etag = etag(&file);
    let cache = if name.starts_with(ASSETS) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, value);
    }
    if is_known_by(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    let packed = takes_gzip(asked).then(|| Files::get(&format!("{name}.gz")));
    let data = match packed.flatten() {
        Some(packed) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed.data
        }
        None => file.data,
    };
    let data = match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    };
    (headers, data).into_response()
}

/// Whether the client has it already (RFC 9110, section 13.1.2). Whoever packs what passes through makes a tag weak.
fn is_known_by(asked: &HeaderMap, etag: &str) -> bool {
    let known = asked.get_all(IF_NONE_MATCH).into_iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let mut tags = known.flat_map(|value| value.split(',')).map(str::trim);
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    tags.any(|tag| tag == "*" || opaque(tag) == opaque(etag))
}

/// The same for the file and for the file packed, which is why it is weak (section 8.8.1).
fn etag(file: &EmbeddedFile) -> String {
    let digest = file.metadata.sha256_hash();
    let hex: String = digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("W/\"{hex}\"")
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn with_protection(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn not_built() -> Response {
    let page = Html(
        "<!doctype html><title>Clew</title><p>This build has no dashboard. <code>make</code> builds it; \
         <code>clew stat</code> gives the same numbers, and the API is at <a href=\"/api/v1/openapi.json\">/api/v1</a>.",
    );
    (StatusCode::NOT_FOUND, page).into_response()
}
