//! Whether what comes in is kept.

use super::{fail, ok, unanswered, warn};
use clew_api::rest::check::Check;
use clew_store::Store;
use std::time::Duration;

/// A write takes milliseconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn writable(store: &Store) -> Check {
    const NAME: &str = "store writes";
    let hint =
        "look at the disk and at the log of observe; what comes in meanwhile is lost and counted"
            .to_owned();
    match tokio::time::timeout(WRITE_TIMEOUT, store.flush()).await {
        Err(_) => {
            return fail(
                NAME,
                format!("nothing was written for {} s", WRITE_TIMEOUT.as_secs()),
                hint,
            );
        }
        Ok(Err(error)) => return fail(NAME, error.to_string(), hint),
        Ok(Ok(())) => {}
    }
    let stats = match store.stats().await {
        Ok(stats) => stats,
        Err(error) => return unanswered(NAME, &error),
    };
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

pub(super) async fn size(store: &Store) -> Check {
    const NAME: &str = "store size";
    let stats = match store.stats().await {
        Ok(stats) => stats,
        Err(error) => return unanswered(NAME, &error),
    };
    let retention = store.retention();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let found = format!(
        "{:.1} of {:.0} MiB, {} traces, {} series; kept for {} h",
        mib(stats.bytes),
        mib(retention.bytes),
        stats.traces,
        stats.series,
        retention.age.as_secs() / 3600,
    );
    if stats.bytes > retention.bytes {
        let hint = "old traces and points go before their time; allow more bytes, or sample less"
            .to_owned();
        return warn(NAME, found, hint);
    }
    ok(NAME, found)
}
