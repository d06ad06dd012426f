//! A worker's hold on series: what a caller keeps, so that reporting is additions and no lookup.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cache::Used;
use super::directory::Directory;
use super::entry::{CallCell, CallKey, HeldHop, PropagationCell, StreamCell, TcpCell};
use super::histogram::Histogram;
use super::labels::{DurationKind, ResponseKey};
use super::span::Template;
use super::tally::Counter;
use crate::audit::Calls;
use crate::hop::{Exchange, HopRecord, HopTrace, SeriesKey, Told};

/// Outcomes that a series remembers; past it they are looked up each time.
const MAX_OUTCOMES: usize = 64;

/// The series of hops with the same labels, on one thread. It may be kept as long as it is useful: while
/// it is, its series are reported.
pub struct HopSeries {
    key: SeriesKey,
    home: HeldHop,
    outcomes: RefCell<Vec<Rc<Outcome>>>,
    streams: OnceCell<Arc<StreamCell>>,
    propagation: OnceCell<Arc<PropagationCell>>,
    calls: RefCell<Vec<(CallKey, Arc<CallCell>)>>,
    span: RefCell<Template>,
    last_used: Cell<Instant>,
}

/// The series of hops that also ended alike.
struct Outcome {
    key: ResponseKey,
    responses: Arc<Counter>,
    durations: [OnceCell<Arc<Histogram>>; DurationKind::ALL.len()],
}

impl HopSeries {
    pub(super) fn new(key: SeriesKey, home: HeldHop, now: Instant) -> Self {
        Self {
            span: RefCell::new(Template::new(&key)),
            key,
            home,
            outcomes: RefCell::default(),
            streams: OnceCell::new(),
            propagation: OnceCell::new(),
            calls: RefCell::default(),
            last_used: Cell::new(now),
        }
    }

    /// What the spans of these hops have in common.
    pub(super) fn span(&self) -> RefMut<'_, Template> {
        self.span.borrow_mut()
    }

    #[inline]
    pub(super) fn open(&self, now: Instant) {
        self.home.requests.add(1);
        self.last_used.set(now);
    }

    /// Counts a stream that is open, and those of its bytes that are not counted yet.
    pub(super) fn go_on(&self, record: &mut HopRecord, directory: &Directory, worker: usize) {
        let streams = self.streams(directory, worker);
        if !record.told.is_open {
            streams.open.add(1);
        }
        count_bytes(streams, record);
        record.told = Told {
            is_open: true,
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
        };
    }

    /// Counts the rest of a stream that has ended.
    fn end_stream(&self, record: &HopRecord, directory: &Directory, worker: usize) {
        let streams = self.streams(directory, worker);
        count_bytes(streams, record);
        if record.told.is_open {
            streams.open.subtract(1);
        }
    }

    fn streams(&self, directory: &Directory, worker: usize) -> &StreamCell {
        self.streams.get_or_init(|| {
            let series = directory.streams(&self.home.entry);
            series.cell(worker, StreamCell::default)
        })
    }

    fn propagation(&self, directory: &Directory, worker: usize) -> &PropagationCell {
        self.propagation.get_or_init(|| {
            let series = directory.propagation(&self.home.entry);
            series.cell(worker, PropagationCell::default)
        })
    }

    /// Counts what a request called.
    pub(super) fn called(&self, calls: &Calls, directory: &Directory, worker: usize) {
        let mut cells = self.calls.borrow_mut();
        let is_it = |key: &CallKey| key.route == calls.route && key.service == calls.service;
        let known = cells.iter().find(|(key, _)| is_it(key));
        let cell = known.map(|(_, cell)| Arc::clone(cell)).unwrap_or_else(|| {
            let key = CallKey {
                service: calls.service.clone(),
                route: calls.route.clone(),
            };
            let series = directory.calls(&self.home.entry, key.clone());
            let cell = series.cell(worker, CallCell::new);
            if cells.len() < MAX_OUTCOMES {
                cells.push((key, Arc::clone(&cell)));
            }
            cell
        });
        cell.per_request.observe_number(calls.calls);
        cell.again.add(calls.again.into());
    }

    /// Counts a response, and its durations.
    pub(super) fn close(&self, record: &HopRecord, directory: &Directory, worker: usize) {
        let outcome = self.count(ResponseKey::of(record), directory, worker);
        let observe = |kind: DurationKind, time: Duration| {
            let histogram = self.duration(&outcome, kind, directory, worker);
            match record.trace.as_ref().filter(|trace| trace.kept) {
                Some(HopTrace { trace_id, .. }) => {
                    histogram.observe_traced(time, *trace_id, record.end_unix_nano())
                }
                None => {
                    histogram.observe(time);
                }
            }
        };
        if let Some(evidence) = record.evidence {
            self.propagation(directory, worker).of(evidence).add(1);
        }
        if record.exchange != Exchange::Unary {
            self.end_stream(record, directory, worker);
        }
        match record.exchange {
            Exchange::Unary => observe(DurationKind::Latency, record.duration()),
            Exchange::Stream => {
                observe(DurationKind::Stream, record.duration());
                if let Some(first) = record.first_body {
                    observe(
                        DurationKind::FirstByte,
                        first.saturating_duration_since(record.start),
                    );
                }
            }
            Exchange::Tunnel => observe(DurationKind::Stream, record.duration()),
        }
    }

    /// Counts a response that has no record.
    pub(super) fn respond(&self, key: ResponseKey, directory: &Directory, worker: usize) {
        self.count(key, directory, worker);
    }

    fn count(&self, key: ResponseKey, directory: &Directory, worker: usize) -> Rc<Outcome> {
        let known = self
            .outcomes
            .borrow()
            .iter()
            .find(|outcome| outcome.key == key)
            .cloned();
        let outcome = known.unwrap_or_else(|| {
            let outcome = Rc::new(self.find_outcome(key, directory, worker));
            let mut outcomes = self.outcomes.borrow_mut();
            if outcomes.len() < MAX_OUTCOMES {
                outcomes.push(Rc::clone(&outcome));
            }
            outcome
        });
        outcome.responses.add(1);
        outcome
    }

    fn find_outcome(&self, key: ResponseKey, directory: &Directory, worker: usize) -> Outcome {
        let series = directory.response(&self.home.entry, key);
        Outcome {
            key,
            responses: series.cell(worker, Counter::default),
            durations: Default::default(),
        }
    }

    fn duration<'a>(
        &self,
        outcome: &'a Outcome,
        kind: DurationKind,
        directory: &Directory,
        worker: usize,
    ) -> &'a Histogram {
        outcome.durations[kind as usize].get_or_init(|| {
            let series = directory.duration(&self.home.entry, outcome.key.duration(kind));
            series.cell(worker, || Histogram::new(kind.scale()))
        })
    }
}

fn count_bytes(streams: &StreamCell, record: &HopRecord) {
    let told = &record.told;
    streams
        .from_client
        .add(record.request_bytes.saturating_sub(told.request_bytes));
    streams
        .from_server
        .add(record.response_bytes.saturating_sub(told.response_bytes));
}

impl Used for HopSeries {
    fn last_used(&self) -> &Cell<Instant> {
        &self.last_used
    }
}

impl fmt::Debug for HopSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HopSeries")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The series of connections with the same labels, on one thread: only that one may write to it. Keep it while
/// one is open.
#[derive(Clone)]
pub struct TcpSeries {
    cell: Arc<TcpCell>,
}

/// The same, as a worker remembers it.
#[derive(Debug)]
pub(super) struct KnownTcp {
    pub(super) series: TcpSeries,
    last_used: Cell<Instant>,
}

impl KnownTcp {
    pub(super) fn new(cell: Arc<TcpCell>, now: Instant) -> Self {
        Self {
            series: TcpSeries { cell },
            last_used: Cell::new(now),
        }
    }
}

impl TcpSeries {
    /// A connection was opened.
    pub fn opened(&self) {
        self.cell.opened.add(1);
    }

    /// A connection was closed that had been open for this long.
    pub fn closed(&self, open: Duration) {
        self.cell.closed.add(1);
        self.cell.durations.observe(open);
    }

    /// What goes over a connection of the application is not read.
    pub fn opaque(&self) {
        self.cell.opaque.add(1);
    }

    /// Bytes came from the other side.
    pub fn read(&self, bytes: u64) {
        self.cell.read_bytes.add(bytes);
    }

    /// Bytes went to the other side.
    pub fn written(&self, bytes: u64) {
        self.cell.written_bytes.add(bytes);
    }
}

impl Used for KnownTcp {
    fn last_used(&self) -> &Cell<Instant> {
        &self.last_used
    }
}

impl fmt::Debug for TcpSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpSeries").finish_non_exhaustive()
    }
}
