//! Latencies in a bounded space: buckets that grow with the value, 32 to every doubling, so that a
//! quantile is at most about 3% too high and never too low.

use std::time::Duration;

const STEPS_PER_DOUBLING: u64 = 32;
const STEP_BITS: u32 = STEPS_PER_DOUBLING.trailing_zeros();

/// A histogram of times, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        let bucket = bucket_of(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
            self.total += 1;
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    /// The latency that a share of all, 0 to 1, did not exceed; `None` when there are none.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        if self.total == 0 {
            return None;
        }
        let rank = ((self.total as f64 * share).ceil() as u64).clamp(1, self.total);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(Duration::from_micros(upper_bound(bucket)));
            }
        }
        None
    }
}

/// Values below 32 have a bucket each; after that every doubling has 32.
fn bucket_of(value: u64) -> usize {
    if value < STEPS_PER_DOUBLING {
        return value as usize;
    }
    let doubling = value.ilog2() - STEP_BITS;
    let step = (value >> doubling) - STEPS_PER_DOUBLING;
    ((u64::from(doubling) + 1) * STEPS_PER_DOUBLING + step) as usize
}

/// The largest value of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS_PER_DOUBLING {
        return bucket;
    }
    let doubling = bucket / STEPS_PER_DOUBLING - 1;
    let step = bucket % STEPS_PER_DOUBLING;
    ((u128::from(STEPS_PER_DOUBLING + step + 1) << doubling) - 1)
        .try_into()
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Latencies, bucket_of, upper_bound};
    use std::time::Duration;

    #[test]
    fn a_bucket_holds_its_value_and_is_at_most_a_thirtieth_wider() {
        for value in (0..2_000).chain([12_345, 1 << 20, (1 << 40) + 7, u64::MAX]) {
            let upper = upper_bound(bucket_of(value));
            assert!(upper >= value, "{value} above {upper}");
            assert!(
                upper as f64 <= value as f64 * 1.0323 + 1.0,
                "{value} far below {upper}"
            );
        }
    }

    #[test]
    fn quantiles_of_known_times() {
        let mut latencies = Latencies::default();
        for milliseconds in 1..=100 {
            latencies.record(Duration::from_millis(milliseconds));
        }
        let median = latencies.quantile(0.5).unwrap_or_default();
        assert!((50..=52).contains(&median.as_millis()), "{median:?}");
        assert!(latencies.quantile(1.0) >= Some(Duration::from_millis(100)));
        assert_eq!(Latencies::default().quantile(0.5), None);
    }

    #[test]
    fn merging_is_as_if_all_had_been_recorded_in_one() {
        let (mut one, mut other) = (Latencies::default(), Latencies::default());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_millis(9));
        one.merge(&other);
        assert!(one.quantile(0.5) < Some(Duration::from_millis(2)));
        assert!(one.quantile(1.0) >= Some(Duration::from_millis(9)));
    }
}
