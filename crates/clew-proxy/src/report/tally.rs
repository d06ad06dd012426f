//! Numbers that one thread writes and another one reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count with a single writer. Adding is a load and a store, not a locked instruction: only the worker
/// that owns the shard may call [`Tally::add`], and whoever scrapes may read at any time.
#[derive(Debug, Default)]
pub(super) struct Tally(AtomicU64);

impl Tally {
    /// Adds; only from the worker that owns it.
    #[inline]
    pub(super) fn add(&self, amount: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(amount),
            Ordering::Relaxed,
        );
    }

    /// Takes back what was added; only from the worker that owns it.
    #[inline]
    pub(super) fn subtract(&self, amount: u64) {
        self.add(amount.wrapping_neg());
    }

    /// The count, as the writer left it or about to.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A tally on a cache line of its own, so that two workers never write to the same one.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Counter(Tally);

impl Counter {
    /// As [`Tally::add`].
    #[inline]
    pub(super) fn add(&self, amount: u64) {
        self.0.add(amount);
    }

    /// As [`Tally::get`].
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}
