//! From a request to an answer.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use clew_api::prometheus::exposition::Format;
use clew_runtime::logging::LogControl;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;

use super::body::AdminBody;
use super::log_level::BoxError;
use super::propagation;
use super::readiness::Readiness;
use crate::audit::Audit;
use crate::report::Reports;

/// What the pages are made from.
pub(super) struct Pages {
    pub(super) reports: Arc<Reports>,
    pub(super) readiness: Readiness,
    pub(super) audit: Arc<Audit>,
    pub(super) config: Arc<dyn Fn() -> String + Send + Sync>,
    pub(super) log: Option<LogControl>,
    pub(super) shutdown: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("readiness", &self.readiness)
            .finish_non_exhaustive()
    }
}

impl Pages {
    /// The answer to a request of a peer, whose body is read where it says something.
    pub(super) async fn answer<B>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<AdminBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        if request.method() == Method::PUT && request.uri().path() == "/log-level" {
            return self.set_log_level(request, peer).await;
        }
        self.respond(&request, peer)
    }

    /// The answer to a request without a body.
    pub(super) fn respond<B>(&self, request: &Request<B>, peer: SocketAddr) -> Response<AdminBody> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/metrics" if is_read => self.metrics(request),
            "/live" if is_read => text(StatusCode::OK, "live\n"),
            "/ready" if is_read => self.ready(),
            "/config" if is_read => text(StatusCode::OK, (self.config)()),
            "/propagation" if is_read => json(propagation::page(self.audit.examples())),
            "/log-level" if is_read => self.log_level(),
            "/shutdown" if request.method() == Method::POST => {
                self.shut_down(request.headers(), peer)
            }
            "/metrics" | "/live" | "/ready" | "/config" | "/propagation" => {
                not_allowed("GET, HEAD")
            }
            "/log-level" => not_allowed("GET, HEAD, PUT"),
            "/shutdown" => not_allowed("POST"),
            _ => text(StatusCode::NOT_FOUND, "no such page\n"),
        }
    }

    fn metrics<B>(&self, request: &Request<B>) -> Response<AdminBody> {
        let accept: Vec<&str> = request
            .headers()
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let format = Format::negotiate(Some(&accept.join(",")));
        let scrape = self.reports.scrape(format);
        let body = match *request.method() {
            // The length of what GET would answer; nobody reads it, so that it is no scrape.
            Method::HEAD => AdminBody::text(scrape.body),
            _ => AdminBody::scrape(scrape),
        };
        answer(StatusCode::OK, format.content_type(), body)
    }

    fn ready(&self) -> Response<AdminBody> {
        let reasons = self.readiness.reasons();
        if reasons.is_empty() {
            return text(StatusCode::OK, "ready\n");
        }
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}\n", reasons.join(", ")),
        )
    }

    fn shut_down(&self, headers: &HeaderMap, peer: SocketAddr) -> Response<AdminBody> {
        if let Some(why) = refused_to(headers, peer) {
            return text(StatusCode::FORBIDDEN, why);
        }
        (self.shutdown)();
        text(StatusCode::OK, "draining\n")
    }
}

/// Why this peer may change nothing, unless it may: what changes the process is for programs of its machine.
pub(super) fn refused_to(headers: &HeaderMap, peer: SocketAddr) -> Option<&'static str> {
    if !peer.ip().to_canonical().is_loopback() {
        return Some("only from this machine\n");
    }
    // A page in a browser can make it send requests to the machine that it runs on.
    headers
        .contains_key(ORIGIN)
        .then_some("not from a browser\n")
}

fn not_allowed(methods: &'static str) -> Response<AdminBody> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "not with this method\n");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<AdminBody> {
    answer(status, "text/plain; charset=utf-8", AdminBody::text(body))
}

fn json(text: String) -> Response<AdminBody> {
    answer(StatusCode::OK, "application/json", AdminBody::text(text))
}

fn answer(status: StatusCode, content_type: &'static str, body: AdminBody) -> Response<AdminBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
