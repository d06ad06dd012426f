//! Exemplars: for a bucket, the trace of the newest kept request that fell into it.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use clew_api::prometheus as prom;
use clew_trace::TraceId;

use super::clock::nanoseconds;

/// An exemplar that one worker writes and a scrape reads, without a lock: the version is odd while the
/// worker writes, and a reader that saw it change has read nothing (a sequence lock).
#[derive(Debug, Default)]
pub(super) struct ExemplarSlot {
    version: AtomicU64,
    trace_high: AtomicU64,
    trace_low: AtomicU64,
    value_ns: AtomicU64,
    unix_nano: AtomicU64,
}

impl ExemplarSlot {
    /// Replaces the exemplar; only from the worker that owns the shard.
    #[inline]
    pub(super) fn set(&self, trace_id: TraceId, value: Duration, unix_nano: u64) {
        let version = self.version.load(Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.trace_high.store(trace_id.high64(), Ordering::Relaxed);
        self.trace_low.store(trace_id.low64(), Ordering::Relaxed);
        self.value_ns.store(nanoseconds(value), Ordering::Relaxed);
        self.unix_nano.store(unix_nano, Ordering::Relaxed);
        self.version
            .store(version.wrapping_add(2), Ordering::Release);
    }

    /// The exemplar. `None` when there is none yet, or when it is being replaced right now.
    pub(super) fn get(&self) -> Option<Exemplar> {
        let version = self.version.load(Ordering::Acquire);
        let high = self.trace_high.load(Ordering::Relaxed);
        let low = self.trace_low.load(Ordering::Relaxed);
        let value_ns = self.value_ns.load(Ordering::Relaxed);
        let unix_nano = self.unix_nano.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let is_whole = version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version;
        let trace_id = TraceId::new(u128::from(high) << 64 | u128::from(low))?;
        is_whole.then_some(Exemplar {
            trace_id,
            value_ns,
            unix_nano,
        })
    }
}

/// An exemplar that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exemplar {
    pub(super) trace_id: TraceId,
    pub(super) value_ns: u64,
    pub(super) unix_nano: u64,
}

impl Exemplar {
    /// In the unit of its family, which has this many nanoseconds.
    pub(super) fn into_reported(self, unit_ns: f64) -> prom::Exemplar {
        let label = prom::LabelPair {
            name: Some("trace_id".to_owned()),
            value: Some(self.trace_id.to_string()),
        };
        prom::Exemplar {
            label: vec![label],
            value: Some(self.value_ns as f64 / unit_ns),
            timestamp: Some(prom::Timestamp::from_unix_nano(self.unix_nano)),
        }
    }
}
