//! A hop while it is open. Long streams are told of meanwhile ([`OpenStreams`]). It is closed exactly once: by the one
//! who saw its end, or, when the future or the body that owned it is dropped, as given up by the client.

use crate::audit::{Audit, Cause, Received};
use crate::error::Reason;
use crate::grpc;
use crate::hop::{
    Classification, Direction, End, Exchange, HopRecord, HopTrace, Peer, PhaseTimes, SeriesKey,
};
use crate::lifecycle::{Connections, Stage};
use crate::opaque::Transferred;
use crate::report::{HopSeries, WorkerReports};
use crate::request_body::Progress;
use clew_trace::Extracted;
use http::{HeaderMap, StatusCode};
use std::cell::{Cell, RefCell, RefMut};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

mod streams;
#[cfg(test)]
mod tests;

pub(crate) use self::streams::OpenStreams;

/// Where hops are reported, and what their end depends on. One for each data-plane thread.
pub(crate) struct HopSink {
    /// The reports of this thread.
    pub(crate) reports: WorkerReports,
    /// The connections of this thread: a hop that is cut off when they are forced is not the client's fault.
    pub(crate) connections: Connections,
    /// The hops of this thread that are told of while they are open.
    pub(crate) streams: OpenStreams,
    /// The propagation audit of the proxy.
    pub(crate) audit: Arc<Audit>,
}

impl HopSink {
    /// Reports what has become of long streams that are open. To be called now and then.
    pub(crate) fn look_at_streams(&self, now: Instant) {
        self.streams.look(&self.reports, now);
    }
}

/// An open hop: its owner's hold on it.
pub(crate) struct OpenHop {
    sink: Rc<HopSink>,
    /// Taken when the hop is closed.
    open: Option<Rc<Open>>,
}

/// What is known of an open hop. Its owner writes it; if it may be a long stream, the thread's housekeeping looks at it.
struct Open {
    /// Where it is among those that are looked at.
    place: Cell<Option<usize>>,
    state: RefCell<State>,
}

struct State {
    record: HopRecord,
    series: Option<Rc<HopSeries>>,
    /// Status codes that count as failures on this hop's route, when they are not the default.
    failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    request_body: Option<Rc<Progress>>,
    tunnel: Option<Rc<Transferred>>,
    /// The request is in flight in the application.
    received: Option<Received>,
    /// The request in flight there that this one was made for, when that is known.
    cause: Option<Cause>,
    /// The other side's proxy has refused it.
    is_refused: bool,
    /// When it was last told of in the access log: not before its end, of all but long streams.
    told: Instant,
}

impl OpenHop {
    /// Opens a hop whose labels are not all known yet; see [`Self::count`].
    pub(crate) fn new(
        sink: Rc<HopSink>,
        record: HopRecord,
        failure_statuses: Option<Arc<[RangeInclusive<u16>]>>,
    ) -> Self {
        let state = State {
            told: record.start,
            record,
            series: None,
            failure_statuses,
            request_body: None,
            tunnel: None,
            received: None,
            is_refused: false,
            cause: None,
        };
        Self {
            sink,
            open: Some(Rc::new(Open {
                place: Cell::new(None),
                state: RefCell::new(state),
            })),
        }
    }

    /// `None` only while the hop is being closed.
    fn state(&self) -> Option<RefMut<'_, State>> {
        self.open.as_ref().map(|open| open.state.borrow_mut())
    }

    /// What is recorded so far. `None` only while the hop is being closed.
    pub(crate) fn record(&mut self) -> Option<RefMut<'_, HopRecord>> {
        let record = |state| RefMut::map(state, |state: &mut State| &mut state.record);
        self.state().map(record)
    }

    /// Notes who gets the request.
    pub(crate) fn peer(&mut self, peer: Arc<Peer>, address: SocketAddr) {
        let Some(mut record) = self.record() else {
            return;
        };
        record.key.peer = peer;
        record.peer_address = Some(address);
    }

    /// Notes the hop's part in a trace.
    pub(crate) fn trace(&mut self, trace: Option<HopTrace>) {
        let Some(mut record) = self.record() else {
            return;
        };
        record.trace = trace;
    }

    /// The application is given the request: it is in flight there until the hop is closed.
    pub(crate) fn received(&mut self, received: Received) {
        if let Some(mut state) = self.state() {
            state.received = Some(received);
        }
    }

    /// The application asks: looks up what that shows of the context that it was given.
    pub(crate) fn audit(&mut self, came: &Extracted, now: Instant) {
        let Some(mut state) = self.open.as_ref().map(|open| open.state.borrow_mut()) else {
            return;
        };
        let seen = self
            .sink
            .audit
            .look(came, &state.record.key, now, state.record.start_unix_nano);
        state.record.evidence = Some(seen.evidence);
        state.cause = seen.cause;
    }

    /// The side that the request is seen on.
    pub(crate) fn direction(&self) -> Option<Direction> {
        self.state().map(|state| state.record.key.direction)
    }

    /// Notes what kind of exchange it turned out to be.
    pub(crate) fn exchange(&mut self, exchange: Exchange) {
        let Some(mut record) = self.record() else {
            return;
        };
        record.exchange = exchange;
    }

    /// What follows is a tunnel, whose bytes are counted there.
    pub(crate) fn tunnel(&mut self, transferred: &Rc<Transferred>) {
        if let Some(mut state) = self.state() {
            state.record.exchange = Exchange::Tunnel;
            state.tunnel = Some(Rc::clone(transferred));
        }
        self.watch();
    }

    /// Notes proxy time.
    pub(crate) fn times(&mut self, note: impl FnOnce(&mut PhaseTimes)) {
        let Some(mut record) = self.record() else {
            return;
        };
        note(&mut record.phases);
    }

    /// Follows the body of the request.
    pub(crate) fn request_body(&mut self, progress: Option<Rc<Progress>>) {
        let Some(mut state) = self.state() else {
            return;
        };
        state.request_body = progress;
    }

    /// The labels are final: counts the request. A hop that ends before is counted with the labels that it has.
    pub(crate) fn count(&mut self, series: Rc<HopSeries>) {
        let Some(mut state) = self.state() else {
            return;
        };
        debug_assert!(state.series.is_none(), "a request is counted once");
        self.sink.reports.opened(&series);
        state.series = Some(series);
    }

    /// Notes the head of the response.
    pub(crate) fn response_head(&mut self, status: StatusCode, headers: &HeaderMap, now: Instant) {
        let Some(mut record) = self.record() else {
            return;
        };
        record.status = Some(status);
        record.response_start = Some(now);
        if record.request_headers.is_some() {
            record.response_headers = Some(headers.clone());
        }
        drop(record);
        self.grpc_status(headers);
    }

    /// It goes to a member of the mesh.
    pub(crate) fn is_to_member(&mut self) -> bool {
        self.record().is_some_and(|record| {
            let SeriesKey {
                direction, peer, ..
            } = &record.key;
            *direction == Direction::Outbound && peer.workload.is_some()
        })
    }

    /// The answer is that of the other side's proxy, whose policy does not admit us.
    pub(crate) fn refused_by_peer(&mut self) {
        if let Some(mut state) = self.state() {
            state.is_refused = true;
        }
    }

    /// Notes the gRPC status, from trailers or from the head of a trailers-only response.
    pub(crate) fn grpc_status(&mut self, headers: &HeaderMap) {
        let Some(mut record) = self.record() else {
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
        let Some(mut record) = self.record() else {
            return;
        };
        if record.first_body.is_none() {
            record.first_body = Some(Instant::now());
        }
        record.response_bytes += bytes as u64;
    }

    /// The answer has not arrived at once, and may be a long stream: from now on it is looked at.
    pub(crate) fn watch(&mut self) {
        if let Some(open) = self.open.as_ref().filter(|open| open.place.get().is_none()) {
            self.sink.streams.add(open);
        }
    }

    /// Closes the hop.
    pub(crate) fn close(mut self, end: End) {
        self.close_once(end);
    }

    fn close_once(&mut self, end: End) {
        let Some(open) = self.open.take() else {
            return;
        };
        self.sink.streams.remove(&open);
        let state = &mut *open.state.borrow_mut();
        let now = Instant::now();
        state.look(now);
        let calls = state.received.take().map(|received| received.end(now));
        let request_body = state.request_body.take();
        let record = &mut state.record;
        // What the client broke is not the server's failure, however it showed.
        record.outcome = match request_body.and_then(|progress| progress.broken()) {
            Some(Reason::ClientCancelled) => End::CancelledByClient,
            Some(reason) => End::Failed(reason),
            None if state.is_refused && end == End::Complete => End::Failed(Reason::NotAuthorized),
            None => end,
        };
        record.exchange = exchange_of(record, self.sink.streams.long_after);
        record.grpc_status = grpc_status_of(record);
        record.classification = classify(record, state.failure_statuses.as_deref());
        let reports = &self.sink.reports;
        let series = state.series.take().unwrap_or_else(|| {
            let series = reports.series(&record.key);
            reports.opened(&series);
            series
        });
        reports.close(&series, record);
        reports.called(&series, &calls.unwrap_or_default());
        if let Some(cause) = state.cause.take()
            && record.classification == Classification::Failure
        {
            self.sink.audit.failed(cause, &record.key);
        }
    }
}

impl Drop for OpenHop {
    fn drop(&mut self) {
        if self.open.is_some() {
            let end = match self.sink.connections.stage() {
                Stage::Forced => End::Failed(Reason::Shutdown),
                Stage::Open | Stage::Draining => End::CancelledByClient,
            };
            self.close_once(end);
        }
    }
}

impl Open {
    /// Reports what has become of the hop, if it is a long stream.
    fn look(&self, streams: &OpenStreams, reports: &WorkerReports, now: Instant) {
        let state = &mut *self.state.borrow_mut();
        state.look(now);
        let is_stream = exchange_of(&state.record, streams.long_after) != Exchange::Unary;
        let Some(series) = state.series.as_ref().filter(|_| is_stream) else {
            return;
        };
        reports.count_open(series, &mut state.record);
        if now.saturating_duration_since(state.told) >= streams.tell_every {
            state.told = now;
            reports.tell_open(&state.record);
        }
    }
}

impl State {
    /// How far the hop has come.
    fn look(&mut self, now: Instant) {
        let record = &mut self.record;
        record.end = now;
        let of_body = self.request_body.as_ref().map_or(0, |body| body.bytes());
        record.request_bytes = of_body;
        if let Some(tunnel) = &self.tunnel {
            record.request_bytes += tunnel.client_bytes();
            record.response_bytes = tunnel.server_bytes();
        }
    }
}

/// What kind of exchange it was, or is so far.
fn exchange_of(record: &HopRecord, long_after: Duration) -> Exchange {
    let since_head = record
        .response_start
        .map(|head| record.end.saturating_duration_since(head));
    match record.exchange {
        Exchange::Unary if since_head.is_some_and(|time| time > long_after) => Exchange::Stream,
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
