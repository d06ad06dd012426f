//! What one scrape of one instance found: cumulative values, as they were exposed.

use crate::histogram::Histogram;
use clew_model::name::InstanceId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

/// All samples of one scrape.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The instance that was scraped. A new process needs a new id, or its counters have to start with
    /// a newer created timestamp.
    pub instance: InstanceId,
    /// When. What the counters gained since the last scrape is booked at this time; when that was longer ago
    /// than a few seconds, or when the series began, whichever was later, evenly over the time since. In the
    /// first scrape of an instance, what series older than a minute have counted is not counted again.
    pub at: SystemTime,
    /// The samples. A series that is not among them is taken to have ended.
    pub samples: Vec<Sample>,
}

/// One series at the time of a scrape.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Family.
    pub family: Arc<str>,
    /// Labels but the instance's, which the store adds. An empty value is the same as no label.
    pub labels: BTreeMap<String, String>,
    /// When a cumulative value was 0, Unix time in nanoseconds; `None` when that is not known.
    pub created_unix_nano: Option<u64>,
    /// Value.
    pub value: SampleValue,
}

/// Value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValue {
    /// Grows only, and starts again from 0. Neither negative nor infinite: such samples are refused.
    Counter(f64),
    /// Goes up and down.
    Gauge(f64),
    /// Cumulative, like a counter.
    Histogram(Histogram),
}
