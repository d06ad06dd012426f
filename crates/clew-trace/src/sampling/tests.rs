#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn id(low64: u64) -> TraceId {
    TraceId::new(1 << 64 | u128::from(low64)).unwrap()
}

fn limited(max_per_second: f64) -> RootSampler {
    RootSampler::new(1.0, Some(Arc::new(RateLimit::new(max_per_second))))
}

#[test]
fn all_and_nothing_are_exact() {
    let now = Instant::now();
    for low in [0, 1, RANDOM_MASK, u64::MAX] {
        assert!(RootSampler::new(1.0, None).decide(id(low), now));
        assert!(!RootSampler::new(0.0, None).decide(id(low), now));
    }
}

#[test]
fn half_is_the_upper_half_of_the_lower_56_bits() {
    let half = RootSampler::new(0.5, None);
    let now = Instant::now();
    assert!(!half.decide(id(0xff7f_ffff_ffff_ffff), now));
    assert!(half.decide(id(0x0080_0000_0000_0000), now));
}

#[test]
fn a_ratio_keeps_its_share() {
    let mut rng = fastrand::Rng::with_seed(1);
    let sampler = RootSampler::new(0.1, None);
    let now = Instant::now();
    let kept = (0..100_000)
        .filter(|_| sampler.decide(TraceId::random(&mut rng), now))
        .count();
    assert!((9_500..10_500).contains(&kept), "{kept}");
}

#[test]
fn ratios_out_of_range_count_as_the_nearest() {
    assert_eq!(threshold(2.0), threshold(1.0));
    assert_eq!(threshold(-1.0), threshold(0.0));
    assert_eq!(threshold(f64::NAN), threshold(0.0));
}

#[test]
fn the_limit_lets_one_second_through_at_once_and_then_its_rate() {
    let sampler = limited(10.0);
    // Whichever worker asks.
    let other = sampler.clone();
    let start = Instant::now();
    let kept = |at| {
        let samplers = [&sampler, &other].into_iter().cycle();
        samplers.take(100).filter(|s| s.decide(id(1), at)).count()
    };
    assert_eq!(kept(start), 10);
    assert_eq!(kept(start + Duration::from_millis(500)), 5);
    assert_eq!(kept(start + Duration::from_secs(60)), 10);
    // A clock that steps back gives nothing.
    assert_eq!(kept(start), 0);
    assert_eq!(kept(start + Duration::from_secs(60)), 0);
}

#[test]
fn a_rate_below_one_a_second_lets_some_through() {
    let sampler = limited(0.1);
    let start = Instant::now();
    assert!(sampler.decide(id(1), start));
    assert!(!sampler.decide(id(1), start + Duration::from_secs(9)));
    assert!(sampler.decide(id(1), start + Duration::from_secs(11)));
}

#[test]
fn a_changed_limit_does_not_start_afresh() {
    let limit = Arc::new(RateLimit::new(2.0));
    let sampler = RootSampler::new(1.0, Some(Arc::clone(&limit)));
    let now = Instant::now();
    assert!(sampler.decide(id(1), now) && sampler.decide(id(1), now));
    limit.set(100.0);
    assert!(!sampler.decide(id(1), now));
    assert!(sampler.decide(id(1), now + Duration::from_millis(10)));
}

#[test]
fn a_trace_that_the_ratio_rejects_costs_nothing_of_the_limit() {
    let sampler = RootSampler::new(0.5, Some(Arc::new(RateLimit::new(1.0))));
    let now = Instant::now();
    assert!(!sampler.decide(id(0), now));
    assert!(sampler.decide(id(RANDOM_MASK), now));
}

#[test]
fn a_decision_that_came_in_is_kept_whatever_the_limit_says() {
    let now = Instant::now();
    let none = limited(0.0);
    assert!(decide(Decision::Sampled, id(1), &none, now));
    assert!(!decide(Decision::Deferred, id(1), &none, now));
    let all = RootSampler::new(1.0, None);
    assert!(!decide(Decision::NotSampled, id(1), &all, now));
    assert!(decide(Decision::Deferred, id(1), &all, now));
}

#[test]
fn a_trace_stands_for_as_many_as_its_probability_says() {
    for (state, expected) in [
        ("", 1.0),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("vendor=1, ot=rv:01;th:c0000000000000", 4.0),
        ("ot=th:", 1.0),
        ("ot=th:c00000000000000", 1.0),
        ("ot=th:xyz", 1.0),
        ("other=th:c", 1.0),
    ] {
        assert_eq!(weight(state), expected, "{state}");
    }
    assert_eq!(weight("ot=th:ffffffffffffff"), MAX_WEIGHT);
}

proptest! {
    #[test]
    fn a_lower_ratio_keeps_a_subset(low in any::<u64>(), a in 0.0..=1.0, b in 0.0..=1.0f64) {
        let (less, more) = if a < b { (a, b) } else { (b, a) };
        let now = Instant::now();
        let kept = |ratio| RootSampler::new(ratio, None).decide(id(low), now);
        prop_assert!(!kept(less) || kept(more));
    }
}
