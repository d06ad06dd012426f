//! Reports: what is said of a hop once it is closed, and of a long stream before.
//!
//! [`crate::hop::HopRecord`] goes in; out come counters and histograms, a span, a tap event and a line of
//! the access log. What it is not: it looks at no request and decides nothing about one; a request never
//! waits for it.
//!
//! Each data-plane thread has [`WorkerReports`] and writes to cells that no other thread writes to: one
//! addition each, no lock and no locked instruction. Start reading at [`WorkerReports::close`]. A scrape
//! adds the shards up (`gather`); the series themselves are found, bounded and forgotten in `directory`.
//! Spans are encoded on the data-plane thread (`span`), go through a bounded queue (`spans`), and leave
//! on the control runtime (`export`).

mod access_log;
mod budget;
mod cache;
mod clock;
mod directory;
mod entry;
mod exemplar;
mod export;
mod family;
#[cfg(test)]
pub(crate) mod fixture;
mod gather;
mod histogram;
mod labels;
mod process;
mod scrapes;
mod series;
mod shared;
mod span;
mod spans;
mod tally;
mod tap;
#[cfg(test)]
mod tests;
mod worker;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clew_api::prometheus::exposition::Format;
use clew_api::wire::tap::TapRequest;
use clew_model::name::{InstanceId, Workload};
use clew_model::telemetry::TelemetrySettings;
use clew_runtime::tasks::TaskSet;
use http::Uri;
use tokio::sync::mpsc;

pub use self::access_log::LogTarget;
pub(crate) use self::clock::rfc3339;
pub use self::family::reference as metrics_reference;
pub use self::series::{HopSeries, TcpSeries};
pub use self::tap::{TapError, TapStream};
pub use self::worker::{WorkerReports, WorkerSlot};

use self::directory::Directory;
use self::entry::lock;
use self::export::{ExportTimes, Exporter, Resource};
use self::shared::Shared;
use self::spans::{Ledger, SpanBuffer};
use crate::audit::Busy;
use crate::config::{LogStream, ProxyConfig};
use crate::identity::CertificateTally;

/// What reports are told before they start.
#[derive(Debug)]
pub struct ReportsConfig {
    /// The workload that all series and spans name.
    pub workload: Workload,
    /// The instance that spans name.
    pub instance: InstanceId,
    /// Data-plane threads.
    pub workers: NonZeroUsize,
    /// Where spans go (OTLP over gRPC). Without it no span is emitted.
    pub otlp: Option<Uri>,
    /// Series per family before new routes fold into `(other)`.
    pub max_series: usize,
    /// Spans that wait for export, in all.
    pub max_queued_spans: usize,
    /// Where lines of the access log go.
    pub access_log: LogTarget,
    export_times: ExportTimes,
}

impl ReportsConfig {
    /// As the proxy's configuration says.
    pub fn new(config: &ProxyConfig) -> Self {
        Self {
            workload: config.workload.clone(),
            instance: config.instance.clone(),
            workers: config.workers,
            otlp: config.otlp.clone(),
            max_series: config.limits.max_series,
            max_queued_spans: config.limits.max_queued_spans,
            access_log: match config.access_log {
                LogStream::Stdout => LogTarget::Stdout,
                LogStream::Stderr => LogTarget::Stderr,
            },
            export_times: ExportTimes::default(),
        }
    }
}

/// The reports of a proxy, as the control runtime sees them: scrapes, watches, settings.
#[derive(Debug)]
pub struct Reports {
    shared: Arc<Shared>,
    /// The exporter and the writer of the access log; both end when every worker has ended.
    tasks: Mutex<Option<TaskSet>>,
    /// For both, once every worker has ended.
    time_to_finish: Duration,
}

impl Reports {
    /// The reports, and the place of each data-plane thread in them. To be called on the control runtime,
    /// which then exports spans and writes the access log.
    pub fn new(config: ReportsConfig) -> (Arc<Self>, Vec<WorkerSlot>) {
        let workers = config.workers.get();
        let directory = Directory::new(
            labels::constant_labels(&config.workload),
            workers,
            config.max_series,
        );
        let ledger = Arc::new(Ledger::new(config.max_queued_spans));
        let resource = Resource::new(&config.workload, &config.instance);
        let shared = Arc::new(Shared::new(
            config.workload,
            config.instance,
            directory,
            Arc::clone(&ledger),
        ));
        let mut tasks = TaskSet::new();
        // Nothing is ever sent on it: it ends when the workers do.
        let (alive, workers_alive) = mpsc::channel(1);
        let spans = config.otlp.as_ref().map(|collector| {
            let (sender, queue) = export::queue(config.max_queued_spans);
            let exporter = Exporter::new(
                collector,
                resource,
                queue,
                workers_alive,
                config.export_times,
            );
            tasks.spawn("span exporter", exporter.run());
            sender
        });
        let (lines, written) = access_log::queue();
        tasks.spawn("access log", access_log::write(config.access_log, written));
        let slots = (0..workers)
            .map(|index| WorkerSlot {
                index,
                shared: Arc::clone(&shared),
                spans: spans
                    .as_ref()
                    .map(|sender| SpanBuffer::new(sender.clone(), Arc::clone(&ledger))),
                lines: lines.clone(),
                alive: alive.clone(),
            })
            .collect();
        (
            Arc::new(Self {
                shared,
                tasks: Mutex::new(Some(tasks)),
                time_to_finish: config.export_times.finish + Duration::from_secs(1),
            }),
            slots,
        )
    }

    /// What the propagation audit tells of how long requests were in flight.
    pub(crate) fn busy(&self) -> Arc<Busy> {
        Arc::clone(&self.shared.busy)
    }

    /// What is told of certificates.
    pub(crate) fn certificates(&self) -> Arc<CertificateTally> {
        Arc::clone(&self.shared.certificates)
    }

    /// Puts settings in force: the access log, and the headers that it and tap may show. Sampling is
    /// decided where hops are opened.
    pub fn apply(&self, settings: &TelemetrySettings) {
        self.shared.apply(settings);
    }

    /// All metrics, as they are now.
    pub fn scrape(&self, format: Format) -> Scrape {
        let began = Instant::now();
        Scrape {
            body: gather::gather(&self.shared, format),
            receipt: ScrapeReceipt {
                began,
                shared: Arc::clone(&self.shared),
            },
        }
    }

    /// When the newest scrape that was read to its end had begun.
    pub fn last_scraped(&self) -> Option<Instant> {
        self.shared.scrapes.last()
    }

    /// Waits for a scrape that begins from now on and is read to its end.
    pub async fn next_scrape(&self) {
        self.shared.scrapes.next().await;
    }

    /// Begins to watch closed hops.
    ///
    /// # Errors
    /// The request names no direction, or there are too many watches.
    pub fn tap(&self, request: TapRequest) -> Result<TapStream, TapError> {
        self.shared.tap.watch(request)
    }

    /// The end: to be called when every worker has ended. The last spans are exported and the last lines
    /// written, within a few seconds; and if someone scrapes this proxy, they get `last_scrape_timeout` to
    /// read the last numbers.
    pub async fn finish(&self, last_scrape_timeout: Duration) {
        let tasks = lock(&self.tasks).take();
        if let Some(mut tasks) = tasks {
            match tokio::time::timeout(self.time_to_finish, tasks.join_all()).await {
                Ok(failures) => failures
                    .iter()
                    .for_each(|error| tracing::error!("a task of the reports failed: {error}")),
                // A worker has not ended after all, or nobody reads the access log.
                Err(_) => tracing::warn!("the last reports did not leave in time"),
            }
        }
        if self.shared.scrapes.is_scraped() {
            // Late is as good as never: the numbers of the last seconds are then lost.
            let _ = tokio::time::timeout(last_scrape_timeout, self.next_scrape()).await;
        }
    }
}

/// What a scrape reads.
#[derive(Debug)]
pub struct Scrape {
    /// The body.
    pub body: Vec<u8>,
    /// To be told when the body has been read.
    pub receipt: ScrapeReceipt,
}

/// Tells that a scrape was read to its end. Dropped untold, the scrape did not take place.
#[derive(Debug)]
pub struct ScrapeReceipt {
    began: Instant,
    shared: Arc<Shared>,
}

impl ScrapeReceipt {
    /// The scraper has read everything.
    pub fn delivered(self) {
        self.shared.scraped(self.began);
    }
}
