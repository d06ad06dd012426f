//! Spans of wall-clock time that questions are asked about.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Points that are older are kept one per so much time: age, time.
pub(crate) const TIERS: [(Duration, Duration); 2] = [
    (Duration::from_secs(10 * 60), Duration::from_secs(10)),
    (Duration::from_secs(6 * 3600), Duration::from_secs(60)),
];

/// How far points are apart that are as old as this: those of a series, whether compacted or as they were read.
pub fn resolution_at(time: SystemTime) -> Duration {
    const SCRAPE: Duration = Duration::from_secs(1);
    let age = SystemTime::now().duration_since(time).unwrap_or_default();
    let tiers = TIERS.iter().rev();
    tiers
        .filter(|(after, _)| age > *after + SCRAPE)
        .map(|(_, resolution)| *resolution)
        .next()
        .unwrap_or(SCRAPE)
}

/// What was not read for so long is not known any more.
pub(crate) const GAUGE_LIFE: Duration = Duration::from_secs(30);

/// A stretch of wall-clock time, `from` excluded and `to` included.
///
/// Metric points carry the end of the stretch that they cover, which is why the end belongs to the
/// window and the start does not. Points are kept at one per scrape for ten minutes, then per ten seconds for
/// six hours, then per minute: a window's edges are that exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Start, excluded.
    pub from: SystemTime,
    /// End, included.
    pub to: SystemTime,
}

impl Window {
    /// The last `length` before now.
    pub fn last(length: Duration) -> Self {
        Self::ending(SystemTime::now(), length)
    }

    /// The last `length` before `to`.
    pub fn ending(to: SystemTime, length: Duration) -> Self {
        let from = to.checked_sub(length).unwrap_or(UNIX_EPOCH);
        Self {
            from: from.clamp(UNIX_EPOCH, to.max(UNIX_EPOCH)),
            to,
        }
    }

    /// It ends so short a time ago that what is known of now holds for its end.
    pub fn ends_lately(&self) -> bool {
        self.to + GAUGE_LIFE >= SystemTime::now()
    }

    /// The window cut to begin with the point that ends at this Unix time in milliseconds, if it begins
    /// earlier. The point covers what was counted since the scrape before, about a second.
    pub(crate) fn beginning_with(self, point_ms: Option<i64>) -> Self {
        const SCRAPE: Duration = Duration::from_secs(1);
        let begin = point_ms
            .and_then(|ms| u64::try_from(ms).ok())
            .and_then(|ms| (UNIX_EPOCH + Duration::from_millis(ms)).checked_sub(SCRAPE));
        let from = begin.map_or(self.from, |begin| {
            begin.clamp(self.from, self.to.max(self.from))
        });
        Self { from, ..self }
    }

    /// Everything that is kept.
    pub fn all() -> Self {
        Self {
            from: UNIX_EPOCH,
            to: SystemTime::now() + Duration::from_secs(24 * 3600),
        }
    }

    /// Length of the window; zero when it ends before it starts.
    pub fn length(&self) -> Duration {
        self.to.duration_since(self.from).unwrap_or_default()
    }

    /// Both ends in Unix milliseconds.
    pub(crate) fn millis(&self) -> (i64, i64) {
        (unix_millis(self.from), unix_millis(self.to))
    }

    /// Both ends in Unix nanoseconds.
    pub(crate) fn nanos(&self) -> (i64, i64) {
        (unix_nanos(self.from), unix_nanos(self.to))
    }
}

/// Unix time in milliseconds; what is outside of what fits is clamped.
pub(crate) fn unix_millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time at this Unix time in milliseconds; one before 1970 is 1970.
pub(crate) fn at_millis(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// Unix time in nanoseconds; what is outside of what fits is clamped.
pub(crate) fn unix_nanos(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
