//! The exporter: spans from the queue to the collector, as OTLP over gRPC.
//!
//! One request is on its way at a time. A collector that is slow, frozen or absent makes the queue fill
//! up, which costs spans at the workers' end of it and nothing else.

mod codec;
mod retry;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clew_model::name::{InstanceId, Workload};
use http::Uri;
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};

use self::codec::{ExportCodec, ExportResponse};
use self::retry::Backoff;
use super::span::SCHEMA_URL;
use super::span::wire::{Message, name, varint_len};
use super::spans::Batch;

/// `opentelemetry.proto.collector.trace.v1.TraceService/Export`.
const EXPORT: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");

/// What one request may carry. Receivers refuse more than 4 MiB by default.
const REQUEST_SPANS: usize = 2_048;
const REQUEST_BYTES: usize = 2 * 1024 * 1024;

/// At most one line in the log in this time; what is dropped is counted in any case.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Bounds on waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExportTimes {
    /// One attempt.
    pub(super) attempt: Duration,
    /// All attempts at one request, pauses included.
    pub(super) request: Duration,
    /// Everything that is left when the workers have ended.
    pub(super) finish: Duration,
}

impl Default for ExportTimes {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            request: Duration::from_secs(30),
            finish: Duration::from_secs(5),
        }
    }
}

/// See the module.
pub(super) struct Exporter {
    queue: mpsc::Receiver<Batch>,
    /// Ends when every worker has ended.
    workers: mpsc::Receiver<Infallible>,
    sender: Sender,
    times: ExportTimes,
}

impl Exporter {
    pub(super) fn new(
        collector: &Uri,
        resource: Resource,
        queue: mpsc::Receiver<Batch>,
        workers: mpsc::Receiver<Infallible>,
        times: ExportTimes,
    ) -> Self {
        let endpoint = Endpoint::from(collector.clone())
            .connect_timeout(times.attempt)
            .tcp_nodelay(true)
            // Finds out that a collector is gone though its connection is not.
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(times.attempt);
        let sender = Sender {
            client: Grpc::new(endpoint.connect_lazy()),
            resource,
            times,
            complained: None,
        };
        Self {
            queue,
            workers,
            sender,
            times,
        }
    }

    /// Exports until every worker has ended and the queue is empty, or the time to finish is over. What is
    /// left then counts as failed.
    pub(super) async fn run(mut self) {
        let time_to_finish = self.times.finish;
        let mut workers = self.workers;
        let out_of_time = async {
            workers.recv().await;
            tokio::time::sleep(time_to_finish).await;
        };
        let export = async {
            while let Some(batches) = next_request(&mut self.queue).await {
                self.sender.send(batches).await;
            }
        };
        tokio::select! {
            () = export => {}
            () = out_of_time => tracing::warn!("the collector did not take the last spans in time"),
        }
    }
}

/// Batches for one request: those that wait, up to the bounds. `None` when no more will come.
async fn next_request(queue: &mut mpsc::Receiver<Batch>) -> Option<Vec<Batch>> {
    let first = queue.recv().await?;
    let (mut spans, mut bytes) = (first.spans(), first.bytes.len());
    let mut batches = vec![first];
    while spans < REQUEST_SPANS && bytes < REQUEST_BYTES {
        let Ok(batch) = queue.try_recv() else { break };
        spans += batch.spans();
        bytes += batch.bytes.len();
        batches.push(batch);
    }
    Some(batches)
}

/// Who the spans are from, encoded: the fields of `ResourceSpans` and `ScopeSpans` beside the spans.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// `ResourceSpans.resource`.
    resource: Bytes,
    /// `ScopeSpans.scope` and `ScopeSpans.schema_url`.
    scope: Bytes,
}

impl Resource {
    pub(super) fn new(workload: &Workload, instance: &InstanceId) -> Self {
        const ATTRIBUTES: u8 = 1;
        let mut resource = Vec::new();
        Message::new(&mut resource).nested_short(1, |resource| {
            resource.text_attribute(ATTRIBUTES, name!("service.name"), workload.name.as_str());
            resource.text_attribute(
                ATTRIBUTES,
                name!("service.namespace"),
                workload.namespace.as_str(),
            );
            resource.text_attribute(ATTRIBUTES, name!("service.instance.id"), instance.as_str());
        });
        let mut scope = Vec::new();
        let mut scope_spans = Message::new(&mut scope);
        scope_spans.nested_short(1, |scope| {
            scope.text(1, "clew.proxy");
            scope.text(2, clew_runtime::buildinfo::VERSION);
        });
        scope_spans.text(3, SCHEMA_URL);
        Self {
            resource: resource.into(),
            scope: scope.into(),
        }
    }

    /// `ExportTraceServiceRequest` in pieces: everything up to the first span, then the spans.
    fn request(&self, spans: impl Iterator<Item = Bytes> + Clone) -> Vec<Bytes> {
        const RESOURCE_SPANS: u8 = 1;
        const SCOPE_SPANS: u8 = 2;
        let key = |field: u8| field << 3 | 2;
        let scope_spans = self.scope.len() + spans.clone().map(|batch| batch.len()).sum::<usize>();
        let resource_spans = self.resource.len() + 1 + varint_len(scope_spans) + scope_spans;
        let mut head = Vec::with_capacity(32 + self.resource.len() + self.scope.len());
        head.push(key(RESOURCE_SPANS));
        prost::encoding::encode_varint(resource_spans as u64, &mut head);
        head.extend_from_slice(&self.resource);
        head.push(key(SCOPE_SPANS));
        prost::encoding::encode_varint(scope_spans as u64, &mut head);
        head.extend_from_slice(&self.scope);
        std::iter::once(Bytes::from(head)).chain(spans).collect()
    }
}

struct Sender {
    client: Grpc<Channel>,
    resource: Resource,
    times: ExportTimes,
    /// Of the last line in the log, so that a collector that refuses everything does not fill it.
    complained: Option<Instant>,
}

impl Sender {
    /// Sends batches in one request and settles them.
    async fn send(&mut self, batches: Vec<Batch>) {
        let message = self
            .resource
            .request(batches.iter().map(|batch| batch.bytes.clone()));
        match self.send_with_retries(message).await {
            Ok(response) => {
                let mut refused = response.refused();
                if refused > 0 {
                    self.complain(refused, response.message());
                }
                for batch in batches {
                    let refused_here = refused.min(batch.spans());
                    refused -= refused_here;
                    batch.settle(refused_here);
                }
            }
            Err(status) => {
                let spans: usize = batches.iter().map(Batch::spans).sum();
                self.complain(spans, status.message());
                // Dropped unsettled, the batches count as failed.
            }
        }
    }

    fn complain(&mut self, spans: usize, message: &str) {
        let now = Instant::now();
        if self.complained.is_none_or(|at| now - at >= COMPLAIN_EVERY) {
            self.complained = Some(now);
            tracing::warn!(spans, "the collector does not take spans: {message}");
        }
    }

    async fn send_with_retries(
        &mut self,
        message: Vec<Bytes>,
    ) -> Result<ExportResponse, tonic::Status> {
        let mut backoff = Backoff::new(self.times.request);
        loop {
            let status = match self.attempt(message.clone()).await {
                Ok(response) => return Ok(response),
                Err(status) => status,
            };
            match backoff.pause_after(&status) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(status),
            }
        }
    }

    async fn attempt(&mut self, message: Vec<Bytes>) -> Result<ExportResponse, tonic::Status> {
        let client = &mut self.client;
        let attempt = async {
            client
                .ready()
                .await
                .map_err(|error| tonic::Status::unavailable(error.to_string()))?;
            client
                .unary(tonic::Request::new(message), EXPORT, ExportCodec)
                .await
        };
        match tokio::time::timeout(self.times.attempt, attempt).await {
            Ok(response) => response.map(tonic::Response::into_inner),
            Err(_) => Err(tonic::Status::deadline_exceeded(
                "the collector did not answer in time",
            )),
        }
    }
}

/// The two ends of the queue of spans.
pub(super) fn queue(max_queued_spans: usize) -> (mpsc::Sender<Batch>, mpsc::Receiver<Batch>) {
    // A batch has at least one span, so that this is never tighter than the ledger's bound in spans.
    mpsc::channel(max_queued_spans.max(1))
}

/// Shared by the workers of a proxy and dropped by each at its end.
pub(super) type Alive = mpsc::Sender<Infallible>;

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter")
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
