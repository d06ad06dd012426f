//! One request for `/metrics`.

use bytes::Bytes;
use clew_api::prometheus::{ACCEPT_PROTOBUF, MetricFamily, decode_delimited};
use clew_store::WriteError;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::net::SocketAddr;
use std::time::Duration;

/// The largest answer, in bytes: some hundred thousand series.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Why a member could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// It has no admin server.
    #[error("it has no admin server")]
    NoAdminServer,
    /// It has left the mesh.
    #[error("it has left the mesh")]
    Gone,
    /// It was not reached, or the exchange broke.
    #[error("{address} was not reached: {reason}")]
    Unreachable {
        /// Its admin server.
        address: SocketAddr,
        /// The innermost cause.
        reason: String,
    },
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It answered with an error.
    #[error("it answered with status {0}")]
    Status(StatusCode),
    /// It answered with something else than Prometheus protobuf.
    #[error("it answered with {0:?}, not with Prometheus protobuf")]
    ContentType(String),
    /// Its answer is too large.
    #[error("its answer is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    /// Its answer cannot be decoded.
    #[error("its answer is malformed")]
    Malformed(#[source] prost::DecodeError),
    /// The store took nothing. The next scrape makes up for it.
    #[error("{0}")]
    Store(WriteError),
}

/// Asks for metrics; keeps connections between scrapes.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client<HttpConnector, Empty<Bytes>>,
    timeout: Duration,
}

impl Fetcher {
    pub(super) fn new(timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(1)
            .build(connector);
        Self { client, timeout }
    }

    /// All families of one member.
    pub(super) async fn fetch(
        &self,
        address: Option<SocketAddr>,
    ) -> Result<Vec<MetricFamily>, ScrapeError> {
        let address = address.ok_or(ScrapeError::NoAdminServer)?;
        let body = tokio::time::timeout(self.timeout, self.get(address))
            .await
            .map_err(|_| ScrapeError::TimedOut(self.timeout))??;
        decode_delimited(&body).map_err(ScrapeError::Malformed)
    }

    async fn get(&self, address: SocketAddr) -> Result<Bytes, ScrapeError> {
        let unreachable = |error: &dyn std::error::Error| ScrapeError::Unreachable {
            address,
            reason: innermost(error),
        };
        let request = Request::get(format!("http://{address}/metrics"))
            .header(header::ACCEPT, ACCEPT_PROTOBUF)
            .body(Empty::new())
            .map_err(|error| unreachable(&error))?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| unreachable(&error))?;
        check(&response)?;
        match Limited::new(response.into_body(), MAX_BODY_BYTES)
            .collect()
            .await
        {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(ScrapeError::TooLarge),
            Err(error) => Err(unreachable(error.as_ref())),
        }
    }
}

fn check(response: &Response<Incoming>) -> Result<(), ScrapeError> {
    if response.status() != StatusCode::OK {
        return Err(ScrapeError::Status(response.status()));
    }
    let content_type = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if content_type.starts_with("application/vnd.google.protobuf") {
        Ok(())
    } else {
        Err(ScrapeError::ContentType(content_type.to_owned()))
    }
}

/// What went wrong at the bottom; the layers above say only that something did.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
