//! Over which time an increase came about, and how it is booked there.

use crate::histogram::Histogram;

/// What took no longer than this is booked at its end, as one point: it is a few scrapes.
const AT_ONCE_MS: i64 = 5_000;
/// The shortest part that a longer stretch is cut into.
const SHORTEST_MS: i64 = 2_000;
/// A part is at most this share of what has passed since it, so that a window that ends with the stretch has
/// an eighth too much at most, and a day is some eighty parts.
const SHARE: i64 = 8;

/// A stretch of time, Unix milliseconds: `from` excluded, `to` included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Stretch {
    /// An increase by time: when each part of it ends, and how much of the whole lies before that end.
    /// Nobody looked meanwhile: an even flow is the only guess that puts no peak where there was none.
    fn ends(self) -> Vec<(i64, f64)> {
        let Self { from, to } = self;
        let length = to.saturating_sub(from);
        if length <= AT_ONCE_MS {
            return vec![(to, 1.0)];
        }
        let mut ends = vec![to];
        let mut end = to;
        loop {
            end -= SHORTEST_MS.max((to - end) / SHARE);
            // The first part is a scrape's length, so that where it begins is known as exactly as elsewhere.
            if end <= from.saturating_add(1_000) {
                break;
            }
            ends.push(end);
        }
        ends.push(from.saturating_add(1_000));
        ends.reverse();
        ends.into_iter()
            .map(|end| (end, (end - from) as f64 / length as f64))
            .collect()
    }

    /// The parts of a count. Whole numbers have whole parts, and always their sum is the whole.
    pub(super) fn split_number(self, whole: f64) -> Vec<(i64, f64)> {
        let mut before = 0.0;
        let parts = self.ends().into_iter().map(|(end, share)| {
            let until = if share < 1.0 {
                (whole * share).round().min(whole)
            } else {
                whole
            };
            let part = until - std::mem::replace(&mut before, until);
            (end, part)
        });
        parts.filter(|(_, part)| *part > 0.0).collect()
    }

    /// The same, bucket by bucket.
    pub(super) fn split_histogram(self, whole: &Histogram) -> Vec<(i64, Histogram)> {
        let mut before = Histogram::new(whole.schema());
        let mut parts = Vec::new();
        for (end, share) in self.ends() {
            let until = whole.share(share);
            // Shares grow, and so do their parts.
            let part = until.increase_since(&before).unwrap_or_default();
            before = until;
            if !part.is_empty() {
                parts.push((end, part));
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests;
