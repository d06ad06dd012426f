//! When a program that has ended is started again.

use super::plan::Restart;
use std::time::Duration;

/// The wait after a first failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// A program that ran for so long had started well: its next failure is a first one.
const RAN_WELL: Duration = Duration::from_secs(30);

/// How long a program waits between two lives. It grows while the program keeps failing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The wait now; zero before the first failure.
    pub(crate) wait: Duration,
}

impl Backoff {
    /// The wait after a life that lasted so long.
    pub(crate) fn after(self, ran_for: Duration) -> Self {
        let wait = match ran_for {
            long if long >= RAN_WELL => FIRST_WAIT,
            _ => (self.wait * 2).clamp(FIRST_WAIT, MAX_WAIT),
        };
        Self { wait }
    }
}

/// Whether a program is started again that ended by itself, well or not.
pub(crate) fn is_due(restart: Restart, is_success: bool) -> bool {
    match restart {
        Restart::Never => false,
        Restart::OnFailure => !is_success,
        Restart::Always => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, RAN_WELL, is_due};
    use crate::local::plan::Restart;
    use std::time::Duration;

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_begins_anew_after_a_good_life() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                backoff = backoff.after(Duration::from_millis(3));
                backoff.wait.as_secs()
            })
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.after(RAN_WELL).wait, Duration::from_secs(1));
    }

    #[test]
    fn what_the_file_says_decides_whether_a_program_comes_back() {
        for (restart, after_success, after_failure) in [
            (Restart::Never, false, false),
            (Restart::OnFailure, false, true),
            (Restart::Always, true, true),
        ] {
            assert_eq!(is_due(restart, true), after_success, "{restart:?}");
            assert_eq!(is_due(restart, false), after_failure, "{restart:?}");
        }
    }
}
