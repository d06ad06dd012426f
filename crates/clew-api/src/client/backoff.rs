//! How long to wait before control is asked again.

use std::time::Duration;

/// The shortest wait.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest wait; a stream that has lived this long was a good one.
pub(super) const LONGEST: Duration = Duration::from_secs(5);

/// Waits from 100 ms to 5 s, each between a half and the whole of a step that doubles, so that a mesh of
/// proxies does not come back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    step: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { step: SHORTEST * 2 }
    }

    /// Control is well: the next wait is the shortest.
    pub(super) fn reset(&mut self) {
        self.step = SHORTEST * 2;
    }

    /// The next wait.
    pub(super) fn next_wait(&mut self) -> Duration {
        let step = self.step;
        self.step = (step * 2).min(LONGEST);
        step / 2 + step.mul_f64(fastrand::f64() / 2.0)
    }
}
