//! The store's handle.

#[cfg(test)]
mod tests;

use crate::error::{ReadError, StoreError, WriteError};
use crate::file::{Claim, StorePath};
use crate::histogram::Histogram;
use crate::query::{
    Exemplars, FoundTraces, GoldenQuery, GoldenRow, GoldenSteps, GoldenStepsQuery, HistogramRow,
    Labels, Sample, SampleQuery, SeriesQuery, StoreStats, StoredTrace, TraceQuery, ValueRow,
};
use crate::read::{self, Readers};
use crate::sample::Scrape;
use crate::window::Window;
use crate::write::{Retention, Writer};
use clew_trace::{Span, TraceId};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Spans and metric points at rest. Clones share one store.
///
/// When the last clone is dropped, what was accepted is still written, and the drop blocks for some
/// milliseconds until it is. [`Store::close`] waits without blocking.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    retention: Retention,
}

impl Store {
    /// Opens a store, creates it, or brings it to the newest format. Blocks for some milliseconds.
    ///
    /// # Errors
    /// The file cannot be used: each error names it and says what to do.
    pub fn open(place: StorePath, retention: Retention) -> Result<Self, StoreError> {
        let claim = Claim::take(place)?;
        let connection = claim.open_for_writing()?;
        let readers = Readers::open(&claim)?;
        let path = claim.path().to_path_buf();
        let writer = Writer::start(claim, connection, retention)?;
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                writer,
                readers,
                retention,
            }),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Takes spans to be written within half a second. Does not wait.
    ///
    /// A span that is there already (same trace, id, kind and service) changes nothing.
    ///
    /// # Errors
    /// The queue is full or the store is closed; none of the spans was taken.
    pub fn insert_spans(&self, spans: Vec<Span>) -> Result<(), WriteError> {
        self.shared.writer.insert_spans(spans)
    }

    /// Takes the samples of one scrape to be written within half a second. Does not wait.
    ///
    /// Scrapes of one instance have to come in the order in which they were made.
    ///
    /// # Errors
    /// The queue is full or the store is closed. Nothing is lost: the next scrape makes up for it.
    pub fn record_scrape(&self, scrape: Scrape) -> Result<(), WriteError> {
        self.shared.writer.record_scrape(scrape)
    }

    /// Waits until everything that was accepted before can be read.
    ///
    /// # Errors
    /// The store is closed, or something that was accepted since the last flush could not be written.
    pub async fn flush(&self) -> Result<(), WriteError> {
        self.shared.writer.flush().await
    }

    /// Writes what was accepted, and closes the file. Everything after it is refused.
    pub async fn close(&self) {
        self.shared.readers.close();
        self.shared.writer.close().await;
    }

    /// The traces that match, latest start first.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn find_traces(&self, query: TraceQuery) -> Result<FoundTraces, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::find(connection, &query))
            .await
    }

    /// All of a trace; `None` when the store has none of it.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn load_trace(&self, trace: TraceId) -> Result<Option<StoredTrace>, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::load(connection, trace))
            .await
    }

    /// Whole traces of a route, evenly picked.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn sample(&self, query: SampleQuery) -> Result<Sample, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::sample(connection, &query))
            .await
    }

    /// Ids of traces whose value lies in the range, in their order; at most `limit`. An id that is known by
    /// its first digits is found so.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn trace_ids(
        &self,
        range: RangeInclusive<u128>,
        limit: usize,
    ) -> Result<Vec<TraceId>, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::ids(connection, &range, limit))
            .await
    }

    /// What is kept, as it was said when the store was opened.
    pub fn retention(&self) -> Retention {
        self.shared.retention
    }

    /// The window, without what lies before the first request that is known of: what a rate is to be
    /// divided by, when a mesh is younger than the window. Where the first point begins is not kept: it is taken
    /// to be a second long, as a scrape is, while its true length is up to five seconds.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn measured(&self, window: Window) -> Result<Window, ReadError> {
        let first = self.shared.readers.ask(read::first_point_ms).await?;
        Ok(window.beginning_with(first))
    }

    /// Golden metrics by group, in the order of their labels.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn golden(&self, query: GoldenQuery) -> Result<Vec<GoldenRow>, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::golden(connection, &query))
            .await
    }

    /// Golden metrics step by step, of the groups that had most requests.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn golden_steps(&self, query: GoldenStepsQuery) -> Result<GoldenSteps, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::golden_steps(connection, &query))
            .await
    }

    /// Spans of proxies that are of the same requests as these golden metrics, a few for each step. Groups are not
    /// looked at.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn exemplars(&self, query: GoldenStepsQuery) -> Result<Exemplars, ReadError> {
        self.shared
            .readers
            .ask(move |connection| read::exemplars(connection, &query))
            .await
    }

    /// Histograms of one family (`clew_proxy_time_seconds`) step by step, for each of these groups, which are different ones:
    /// empty where nothing was measured. Other groups, of which there may be any number, are left out.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn histogram_steps(
        &self,
        family: &str,
        query: GoldenStepsQuery,
        groups: Vec<Labels>,
    ) -> Result<Vec<Vec<Histogram>>, ReadError> {
        let family = family.to_owned();
        self.shared
            .readers
            .ask(move |connection| read::histogram_steps(connection, &family, (&query, groups)))
            .await
    }

    /// Sums of one counter family (`clew_spans_total`, `tcp_open_total`, ...) by group.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn counters(
        &self,
        family: &str,
        query: SeriesQuery,
    ) -> Result<Vec<ValueRow>, ReadError> {
        let family = family.to_owned();
        self.shared
            .readers
            .ask(move |connection| read::counters(connection, &family, &query))
            .await
    }

    /// Sums of one gauge family (`tcp_open_connections`) by group: the last values of living series on
    /// instances that were scraped since the window began, and in the half minute before its end. Nothing for a window
    /// that ended more than half a minute before the last scrape: only last values are kept.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn gauges(
        &self,
        family: &str,
        query: SeriesQuery,
    ) -> Result<Vec<ValueRow>, ReadError> {
        let family = family.to_owned();
        self.shared
            .readers
            .ask(move |connection| read::gauges(connection, &family, &query))
            .await
    }

    /// Sums of one histogram family (`clew_proxy_time_seconds`) by group.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn histograms(
        &self,
        family: &str,
        query: SeriesQuery,
    ) -> Result<Vec<HistogramRow>, ReadError> {
        let family = family.to_owned();
        self.shared
            .readers
            .ask(move |connection| read::histograms(connection, &family, &query))
            .await
    }

    /// What the store holds, and what it did since it was opened.
    ///
    /// # Errors
    /// The question was not answered.
    pub async fn stats(&self) -> Result<StoreStats, ReadError> {
        let kept = self.shared.readers.ask(read::size).await?;
        Ok(StoreStats {
            bytes: kept.bytes,
            traces: kept.traces,
            series: kept.series,
            oldest_trace: kept.oldest_trace,
            oldest_point: kept.oldest_point,
            ..self.shared.writer.counted()
        })
    }
}
