//! For how long requests were in flight in the application, and for how long none was.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts both. It is told of each change; who calls when nobody asked for anything can be weighed by it.
#[derive(Debug)]
pub(crate) struct Busy(Mutex<State>);

#[derive(Debug)]
struct State {
    is_busy: bool,
    since: Instant,
    busy: Duration,
    idle: Duration,
}

impl Default for Busy {
    fn default() -> Self {
        Self(Mutex::new(State {
            is_busy: false,
            since: Instant::now(),
            busy: Duration::ZERO,
            idle: Duration::ZERO,
        }))
    }
}

impl Busy {
    /// Busy and idle time so far.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass(Instant::now());
        (state.busy, state.idle)
    }

    /// Something has begun or ended. What is so now is asked for under the lock, so that of two changes at the same time the
    /// last one stands.
    pub(super) fn note(&self, now: Instant, is_busy: impl FnOnce() -> bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass(now);
        state.is_busy = is_busy();
    }
}

impl State {
    fn pass(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        if self.is_busy {
            self.busy += passed;
        } else {
            self.idle += passed;
        }
        self.since = self.since.max(now);
    }
}
