//! Sparse exponential histograms, as Prometheus' native histograms define them.

mod codec;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

/// Counts of observations in buckets whose bounds grow by `2^(2^-schema)`.
///
/// Bucket `i` holds what is greater than `2^((i-1) / 2^schema)` and at most `2^(i / 2^schema)`; the zero
/// bucket holds what is at most the zero threshold. Negative observations do not occur in what Clew
/// measures and are not kept. Source: Prometheus "Native Histograms" specification.
///
/// With schema 3 a bucket is 9% wide, so that a quantile is at most 4.5% off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Resolution, -4 to 8.
    schema: i8,
    zero_count: u64,
    sum: f64,
    buckets: BTreeMap<i32, u64>,
}

/// The resolution that Clew's proxies use: eight buckets for each factor of two.
pub const DEFAULT_SCHEMA: i8 = 3;

impl Histogram {
    /// An empty histogram of a resolution; what is out of range (-4 to 8) is clamped.
    pub fn new(schema: i8) -> Self {
        Self {
            schema: schema.clamp(-4, 8),
            ..Self::default()
        }
    }

    /// A histogram of counts by bucket index, with the sum of the observed values.
    pub fn from_buckets(
        schema: i8,
        zero_count: u64,
        sum: f64,
        buckets: impl IntoIterator<Item = (i32, u64)>,
    ) -> Self {
        let mut histogram = Self::new(schema);
        histogram.zero_count = zero_count;
        histogram.sum = sum;
        for (index, count) in buckets {
            histogram.add(index, count);
        }
        histogram
    }

    /// Adds one observation.
    pub fn observe(&mut self, value: f64) {
        self.sum += value;
        if value > 0.0 {
            self.add(bucket_of(self.schema, value), 1);
        } else {
            self.zero_count += 1;
        }
    }

    fn add(&mut self, index: i32, count: u64) {
        if count > 0 {
            let slot = self.buckets.entry(index).or_default();
            *slot = slot.saturating_add(count);
        }
    }

    /// Resolution.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Number of observations.
    pub fn count(&self) -> u64 {
        self.buckets
            .values()
            .fold(self.zero_count, |sum, count| sum.saturating_add(*count))
    }

    /// Sum of the observed values, in the unit of the family.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Mean of the observed values; `None` when there are none.
    pub fn mean(&self) -> Option<f64> {
        match self.count() {
            0 => None,
            count => Some(self.sum / count as f64),
        }
    }

    /// Nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.zero_count == 0 && self.buckets.is_empty()
    }

    /// Occupied buckets in ascending order: lower bound (excluded), upper bound (included), count.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64, u64)> + '_ {
        let zero = (self.zero_count > 0).then_some((0.0, 0.0, self.zero_count));
        let rest = self.buckets.iter();
        zero.into_iter().chain(rest.map(|(i, n)| {
            (
                upper_bound(self.schema, i - 1),
                upper_bound(self.schema, *i),
                *n,
            )
        }))
    }

    /// The value below or at which the share `q` (0 to 1) of the observations lies, in the unit of the
    /// family; `None` when there are none. Within a bucket it is interpolated exponentially, as
    /// Prometheus does.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || q.is_nan() {
            return None;
        }
        let rank = q.clamp(0.0, 1.0) * count as f64;
        let mut below = 0.0;
        let mut last = 0.0;
        for (lower, upper, n) in self.buckets() {
            let n = n as f64;
            last = upper;
            if below + n >= rank && n > 0.0 {
                let share = (rank - below) / n;
                return Some(if lower > 0.0 {
                    lower * (upper / lower).powf(share)
                } else {
                    upper * share
                });
            }
            below += n;
        }
        Some(last)
    }

    /// Adds another histogram's observations. The coarser resolution of the two is the result's.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            *self = other.clone();
            return;
        }
        self.coarsen(other.schema);
        let shift = i32::from(other.schema) - i32::from(self.schema);
        self.zero_count = self.zero_count.saturating_add(other.zero_count);
        self.sum += other.sum;
        for (index, count) in &other.buckets {
            self.add(coarser(*index, shift), *count);
        }
    }

    /// Lowers the resolution to `schema`, when it is higher.
    pub fn coarsen(&mut self, schema: i8) {
        let shift = i32::from(self.schema) - i32::from(schema);
        if shift <= 0 {
            return;
        }
        self.schema = schema;
        for (index, count) in std::mem::take(&mut self.buckets) {
            self.add(coarser(index, shift), count);
        }
    }

    /// This share (0 to 1) of the observations of each bucket, to the nearest whole number.
    pub(crate) fn share(&self, share: f64) -> Self {
        if share >= 1.0 {
            return self.clone();
        }
        let of = |count: u64| ((count as f64 * share).round() as u64).min(count);
        let mut part = Self::new(self.schema);
        part.zero_count = of(self.zero_count);
        for (index, count) in &self.buckets {
            part.add(*index, of(*count));
        }
        // By what is in it: parts that hold nothing have no sum.
        part.sum = match self.count() {
            0 => 0.0,
            all => self.sum * (part.count() as f64 / all as f64),
        };
        part
    }

    /// What came in addition to `earlier`, both cumulative; `None` when any bucket has shrunk, which
    /// only a reset can do.
    pub fn increase_since(&self, earlier: &Self) -> Option<Self> {
        let mut earlier = earlier.clone();
        let mut increase = self.clone();
        earlier.coarsen(self.schema);
        increase.coarsen(earlier.schema);
        increase.zero_count = increase.zero_count.checked_sub(earlier.zero_count)?;
        increase.sum -= earlier.sum;
        for (index, before) in &earlier.buckets {
            let now = increase.buckets.get_mut(index)?;
            *now = now.checked_sub(*before)?;
        }
        increase.buckets.retain(|_, count| *count > 0);
        Some(increase)
    }
}

fn bucket_of(schema: i8, value: f64) -> i32 {
    // `ceil` of the logarithm; a value that is a bound itself belongs below it.
    (value.log2() * f64::from(schema).exp2()).ceil() as i32
}

fn upper_bound(schema: i8, index: i32) -> f64 {
    (f64::from(index) / f64::from(schema).exp2()).exp2()
}

fn coarser(index: i32, shift: i32) -> i32 {
    // Of 2^shift fine buckets that end at a coarse bound, the last has the coarse index times 2^shift.
    if shift <= 0 {
        index
    } else {
        (index.saturating_sub(1) >> shift.min(31)) + 1
    }
}

/// A histogram of times in milliseconds (`response_latency_ms`), read as durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency(Histogram);

impl Latency {
    /// Takes a histogram whose unit is the millisecond.
    pub fn from_millis(histogram: Histogram) -> Self {
        Self(histogram)
    }

    /// The time within which the share `q` (0 to 1) of the requests ended; `None` when there are none.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        self.0.quantile(q).map(millis)
    }

    /// Number of requests.
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// Mean time; `None` when there are no requests.
    pub fn mean(&self) -> Option<Duration> {
        self.0.mean().map(millis)
    }

    /// Adds another's requests.
    pub fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// The buckets, in milliseconds.
    pub fn histogram(&self) -> &Histogram {
        &self.0
    }
}

fn millis(value: f64) -> Duration {
    Duration::try_from_secs_f64(value / 1e3).unwrap_or_default()
}
