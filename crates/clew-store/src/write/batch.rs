//! From the queue into the file: what comes within a fifth of a second is one transaction.

use super::Work;
use super::points::Points;
use super::spans;
use super::upkeep::{Retention, Upkeep};
use crate::error::WriteError;
use crate::query::{StoreStats, UpkeepProgress};
use crate::sample::Scrape;
use crate::window::unix_millis;
use clew_trace::Span;
use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// The longest that something waits for more to be written with it.
const BATCH_TIME: Duration = Duration::from_millis(200);
/// Items at which a batch is written at once.
const BATCH_ITEMS: usize = 4_096;
/// Between two looks at what is to be compacted or deleted.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(2);
/// Between two complaints about writes that fail.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// What the writer did.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) spans_written: AtomicU64,
    pub(super) spans_repeated: AtomicU64,
    pub(super) spans_refused: AtomicU64,
    pub(super) spans_lost: AtomicU64,
    pub(super) scrapes_written: AtomicU64,
    pub(super) scrapes_lost: AtomicU64,
    pub(super) samples_refused: AtomicU64,
    pub(super) traces_expired: AtomicU64,
    /// When something went last because of the limit in bytes, Unix milliseconds; 0 when nothing did.
    pub(super) crowded_ms: AtomicU64,
    pub(super) upkeep: Mutex<Option<UpkeepProgress>>,
}

impl Counts {
    pub(super) fn read(&self) -> StoreStats {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        StoreStats {
            spans_written: get(&self.spans_written),
            spans_repeated: get(&self.spans_repeated),
            spans_refused: get(&self.spans_refused),
            spans_lost: get(&self.spans_lost),
            scrapes_written: get(&self.scrapes_written),
            scrapes_lost: get(&self.scrapes_lost),
            samples_refused: get(&self.samples_refused),
            traces_expired: get(&self.traces_expired),
            crowded_at: match get(&self.crowded_ms) {
                0 => None,
                millis => UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
            },
            upkeep: *self.upkeep(),
            ..StoreStats::default()
        }
    }

    fn upkeep(&self) -> MutexGuard<'_, Option<UpkeepProgress>> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is written together.
#[derive(Default)]
struct Batch {
    spans: Vec<Span>,
    scrapes: Vec<Scrape>,
    waiting: Vec<oneshot::Sender<Result<(), WriteError>>>,
    items: usize,
    bytes: usize,
    /// Nothing more is to be waited for.
    at_once: bool,
    close: bool,
}

impl Batch {
    fn add(&mut self, work: Work) {
        self.items += work.items();
        self.bytes += work.bytes();
        match work {
            Work::Spans(mut spans) => self.spans.append(&mut spans),
            Work::Scrape(scrape) => self.scrapes.push(*scrape),
            Work::Flush(waiting) => {
                self.waiting.push(waiting);
                self.at_once = true;
            }
            Work::Close => {
                self.close = true;
                self.at_once = true;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.at_once || self.items >= BATCH_ITEMS
    }
}

/// The writer's thread.
pub(super) struct Batches {
    connection: Connection,
    points: Points,
    upkeep: Upkeep,
    counts: Arc<Counts>,
    /// Something was lost since who waited for it was told last.
    lost: bool,
    complained: Option<Instant>,
}

impl Batches {
    pub(super) fn new(connection: Connection, retention: Retention, counts: Arc<Counts>) -> Self {
        Self {
            connection,
            points: Points::default(),
            upkeep: Upkeep::new(retention),
            counts,
            lost: false,
            complained: None,
        }
    }

    /// Runs until it is told to close or nobody is left who could send.
    pub(super) fn run(mut self, inbox: &Receiver<Work>, queued: &AtomicUsize) {
        let mut upkeep_at = Instant::now();
        loop {
            let batch =
                match inbox.recv_timeout(upkeep_at.saturating_duration_since(Instant::now())) {
                    Ok(work) => collect(work, inbox),
                    Err(RecvTimeoutError::Timeout) => Batch::default(),
                    Err(RecvTimeoutError::Disconnected) => return,
                };
            let (bytes, close) = (batch.bytes, batch.close);
            self.write(batch);
            queued.fetch_sub(bytes, Ordering::AcqRel);
            if close {
                return;
            }
            if upkeep_at <= Instant::now() {
                let rest = self.do_upkeep();
                upkeep_at = Instant::now()
                    + if rest {
                        Duration::ZERO
                    } else {
                        UPKEEP_INTERVAL
                    };
            }
        }
    }

    fn write(&mut self, batch: Batch) {
        let Batch {
            spans,
            scrapes,
            waiting,
            ..
        } = batch;
        if !spans.is_empty() || !scrapes.is_empty() {
            match self.commit(&spans, &scrapes) {
                Ok(written) => {
                    add(&self.counts.spans_written, written.written);
                    add(&self.counts.spans_repeated, written.repeated);
                    add(&self.counts.spans_refused, written.refused);
                    add(&self.counts.scrapes_written, scrapes.len());
                }
                Err(error) => {
                    // What the memory knows of the file may be of the transaction that is not.
                    self.points.forget();
                    self.lost = true;
                    add(&self.counts.spans_lost, spans.len());
                    add(&self.counts.scrapes_lost, scrapes.len());
                    self.complain("write", &error);
                }
            }
        }
        if waiting.is_empty() {
            return;
        }
        let result = if std::mem::take(&mut self.lost) {
            Err(WriteError::Failed)
        } else {
            Ok(())
        };
        for done in waiting {
            // Who asked may be gone.
            let _ = done.send(result);
        }
    }

    fn commit(&mut self, spans: &[Span], scrapes: &[Scrape]) -> rusqlite::Result<spans::Outcome> {
        let transaction = self.connection.transaction()?;
        let outcome = spans::insert(&transaction, spans)?;
        let mut refused = 0;
        for scrape in scrapes {
            refused += self.points.record(&transaction, scrape)?;
        }
        transaction.commit()?;
        add(&self.counts.samples_refused, refused);
        Ok(outcome)
    }

    /// One round of upkeep; true when more is to be done at once.
    fn do_upkeep(&mut self) -> bool {
        let round = self.upkeep.round(&mut self.connection);
        *self.counts.upkeep() = round.as_ref().map_or(None, |round| round.progress);
        match round {
            Ok(round) => {
                if round.series_deleted {
                    self.points.forget();
                }
                add(&self.counts.traces_expired, round.traces_deleted);
                if round.crowded {
                    let now = unix_millis(SystemTime::now()).unsigned_abs();
                    self.counts.crowded_ms.store(now, Ordering::Relaxed);
                }
                round.more
            }
            Err(error) => {
                self.complain("compact or delete", &error);
                false
            }
        }
    }

    fn complain(&mut self, operation: &'static str, error: &rusqlite::Error) {
        let now = Instant::now();
        if self
            .complained
            .is_none_or(|last| now.duration_since(last) >= COMPLAINT_INTERVAL)
        {
            self.complained = Some(now);
            tracing::error!(%error, "the store cannot {operation}");
        }
    }
}

/// Waits for what comes soon after.
fn collect(first: Work, inbox: &Receiver<Work>) -> Batch {
    let deadline = Instant::now() + BATCH_TIME;
    let mut batch = Batch::default();
    batch.add(first);
    while !batch.is_full() {
        match inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(work) => batch.add(work),
            Err(_) => break,
        }
    }
    batch
}

fn add(count: &AtomicU64, more: usize) {
    count.fetch_add(more as u64, Ordering::Relaxed);
}
