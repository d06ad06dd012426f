#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::report::family::{LATENCY, LONG, PROXY_TIME};
use proptest::prelude::*;
use std::sync::LazyLock;

fn observed(scale: &'static LazyLock<Scale>, times: &[u64]) -> prom::Histogram {
    let histogram = Histogram::new(scale);
    for time in times {
        histogram.observe(Duration::from_nanos(*time));
    }
    sum(std::iter::once(&histogram), 7).unwrap()
}

#[test]
fn fractions_are_the_eighth_roots_of_two() {
    for (index, fraction) in FRACTIONS.iter().enumerate() {
        let exact = (index as f64 / 8.0).exp2();
        assert!(
            (fraction - exact).abs() <= f64::EPSILON,
            "{index}: {fraction} is not {exact}"
        );
    }
}

proptest! {
    #[test]
    fn a_native_bucket_holds_what_its_logarithm_says(value in 1e-12_f64..1e12) {
        let index = native_index(value);
        let exact = value.log2() * 8.0;
        // At an edge the logarithm itself is a rounding away from either side.
        prop_assert!(f64::from(index) >= exact - 1e-9, "{index} for {exact}");
        prop_assert!(f64::from(index - 1) < exact + 1e-9, "{index} for {exact}");
    }

    #[test]
    fn a_classic_bucket_is_the_first_that_is_large_enough(nanoseconds in prop_oneof![
        0_u64..100_000, 0_u64..100_000_000, 0_u64..200_000_000_000, any::<u64>(),
    ]) {
        for scale in [&*LATENCY, &*LONG, &*PROXY_TIME] {
            let (_, classic) = scale.place(nanoseconds);
            prop_assert_eq!(classic, scale.bounds_ns.partition_point(|bound| *bound < nanoseconds));
        }
    }

    #[test]
    fn every_observation_is_in_both_kinds_of_buckets(times in proptest::collection::vec(any::<u32>(), 1..200)) {
        let times: Vec<u64> = times.into_iter().map(u64::from).collect();
        let reported = observed(&LATENCY, &times);
        let count = times.len() as u64;
        prop_assert_eq!(reported.sample_count(), count);
        prop_assert_eq!(reported.bucket.last().unwrap().cumulative_count(), count);
        let native: u64 = reported.positive_buckets().map(|(_, count)| count).sum();
        prop_assert_eq!(native + reported.zero_count(), count);
        let exact = times.iter().sum::<u64>() as f64 / 1e6;
        prop_assert!((reported.sample_sum() - exact).abs() <= exact * 1e-12);
    }
}

#[test]
fn bounds_belong_to_the_bucket_below_them() {
    for scale in [&*LATENCY, &*LONG, &*PROXY_TIME] {
        for (index, bound) in scale.bounds_ns.iter().enumerate() {
            assert_eq!(scale.place(*bound).1, index);
            assert_eq!(scale.place(bound + 1).1, index + 1);
        }
    }
    // 1 ms is 2^0: bucket 0, whose upper edge it is.
    let reported = observed(&LATENCY, &[1_000_000]);
    assert_eq!(reported.positive_buckets().collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn what_is_outside_of_the_native_range_is_counted_at_its_ends() {
    let reported = observed(&LATENCY, &[0, 1, 900, u64::MAX]);
    assert_eq!(reported.zero_count(), 3);
    assert_eq!(reported.zero_threshold(), 2_f64.powi(-10));
    assert_eq!(
        reported.positive_buckets().collect::<Vec<_>>(),
        [(22 * 8, 1)]
    );
    assert_eq!(reported.bucket.last().unwrap().cumulative_count(), 4);
}

#[test]
fn the_newest_kept_trace_of_all_workers_is_the_exemplar() {
    let shards = [Histogram::new(&LATENCY), Histogram::new(&LATENCY)];
    let trace = |number| clew_trace::TraceId::new(number).unwrap();
    shards[0].observe_traced(Duration::from_millis(2), trace(1), 100);
    shards[1].observe_traced(Duration::from_micros(1_900), trace(2), 300);
    shards[0].observe_traced(Duration::from_millis(2), trace(3), 200);
    shards[0].observe(Duration::from_millis(300));
    let reported = sum(shards.iter(), 0).unwrap();
    let exemplars: Vec<_> = reported
        .bucket
        .iter()
        .filter_map(|bucket| Some((bucket.upper_bound(), bucket.exemplar.as_ref()?)))
        .collect();
    let [(bound, exemplar)] = exemplars.as_slice() else {
        panic!("{exemplars:?}")
    };
    assert_eq!((*bound, exemplar.value()), (2.0, 1.9));
    assert_eq!(exemplar.label[0].value(), format!("{:032x}", 2));
    assert_eq!(exemplar.timestamp.unwrap().as_unix_nano(), 300);
}

#[test]
fn nothing_observed_is_nothing_reported() {
    assert_eq!(sum(std::iter::once(&Histogram::new(&LATENCY)), 0), None);
}
