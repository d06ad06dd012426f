#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

fn within(parts: &[(i64, f64)], from: i64, to: i64) -> f64 {
    let inside = parts.iter().filter(|(end, _)| *end > from && *end <= to);
    inside.map(|(_, part)| part).sum()
}

proptest! {
    #[test]
    fn the_parts_are_whole_and_sum_to_the_whole(from in 0..30 * HOUR, length in 0..30 * HOUR, whole in 0u32..2_000_000) {
        let stretch = Stretch { from, to: from + length };
        let parts = stretch.split_number(f64::from(whole));
        prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<f64>(), f64::from(whole));
        prop_assert!(parts.iter().all(|(end, part)| part.fract() == 0.0 && *end <= stretch.to));
        prop_assert!(parts.is_sorted_by(|a, b| a.0 < b.0));
        prop_assert!(parts.len() <= 100);
    }

    #[test]
    fn a_histogram_is_what_its_parts_merge_to(values in prop::collection::vec(0.1f64..1e4, 1..300), length in 0..30 * HOUR) {
        let mut whole = Histogram::new(3);
        values.iter().for_each(|value| whole.observe(*value));
        let parts = Stretch { from: 0, to: length }.split_histogram(&whole);
        let mut merged = Histogram::default();
        parts.iter().for_each(|(_, part)| merged.merge(part));
        prop_assert_eq!(merged.count(), whole.count());
        prop_assert!((merged.sum() - whole.sum()).abs() < 1e-6 * whole.sum());
        prop_assert!(merged.buckets().eq(whole.buckets()));
    }
}

#[test]
fn what_came_between_a_few_scrapes_is_one_point_at_its_end() {
    let stretch = Stretch {
        from: 7 * SECOND,
        to: 10 * SECOND,
    };
    assert_eq!(stretch.split_number(12.0), [(10 * SECOND, 12.0)]);
}

#[test]
fn an_even_flow_is_found_in_every_window_that_ends_with_it() {
    let stretch = Stretch {
        from: 0,
        to: 10 * HOUR,
    };
    let parts = stretch.split_number(36_000_000.0);
    for length in [10 * SECOND, 60 * SECOND, 600 * SECOND, HOUR] {
        let per_second = within(&parts, stretch.to - length, stretch.to) / (length / SECOND) as f64;
        assert!(
            (850.0..=1_200.0).contains(&per_second),
            "{length}: {per_second}"
        );
    }
}
