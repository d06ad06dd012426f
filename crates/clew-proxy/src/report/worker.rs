//! The reports of one data-plane thread: what happens to a hop record when it is closed.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clew_api::wire::tap::TapEvent;
use clew_model::name::RouteName;
use clew_model::telemetry::AccessLog;
use tokio::sync::mpsc;

use super::access_log::Line;
use super::cache::{Cache, Used as _};
use super::export::Alive;
use super::labels::{ResponseKey, TcpKey};
use super::series::{HopSeries, KnownTcp, TcpSeries};
use super::shared::{Shared, WorkerCells};
use super::spans::SpanBuffer;
use super::{access_log, tap};
use crate::audit::Calls;
use crate::error::Reason;
use crate::hop::{Direction, HopRecord, Peer, SeriesKey};

/// Route of requests that could not be parsed.
const UNKNOWN: &str = "(unknown)";

/// How often idle series are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The place of one data-plane thread; it is opened on that thread.
pub struct WorkerSlot {
    pub(super) index: usize,
    pub(super) shared: Arc<Shared>,
    pub(super) spans: Option<SpanBuffer>,
    pub(super) lines: mpsc::Sender<Bytes>,
    pub(super) alive: Alive,
}

impl WorkerSlot {
    /// The thread's reports. They stay on the thread.
    pub fn open(self) -> WorkerReports {
        let Self {
            index,
            shared,
            spans,
            lines,
            alive,
        } = self;
        let now = Instant::now();
        WorkerReports {
            index,
            shared,
            spans,
            lines,
            hops: Cache::default(),
            tcp: Cache::default(),
            nobody: Arc::default(),
            now: Cell::new(now),
            swept: Cell::new(now),
            _alive: alive,
        }
    }
}

impl fmt::Debug for WorkerSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerSlot")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// The reports of one data-plane thread.
pub struct WorkerReports {
    index: usize,
    shared: Arc<Shared>,
    /// Absent where no collector is configured.
    spans: Option<SpanBuffer>,
    lines: mpsc::Sender<Bytes>,
    hops: Cache<SeriesKey, HopSeries>,
    tcp: Cache<TcpKey, KnownTcp>,
    /// The other side of requests that could not be parsed.
    nobody: Arc<Peer>,
    /// The time of the last tick: near enough to tell whether a series is idle.
    now: Cell<Instant>,
    swept: Cell<Instant>,
    _alive: Alive,
}

impl WorkerReports {
    /// The series of a key. Keep it, for a connection or for a route of an endpoint: finding it is a lookup
    /// in a map of this thread, or at first sight in one of all threads.
    pub fn series(&self, key: &SeriesKey) -> Rc<HopSeries> {
        self.hops.get_or(key, || {
            let held = self.shared.directory.hold_hop(key, self.index);
            HopSeries::new(key.clone(), held, self.now.get())
        })
    }

    /// Counts a request whose head was read. Every one of them is to be closed.
    #[inline]
    pub fn opened(&self, series: &HopSeries) {
        series.open(self.now.get());
    }

    /// Reports a request that ended, in every form that is asked for.
    pub fn close(&self, series: &HopSeries, record: &HopRecord) {
        series.close(record, &self.shared.directory, self.index);
        series.last_used().set(self.now.get());
        let cells = self.cells();
        for (phase, time) in record.phases.iter() {
            cells.proxy_time(record.key.direction, phase).observe(time);
        }
        self.emit_span(series, record);
        if self.shared.tap.is_active() {
            self.show(record, |event| event);
        }
        if access_log::wants(self.shared.access_log(), record) {
            self.log(record, |line| line);
        }
    }

    /// Counts what a request called before it ended.
    pub(crate) fn called(&self, series: &HopSeries, calls: &[Calls]) {
        for calls in calls {
            series.called(calls, &self.shared.directory, self.index);
        }
    }

    /// Counts a stream that is open, as far as it has come since it was last counted. Its end is counted when it is
    /// closed.
    pub fn count_open(&self, series: &HopSeries, record: &mut HopRecord) {
        series.go_on(record, &self.shared.directory, self.index);
    }

    /// Tells the access log and who watches of a stream that is open.
    pub fn tell_open(&self, record: &HopRecord) {
        if self.shared.tap.is_active() {
            self.show(record, tap::still_open);
        }
        if self.shared.access_log() == AccessLog::All {
            self.log(record, Line::still_open);
        }
    }

    fn show(&self, record: &HopRecord, mark: impl Fn(TapEvent) -> TapEvent) {
        let settings = self.shared.settings.load();
        let shown = |name: &str| settings.shows(name);
        let Shared {
            workload, instance, ..
        } = &*self.shared;
        self.shared.tap.show(record, || {
            mark(tap::event(workload, instance, record, &shown))
        });
    }

    fn emit_span(&self, series: &HopSeries, record: &HopRecord) {
        let Some(trace) = &record.trace else { return };
        let counts = &self.cells().spans;
        match &self.spans {
            Some(spans) if trace.kept => spans.push(&mut series.span(), record, trace, counts),
            _ => counts.unsampled.add(1),
        }
    }

    fn log<'a>(&'a self, record: &'a HopRecord, mark: impl Fn(Line<'a>) -> Line<'a>) {
        let settings = self.shared.settings.load();
        let shown = |name: &str| settings.shows(name);
        let line = Line::of(&self.shared.workload, &self.shared.instance, record, &shown);
        if self.lines.try_send(mark(line).to_bytes()).is_err() {
            self.cells().lines_dropped.add(1);
        }
    }

    /// Reports a request that was refused before it was one: it is counted like any other.
    pub fn refused(&self, direction: Direction, reason: Reason) {
        let key = SeriesKey {
            direction,
            peer: Arc::clone(&self.nobody),
            route: RouteName::from(UNKNOWN),
        };
        let series = self.series(&key);
        series.open(self.now.get());
        series.respond(
            ResponseKey::of_refusal(reason),
            &self.shared.directory,
            self.index,
        );
    }

    /// The series of connections to or from a peer. Keep it while one is open.
    pub fn tcp(&self, direction: Direction, peer: &Arc<Peer>) -> TcpSeries {
        let key = TcpKey {
            direction,
            peer: Arc::clone(peer),
        };
        let known = self.tcp.get_or(&key, || {
            let cell = self.shared.directory.hold_tcp(&key, self.index);
            KnownTcp::new(cell, self.now.get())
        });
        known.last_used().set(self.now.get());
        known.series.clone()
    }

    /// Whether request and response headers are to be kept in the record: someone watches, or the access
    /// log shows some.
    #[inline]
    pub fn wants_headers(&self) -> bool {
        self.shared.tap.is_active() || self.shared.log_wants_headers()
    }

    /// Housekeeping; to be called several times a second.
    pub fn tick(&self, now: Instant) {
        self.now.set(now);
        if let Some(spans) = &self.spans {
            spans.tick(now, &self.cells().spans);
        }
        if now.saturating_duration_since(self.swept.get()) >= SWEEP_EVERY {
            self.swept.set(now);
            self.hops.release_idle(now);
            self.tcp.release_idle(now);
            self.shared.directory.sweep(now);
        }
    }

    /// Sends the spans that wait in this thread's buffer, whatever their age.
    pub fn flush(&self) {
        if let Some(spans) = &self.spans {
            spans.flush(&self.cells().spans);
        }
    }

    fn cells(&self) -> &WorkerCells {
        &self.shared.workers[self.index]
    }
}

impl Drop for WorkerReports {
    fn drop(&mut self) {
        self.flush();
    }
}

impl fmt::Debug for WorkerReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerReports")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
