//! Any history of a process, its scrapes and the store sums to what the process counted.

use super::*;
use proptest::prelude::*;
use std::path::Path;

/// What happens, in the life of one instance and of the store that watches it.
#[derive(Clone, Debug)]
enum Step {
    /// The instance counts.
    Count(u16),
    /// It is scraped.
    Scrape,
    /// Its series disappear from a scrape, as idle ones do, and are still known to the process.
    Hide,
    /// Its process ends and another begins under the same id, with a newer created timestamp.
    Restart,
    /// The store is closed and opened.
    Reopen,
    /// The store's process is killed: what it committed is found by the next one.
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0u16..500).prop_map(Step::Count),
        5 => Just(Step::Scrape),
        1 => Just(Step::Hide),
        2 => Just(Step::Restart),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 1..40)
}

/// The instance, and what of its numbers was ever scraped.
#[derive(Default)]
struct Process {
    count: f64,
    latencies: Histogram,
    created: u64,
    scraped: f64,
    scraped_of_earlier_lives: f64,
}

impl Process {
    fn samples(&self) -> Vec<Sample> {
        let mut samples = vec![
            counter("request_total", &[("route", "r")], self.count),
            sample(
                "response_latency_ms",
                &[],
                SampleValue::Histogram(self.latencies.clone()),
            ),
        ];
        samples
            .iter_mut()
            .for_each(|sample| sample.created_unix_nano = Some(self.created));
        samples
    }
}

/// The file as a killed process leaves it: without a checkpoint, its log beside it.
fn copy_of_killed(path: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        if Path::new(&name(path)).exists() {
            std::fs::copy(name(path), name(to)).unwrap();
        }
    }
}

async fn run(steps: &[Step], directory: &Path) -> (Process, Store) {
    let mut path = directory.join("0.db");
    let mut store = open(StorePath::File(path.clone()));
    let mut process = Process {
        latencies: Histogram::new(DEFAULT_SCHEMA),
        created: nanos(second(0)),
        ..Process::default()
    };
    for (n, step) in (0u64..).zip(steps) {
        match step {
            Step::Count(more) => {
                process.count += f64::from(*more);
                (0..*more).for_each(|n| process.latencies.observe(f64::from(n)));
            }
            Step::Scrape => {
                record(&store, vec![scrape("i", second(n), process.samples())]).await;
                process.scraped = process.count;
            }
            Step::Hide => record(&store, vec![scrape("i", second(n), Vec::new())]).await,
            Step::Restart => {
                let earlier = process.scraped_of_earlier_lives + process.scraped;
                let latencies = Histogram::new(DEFAULT_SCHEMA);
                process = Process {
                    created: nanos(second(n)) + 1,
                    scraped_of_earlier_lives: earlier,
                    latencies,
                    ..Process::default()
                };
            }
            Step::Reopen => {
                store.close().await;
                store = open(StorePath::File(path.clone()));
            }
            Step::Kill => {
                let next = directory.join(format!("{}.db", n + 1));
                copy_of_killed(&path, &next);
                store.close().await;
                path = next;
                store = open(StorePath::File(path.clone()));
            }
        }
    }
    (process, store)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn increases_sum_to_what_was_scraped(steps in steps()) {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (process, store) = run(&steps, directory.path()).await;
            let truth = process.scraped_of_earlier_lives + process.scraped;
            prop_assert_eq!(total(&store, "request_total").await, truth);
            let observed: u64 = store
                .histograms("response_latency_ms", all(&[]))
                .await
                .unwrap()
                .iter()
                .map(|row| row.histogram.count())
                .sum();
            prop_assert_eq!(observed as f64, truth);
            store.close().await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_lower_value_without_created_timestamp_is_a_reset() {
    let store = temporary();
    let at = |n, value| scrape("i", second(n), vec![counter("x_total", &[], value)]);
    record(
        &store,
        vec![at(1, 100.0), at(2, 130.0), at(3, 20.0), at(4, 25.0)],
    )
    .await;
    assert_eq!(total(&store, "x_total").await, 155.0);
}

#[tokio::test]
async fn a_higher_value_with_a_newer_created_timestamp_is_a_reset_too() {
    let store = temporary();
    let at = |n, value, created| {
        let mut sample = counter("x_total", &[], value);
        sample.created_unix_nano = Some(created);
        scrape("i", second(n), vec![sample])
    };
    let begun = nanos(second(0));
    record(&store, vec![at(1, 10.0, begun), at(2, 50.0, begun + 1)]).await;
    assert_eq!(total(&store, "x_total").await, 60.0);
}

/// Sums of the last minute before the scrape at this second.
async fn last_minute(store: &Store, end: u64) -> f64 {
    let window = Window {
        from: second(end - 60),
        to: second(end),
    };
    let asked = SeriesQuery { window, ..all(&[]) };
    let rows = store.counters("request_total", asked).await.unwrap();
    rows.iter().map(|row| row.value).sum()
}

fn requests(at: u64, created: SystemTime, value: f64) -> Scrape {
    let mut sample = counter("request_total", &[], value);
    sample.created_unix_nano = Some(nanos(created));
    scrape("i", second(at), vec![sample])
}

/// 1. Proxies count for ten hours; then the roles are started anew, with an empty store.
/// 2. The first scrape finds all that was ever counted, which once was a rate of 327,000 per second.
#[tokio::test]
async fn what_was_counted_before_anyone_looked_is_in_no_window() {
    let store = temporary();
    let ten_hours_ago = second(100) - Duration::from_secs(36_000);
    record(
        &store,
        vec![
            requests(100, ten_hours_ago, 360_000.0),
            requests(101, ten_hours_ago, 360_010.0),
        ],
    )
    .await;
    assert_eq!(total(&store, "request_total").await, 10.0);
    let measured = store
        .measured(Window {
            from: second(41),
            to: second(101),
        })
        .await
        .unwrap();
    assert_eq!(
        measured.length().as_millis().div_ceil(10),
        100,
        "one second"
    );
}

#[tokio::test]
async fn an_increase_over_a_gap_is_spread_over_the_gap() {
    let store = temporary();
    let begun = second(100) - Duration::from_secs(7_300);
    let before = Scrape {
        at: second(100) - Duration::from_secs(7_200),
        ..requests(0, begun, 1_000.0)
    };
    record(&store, vec![before, requests(100, begun, 73_000.0)]).await;
    let minute = last_minute(&store, 100).await;
    assert!((550.0..=680.0).contains(&minute), "{minute}: ten a second");
}

#[tokio::test]
async fn a_young_series_counts_in_full_over_its_life() {
    let store = temporary();
    record(&store, vec![requests(100, second(60), 400.0)]).await;
    assert_eq!(total(&store, "request_total").await, 400.0);
    let measured = store
        .measured(Window {
            from: second(40),
            to: second(100),
        })
        .await
        .unwrap();
    assert_eq!(
        measured.length().as_millis().div_ceil(10),
        4_000,
        "forty seconds"
    );
}

#[tokio::test]
async fn the_end_of_one_that_was_never_read_is_not_its_first_scrape() {
    let store = temporary();
    let ended = scrape("i", second(99), Vec::new());
    let old = second(0) - Duration::from_secs(3_600);
    record(&store, vec![ended, requests(100, old, 5_000.0)]).await;
    assert_eq!(total(&store, "request_total").await, 0.0);
}

#[tokio::test]
async fn families_are_bounded_and_what_is_past_the_bound_is_counted() {
    let store = temporary();
    let samples = (0..1_010).map(|n| counter(&format!("family_{n}"), &[], 1.0));
    record(&store, vec![scrape("i", second(1), samples.collect())]).await;
    assert_eq!(store.stats().await.unwrap().samples_refused, 10);
}

#[tokio::test]
async fn instances_count_for_themselves() {
    let store = temporary();
    let of = |instance, value| scrape(instance, second(1), vec![counter("x_total", &[], value)]);
    record(&store, vec![of("a-1", 10.0), of("a-2", 7.0)]).await;
    let rows = store
        .counters("x_total", all(&[Label::Instance]))
        .await
        .unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.labels[&Label::Instance].as_str(), row.value))
        .collect();
    assert_eq!(rows, [("a-1", 10.0), ("a-2", 7.0)]);
}
