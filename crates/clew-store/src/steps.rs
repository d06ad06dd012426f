//! A window cut into steps of equal length, for numbers over time.

#[cfg(test)]
mod tests;

use crate::window::{Window, resolution_at};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Steps of equal length that follow one another. A step holds what happened after its beginning, its end included.
///
/// They begin and end where points may: a step is a multiple of the resolution in which points are kept at the beginning of
/// the first, and its edges are multiples of that resolution in Unix time. Otherwise steps would hold now more points,
/// now fewer, and show waves that there are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    begin_ms: u64,
    length_ms: u64,
    count: usize,
}

impl Steps {
    /// At most so many steps that end with the window, or less than one resolution before it, and that reach back to its
    /// beginning, or less than a step further. One step at least.
    pub fn of(window: Window, at_most: usize) -> Self {
        let at_most = u64::try_from(at_most.max(1)).unwrap_or(u64::MAX);
        let resolution = millis(resolution_at(window.from)).max(1);
        let steps = Self::in_resolution(window, at_most, resolution);
        // The first may reach back to where points are further apart.
        match millis(resolution_at(steps.window().from)) {
            coarser if coarser > resolution => Self::in_resolution(window, at_most, coarser),
            _ => steps,
        }
    }

    fn in_resolution(window: Window, at_most: u64, resolution: u64) -> Self {
        let to = unix_ms(window.to) / resolution * resolution;
        let length = to.saturating_sub(unix_ms(window.from)).max(1);
        let step = length.div_ceil(at_most).next_multiple_of(resolution);
        let count = length.div_ceil(step);
        let begin_ms = to.saturating_sub(count * step);
        Self {
            begin_ms,
            length_ms: step,
            count: usize::try_from(count).unwrap_or(usize::MAX),
        }
    }

    /// What all of them cover.
    pub fn window(&self) -> Window {
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        Window {
            from: at(self.begin_ms),
            to: at(self.end_ms(self.count)),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Length of each.
    pub fn length(&self) -> Duration {
        Duration::from_millis(self.length_ms)
    }

    /// Where each ends, Unix time in milliseconds.
    pub fn ends_ms(&self) -> impl Iterator<Item = u64> + use<> {
        let steps = *self;
        (1..=self.count).map(move |step| steps.end_ms(step))
    }

    fn end_ms(&self, step: usize) -> u64 {
        let steps = u64::try_from(step).unwrap_or(u64::MAX);
        self.begin_ms
            .saturating_add(steps.saturating_mul(self.length_ms))
    }

    /// The step that a point lies in which ends at this Unix time in milliseconds.
    pub(crate) fn position(&self, ms: i64) -> Option<usize> {
        let after = u64::try_from(ms).ok()?.checked_sub(self.begin_ms)?;
        let step = usize::try_from(after.checked_sub(1)? / self.length_ms).ok()?;
        (step < self.count).then_some(step)
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
