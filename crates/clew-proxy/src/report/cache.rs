//! What a worker remembers of the directory, so that it need not ask again. It is a cache: letting go of
//! an entry loses nothing, because the directory keeps for a while what nobody holds.

use std::cell::{Cell, RefCell};
use std::hash::Hash;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ahash::AHashMap;

/// Past it, what nobody else on the thread holds makes room.
pub(super) const MAX_CACHED: usize = 4_096;
/// What was not used for this long is let go of.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(5 * 60);

/// Knows when it was last used.
pub(super) trait Used {
    /// The moment, to the precision of a worker's tick.
    fn last_used(&self) -> &Cell<Instant>;
}

/// Series of one kind by their key.
#[derive(Debug)]
pub(super) struct Cache<K, S>(RefCell<AHashMap<K, Rc<S>>>);

impl<K, S> Default for Cache<K, S> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Eq + Hash + Clone, S: Used> Cache<K, S> {
    /// The series of a key, asked of the directory when it is not known.
    pub(super) fn get_or(&self, key: &K, find: impl FnOnce() -> S) -> Rc<S> {
        if let Some(known) = self.0.borrow().get(key) {
            return Rc::clone(known);
        }
        let series = Rc::new(find());
        let mut cached = self.0.borrow_mut();
        if cached.len() >= MAX_CACHED {
            cached.retain(|_, series| Rc::strong_count(series) > 1);
        }
        if cached.len() < MAX_CACHED {
            cached.insert(key.clone(), Rc::clone(&series));
        }
        series
    }

    /// Lets go of what is idle. What somebody on this thread holds counts as used now, so that what it
    /// writes last is still to be read by a scrape.
    pub(super) fn release_idle(&self, now: Instant) {
        self.0.borrow_mut().retain(|_, series| {
            let last_used = series.last_used();
            if Rc::strong_count(series) > 1 {
                last_used.set(now);
            }
            now.saturating_duration_since(last_used.get()) < IDLE_AFTER
        });
    }
}
