//! The store, and what came in.

use super::super::clock::rfc3339;
use crate::ingest::IngestCounts;
use clew_api::rest::mesh::{MeshIngest, MeshStore};
use clew_store::Store;
use clew_store::query::StoreStats;
use std::collections::BTreeMap;

pub(super) fn state(store: &Store, stats: &StoreStats) -> MeshStore {
    let retention = store.retention();
    MeshStore {
        path: store.path().display().to_string(),
        bytes: stats.bytes,
        bytes_limit: retention.bytes,
        age_limit_seconds: retention.age.as_secs_f64(),
        traces: stats.traces,
        series: stats.series,
        oldest_trace: stats.oldest_trace.map(rfc3339),
        oldest_point: stats.oldest_point.map(rfc3339),
        crowded_at: stats.crowded_at.map(rfc3339),
        spans_written: stats.spans_written,
        spans_repeated: stats.spans_repeated,
        scrapes_written: stats.scrapes_written,
        traces_expired: stats.traces_expired,
        lost: occurred(&[
            ("spans_of_large_traces", stats.spans_refused),
            ("spans_by_failed_writes", stats.spans_lost),
            ("scrapes_by_failed_writes", stats.scrapes_lost),
            ("samples_refused", stats.samples_refused),
        ]),
        upkeep: stats.upkeep.map(|progress| progress.to_string()),
    }
}

pub(super) fn ingest(counts: &IngestCounts) -> MeshIngest {
    MeshIngest {
        requests: counts.requests,
        spans_received: counts.spans_received,
        spans_stored: counts.spans_stored,
        spans_refused: occurred(&[
            ("store_full", counts.spans_dropped),
            ("invalid_ids", counts.spans_rejected),
        ]),
        requests_refused: occurred(&[
            ("malformed", counts.requests_malformed),
            ("too_large", counts.requests_too_large),
            ("unsupported", counts.requests_unsupported),
            ("shed", counts.requests_shed),
        ]),
        values_cut: counts.values_cut,
    }
}

fn occurred(reasons: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let occurred = reasons.iter().filter(|(_, count)| *count > 0);
    occurred
        .map(|(reason, count)| ((*reason).to_owned(), *count))
        .collect()
}
