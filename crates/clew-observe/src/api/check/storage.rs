//! Whether what comes in is kept.

use super::{fail, ok, unanswered, warn};
use clew_api::rest::check::Check;
use clew_api::rest::window::TimeSpan;
use clew_store::query::StoreStats;
use clew_store::{Retention, Store, WriteError};
use std::time::{Duration, SystemTime};

/// A write takes milliseconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit in bytes is felt, when it deleted something in this time.
const CROWDED_LATELY: Duration = Duration::from_secs(3600);

/// The checks of the store, from one look at it.
pub(super) async fn checks(store: &Store) -> [Check; 3] {
    let written = tokio::time::timeout(WRITE_TIMEOUT, store.flush())
        .await
        .ok();
    match store.stats().await {
        Ok(stats) => [
            writable(written, &stats),
            size(store.retention(), &stats, SystemTime::now()),
            upkeep(&stats, SystemTime::now()),
        ],
        Err(error) => {
            ["store writes", "store size", "store upkeep"].map(|name| unanswered(name, &error))
        }
    }
}

fn writable(written: Option<Result<(), WriteError>>, stats: &StoreStats) -> Check {
    const NAME: &str = "store writes";
    let hint =
        "look at the disk and at the log of observe; what comes in meanwhile is lost and counted"
            .to_owned();
    match written {
        None => {
            let found = format!("nothing was written for {} s", WRITE_TIMEOUT.as_secs());
            return fail(NAME, found, hint);
        }
        Some(Err(error)) => return fail(NAME, error.to_string(), hint),
        Some(Ok(())) => {}
    }
    let found = format!(
        "{} spans and {} scrapes since the start",
        stats.spans_written, stats.scrapes_written
    );
    let lost = stats.spans_lost + stats.scrapes_lost + stats.spans_refused + stats.samples_refused;
    if lost == 0 {
        return ok(NAME, found);
    }
    let lost = format!(
        "{} spans and {} scrapes lost by failed writes, {} spans of traces that are too large and {} samples refused",
        stats.spans_lost, stats.scrapes_lost, stats.spans_refused, stats.samples_refused,
    );
    warn(
        NAME,
        format!("{found}; {lost}"),
        "look at the log of observe for the reason".to_owned(),
    )
}

fn size(retention: Retention, stats: &StoreStats, now: SystemTime) -> Check {
    const NAME: &str = "store size";
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let age = |oldest: Option<SystemTime>| match oldest {
        None => "none".to_owned(),
        Some(oldest) => {
            let age = now.duration_since(oldest).unwrap_or_default();
            format!("{} old", coarse(age))
        }
    };
    let found = format!(
        "{:.1} of {:.0} MiB, {} traces, {} series; kept for {}; oldest trace {}, oldest numbers {}",
        mib(stats.bytes),
        mib(retention.bytes),
        stats.traces,
        stats.series,
        coarse(retention.age),
        age(stats.oldest_trace),
        age(stats.oldest_point),
    );
    // The size itself tells nothing: what is too much has been deleted before anyone looks.
    let is_crowded = stats
        .crowded_at
        .is_some_and(|at| now.duration_since(at).unwrap_or_default() < CROWDED_LATELY);
    if is_crowded || stats.bytes > retention.bytes {
        let hint =
            "the limit in bytes deletes what is not yet old: allow more bytes, or sample less";
        return warn(NAME, found, hint.to_owned());
    }
    ok(NAME, found)
}

/// That it is at work is well; that it is still at work tells why the store is slow or large.
fn upkeep(stats: &StoreStats, now: SystemTime) -> Check {
    const NAME: &str = "store upkeep";
    let Some(progress) = stats.upkeep else {
        let deleted = stats.traces_expired;
        return ok(
            NAME,
            format!("up to date; {deleted} traces deleted since the start"),
        );
    };
    let time = coarse(now.duration_since(progress.since).unwrap_or_default());
    ok(NAME, format!("at work for {time}: {progress}"))
}

/// In the largest unit of which there are two or more.
fn coarse(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = [3_600, 60].into_iter().find(|unit| seconds >= 2 * unit);
    let unit = unit.unwrap_or(1);
    TimeSpan::new(Duration::from_secs(seconds - seconds % unit)).to_string()
}

#[cfg(test)]
mod tests;
