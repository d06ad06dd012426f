use super::super::Upkeep;
use super::super::tests::{at, connection, fill, number, point, trace};
use super::*;

const AGE: Duration = Duration::from_secs(3_600);

/// Each round is one step, and each is told of.
fn step_by_step(bytes: u64) -> Upkeep {
    Upkeep {
        progress: Progress::shown_every(Duration::ZERO),
        time: Duration::ZERO,
        ..Upkeep::new(Retention { age: AGE, bytes })
    }
}

/// What is told after each round, until the last.
fn told(upkeep: &mut Upkeep, connection: &mut Connection, now: SystemTime) -> Vec<UpkeepProgress> {
    std::iter::from_fn(|| {
        let round = upkeep.round_at(connection, now).unwrap();
        assert_eq!(round.more, round.progress.is_some());
        round.progress
    })
    .collect()
}

#[test]
fn what_is_deleted_and_what_is_left_add_up_at_each_step() {
    let (_claim, mut connection) = connection();
    // By 2000 bytes each, and 200 a step.
    fill(&connection, || {
        (1..=1_500).for_each(|id| trace(&connection, id, if id <= 1_100 { 100 } else { 9_000 }));
    });
    let mut upkeep = step_by_step(u64::MAX);

    let told = told(&mut upkeep, &mut connection, at(9_100));

    let counts = told
        .iter()
        .map(|progress| (progress.traces_deleted, progress.traces_left));
    let counts: Vec<(u64, u64)> = counts.take(6).collect();
    let expected = [
        (200, 900),
        (400, 700),
        (600, 500),
        (800, 300),
        (1_000, 100),
        (1_100, 0),
    ];
    assert_eq!(counts, expected);
    assert!(
        told.iter()
            .all(|progress| progress.traces_deleted + progress.traces_left == 1_100)
    );
    let freed: Vec<u64> = told.iter().map(|progress| progress.bytes_freed).collect();
    assert!(freed.is_sorted() && freed[5] > freed[0], "{freed:?}");
    // What was in use is free, and is given back then.
    assert!(told[5].bytes_left > 0 && told.len() > 6, "{told:?}");
    assert_eq!(number(&connection, "SELECT count(*) FROM traces"), 400);
}

#[test]
fn the_limit_in_bytes_is_approached_at_each_step() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=2_000).for_each(|id| trace(&connection, id, 100));
    });
    let limit = used_bytes(&connection).unwrap() / 2;
    let mut upkeep = step_by_step(limit);

    let told = told(&mut upkeep, &mut connection, at(2_000));

    let above = |progress: &UpkeepProgress| progress.bytes_left;
    assert!(
        told.len() >= 3 && above(&told[0]) > above(&told[2]),
        "{told:?}"
    );
    assert!(
        told.iter().all(|progress| progress.traces_left == 0),
        "{told:?}"
    );
    assert!(used_bytes(&connection).unwrap() <= limit);
}

#[test]
fn points_that_are_to_be_compacted_become_fewer_at_each_step() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=100).for_each(|second| point(&connection, 1, second * 1_000, 1.0));
    });
    let mut upkeep = step_by_step(u64::MAX);

    let told = told(&mut upkeep, &mut connection, at(700));

    let left = told.iter().map(|progress| progress.points_left.as_secs());
    let left: Vec<u64> = left.take(3).collect();
    assert_eq!(left, [89, 79, 69]);
}

#[test]
fn work_that_fits_into_one_round_is_not_told_of() {
    let (_claim, mut connection) = connection();
    fill(&connection, || {
        (1..=10).for_each(|id| trace(&connection, id, 100));
    });
    let mut upkeep = Upkeep {
        progress: Progress::shown_every(Duration::ZERO),
        time: Duration::MAX,
        ..Upkeep::new(Retention {
            age: AGE,
            bytes: u64::MAX,
        })
    };
    let round = upkeep.round_at(&mut connection, at(9_100)).unwrap();
    assert_eq!((round.traces_deleted, round.progress), (10, None));
}

#[test]
fn progress_is_told_in_words() {
    let progress = UpkeepProgress {
        since: at(0),
        traces_deleted: 3_200,
        bytes_freed: 12 << 20,
        traces_left: 7_200,
        bytes_left: 1 << 19,
        points_left: Duration::from_secs(95),
    };
    assert_eq!(
        progress.to_string(),
        "3200 traces deleted, 12.0 MiB freed; to go: 7200 traces that are too old, 0.5 MiB, numbers of 95 s"
    );
}
