//! Questions and answers, as nouns of the mesh and not of the database, so that another store (a
//! Prometheus, a ClickHouse) can answer the same ones.

mod exemplars;
mod over_time;

pub use exemplars::{Exemplar, Exemplars, MAX_READ_SPANS, MAX_WALKED_SPANS};
pub use over_time::{GoldenSteps, GoldenStepsQuery, GroupSteps, MAX_SERIES, MAX_SERIES_STEPS};

use crate::histogram::{Histogram, Latency};
use crate::label::Label;
use crate::window::Window;
use clew_trace::{Span, TraceId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

/// Values by label. A label that the series does not carry is absent; an empty value is the same as absent.
pub type Labels = BTreeMap<Label, String>;

/// Which series, over what time, and how they are added up.
#[derive(Clone, Debug)]
pub struct SeriesQuery {
    /// Time.
    pub window: Window,
    /// All must hold. An empty value holds where the label is absent.
    pub filters: Vec<(Label, String)>,
    /// Series that agree in these are one row. Empty: one row of all.
    pub group_by: Vec<Label>,
}

/// The question for golden metrics.
///
/// A request between two workloads of the mesh is seen twice, outbound by its client and inbound by its server: a query
/// has to say by `direction` whose numbers it wants, or group by [`Label::Direction`].
#[derive(Clone, Debug)]
pub struct GoldenQuery {
    /// Which series and how they are added up. [`Label::StatusCode`], [`Label::GrpcStatus`],
    /// [`Label::Classification`] and [`Label::Error`] are not on `request_total`: with one of them
    /// `requests` is 0.
    pub series: SeriesQuery,
    /// One side, or both.
    pub direction: Option<Direction>,
}

/// Side of the sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Requests to the application.
    Inbound,
    /// Requests from the application.
    Outbound,
}

impl Direction {
    /// Label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Golden metrics of one group: plain sums over the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoldenRow {
    /// The group, by the labels that were asked for.
    pub labels: Labels,
    /// Requests that were begun (`request_total`). Those still open are not yet in what follows.
    pub requests: u64,
    /// Those that ended.
    pub ended: Ended,
    /// Of all that ended, those with an `error`, by that reason.
    pub by_error: BTreeMap<String, u64>,
    /// Of all that ended, by HTTP status; absent where there was no response.
    pub by_status: BTreeMap<String, u64>,
    /// Long streams that were open when they were last looked at.
    pub open_streams: u64,
}

/// Requests that ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Responses that are successes.
    pub success: u64,
    /// Responses that are failures of the server or the mesh.
    pub failure: u64,
    /// Requests that their caller gave up: neither.
    pub cancelled: u64,
    /// Time to the end of the response, for what is not a long stream.
    pub latency: Latency,
}

impl Ended {
    /// All of them.
    pub fn responses(&self) -> u64 {
        self.success + self.failure + self.cancelled
    }

    /// Share of successes among what succeeded or failed; `None` when nothing did.
    pub fn success_rate(&self) -> Option<f64> {
        match self.success + self.failure {
            0 => None,
            judged => Some(self.success as f64 / judged as f64),
        }
    }

    /// Adds others.
    pub fn absorb(&mut self, other: &Self) {
        self.success += other.success;
        self.failure += other.failure;
        self.cancelled += other.cancelled;
        self.latency.merge(&other.latency);
    }

    /// Counts responses of a class, as metrics name it.
    pub(crate) fn count(&mut self, classification: &str, responses: u64) {
        match classification {
            "success" => self.success += responses,
            "cancelled" => self.cancelled += responses,
            _ => self.failure += responses,
        }
    }
}

/// Sum of counters of one group over the window, or of gauges at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueRow {
    /// The group, by the labels that were asked for.
    pub labels: Labels,
    /// The sum.
    pub value: f64,
}

/// Sum of histograms of one group over the window.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramRow {
    /// The group, by the labels that were asked for.
    pub labels: Labels,
    /// In the unit that the family's name ends in.
    pub histogram: Histogram,
}

/// The search for traces. A trace is found when at least one of its spans satisfies everything that is
/// asked for. Times are those of that span.
#[derive(Clone, Debug)]
pub struct TraceQuery {
    /// The span's service: the workload that emitted it (`service.name`).
    pub service: Option<String>,
    /// The span's route, as the metrics name it (`clew.route`), else, from applications, `http.route`, else the
    /// gRPC service and method.
    pub route: Option<String>,
    /// The span took at least this long.
    pub min_duration: Option<Duration>,
    /// The span took at most this long.
    pub max_duration: Option<Duration>,
    /// The span has an HTTP status in this range.
    pub status: Option<RangeInclusive<u16>>,
    /// The span, or its resource, has all these attributes: name and value as text
    /// ([`AttributeValue::to_text`](clew_trace::span::AttributeValue::to_text)).
    pub tags: Vec<(String, String)>,
    /// The span's status is Error.
    pub errors_only: bool,
    /// The span started in this window.
    pub window: Window,
    /// Only traces to which nothing was added for this long: those that are probably whole.
    pub settled_for: Option<Duration>,
    /// At most this many spans are read, newest first, to look for their status and tags. At most [`MAX_SEARCHED_SPANS`].
    pub searched_spans: usize,
    /// At most this many traces: those whose matching span is newest. At most [`MAX_TRACES`].
    pub limit: usize,
}

/// Whole traces of the requests of one route.
#[derive(Clone, Debug)]
pub struct SampleQuery {
    /// The workload that served them.
    pub service: String,
    /// The route, as the metrics name it.
    pub route: String,
    /// When the requests began.
    pub window: Window,
    /// Only traces to which nothing was added for this long.
    pub settled_for: Duration,
    /// At most this many; of more, evenly picked in the order in which they arrived.
    pub limit: usize,
}

/// What a [`SampleQuery`] found.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Traces that there are.
    pub found: usize,
    /// Those that were picked, each with its spans by start. Fewer than asked for where they are very long.
    pub traces: Vec<Vec<Span>>,
}

/// Spans after which a sample takes no more traces.
pub const MAX_SAMPLED_SPANS: usize = 200_000;

/// The most spans that one search by status or tags reads.
pub const MAX_SEARCHED_SPANS: usize = 100_000;

/// The most traces that one search answers with.
pub const MAX_TRACES: usize = 2_000;

impl Default for TraceQuery {
    /// The newest twenty of all that is kept.
    fn default() -> Self {
        Self {
            service: None,
            route: None,
            min_duration: None,
            max_duration: None,
            status: None,
            tags: Vec::new(),
            errors_only: false,
            window: Window::all(),
            settled_for: None,
            searched_spans: MAX_SEARCHED_SPANS,
            limit: 20,
        }
    }
}

impl TraceQuery {
    /// Spans have to be read whole to know whether they match.
    pub(crate) fn looks_into_spans(&self) -> bool {
        self.status.is_some() || !self.tags.is_empty()
    }
}

/// What a [`TraceQuery`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundTraces {
    /// Latest start first.
    pub traces: Vec<TraceSummary>,
    /// The search came to its bound of spans with spans that started then; what started earlier was not looked at.
    pub searched_back_to: Option<SystemTime>,
}

/// What a list of traces shows of one.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSummary {
    /// The trace.
    pub trace_id: TraceId,
    /// Name of the root span: the one without a parent, or, while there is none, the earliest whose
    /// parent is missing.
    pub root_name: String,
    /// Service of that span.
    pub root_service: String,
    /// Route of that span, as it is searched by.
    pub root_route: Option<String>,
    /// HTTP status of that span.
    pub root_status: Option<u16>,
    /// That span has no parent: it is the true root.
    pub has_root: bool,
    /// Start of the earliest span, Unix time in nanoseconds.
    pub start_unix_nano: u64,
    /// From the start of the earliest span to the end of the last.
    pub duration: Duration,
    /// Number of spans.
    pub spans: u32,
    /// Number of spans whose status is Error.
    pub errors: u32,
    /// Number of spans whose parent is not in the store.
    pub missing_parents: u32,
    /// Number of spans without a parent; more than one is a broken trace.
    pub roots: u32,
    /// Spans by service.
    pub services: BTreeMap<String, u32>,
    /// When something was added last.
    pub changed: SystemTime,
}

/// One trace, whole as far as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTrace {
    /// By start.
    pub spans: Vec<Span>,
    /// When something was added last.
    pub changed: SystemTime,
}

/// What the store holds and what it did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Size of the pages in use, in bytes.
    pub bytes: u64,
    /// When the oldest trace that is kept began to arrive.
    pub oldest_trace: Option<SystemTime>,
    /// Time of the oldest metric point that is kept.
    pub oldest_point: Option<SystemTime>,
    /// When something was deleted last before it was as old as it may become, because of the limit in bytes.
    pub crowded_at: Option<SystemTime>,
    /// Traces kept.
    pub traces: u64,
    /// Series kept.
    pub series: u64,
    /// Spans written.
    pub spans_written: u64,
    /// Spans that were there already.
    pub spans_repeated: u64,
    /// Spans refused because their trace is too large.
    pub spans_refused: u64,
    /// Spans lost because a write failed.
    pub spans_lost: u64,
    /// Samples that no sum could be made of, or past the number of series an instance may have.
    pub samples_refused: u64,
    /// Scrapes written.
    pub scrapes_written: u64,
    /// Scrapes lost because a write failed; the next scrape makes up for them.
    pub scrapes_lost: u64,
    /// Traces deleted by retention.
    pub traces_expired: u64,
    /// How far upkeep is, while it goes on for longer than a moment.
    pub upkeep: Option<UpkeepProgress>,
}

/// How far it is to delete what is too old or too much, to compact points, and to give space back. What is left is what
/// was left at the last count, a second ago at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpkeepProgress {
    /// When it began.
    pub since: SystemTime,
    /// Traces deleted so far.
    pub traces_deleted: u64,
    /// Bytes that are less in use than at its beginning.
    pub bytes_freed: u64,
    /// Traces that are too old, about.
    pub traces_left: u64,
    /// Bytes in use above the limit, and bytes of the file that are free and to be given back.
    pub bytes_left: u64,
    /// Stretch of time whose points are to be compacted or deleted.
    pub points_left: Duration,
}

impl fmt::Display for UpkeepProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{} traces deleted, {:.1} MiB freed; to go: {} traces that are too old, {:.1} MiB, numbers of {} s",
            self.traces_deleted,
            mib(self.bytes_freed),
            self.traces_left,
            mib(self.bytes_left),
            self.points_left.as_secs(),
        )
    }
}
