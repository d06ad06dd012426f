#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn of(values: &[f64]) -> Histogram {
    let mut histogram = Histogram::new(DEFAULT_SCHEMA);
    values.iter().for_each(|value| histogram.observe(*value));
    histogram
}

#[test]
fn a_bound_belongs_to_the_bucket_below_it() {
    let histogram = of(&[1.0, 2.0, 2.0001]);
    let buckets: Vec<_> = histogram.buckets.iter().map(|(i, n)| (*i, *n)).collect();
    assert_eq!(buckets, [(0, 1), (8, 1), (9, 1)]);
}

#[test]
fn an_empty_histogram_has_no_quantile() {
    assert_eq!(Histogram::default().quantile(0.5), None);
    assert_eq!(Histogram::default().mean(), None);
    assert_eq!(Latency::default().quantile(0.5), None);
}

#[test]
fn zero_is_observed_too() {
    let histogram = of(&[0.0, 0.0, 0.0, 8.0]);
    assert_eq!(histogram.count(), 4);
    assert_eq!(histogram.quantile(0.5), Some(0.0));
}

#[test]
fn a_bucket_that_shrank_is_a_reset() {
    assert_eq!(of(&[1.0]).increase_since(&of(&[1.0, 5.0])), None);
    assert_eq!(of(&[]).increase_since(&of(&[1.0])), None);
}

#[test]
fn coarsening_keeps_every_bound_where_it_was() {
    let mut histogram = of(&[1.0, 1.1, 2.0, 2.1, 4.0, 0.5]);
    histogram.coarsen(0);
    let buckets: Vec<_> = histogram.buckets().collect();
    assert_eq!(
        buckets,
        [(0.25, 0.5, 1), (0.5, 1.0, 1), (1.0, 2.0, 2), (2.0, 4.0, 2)]
    );
}

#[test]
fn cut_bytes_are_refused() {
    let bytes = of(&[1.0, 300.0, 70_000.0]).encode();
    assert!(Histogram::decode(&bytes[..bytes.len() - 1]).is_none());
    assert!(Histogram::decode(&[]).is_none());
}

proptest! {
    #[test]
    fn what_is_written_is_read(values in prop::collection::vec(0.0f64..1e9, 0..200)) {
        let histogram = of(&values);
        prop_assert_eq!(Histogram::decode(&histogram.encode()), Some(histogram));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Some(histogram) = Histogram::decode(&bytes) {
            let _ = (histogram.quantile(0.9), histogram.count(), histogram.buckets().count());
        }
    }

    /// The true quantile (nearest rank) lies in the bucket that the answer lies in: half a bucket, that
    /// is at most 9.1% between any two values of it.
    #[test]
    fn a_quantile_is_within_its_bucket(mut values in prop::collection::vec(0.001f64..1e7, 1..300), q in 0.0f64..=1.0) {
        let answer = of(&values).quantile(q).unwrap();
        values.sort_by(f64::total_cmp);
        let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
        let truth = values[rank - 1];
        let width = 2f64.powf(1.0 / 8.0) * 1.000_001;
        prop_assert!(answer <= truth * width && answer >= truth / width, "{} for {}", answer, truth);
    }

    #[test]
    fn merging_is_observing_all(a in prop::collection::vec(0.001f64..1e6, 0..60), b in prop::collection::vec(0.001f64..1e6, 0..60)) {
        let mut merged = of(&a);
        merged.merge(&of(&b));
        let all = of(&[a, b].concat());
        prop_assert_eq!(&merged.buckets, &all.buckets);
        prop_assert!((merged.sum - all.sum).abs() <= 1e-6 * all.sum.abs().max(1.0));
    }

    #[test]
    fn merging_bytes_is_merging_what_they_mean(
        a in prop::collection::vec(0.001f64..1e6, 0..60),
        b in prop::collection::vec(0.001f64..1e6, 0..60),
        schema in -2i8..=5,
    ) {
        let mut other = Histogram::new(schema);
        b.iter().for_each(|value| other.observe(*value));
        let (mut merged, mut expected) = (of(&a), of(&a));
        prop_assert_eq!(merged.merge_encoded(&other.encode()), Some(()));
        expected.merge(&other);
        prop_assert_eq!(merged, expected);
    }

    #[test]
    fn an_increase_added_to_what_was_is_what_is(a in prop::collection::vec(0.001f64..1e6, 0..60), b in prop::collection::vec(0.001f64..1e6, 0..60)) {
        let before = of(&a);
        let after = of(&[a, b].concat());
        let mut sum = after.increase_since(&before).unwrap();
        sum.merge(&before);
        prop_assert_eq!(sum.buckets, after.buckets);
    }

    #[test]
    fn merging_across_resolutions_loses_no_observation(values in prop::collection::vec(0.001f64..1e6, 1..60), schema in -2i8..=5) {
        let mut coarse = Histogram::new(schema);
        values.iter().for_each(|value| coarse.observe(*value));
        let mut merged = of(&values);
        merged.merge(&coarse);
        prop_assert_eq!(merged.count(), 2 * values.len() as u64);
        prop_assert_eq!(merged.schema(), schema.min(DEFAULT_SCHEMA));
    }
}
