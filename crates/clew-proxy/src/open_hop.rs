//! A hop while it is open. It is closed exactly once: by the one who saw its end, or, when the future or
//! the body that owned it is dropped, as given up by the client.

use crate::error::Reason;
use crate::grpc;
use crate::hop::{Classification, Direction, End, Exchange, HopRecord, HopTrace, Peer, PhaseTimes};
use crate::lifecycle::{Connections, Stage};
use crate::opaque::Transferred;
use crate::report::{HopSeries, WorkerReports};
use crate::request_body::Progress;
use http::{HeaderMap, StatusCode};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where closed hops go, and what their end depends on. One for each data-plane thread.
pub(crate) struct HopSink {
    /// The reports of this thread.
    pub(crate) reports: WorkerReports,
    /// The connections of this thread: a hop that is cut off when they are forced is not the client's fault.
    pub(crate) connections: Connections,
}

/// An open hop.
pub(crate) struct OpenHop {
    sink: Rc<HopSink>,
    series: Option<Rc<HopSeries>>,
    /// Status codes that count as failures on this hop's route, when they are not the default.
    failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    request_body: Option<Rc<Progress>>,
    /// Taken when the hop is closed.
    record: Option<Box<HopRecord>>,
}

impl OpenHop {
    /// Opens a hop whose labels are not all known yet; see [`Self::count`].
    pub(crate) fn new(
        sink: Rc<HopSink>,
        record: Box<HopRecord>,
        failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ) -> Self {
        Self {
            sink,
            series: None,
            failure_statuses,
            request_body: None,
            record: Some(record),
        }
    }

    /// Notes who gets the request.
    pub(crate) fn peer(&mut self, peer: Arc<Peer>, address: SocketAddr) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.key.peer = peer;
        record.peer_address = Some(address);
    }

    /// Notes the hop's part in a trace.
    pub(crate) fn trace(&mut self, trace: Option<HopTrace>) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.trace = trace;
    }

    /// The side that the request is seen on.
    pub(crate) fn direction(&self) -> Option<Direction> {
        self.record.as_ref().map(|record| record.key.direction)
    }

    /// Notes what kind of exchange it turned out to be.
    pub(crate) fn exchange(&mut self, exchange: Exchange) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.exchange = exchange;
    }

    /// Notes proxy time.
    pub(crate) fn times(&mut self, note: impl FnOnce(&mut PhaseTimes)) {
        let Some(record) = &mut self.record else {
            return;
        };
        note(&mut record.phases);
    }

    /// Follows the body of the request.
    pub(crate) fn request_body(&mut self, progress: Option<Rc<Progress>>) {
        self.request_body = progress;
    }

    /// Notes the bytes of a tunnel.
    pub(crate) fn transferred(&mut self, transferred: &Transferred) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.request_bytes += transferred.client_bytes();
        record.response_bytes += transferred.server_bytes();
    }

    /// The labels are final: counts the request. A hop that ends before is counted with the labels that it has.
    pub(crate) fn count(&mut self, series: Rc<HopSeries>) {
        debug_assert!(self.series.is_none(), "a request is counted once");
        self.sink.reports.opened(&series);
        self.series = Some(series);
    }

    /// What is recorded so far. `None` only while the hop is being closed.
    pub(crate) fn record(&mut self) -> Option<&mut HopRecord> {
        self.record.as_deref_mut()
    }

    /// Notes the head of the response.
    pub(crate) fn response_head(&mut self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.status = Some(status);
        record.response_start = Some(now);
        if record.request_headers.is_some() {
            record.response_headers = Some(headers.clone());
        }
        self.grpc_status(headers);
    }

    /// Notes the gRPC status, from trailers or from the head of a trailers-only response.
    pub(crate) fn grpc_status(&mut self, headers: &HeaderMap) {
        let Some(record) = &mut self.record else {
            return;
        };
        if !record.is_grpc {
            return;
        }
        if let Some(status) = headers.get("grpc-status") {
            let number = status.to_str().ok().and_then(|text| text.parse().ok());
            record.grpc_status = Some(number.unwrap_or(grpc::UNKNOWN));
        }
    }

    /// Notes data of the response on its way to the client.
    pub(crate) fn response_data(&mut self, bytes: usize) {
        let Some(record) = &mut self.record else {
            return;
        };
        if record.first_body.is_none() {
            record.first_body = Some(Instant::now());
        }
        record.response_bytes += bytes as u64;
    }

    /// Closes the hop.
    pub(crate) fn close(mut self, end: End) {
        self.close_once(end);
    }

    fn close_once(&mut self, end: End) {
        let Some(mut record) = self.record.take() else {
            return;
        };
        record.end = Instant::now();
        let request_body = self.request_body.take();
        if let Some(progress) = &request_body {
            record.request_bytes = progress.bytes();
        }
        // What the client broke is not the server's failure, however it showed.
        record.outcome = match request_body.and_then(|progress| progress.broken()) {
            Some(Reason::ClientCancelled) => End::CancelledByClient,
            Some(reason) => End::Failed(reason),
            None => end,
        };
        record.exchange = exchange_of(&record);
        record.grpc_status = grpc_status_of(&record);
        record.classification = classify(&record, self.failure_statuses.as_deref());
        let reports = &self.sink.reports;
        let series = self.series.take().unwrap_or_else(|| {
            let series = reports.series(&record.key);
            reports.opened(&series);
            series
        });
        reports.close(&series, *record);
    }
}

impl Drop for OpenHop {
    fn drop(&mut self) {
        if self.record.is_some() {
            let end = match self.sink.connections.stage() {
                Stage::Forced => End::Failed(Reason::Shutdown),
                Stage::Open | Stage::Draining => End::CancelledByClient,
            };
            self.close_once(end);
        }
    }
}

/// A response that goes on for longer than this after its head is a long stream, whatever it carries: how long
/// it took says nothing of how fast the server is.
const LONG_STREAM: Duration = Duration::from_secs(10);

fn exchange_of(record: &HopRecord) -> Exchange {
    let since_head = record
        .response_start
        .map(|head| record.end.saturating_duration_since(head));
    match record.exchange {
        Exchange::Unary if since_head.is_some_and(|time| time > LONG_STREAM) => Exchange::Stream,
        exchange => exchange,
    }
}

/// What a gRPC call ended with. One that was answered without a status of gRPC has the one that clients make of
/// it (gRPC, "HTTP to gRPC Status Code Mapping").
fn grpc_status_of(record: &HopRecord) -> Option<u16> {
    if !record.is_grpc || record.outcome != End::Complete {
        return record.grpc_status;
    }
    Some(match record.grpc_status {
        Some(status) => grpc::known(status),
        None => grpc::of_http(record.status?.as_u16()),
    })
}

fn classify(
    record: &HopRecord,
    failure_statuses: Option<&[RangeInclusive<u16>]>,
) -> Classification {
    match record.outcome {
        End::CancelledByClient => return Classification::Cancelled,
        End::Failed(_) => return Classification::Failure,
        End::Complete => {}
    }
    let failed = match (record.status, record.grpc_status) {
        (_, Some(status)) if record.is_grpc => grpc::is_server_error(status),
        (None, _) => true,
        (Some(status), _) => failure_statuses.map_or(status.is_server_error(), |ranges| {
            ranges.iter().any(|range| range.contains(&status.as_u16()))
        }),
    };
    if failed {
        Classification::Failure
    } else {
        Classification::Success
    }
}
