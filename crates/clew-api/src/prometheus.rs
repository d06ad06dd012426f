//! Prometheus exposition as protobuf (`io.prometheus.client`), as proxies write it and observe reads it.
//!
//! The messages are written by hand, with the field numbers of `io/prometheus/client/metrics.proto`
//! (github.com/prometheus/client_model, proto2: every scalar has presence). A response body is a
//! sequence of [`MetricFamily`] messages, each behind its length as a varint.

use prost::Message;

pub mod exposition;

/// `Content-Type` of length-delimited protobuf.
pub const CONTENT_TYPE_PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
/// `Content-Type` of OpenMetrics text 1.0.0.
pub const CONTENT_TYPE_OPENMETRICS: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// `Content-Type` of the Prometheus text format 0.0.4.
pub const CONTENT_TYPE_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What a scraper that wants native histograms and created timestamps sends as `Accept`.
pub const ACCEPT_PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.9,application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3";

/// Name and value of a label.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct LabelPair {
    /// Name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Value.
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// Type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MetricType {
    /// Counter: only grows, from 0 at its created timestamp.
    Counter = 0,
    /// Gauge: goes up and down.
    Gauge = 1,
    /// Summary: quantiles made by the source.
    Summary = 2,
    /// Nothing is known of it.
    Untyped = 3,
    /// Histogram: classic buckets, native buckets, or both.
    Histogram = 4,
    /// Histogram whose counts may go down.
    GaugeHistogram = 5,
}

/// Unix time (`google.protobuf.Timestamp`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Timestamp {
    /// Whole seconds since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// The rest, 0 to 999,999,999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    /// From Unix time in nanoseconds.
    pub fn from_unix_nano(nanoseconds: u64) -> Self {
        let seconds = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(i64::MAX);
        let nanos = i32::try_from(nanoseconds % 1_000_000_000).unwrap_or(0);
        Self { seconds, nanos }
    }

    /// As Unix time in nanoseconds; what lies before 1970 is 0.
    pub fn as_unix_nano(&self) -> u64 {
        let seconds = u64::try_from(self.seconds).unwrap_or(0);
        let nanos = u64::try_from(self.nanos).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
    }
}

/// Value of a gauge.
#[derive(Clone, PartialEq, Message)]
pub struct Gauge {
    /// Value.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

/// Value of a counter.
#[derive(Clone, PartialEq, Message)]
pub struct Counter {
    /// Value since `created_timestamp`.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
    /// An example of what was counted.
    #[prost(message, optional, tag = "2")]
    pub exemplar: Option<Exemplar>,
    /// When it was 0.
    #[prost(message, optional, tag = "3")]
    pub created_timestamp: Option<Timestamp>,
}

/// One quantile of a summary.
#[derive(Clone, PartialEq, Message)]
pub struct Quantile {
    /// 0 to 1.
    #[prost(double, optional, tag = "1")]
    pub quantile: Option<f64>,
    /// Value at the quantile.
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
}

/// Value of a summary.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Number of observations.
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    /// Sum of the observations.
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    /// Quantiles.
    #[prost(message, repeated, tag = "3")]
    pub quantile: Vec<Quantile>,
    /// When it was 0.
    #[prost(message, optional, tag = "4")]
    pub created_timestamp: Option<Timestamp>,
}

/// Value of a family without a type.
#[derive(Clone, PartialEq, Message)]
pub struct Untyped {
    /// Value.
    #[prost(double, optional, tag = "1")]
    pub value: Option<f64>,
}

/// Value of a histogram: classic buckets, native (exponential) buckets, or both side by side.
///
/// A native bucket of index `i` under `schema` holds values in `(2^((i-1)/2^schema), 2^(i/2^schema)]`.
/// `positive_span` names runs of indices: the first span's `offset` is an index, later offsets are
/// gaps; `positive_delta` holds one count a bucket, each as the difference to the one before.
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    /// Number of observations.
    #[prost(uint64, optional, tag = "1")]
    pub sample_count: Option<u64>,
    /// Sum of the observations.
    #[prost(double, optional, tag = "2")]
    pub sample_sum: Option<f64>,
    /// Classic buckets, cumulative, by rising upper bound; the last may be infinity.
    #[prost(message, repeated, tag = "3")]
    pub bucket: Vec<Bucket>,
    /// Overrides `sample_count` when greater than 0 (float histograms).
    #[prost(double, optional, tag = "4")]
    pub sample_count_float: Option<f64>,
    /// Resolution of the native buckets; absent where there are only classic ones.
    #[prost(sint32, optional, tag = "5")]
    pub schema: Option<i32>,
    /// Width of the zero bucket.
    #[prost(double, optional, tag = "6")]
    pub zero_threshold: Option<f64>,
    /// Observations in the zero bucket.
    #[prost(uint64, optional, tag = "7")]
    pub zero_count: Option<u64>,
    /// The same, of float histograms.
    #[prost(double, optional, tag = "8")]
    pub zero_count_float: Option<f64>,
    /// Runs of native buckets below zero.
    #[prost(message, repeated, tag = "9")]
    pub negative_span: Vec<BucketSpan>,
    /// Their counts, as differences.
    #[prost(sint64, repeated, packed = "false", tag = "10")]
    pub negative_delta: Vec<i64>,
    /// Their counts, of float histograms.
    #[prost(double, repeated, packed = "false", tag = "11")]
    pub negative_count: Vec<f64>,
    /// Runs of native buckets above zero.
    #[prost(message, repeated, tag = "12")]
    pub positive_span: Vec<BucketSpan>,
    /// Their counts, as differences.
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub positive_delta: Vec<i64>,
    /// Their counts, of float histograms.
    #[prost(double, repeated, packed = "false", tag = "14")]
    pub positive_count: Vec<f64>,
    /// When it was 0.
    #[prost(message, optional, tag = "15")]
    pub created_timestamp: Option<Timestamp>,
    /// Examples for native buckets.
    #[prost(message, repeated, tag = "16")]
    pub exemplars: Vec<Exemplar>,
}

/// A classic bucket.
#[derive(Clone, PartialEq, Message)]
pub struct Bucket {
    /// Observations up to and with `upper_bound`.
    #[prost(uint64, optional, tag = "1")]
    pub cumulative_count: Option<u64>,
    /// Bound.
    #[prost(double, optional, tag = "2")]
    pub upper_bound: Option<f64>,
    /// An example from this bucket.
    #[prost(message, optional, tag = "3")]
    pub exemplar: Option<Exemplar>,
    /// Overrides `cumulative_count` when greater than 0.
    #[prost(double, optional, tag = "4")]
    pub cumulative_count_float: Option<f64>,
}

/// A run of native buckets that follow one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct BucketSpan {
    /// Index of the first (first span), or gap to the span before.
    #[prost(sint32, optional, tag = "1")]
    pub offset: Option<i32>,
    /// Number of buckets.
    #[prost(uint32, optional, tag = "2")]
    pub length: Option<u32>,
}

/// One observation, kept as an example; here always with the label `trace_id`.
#[derive(Clone, PartialEq, Message)]
pub struct Exemplar {
    /// Labels.
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    /// The observed value.
    #[prost(double, optional, tag = "2")]
    pub value: Option<f64>,
    /// When it was observed.
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

/// One series of a family; exactly one of the values is set.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Labels.
    #[prost(message, repeated, tag = "1")]
    pub label: Vec<LabelPair>,
    /// Value, of a gauge.
    #[prost(message, optional, tag = "2")]
    pub gauge: Option<Gauge>,
    /// Value, of a counter.
    #[prost(message, optional, tag = "3")]
    pub counter: Option<Counter>,
    /// Value, of a summary.
    #[prost(message, optional, tag = "4")]
    pub summary: Option<Summary>,
    /// Value, when the type is unknown.
    #[prost(message, optional, tag = "5")]
    pub untyped: Option<Untyped>,
    /// Time of the value in Unix milliseconds; absent: the time of the scrape.
    #[prost(int64, optional, tag = "6")]
    pub timestamp_ms: Option<i64>,
    /// Value, of a histogram.
    #[prost(message, optional, tag = "7")]
    pub histogram: Option<Histogram>,
}

/// All series of one name.
#[derive(Clone, PartialEq, Message)]
pub struct MetricFamily {
    /// Name, in the form of the Prometheus text format (counters end in `_total`).
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// What it is, in words.
    #[prost(string, optional, tag = "2")]
    pub help: Option<String>,
    /// Type.
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub r#type: Option<i32>,
    /// Series.
    #[prost(message, repeated, tag = "4")]
    pub metric: Vec<Metric>,
    /// Unit.
    #[prost(string, optional, tag = "5")]
    pub unit: Option<String>,
}

/// Writes families one after another, each behind its length.
pub fn encode_delimited(families: &[MetricFamily]) -> Vec<u8> {
    families
        .iter()
        .flat_map(Message::encode_length_delimited_to_vec)
        .collect()
}

/// Reads what [`encode_delimited`] wrote.
///
/// # Errors
/// A length or a message is broken, or the bytes end inside one.
pub fn decode_delimited(mut bytes: &[u8]) -> Result<Vec<MetricFamily>, prost::DecodeError> {
    let mut families = Vec::new();
    while !bytes.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut bytes)?);
    }
    Ok(families)
}

/// One native bucket: its index under the schema, and its own (not cumulative) count.
pub type NativeBucket = (i32, u64);

impl Histogram {
    /// The native buckets above zero, by rising index. Spans and deltas that do not fit one another
    /// end the list early.
    pub fn positive_buckets(&self) -> impl Iterator<Item = NativeBucket> + '_ {
        let mut next = 0_i32;
        let indices = self.positive_span.iter().flat_map(move |span| {
            let first = next.saturating_add(span.offset());
            next = first.saturating_add_unsigned(span.length());
            first..next
        });
        let mut count = 0_i64;
        indices
            .zip(self.positive_delta.iter())
            .map(move |(index, delta)| {
                count = count.saturating_add(*delta);
                (index, u64::try_from(count).unwrap_or(0))
            })
    }

    /// Sets spans and deltas from buckets in rising order of index. Empty buckets may be left out.
    pub fn set_positive_buckets(&mut self, buckets: impl IntoIterator<Item = NativeBucket>) {
        self.positive_span.clear();
        self.positive_delta.clear();
        let (mut next, mut before) = (0_i32, 0_i64);
        for (index, count) in buckets {
            let gap = index - next;
            match self.positive_span.last_mut() {
                Some(span) if gap == 0 => span.length = Some(span.length() + 1),
                _ => self.positive_span.push(BucketSpan {
                    offset: Some(gap),
                    length: Some(1),
                }),
            }
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.positive_delta.push(count - before);
            (next, before) = (index + 1, count);
        }
    }
}

#[cfg(test)]
mod tests;
