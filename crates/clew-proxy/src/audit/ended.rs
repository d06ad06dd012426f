//! Which traces had a request that has ended here, of late. A table of one size, so that it stays in the caches of a
//! busy core, and of it each request touches one line.

use clew_trace::TraceId;
use std::time::Duration;

/// Lines of the table. A power of two.
const LINES: usize = 256;
/// Traces that a line holds.
const WAYS: usize = 4;
/// Those that the table holds at most.
#[cfg(test)]
pub(super) const MAX_ENDED: usize = LINES * WAYS;
/// For how long a trace is remembered.
const MEMORY: Duration = Duration::from_secs(60);

/// The table: the line of a trace is told by its id. There the newest is first, and the oldest goes.
pub(super) struct Ended(Box<[Line; LINES]>);

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line([Known; WAYS]);

/// A trace.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The lower half of its id, which is all that some families carry.
    low: u64,
    /// The upper half, folded; 0 is none.
    high: u32,
    /// When its last request ended: the lower half of its milliseconds. 0: nobody's place.
    at_ms: u32,
}

impl Default for Ended {
    fn default() -> Self {
        Self(Box::new([Line::default(); LINES]))
    }
}

impl Ended {
    /// A request of this trace has ended. Times are milliseconds since a beginning that is the same for all.
    pub(super) fn note(&mut self, trace: TraceId, now_ms: u64) {
        let known = Known {
            low: trace.low64(),
            high: fold(trace.high64()),
            at_ms: lower_half(now_ms).max(1),
        };
        let Line(places) = &mut self.0[line_of(trace)];
        let is_it = |place: &Known| (place.low, place.high) == (known.low, known.high);
        let place = places.iter().position(is_it).unwrap_or(WAYS - 1);
        places.copy_within(..place, 1);
        places[0] = known;
    }

    /// Whether one has, within [`MEMORY`], or later than now, as another thread sees it. Of an id of 64 bits its half
    /// counts.
    pub(super) fn has(&self, trace: TraceId, now_ms: u64) -> bool {
        let Line(places) = &self.0[line_of(trace)];
        let (low, high) = (trace.low64(), fold(trace.high64()));
        places.iter().any(|place| {
            // What is more than 24 days old seems to be later than now, and is the same trace all the same.
            let age_ms = lower_half(now_ms).wrapping_sub(place.at_ms).cast_signed();
            place.at_ms > 0
                && place.low == low
                && (place.high == high || place.high == 0 || high == 0)
                && i128::from(age_ms) <= MEMORY.as_millis().cast_signed()
        })
    }
}

fn lower_half(of: u64) -> u32 {
    u32::try_from(of & u64::from(u32::MAX)).unwrap_or_default()
}

/// Ids are random, or nearly so, in their lower half. The lowest bits tell the part of the whole table already.
fn line_of(trace: TraceId) -> usize {
    let line = (trace.low64() / super::PARTS as u64) % LINES as u64;
    usize::try_from(line).unwrap_or_default()
}

fn fold(high: u64) -> u32 {
    let folded = lower_half(high >> 32) ^ lower_half(high);
    // Only none is none.
    if high == 0 { 0 } else { folded.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(high: u64, low: u64) -> TraceId {
        TraceId::new(u128::from(high) << 64 | u128::from(low)).unwrap()
    }

    #[test]
    fn a_trace_is_remembered_for_a_minute() {
        let mut ended = Ended::default();
        assert!(!ended.has(trace(1, 1), 5));
        assert!(!ended.has(trace(1, 0), 5));
        ended.note(trace(1, 1), 5);
        assert!(ended.has(trace(1, 1), 5));
        assert!(ended.has(trace(1, 1), 60_005));
        assert!(!ended.has(trace(1, 1), 60_006));
        ended.note(trace(1, 1), 60_006);
        assert!(ended.has(trace(1, 1), 120_000), "its last request counts");
    }

    /// Some families carry the lower half of an id alone.
    #[test]
    fn half_an_id_is_enough_and_the_other_half_must_not_differ() {
        let mut ended = Ended::default();
        ended.note(trace(7, 1), 1);
        assert!(ended.has(trace(0, 1), 1));
        assert!(!ended.has(trace(8, 1), 1));
        assert!(!ended.has(trace(7, 2), 1));
        ended.note(trace(0, 2), 1);
        assert!(ended.has(trace(7, 2), 1));
        // Halves that fold to nothing are not none.
        let same = 5 << 32 | 5;
        ended.note(trace(same, 3), 1);
        assert!(!ended.has(trace(8, 3), 1));
    }

    #[test]
    fn the_oldest_of_a_line_is_forgotten_first() {
        let mut ended = Ended::default();
        let step = (super::super::PARTS * LINES) as u64;
        let of_one_line = |n: u32| trace(1, u64::from(n) * step + 1);
        for n in 0..=4_u32 {
            ended.note(of_one_line(n), u64::from(n) + 1);
        }
        let remembered = (0..=4).filter(|n| ended.has(of_one_line(*n), 5));
        assert_eq!(remembered.collect::<Vec<_>>(), [1, 2, 3, 4]);
        // One that is known already takes its own place.
        ended.note(of_one_line(2), 6);
        ended.note(of_one_line(9), 7);
        let remembered = (0..=9).filter(|n| ended.has(of_one_line(*n), 7));
        assert_eq!(remembered.collect::<Vec<_>>(), [2, 3, 4, 9]);
    }

    /// Its milliseconds have 32 bits.
    #[test]
    fn it_outlives_its_clock() {
        let mut ended = Ended::default();
        let wrap = 1 << u32::BITS;
        ended.note(trace(1, 1), wrap - 10);
        assert!(ended.has(trace(1, 1), wrap + 10));
        assert!(!ended.has(trace(1, 1), wrap + 60_000));
    }

    /// Threads read the clock at different times.
    #[test]
    fn an_end_that_is_a_little_later_than_now_counts() {
        let mut ended = Ended::default();
        ended.note(trace(1, 1), 10);
        assert!(ended.has(trace(1, 1), 9));
    }
}
