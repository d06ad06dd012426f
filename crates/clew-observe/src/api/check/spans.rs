//! Whether spans and series get lost.

use super::{gained, named, ok, unanswered, warn};
use crate::ingest::IngestCounts;
use clew_api::rest::check::Check;
use clew_store::{Label, Store};

pub(super) fn taken_in(counts: &IngestCounts) -> Check {
    const NAME: &str = "spans in";
    let found = format!(
        "{} spans in {} requests since the start",
        counts.spans_received, counts.requests
    );
    let faults = [
        (
            counts.spans_dropped,
            "spans refused because the store was full",
        ),
        (counts.spans_rejected, "spans with invalid ids"),
        (counts.requests_malformed, "requests that could not be read"),
        (counts.requests_too_large, "requests that were too large"),
        (
            counts.requests_unsupported,
            "requests of another content type or encoding",
        ),
        (
            counts.requests_shed,
            "requests that came while too many were being read",
        ),
        (counts.values_cut, "texts or lists that were cut"),
    ];
    let faults: Vec<String> = faults
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if faults.is_empty() {
        return ok(NAME, found);
    }
    let hint = "senders of what was refused were told: look at their exporters' logs, or sample less (`clew settings --sample`)".to_owned();
    warn(NAME, format!("{found}; {}", faults.join(", ")), hint)
}

pub(super) async fn sent(store: &Store) -> Check {
    const NAME: &str = "spans of proxies";
    let gained = match gained(store, "clew_spans_total", Label::Outcome).await {
        Ok(gained) => gained,
        Err(error) => return unanswered(NAME, &error),
    };
    let listed: Vec<String> = gained
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    let found = format!(
        "{} in the last 5 minutes",
        if listed.is_empty() {
            "none".to_owned()
        } else {
            listed.join(", ")
        }
    );
    if gained
        .iter()
        .any(|(outcome, _)| outcome.starts_with("dropped"))
    {
        let hint = "traces have gaps; sample less (`clew settings --sample`), or see whether observe is overloaded";
        return warn(NAME, found, hint.to_owned());
    }
    ok(NAME, found)
}

pub(super) async fn series(store: &Store) -> Check {
    const NAME: &str = "series";
    match gained(store, "clew_series_dropped_total", Label::Family).await {
        Err(error) => unanswered(NAME, &error),
        Ok(dropped) if dropped.is_empty() => ok(
            NAME,
            "all within their budgets in the last 5 minutes".to_owned(),
        ),
        Ok(dropped) => {
            let listed: Vec<String> = dropped
                .iter()
                .map(|(family, count)| format!("{count} of {family}"))
                .collect();
            let found = format!(
                "past their budgets in the last 5 minutes: {}",
                named(&listed)
            );
            warn(
                NAME,
                found,
                "they are counted under route \"(other)\"; name the routes that matter".to_owned(),
            )
        }
    }
}
