//! Who has read the metrics, and when: a proxy that was being scraped waits at its end for one scrape more.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// A scraper that has not come for this long will not come back.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(5 * 60);

/// When the newest scrape that was read to its end had begun.
#[derive(Debug)]
pub(super) struct Scrapes {
    completed: watch::Sender<Option<Instant>>,
}

impl Scrapes {
    pub(super) fn new() -> Self {
        Self {
            completed: watch::Sender::new(None),
        }
    }

    pub(super) fn complete(&self, began: Instant) {
        self.completed
            .send_modify(|newest| *newest = (*newest).max(Some(began)));
    }

    pub(super) fn last(&self) -> Option<Instant> {
        *self.completed.borrow()
    }

    /// Someone scrapes this proxy.
    pub(super) fn is_scraped(&self) -> bool {
        self.last()
            .is_some_and(|began| began.elapsed() < FORGOTTEN_AFTER)
    }

    /// Waits for a scrape that begins from now on, and sees everything that happened before.
    pub(super) async fn next(&self) {
        let now = Instant::now();
        let mut completed = self.completed.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = completed
            .wait_for(|began| began.is_some_and(|began| began >= now))
            .await;
    }

    /// Number of those who wait for a scrape.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.completed.receiver_count()
    }
}
