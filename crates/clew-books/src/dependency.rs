//! A service that is called over HTTP, with connections kept alive.

use crate::context::copy_context;
use crate::failure::CallError;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a call may take until its response is complete (a stream: until its head is there).
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BODY_BYTES: usize = 1 << 20;

/// Whether a service passes the trace context on. Forgetting is for showing what it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// Context is copied onto every call.
    Copies,
    /// Context is forgotten.
    Forgets,
}

impl Propagation {
    /// Copies the context of the request being served onto one about to be made, unless it is forgotten.
    pub fn carry(self, served: &HeaderMap, made: &mut HeaderMap) {
        if self == Self::Copies {
            copy_context(served, made);
        }
    }
}

/// A service to call.
#[derive(Clone, Debug)]
pub struct Dependency {
    service: &'static str,
    base: String,
    propagation: Propagation,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Dependency {
    /// `base` is the service's address (`http://host:port`).
    pub fn new(service: &'static str, base: &Uri, propagation: Propagation) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self {
            service,
            base: base.to_string().trim_end_matches('/').to_owned(),
            propagation,
            client,
        }
    }

    /// `GET path`, a JSON answer. `served` is the head of the request being served.
    pub async fn get<T: DeserializeOwned>(
        &self,
        served: &HeaderMap,
        path: &str,
    ) -> Result<T, CallError> {
        self.call_for_json(self.request(served, Method::GET, path, Bytes::new()))
            .await
    }

    /// `POST path` with a JSON body, a JSON answer.
    pub async fn post<T: DeserializeOwned>(
        &self,
        served: &HeaderMap,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|_| self.no_answer())?;
        self.call_for_json(self.request(served, Method::POST, path, body.into()))
            .await
    }

    /// `GET path`, an answer that streams.
    pub async fn stream(
        &self,
        served: &HeaderMap,
        path: &str,
    ) -> Result<Response<Incoming>, CallError> {
        let call = self.send(self.request(served, Method::GET, path, Bytes::new()));
        tokio::time::timeout(CALL_TIMEOUT, call)
            .await
            .map_err(|_| self.too_late())?
    }

    fn request(
        &self,
        served: &HeaderMap,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A path that is no URI leaves the default, `/`, which the service answers as it sees fit.
        *request.uri_mut() = format!("{}{path}", self.base).parse().unwrap_or_default();
        if request.method() == Method::POST {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        self.propagation.carry(served, request.headers_mut());
        request
    }

    async fn call_for_json<T: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<T, CallError> {
        let call = async {
            let body = self.send(request).await?.into_body();
            let body = Limited::new(body, MAX_BODY_BYTES)
                .collect()
                .await
                .map_err(|_| self.no_answer())?;
            serde_json::from_slice(&body.to_bytes()).map_err(|_| self.no_answer())
        };
        tokio::time::timeout(CALL_TIMEOUT, call)
            .await
            .map_err(|_| self.too_late())?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError> {
        let response = self
            .client
            .request(request)
            .await
            .map_err(|_| self.no_answer())?;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(CallError::Status {
                service: self.service,
                status,
            });
        }
        Ok(response)
    }

    fn no_answer(&self) -> CallError {
        CallError::NoAnswer {
            service: self.service,
        }
    }

    fn too_late(&self) -> CallError {
        CallError::TooLate {
            service: self.service,
        }
    }
}
