//! Histograms of durations: classic buckets and native (exponential) ones, side by side.
//!
//! Native buckets have schema 3: eight to a doubling, so that a quantile is off by 4.5% at most. They
//! are a dense array over a fixed range, because a bucket is then one addition and the range that
//! matters (a microsecond to an hour) takes 2 KiB.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use clew_api::prometheus as prom;

use super::clock::nanoseconds;
use super::exemplar::ExemplarSlot;
use super::tally::Tally;

#[cfg(test)]
mod tests;

/// Resolution of the native buckets: `2^SCHEMA` to a doubling.
pub(super) const SCHEMA: i32 = 3;
const PER_DOUBLING: i32 = 1 << SCHEMA;

/// Unit that a family is reported in. Inside it is always nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Families that end in `_ms`.
    Milliseconds,
    /// Families that end in `_seconds`.
    Seconds,
    /// Plain numbers: one counts as a nanosecond.
    Number,
}

impl Unit {
    fn nanoseconds(self) -> f64 {
        match self {
            Self::Milliseconds => 1e6,
            Self::Seconds => 1e9,
            Self::Number => 1.0,
        }
    }
}

/// How the observations of a family fall into buckets. One for each kind of family, made once.
#[derive(Debug)]
pub(super) struct Scale {
    unit: Unit,
    /// Upper bounds of the classic buckets in the unit, rising, without infinity.
    bounds: &'static [f64],
    /// The same in nanoseconds.
    bounds_ns: Box<[u64]>,
    /// Index of the first native bucket.
    first: i32,
    /// For each native bucket, the lowest classic bucket that may hold its values.
    lowest_classic: Box<[u8]>,
}

impl Scale {
    /// Native buckets cover the powers of two `2^powers.start` to `2^powers.end`, in the unit. What is
    /// below falls into the zero bucket, what is above into the last one.
    pub(super) fn new(unit: Unit, bounds: &'static [f64], powers: Range<i32>) -> Self {
        let bounds_ns: Box<[u64]> = bounds
            .iter()
            .map(|bound| (bound * unit.nanoseconds()).round() as u64)
            .collect();
        let first = powers.start * PER_DOUBLING + 1;
        let last = powers.end * PER_DOUBLING;
        let lowest_classic = (first..=last)
            .map(|index| {
                // A hair below the bucket's lower edge: rounding must not skip a classic bucket.
                let edge = upper_edge(index - 1) * unit.nanoseconds() * (1.0 - 1e-9);
                bounds_ns.partition_point(|bound| (*bound as f64) < edge) as u8
            })
            .collect();
        Self {
            unit,
            bounds,
            bounds_ns,
            first,
            lowest_classic,
        }
    }

    /// Upper bounds of the classic buckets in the unit, rising, without infinity.
    pub(super) fn bounds(&self) -> &'static [f64] {
        self.bounds
    }

    fn native_buckets(&self) -> usize {
        self.lowest_classic.len()
    }

    fn zero_threshold(&self) -> f64 {
        upper_edge(self.first - 1)
    }

    /// Place of a value: in the native buckets (`None`: the zero bucket) and in the classic ones.
    #[inline]
    fn place(&self, nanoseconds: u64) -> (Option<usize>, usize) {
        let index = native_index(nanoseconds as f64 / self.unit.nanoseconds());
        let native = usize::try_from(index - self.first)
            .ok()
            .map(|slot| slot.min(self.native_buckets() - 1));
        let mut classic = native.map_or(0, |slot| usize::from(self.lowest_classic[slot]));
        while self
            .bounds_ns
            .get(classic)
            .is_some_and(|bound| nanoseconds > *bound)
        {
            classic += 1;
        }
        (native, classic)
    }
}

/// The greatest value of the native bucket with this index: `2^(index / 8)`.
fn upper_edge(index: i32) -> f64 {
    (f64::from(index) / f64::from(PER_DOUBLING)).exp2()
}

/// `2^(j/8)` for j = 0 to 7, as the nearest `f64`.
const FRACTIONS: [f64; PER_DOUBLING as usize] = [
    1.0,
    1.090_507_732_665_257_7,
    1.189_207_115_002_721,
    1.296_839_554_651_009_6,
    std::f64::consts::SQRT_2,
    1.542_210_825_407_940_7,
    1.681_792_830_507_429,
    1.834_008_086_409_342_5,
];

/// Index of the native bucket that holds a value: the least `i` with `value <= 2^(i/8)`. Not for
/// negative numbers; 0 and what is too small for a normal `f64` get the least index there is.
#[inline]
fn native_index(value: f64) -> i32 {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: i32 = 1023;
    let bits = value.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i32 - BIAS;
    let mantissa =
        f64::from_bits((bits & ((1 << MANTISSA_BITS) - 1)) | (BIAS as u64) << MANTISSA_BITS);
    let above: i32 = FRACTIONS
        .iter()
        .map(|fraction| i32::from(mantissa > *fraction))
        .sum();
    exponent * PER_DOUBLING + above
}

/// One worker's share of a histogram.
#[derive(Debug)]
pub(super) struct Histogram {
    scale: &'static Scale,
    /// One for each bound and one for infinity. Not cumulative.
    classic: Box<[Tally]>,
    native: Box<[Tally]>,
    zero: Tally,
    sum_ns: Tally,
    /// One for each classic bucket; there once a kept span was observed.
    exemplars: OnceLock<Box<[ExemplarSlot]>>,
}

impl Histogram {
    pub(super) fn new(scale: &'static Scale) -> Self {
        let tallies = |length: usize| {
            std::iter::repeat_with(Tally::default)
                .take(length)
                .collect()
        };
        Self {
            scale,
            classic: tallies(scale.bounds.len() + 1),
            native: tallies(scale.native_buckets()),
            zero: Tally::default(),
            sum_ns: Tally::default(),
            exemplars: OnceLock::new(),
        }
    }

    /// Takes in one duration; only from the worker that owns the shard. Returns the classic bucket.
    #[inline]
    pub(super) fn observe(&self, duration: Duration) -> usize {
        let nanoseconds = nanoseconds(duration);
        let (native, classic) = self.scale.place(nanoseconds);
        // The native bucket first: a reader that counts the classic ones first then never finds more
        // in them than in the native ones, whose number is the number of observations.
        native.map_or(&self.zero, |slot| &self.native[slot]).add(1);
        self.classic[classic].add(1);
        self.sum_ns.add(nanoseconds);
        classic
    }

    /// Takes in a plain number, where the unit is [`Unit::Number`].
    pub(super) fn observe_number(&self, number: u32) {
        self.observe(Duration::from_nanos(number.into()));
    }

    /// As [`Histogram::observe`], of a request whose span is kept.
    #[inline]
    pub(super) fn observe_traced(
        &self,
        duration: Duration,
        trace_id: clew_trace::TraceId,
        unix_nano: u64,
    ) {
        let classic = self.observe(duration);
        let slots = self.exemplars.get_or_init(|| {
            self.classic
                .iter()
                .map(|_| ExemplarSlot::default())
                .collect()
        });
        slots[classic].set(trace_id, duration, unix_nano);
    }
}

/// The shards of a histogram, added up, as it is reported. `None` while nothing was observed.
pub(super) fn sum<'a>(
    shards: impl Iterator<Item = &'a Histogram>,
    created_unix_nano: u64,
) -> Option<prom::Histogram> {
    let mut total: Option<Total> = None;
    for shard in shards {
        total
            .get_or_insert_with(|| Total::new(shard.scale))
            .add(shard);
    }
    total
        .filter(|total| total.count() > 0)
        .map(|total| total.into_reported(created_unix_nano))
}

struct Total {
    scale: &'static Scale,
    classic: Vec<u64>,
    native: Vec<u64>,
    zero: u64,
    sum_ns: u64,
    exemplars: Vec<Option<super::exemplar::Exemplar>>,
}

impl Total {
    fn new(scale: &'static Scale) -> Self {
        let classic = scale.bounds.len() + 1;
        Self {
            scale,
            classic: vec![0; classic],
            native: vec![0; scale.native_buckets()],
            zero: 0,
            sum_ns: 0,
            exemplars: vec![None; classic],
        }
    }

    fn add(&mut self, shard: &Histogram) {
        self.sum_ns = self.sum_ns.wrapping_add(shard.sum_ns.get());
        for (total, tally) in self.classic.iter_mut().zip(&shard.classic) {
            *total += tally.get();
        }
        self.zero += shard.zero.get();
        for (total, tally) in self.native.iter_mut().zip(&shard.native) {
            *total += tally.get();
        }
        for (newest, slot) in self
            .exemplars
            .iter_mut()
            .zip(shard.exemplars.get().into_iter().flatten())
        {
            if let Some(found) = slot.get() {
                let is_newer = newest
                    .as_ref()
                    .is_none_or(|known| known.unix_nano < found.unix_nano);
                if is_newer {
                    *newest = Some(found);
                }
            }
        }
    }

    fn count(&self) -> u64 {
        self.zero + self.native.iter().sum::<u64>()
    }

    fn into_reported(self, created_unix_nano: u64) -> prom::Histogram {
        let (count, unit) = (self.count(), self.scale.unit.nanoseconds());
        let bounds = self.scale.bounds.iter().copied().chain([f64::INFINITY]);
        let mut cumulative = 0;
        let bucket = bounds
            .zip(self.classic)
            .zip(self.exemplars)
            .map(|((bound, classic), exemplar)| {
                cumulative += classic;
                // A worker may be between its two additions: infinity holds what was observed.
                let observed = if bound.is_infinite() {
                    count
                } else {
                    cumulative.min(count)
                };
                prom::Bucket {
                    cumulative_count: Some(observed),
                    upper_bound: Some(bound),
                    exemplar: exemplar.map(|exemplar| exemplar.into_reported(unit)),
                    cumulative_count_float: None,
                }
            })
            .collect();
        let mut reported = prom::Histogram {
            sample_count: Some(count),
            sample_sum: Some(self.sum_ns as f64 / unit),
            bucket,
            schema: Some(SCHEMA),
            zero_threshold: Some(self.scale.zero_threshold()),
            zero_count: Some(self.zero),
            created_timestamp: Some(prom::Timestamp::from_unix_nano(created_unix_nano)),
            ..prom::Histogram::default()
        };
        let occupied = (self.scale.first..)
            .zip(self.native)
            .filter(|(_, count)| *count > 0);
        reported.set_positive_buckets(occupied);
        reported
    }
}
