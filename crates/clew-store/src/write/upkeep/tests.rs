#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::file::{Claim, StorePath};
use proptest::prelude::*;
use rusqlite::params;

const HOUR: u64 = 3_600;

pub(super) fn connection() -> (Claim, Connection) {
    let claim = Claim::take(StorePath::Temporary).unwrap();
    let connection = claim.open_for_writing().unwrap();
    connection
        .execute_batch("INSERT INTO families (id, name) VALUES (1, 'a'), (2, 'b')")
        .unwrap();
    (claim, connection)
}

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn point(connection: &Connection, family: i64, millis: i64, increase: f64) {
    connection
        .execute(
            "INSERT INTO counter_points VALUES (?1, ?2, 1, ?3) ON CONFLICT DO UPDATE SET increase = increase + ?3",
            params![family, millis, increase],
        )
        .unwrap();
    let mut histogram = crate::histogram::Histogram::new(3);
    (0..increase as u64).for_each(|_| histogram.observe(2.0));
    connection
        .execute(
            "INSERT OR REPLACE INTO histogram_points VALUES (?1, ?2, 1, ?3)",
            params![family, millis, histogram.encode()],
        )
        .unwrap();
}

pub(super) fn trace(connection: &Connection, id: i64, begun: u64) {
    let begun = i64::try_from(begun * 1_000).unwrap();
    let text = "x".repeat(2_000);
    let bytes = u128::try_from(id).unwrap().to_be_bytes();
    connection
        .execute(
            "INSERT INTO traces VALUES (?1, ?2, ?3, ?3, 1)",
            params![id, bytes, begun],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO spans VALUES (?1, 1, 2, 's', ?2, ?2, NULL, 0, 0, NULL, 'n', '', '', '', '', ?3, NULL)",
            params![id, begun, text],
        )
        .unwrap();
}

/// One transaction for many rows: the tests spend their time on what they test.
pub(super) fn fill(connection: &Connection, rows: impl FnOnce()) {
    connection.execute_batch("BEGIN").unwrap();
    rows();
    connection.execute_batch("COMMIT").unwrap();
}

fn sum(connection: &Connection, from: i64, to: i64) -> f64 {
    let sql = "SELECT coalesce(sum(increase), 0.0) FROM counter_points WHERE t > ?1 AND t <= ?2";
    connection
        .query_row(sql, [from, to], |row| row.get(0))
        .unwrap()
}

pub(super) fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn finish(upkeep: &mut Upkeep, connection: &mut Connection, now: SystemTime) {
    while upkeep.round_at(connection, now).unwrap().more {}
}

fn kept(age: Duration, bytes: u64) -> Upkeep {
    Upkeep::new(Retention { age, bytes })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whole minutes are steps of every resolution: their sums never change, however often upkeep runs.
    #[test]
    fn compacting_changes_no_sum_of_whole_minutes(
        points in prop::collection::vec((1i64..8 * 3_600_000, 1i64..=2, 1u8..20), 1..120),
        runs in prop::collection::vec(0u64..9 * HOUR, 1..4),
    ) {
        let (_claim, mut connection) = connection();
        fill(&connection, || { points.iter().for_each(|(t, family, n)| point(&connection, *family, *t, f64::from(*n))); });
        let minutes: Vec<(i64, i64)> = (0..8 * 60).map(|m| (m * 60_000, (m + 1) * 60_000)).collect();
        let sums = |connection: &Connection| minutes.iter().map(|(a, b)| sum(connection, *a, *b)).collect::<Vec<_>>();
        let before = sums(&connection);
        let mut upkeep = kept(Duration::from_secs(100 * HOUR), u64::MAX);
        for now in runs {
            finish(&mut upkeep, &mut connection, at(now));
            prop_assert_eq!(&sums(&connection), &before);
        }
    }

    /// What is left is always the newest part of what was there.
    #[test]
    fn expiry_never_deletes_newer_before_older(
        points in prop::collection::vec((1i64..3_000_000, 1i64..=2), 1..60),
        traces in prop::collection::vec(1u64..3_000, 1..60),
        age in 0u64..3_000,
        rounds in 1usize..4,
    ) {
        let (_claim, mut connection) = connection();
        fill(&connection, || { points.iter().for_each(|(t, family)| point(&connection, *family, *t, 1.0)); });
        let mut begun = traces.clone();
        begun.sort_unstable();
        for (id, begun) in (1i64..).zip(&begun) {
            trace(&connection, id, *begun);
        }
        let mut upkeep = kept(Duration::from_secs(age), u64::MAX);
        for _ in 0..rounds {
            upkeep.round_at(&mut connection, at(3_000)).unwrap();
        }
        finish(&mut upkeep, &mut connection, at(3_000));
        let cutoff = 3_000 - i64::try_from(age).unwrap();
        let left = begun.iter().filter(|begun| i64::try_from(**begun).unwrap() >= cutoff).count();
        prop_assert_eq!(number(&connection, "SELECT count(*) FROM traces"), i64::try_from(left).unwrap());
        prop_assert_eq!(number(&connection, "SELECT count(*) FROM spans"), i64::try_from(left).unwrap());
        let oldest = number(&connection, "SELECT coalesce(min(t), 9999999) FROM counter_points");
        prop_assert!(oldest > cutoff * 1_000);
    }
}

#[test]
fn older_points_are_fewer() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=HOUR as i64).for_each(|second| point(&connection, 1, second * 1_000, 1.0));
    });
    let mut upkeep = kept(Duration::from_secs(100 * HOUR), u64::MAX);
    let count = |connection: &Connection| number(connection, "SELECT count(*) FROM counter_points");
    let histograms =
        |connection: &Connection| number(connection, "SELECT count(*) FROM histogram_points");
    finish(&mut upkeep, &mut connection, at(HOUR));
    // Fifty minutes of ten seconds, ten of one.
    assert_eq!(count(&connection), 300 + 600);
    finish(&mut upkeep, &mut connection, at(7 * HOUR));
    assert_eq!((count(&connection), histograms(&connection)), (60, 60));
    assert_eq!(sum(&connection, 0, HOUR as i64 * 1_000), HOUR as f64);
}

#[test]
fn past_the_limit_in_bytes_the_oldest_traces_go_and_the_points_stay() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=3_000).for_each(|n| trace(&connection, n, 1_000 + u64::try_from(n).unwrap()));
    });
    (1..=100).for_each(|n| point(&connection, 1, n * 1_000, 1.0));
    let before = expire::used_bytes(&connection).unwrap();
    let limit = before / 2;
    let mut upkeep = kept(Duration::from_secs(100 * HOUR), limit);
    assert!(upkeep.round_at(&mut connection, at(5_000)).unwrap().crowded);
    finish(
        &mut kept(Duration::from_secs(100 * HOUR), limit),
        &mut connection,
        at(5_000),
    );
    assert!(expire::used_bytes(&connection).unwrap() <= limit);
    assert_eq!(sum(&connection, 0, 100_000), 100.0);
    let (first, last) = (
        number(&connection, "SELECT min(id) FROM traces"),
        number(&connection, "SELECT max(id) FROM traces"),
    );
    assert!(first > 1 && last == 3_000, "{first} to {last}");
    assert_eq!(
        number(&connection, "SELECT count(*) FROM traces"),
        last - first + 1
    );
    let free = number(
        &connection,
        "SELECT freelist_count FROM pragma_freelist_count",
    );
    let pages = number(&connection, "SELECT page_count FROM pragma_page_count");
    assert!(
        free * 4 < pages || free < 256,
        "{free} of {pages} pages are free"
    );
}

#[test]
fn when_only_the_last_minutes_are_left_the_older_points_go_first() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=500).for_each(|n| trace(&connection, n, 10_000));
    });
    fill(&connection, || {
        (1..=5_000).for_each(|n| point(&connection, 1, n * 1_000, 1.0));
    });
    finish(
        &mut kept(Duration::from_secs(100 * HOUR), 0),
        &mut connection,
        at(10_100),
    );
    assert_eq!(
        number(&connection, "SELECT count(*) FROM counter_points"),
        0
    );
    assert_eq!(number(&connection, "SELECT count(*) FROM traces"), 0);
}

#[test]
fn a_series_goes_after_its_last_point() {
    let (_claim, mut connection) = connection();
    connection
        .execute_batch(
            "INSERT INTO instances VALUES (1, 'lives', 5000000), (2, 'ended', 1000000);
             INSERT INTO series (id, instance, family, labels, gone_ms) VALUES
             (1, 1, 1, '{}', NULL), (2, 1, 2, '{}', 1000000), (3, 2, 1, '{}', NULL), (4, 1, 3, '{}', 4990000);",
        )
        .unwrap();
    finish(
        &mut kept(Duration::from_secs(600), u64::MAX),
        &mut connection,
        at(5_000),
    );
    let left: Vec<i64> = connection
        .prepare("SELECT id FROM series ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(left, [1, 4]);
    assert_eq!(number(&connection, "SELECT count(*) FROM instances"), 1);
}

/// 1. Two hundred traces of twenty thousand spans were once deleted in one transaction.
/// 2. What came in waited for seconds.
#[test]
fn a_step_deletes_so_many_spans_and_at_least_one_trace() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=10).for_each(|n| trace(&connection, n, 10));
    });
    connection
        .execute_batch(
            "UPDATE traces SET spans = 900; UPDATE traces SET spans = 20000 WHERE id = 3",
        )
        .unwrap();
    let mut steps = Vec::new();
    loop {
        match expire::traces(&mut connection, at(100)).unwrap() {
            0 => break,
            deleted => steps.push(deleted),
        }
    }
    assert_eq!(steps, [2, 1, 2, 2, 2, 1]);
}

#[test]
fn all_series_that_have_ended_go_in_one_turn() {
    let (_claim, mut connection) = connection();
    connection
        .execute_batch("INSERT INTO instances VALUES (1, 'ended', 1000000)")
        .unwrap();
    fill(&connection, || {
        for n in 1..=5_000 {
            connection
                .execute(
                    "INSERT INTO series (id, instance, family, labels) VALUES (?1, 1, 1, ?1)",
                    [n],
                )
                .unwrap();
        }
    });
    finish(
        &mut kept(Duration::from_secs(600), u64::MAX),
        &mut connection,
        at(5_000),
    );
    assert_eq!(number(&connection, "SELECT count(*) FROM series"), 0);
}

/// The limit in bytes takes points long before their time; series without points are of no use, and count too.
#[test]
fn a_series_whose_points_are_gone_goes_before_its_time() {
    let (_claim, mut connection) = connection();
    connection
        .execute_batch(
            "INSERT INTO instances VALUES (1, 'lives', 5000000);
             INSERT INTO series (id, instance, family, labels, gone_ms) VALUES
             (1, 1, 1, '{}', NULL), (2, 1, 2, '{}', 1000000), (3, 1, 3, '{}', 3000000);",
        )
        .unwrap();
    point(&connection, 1, 2_000_000, 1.0);
    finish(
        &mut kept(Duration::from_secs(100 * HOUR), u64::MAX),
        &mut connection,
        at(5_000),
    );
    assert_eq!(number(&connection, "SELECT count(*) FROM series"), 2);
    assert_eq!(
        number(&connection, "SELECT count(*) FROM series WHERE id = 2"),
        0
    );
}

#[test]
fn a_sender_goes_with_the_last_trace_that_has_a_span_of_it() {
    let (_claim, mut connection) = connection();
    trace(&connection, 7, 10);
    trace(&connection, 8, 4_900);
    connection
        .execute_batch("INSERT INTO origins VALUES (1, x'01', 7), (2, x'02', 8)")
        .unwrap();
    let mut upkeep = kept(Duration::from_secs(600), u64::MAX);
    finish(&mut upkeep, &mut connection, at(5_000));
    assert_eq!(number(&connection, "SELECT id FROM origins"), 2);
    let mut upkeep = kept(Duration::from_secs(600), u64::MAX);
    finish(&mut upkeep, &mut connection, at(9_000));
    assert_eq!(number(&connection, "SELECT count(*) FROM origins"), 0);
}
