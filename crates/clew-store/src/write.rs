//! The writer: one thread that owns the writing connection and takes work from a bounded queue.

mod batch;
mod points;
mod spans;
mod stretch;
mod upkeep;
mod weight;

pub use upkeep::Retention;

use crate::error::{StoreError, WriteError};
use crate::file::Claim;
use crate::query::StoreStats;
use crate::sample::Scrape;
use batch::{Batches, Counts};
use clew_trace::Span;
use rusqlite::Connection;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Messages that may wait.
const MAX_QUEUED_MESSAGES: usize = 4_096;
/// Bytes of memory that may wait, in all, as [`weight`] estimates them: some fifty thousand spans of proxies.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// What the writer is asked to do.
enum Work {
    Spans(Vec<Span>),
    Scrape(Box<Scrape>),
    /// Write now, then say so.
    Flush(oneshot::Sender<Result<(), WriteError>>),
    /// Write what came before, then end.
    Close,
}

impl Work {
    fn items(&self) -> usize {
        match self {
            Self::Spans(spans) => spans.len(),
            Self::Scrape(scrape) => scrape.samples.len(),
            Self::Flush(_) | Self::Close => 0,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Spans(spans) => weight::of_spans(spans),
            Self::Scrape(scrape) => weight::of_samples(&scrape.samples),
            Self::Flush(_) | Self::Close => 0,
        }
    }
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: SyncSender<Work>,
    /// Bytes that wait or are being written.
    queued: Arc<AtomicUsize>,
    counts: Arc<Counts>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        claim: Claim,
        connection: Connection,
        retention: Retention,
    ) -> Result<Self, StoreError> {
        let (queue, inbox) = sync_channel(MAX_QUEUED_MESSAGES);
        let queued = Arc::new(AtomicUsize::new(0));
        let counts = Arc::new(Counts::default());
        let batches = Batches::new(connection, retention, Arc::clone(&counts));
        let taken = Arc::clone(&queued);
        let thread = std::thread::Builder::new()
            .name("clew-store".to_owned())
            .spawn(move || {
                batches.run(&inbox, &taken);
                // Last, when the connection is closed: it may delete the file.
                drop(claim);
            })
            .map_err(StoreError::Thread)?;
        Ok(Self {
            queue,
            queued,
            counts,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn insert_spans(&self, spans: Vec<Span>) -> Result<(), WriteError> {
        if spans.is_empty() {
            return Ok(());
        }
        self.offer(Work::Spans(spans))
    }

    pub(crate) fn record_scrape(&self, scrape: Scrape) -> Result<(), WriteError> {
        self.offer(Work::Scrape(Box::new(scrape)))
    }

    fn offer(&self, work: Work) -> Result<(), WriteError> {
        let bytes = work.bytes();
        let before = self.queued.fetch_add(bytes, Ordering::AcqRel);
        // Into an empty queue even the largest batch may go: else it could never be taken.
        let sent = if before > 0 && before + bytes > MAX_QUEUED_BYTES {
            Err(WriteError::Full)
        } else {
            self.queue.try_send(work).map_err(|error| match error {
                TrySendError::Full(_) => WriteError::Full,
                TrySendError::Disconnected(_) => WriteError::Closed,
            })
        };
        if sent.is_err() {
            self.queued.fetch_sub(bytes, Ordering::AcqRel);
        }
        sent
    }

    pub(crate) async fn flush(&self) -> Result<(), WriteError> {
        let (done, written) = oneshot::channel();
        self.send_waiting(Work::Flush(done)).await?;
        written.await.unwrap_or(Err(WriteError::Closed))
    }

    /// Sends where waiting is right: on a blocking thread, for the time that the writer needs to make room.
    async fn send_waiting(&self, work: Work) -> Result<(), WriteError> {
        let queue = self.queue.clone();
        let sent = tokio::task::spawn_blocking(move || queue.send(work).is_ok()).await;
        if sent.unwrap_or(false) {
            Ok(())
        } else {
            Err(WriteError::Closed)
        }
    }

    pub(crate) async fn close(&self) {
        // An error means that the thread has ended already.
        let _ = self.send_waiting(Work::Close).await;
        if let Some(thread) = self.take_thread() {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the store's writer ended with a panic");
            }
        }
    }

    fn take_thread(&self) -> Option<JoinHandle<()>> {
        self.thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn counted(&self) -> StoreStats {
        self.counts.read()
    }
}

impl Drop for Writer {
    /// Waits for what was accepted to be written, when nobody has closed the store before: a process that
    /// ends right after would else lose it, and leave a temporary file behind.
    fn drop(&mut self) {
        if let Some(thread) = self.take_thread() {
            let _ = self.queue.send(Work::Close);
            let _ = thread.join();
        }
    }
}
