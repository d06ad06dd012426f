//! What the workers and the control runtime both see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use clew_model::name::{InstanceId, Workload};
use clew_model::telemetry::{AccessLog, TelemetrySettings};

use super::directory::Directory;
use super::family;
use super::histogram::Histogram;
use super::scrapes::Scrapes;
use super::spans::{Ledger, SpanCounts};
use super::tally::Counter;
use super::tap::Tap;
use crate::audit::Busy;
use crate::hop::{Direction, Phase};
use crate::identity::CertificateTally;

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) workload: Workload,
    pub(super) instance: InstanceId,
    pub(super) started_unix_nano: u64,
    pub(super) directory: Directory,
    pub(super) workers: Box<[WorkerCells]>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) tap: Arc<Tap>,
    pub(super) scrapes: Scrapes,
    pub(super) busy: Arc<Busy>,
    pub(super) certificates: Arc<CertificateTally>,
    pub(super) settings: ArcSwap<Shown>,
    /// What every closed hop looks at: see [`Shared::access_log`].
    log: AtomicU8,
}

/// Headers whose values may be shown.
#[derive(Debug, Default)]
pub(super) struct Shown(Arc<[Arc<str>]>);

impl Shown {
    /// Whether a header, by its lower-case name, is one of them.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.0.iter().any(|shown| shown.as_ref() == name)
    }
}

const LOG_OFF: u8 = 0;
const LOG_ERRORS: u8 = 1;
const LOG_ALL: u8 = 2;
/// Added to the kind of log when it shows headers.
const LOG_HEADERS: u8 = 4;

impl Shared {
    pub(super) fn new(
        workload: Workload,
        instance: InstanceId,
        directory: Directory,
        ledger: Arc<Ledger>,
    ) -> Self {
        let workers = std::iter::repeat_with(WorkerCells::new)
            .take(directory.workers())
            .collect();
        Self {
            workload,
            instance,
            started_unix_nano: super::clock::unix_nano_now(),
            directory,
            workers,
            ledger,
            tap: Arc::new(Tap::new()),
            scrapes: Scrapes::new(),
            busy: Arc::default(),
            certificates: Arc::default(),
            settings: ArcSwap::default(),
            log: AtomicU8::new(LOG_OFF),
        }
    }

    pub(super) fn apply(&self, settings: &TelemetrySettings) {
        self.settings
            .store(Arc::new(Shown(Arc::clone(&settings.show_headers))));
        let kind = match settings.access_log {
            AccessLog::Off => LOG_OFF,
            AccessLog::Errors => LOG_ERRORS,
            AccessLog::All => LOG_ALL,
        };
        let headers = if kind != LOG_OFF && !settings.show_headers.is_empty() {
            LOG_HEADERS
        } else {
            0
        };
        self.log.store(kind | headers, Ordering::Relaxed);
    }

    /// Which hops go to the access log.
    #[inline]
    pub(super) fn access_log(&self) -> AccessLog {
        match self.log.load(Ordering::Relaxed) & !LOG_HEADERS {
            LOG_ERRORS => AccessLog::Errors,
            LOG_ALL => AccessLog::All,
            _ => AccessLog::Off,
        }
    }

    /// The access log shows the values of some headers.
    #[inline]
    pub(super) fn log_wants_headers(&self) -> bool {
        self.log.load(Ordering::Relaxed) & LOG_HEADERS != 0
    }

    /// A scrape that began at a moment was read to its end.
    pub(super) fn scraped(&self, began: Instant) {
        self.scrapes.complete(began);
    }
}

/// One worker's numbers that have no labels from requests.
#[derive(Debug)]
pub(super) struct WorkerCells {
    proxy_times: [[Histogram; Phase::COUNT]; 2],
    pub(super) spans: SpanCounts,
    pub(super) lines_dropped: Counter,
}

impl WorkerCells {
    fn new() -> Self {
        let phases = || std::array::from_fn(|_| Histogram::new(&family::PROXY_TIME));
        Self {
            proxy_times: [phases(), phases()],
            spans: SpanCounts::default(),
            lines_dropped: Counter::default(),
        }
    }

    /// Time in a phase of requests of a direction.
    #[inline]
    pub(super) fn proxy_time(&self, direction: Direction, phase: Phase) -> &Histogram {
        &self.proxy_times[direction as usize][phase as usize]
    }
}
