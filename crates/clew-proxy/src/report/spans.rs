//! Spans between the worker that wrote them and the exporter: batches in a bounded queue, and the ledger
//! in which every span ends up exactly once.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::span::{self, Template};
use super::tally::Counter;
use crate::hop::{HopRecord, HopTrace};

/// A batch leaves at this many spans, this many bytes (OTLP receivers refuse more than 4 MiB in one
/// request), or this age.
const BATCH_SPANS: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_AGE: Duration = Duration::from_millis(200);

/// What became of spans after they were emitted:
/// `emitted = exported + dropped_queue_full + dropped_export_failed + waiting`.
#[derive(Debug)]
pub(super) struct Ledger {
    max_queued: usize,
    /// In the queue or on their way to the collector.
    queued: AtomicUsize,
    pub(super) exported: AtomicU64,
    pub(super) export_failed: AtomicU64,
}

impl Ledger {
    pub(super) fn new(max_queued: usize) -> Self {
        Self {
            max_queued,
            queued: AtomicUsize::new(0),
            exported: AtomicU64::new(0),
            export_failed: AtomicU64::new(0),
        }
    }

    fn reserve(&self, spans: usize) -> bool {
        let add = |queued: usize| Some(queued + spans).filter(|queued| *queued <= self.max_queued);
        self.queued
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok()
    }
}

/// Encoded spans on their way out. A batch that is dropped before it is settled has failed.
#[derive(Debug)]
pub(super) struct Batch {
    /// Elements of `ScopeSpans.spans`.
    pub(super) bytes: Bytes,
    spans: usize,
    ledger: Arc<Ledger>,
}

impl Batch {
    pub(super) fn spans(&self) -> usize {
        self.spans
    }

    /// The collector took the batch, less some spans that it refused.
    pub(super) fn settle(mut self, refused: usize) {
        let spans = self.leave_queue();
        let refused = refused.min(spans);
        self.ledger
            .exported
            .fetch_add((spans - refused) as u64, Ordering::Relaxed);
        self.ledger
            .export_failed
            .fetch_add(refused as u64, Ordering::Relaxed);
    }

    fn leave_queue(&mut self) -> usize {
        let spans = std::mem::take(&mut self.spans);
        self.ledger.queued.fetch_sub(spans, Ordering::Relaxed);
        spans
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let spans = self.leave_queue();
        self.ledger
            .export_failed
            .fetch_add(spans as u64, Ordering::Relaxed);
    }
}

/// One worker's counts of spans.
#[derive(Debug, Default)]
pub(super) struct SpanCounts {
    pub(super) emitted: Counter,
    pub(super) unsampled: Counter,
    pub(super) queue_full: Counter,
}

/// The end of the queue that a worker holds.
#[derive(Debug)]
pub(super) struct SpanBuffer {
    sender: mpsc::Sender<Batch>,
    ledger: Arc<Ledger>,
    batch_spans: usize,
    open: RefCell<Open>,
}

#[derive(Debug, Default)]
struct Open {
    bytes: Vec<u8>,
    spans: usize,
    /// End of the first span in the buffer.
    since: Option<Instant>,
}

impl SpanBuffer {
    pub(super) fn new(sender: mpsc::Sender<Batch>, ledger: Arc<Ledger>) -> Self {
        // A queue smaller than a batch would refuse every batch.
        let batch_spans = BATCH_SPANS.min(ledger.max_queued / 2).max(1);
        Self {
            sender,
            ledger,
            batch_spans,
            open: RefCell::default(),
        }
    }

    /// Adds a hop's span.
    pub(super) fn push(
        &self,
        template: &mut Template,
        record: &HopRecord,
        trace: &HopTrace,
        counts: &SpanCounts,
    ) {
        let is_full = {
            let mut open = self.open.borrow_mut();
            span::append(&mut open.bytes, template, record, trace);
            open.spans += 1;
            open.since.get_or_insert(record.end);
            open.spans >= self.batch_spans || open.bytes.len() >= BATCH_BYTES
        };
        counts.emitted.add(1);
        if is_full {
            self.flush(counts);
        }
    }

    /// Sends what is old enough.
    pub(super) fn tick(&self, now: Instant, counts: &SpanCounts) {
        let since = self.open.borrow().since;
        if since.is_some_and(|since| now.saturating_duration_since(since) >= BATCH_AGE) {
            self.flush(counts);
        }
    }

    /// Sends what there is. At the queue's bound it is dropped and counted.
    pub(super) fn flush(&self, counts: &SpanCounts) {
        let mut open = self.open.borrow_mut();
        let spans = std::mem::take(&mut open.spans);
        open.since = None;
        if spans == 0 {
            return;
        }
        if !self.ledger.reserve(spans) {
            open.bytes.clear();
            counts.queue_full.add(spans as u64);
            return;
        }
        // The next batch will be about as large.
        let capacity = open.bytes.len();
        let bytes = std::mem::replace(&mut open.bytes, Vec::with_capacity(capacity + capacity / 8));
        let batch = Batch {
            bytes: bytes.into(),
            spans,
            ledger: Arc::clone(&self.ledger),
        };
        if let Err(mpsc::error::TrySendError::Full(mut batch)) = self.sender.try_send(batch) {
            batch.leave_queue();
            counts.queue_full.add(spans as u64);
        }
        // A closed queue has no exporter any more; the batch has counted itself as failed.
    }
}
