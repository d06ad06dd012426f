//! How long things take: the slowness that is there on purpose, in one place.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Milliseconds that an ordinary request takes.
pub const ORDINARY_MS: RangeInclusive<u64> = 1..=3;
/// Milliseconds that `books` takes to search.
pub const SEARCH_MS: RangeInclusive<u64> = 80..=160;
/// Milliseconds that `ratings` takes for a rating.
pub const RATING_MS: RangeInclusive<u64> = 15..=30;
/// Milliseconds that `ratings` takes for every [`RATING_OUTLIER`]th rating.
pub const RATING_OUTLIER_MS: RangeInclusive<u64> = 250..=250;
/// One rating in so many is an outlier.
pub const RATING_OUTLIER: u64 = 25;
/// One edit in so many fails.
pub const EDIT_FAILURE: u64 = 50;

/// Takes a time out of the range.
pub async fn work(milliseconds: RangeInclusive<u64>) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(milliseconds))).await;
}

/// Picks every nth of the things that it is asked about: a known share, and not by chance.
#[derive(Debug)]
pub struct EveryNth {
    n: u64,
    seen: AtomicU64,
}

impl EveryNth {
    /// Picks the nth, the 2nth, and so on. `n` of 0 picks none.
    pub fn new(n: u64) -> Self {
        Self {
            n,
            seen: AtomicU64::new(0),
        }
    }

    /// Whether this one is picked.
    pub fn is_next_picked(&self) -> bool {
        let count = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        self.n != 0 && count.is_multiple_of(self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::EveryNth;

    #[test]
    fn exactly_one_in_n_is_picked() {
        let every = EveryNth::new(50);
        let picked: Vec<usize> = (1..=150).filter(|_| every.is_next_picked()).collect();
        assert_eq!(picked, [50, 100, 150]);
    }
}
