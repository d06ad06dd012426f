//! Spans in: OTLP over gRPC and over HTTP, from proxies and from applications, and Zipkin's over HTTP.
//!
//! All ways share one [`Ingest`]: what is in the request is converted, offered to the store, and
//! counted. A request is answered when the store has taken its spans over, which is before they are on disk;
//! they can be read within a second. When the store is full the sender is told to try again later.
//! Source: OTLP specification 1.x, "OTLP/gRPC" and "OTLP/HTTP"; openzipkin/zipkin-api, zipkin2-api.yaml.

mod admission;
mod decode;
#[doc(hidden)]
pub mod fuzzing;
mod grpc;
mod http;
mod zipkin;

#[cfg(test)]
mod tests;

use admission::Admission;
use axum::Router;
use clew_api::otlp::{
    ExportTraceServiceRequest, ExportTraceServiceResponse, ReceivedSpans, spans_from_otlp,
};
use clew_store::{Store, WriteError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest request, decompressed, in bytes: as OpenTelemetry's collector has it for gRPC. Proxies send half.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;
/// Spans in one request, with the groups that they come in. Exporters send 512 at a time, collectors 8,192.
pub const MAX_SPANS: usize = 20_000;
/// Attributes, values, events and so on in one request: some twenty bytes each in a request of the largest size,
/// and about a hundred in memory.
pub const MAX_PARTS: usize = 400_000;

/// Takes in spans. Clones share one count.
#[derive(Clone, Debug)]
pub struct Ingest {
    store: Store,
    counts: Arc<Counts>,
    admission: Admission,
}

/// What became of the requests and spans that came in. Spans add up: received = stored + rejected + dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// Requests that could be read.
    pub requests: u64,
    /// Spans in them.
    pub spans_received: u64,
    /// Spans that the store took over.
    pub spans_stored: u64,
    /// Spans that are none (invalid ids); the sender was told.
    pub spans_rejected: u64,
    /// Spans that the store had no room for; the sender was told to try again.
    pub spans_dropped: u64,
    /// Requests that were neither OTLP nor Zipkin's.
    pub requests_malformed: u64,
    /// Requests larger than [`MAX_REQUEST_BYTES`], or of more than [`MAX_SPANS`] or [`MAX_PARTS`].
    pub requests_too_large: u64,
    /// Requests of another content type or encoding.
    pub requests_unsupported: u64,
    /// Requests that came while as many were being read as may be, or that took too long to arrive.
    pub requests_shed: u64,
    /// Texts and lists that were longer than is kept of them.
    pub values_cut: u64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    spans_received: AtomicU64,
    spans_stored: AtomicU64,
    spans_rejected: AtomicU64,
    spans_dropped: AtomicU64,
    requests_malformed: AtomicU64,
    requests_too_large: AtomicU64,
    requests_unsupported: AtomicU64,
    requests_shed: AtomicU64,
    values_cut: AtomicU64,
}

/// Why a request was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    /// It is not what it says it is.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// Its body, decompressed, is larger than [`MAX_REQUEST_BYTES`].
    #[error("the request is larger than {MAX_REQUEST_BYTES} bytes: send smaller batches")]
    TooLarge,
    /// It holds more than [`MAX_SPANS`] or [`MAX_PARTS`].
    #[error(
        "the request has more than {MAX_SPANS} spans or {MAX_PARTS} parts: send smaller batches"
    )]
    TooMany,
    /// Its content type is neither protobuf nor JSON.
    #[error("content type {0:?} is not supported: send application/x-protobuf or application/json")]
    ContentType(String),
    /// Its content encoding is not gzip.
    #[error("content encoding {0:?} is not supported: send gzip or identity")]
    ContentEncoding(String),
    /// As many requests are being read as may be.
    #[error("too many requests at once: try again later")]
    Busy,
    /// It did not arrive in time.
    #[error("the request did not arrive in time")]
    Slow,
    /// The store takes nothing now.
    #[error("{0}: try again later")]
    Store(WriteError),
}

impl Ingest {
    /// Takes in spans for a store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            counts: Arc::default(),
            admission: Admission::new(),
        }
    }

    /// What came in so far.
    pub fn counts(&self) -> IngestCounts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        IngestCounts {
            requests: get(&counts.requests),
            spans_received: get(&counts.spans_received),
            spans_stored: get(&counts.spans_stored),
            spans_rejected: get(&counts.spans_rejected),
            spans_dropped: get(&counts.spans_dropped),
            requests_malformed: get(&counts.requests_malformed),
            requests_too_large: get(&counts.requests_too_large),
            requests_unsupported: get(&counts.requests_unsupported),
            requests_shed: get(&counts.requests_shed),
            values_cut: get(&counts.values_cut),
        }
    }

    /// The service of OTLP/gRPC.
    pub(crate) fn grpc_router(&self) -> Router {
        grpc::router(self.clone())
    }

    /// The services of OTLP/HTTP, `POST /v1/traces`, and of Zipkin: who has one port for spans has both on it.
    pub(crate) fn http_router(&self) -> Router {
        http::router(self.clone()).merge(self.zipkin_router())
    }

    /// The service of Zipkin: `POST /api/v2/spans`.
    pub(crate) fn zipkin_router(&self) -> Router {
        zipkin::router(self.clone())
    }

    /// Takes the spans of a request in OTLP.
    fn accept(
        &self,
        request: ExportTraceServiceRequest,
    ) -> Result<ExportTraceServiceResponse, Refusal> {
        let received = spans_from_otlp(request.resource_spans);
        let response = received.response();
        self.store(received)?;
        Ok(response)
    }

    /// Takes the spans of a request. They are not on disk yet when this answers.
    fn store(&self, received: ReceivedSpans) -> Result<(), Refusal> {
        let count = received.spans.len() as u64;
        add(&self.counts.requests, 1);
        add(&self.counts.spans_received, count + received.rejected);
        add(&self.counts.spans_rejected, received.rejected);
        add(&self.counts.values_cut, received.cut);
        match self.store.insert_spans(received.spans) {
            Ok(()) => {
                add(&self.counts.spans_stored, count);
                Ok(())
            }
            Err(error) => {
                add(&self.counts.spans_dropped, count);
                Err(Refusal::Store(error))
            }
        }
    }

    /// Counts a request that was not taken in.
    fn refused(&self, refusal: &Refusal) {
        let count = match refusal {
            Refusal::Malformed(_) => &self.counts.requests_malformed,
            Refusal::TooLarge | Refusal::TooMany => &self.counts.requests_too_large,
            Refusal::ContentType(_) | Refusal::ContentEncoding(_) => {
                &self.counts.requests_unsupported
            }
            Refusal::Busy | Refusal::Slow => &self.counts.requests_shed,
            // Counted span by span.
            Refusal::Store(_) => return,
        };
        add(count, 1);
        tracing::debug!(%refusal, "spans refused");
    }
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}
