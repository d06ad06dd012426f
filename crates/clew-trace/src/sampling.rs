//! Which traces are kept. Roots are decided by a ratio and a rate limit; everything after the root
//! follows the flag that came in.

use crate::context::Decision;
use crate::id::TraceId;
use crate::state::TraceState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[cfg(test)]
mod tests;

/// Bits of a trace id that W3C level 2 calls its randomness.
const RANDOM_BITS: u32 = 56;
const RANDOM_MASK: u64 = (1 << RANDOM_BITS) - 1;

/// Decides for traces that begin here. One per worker; clones share the limit.
#[derive(Clone, Debug)]
pub struct RootSampler {
    /// A trace is a candidate when its randomness is at least this; 2^56 lets none through.
    threshold: u64,
    /// Looked at only by candidates, and only where there is one.
    limit: Option<Arc<RateLimit>>,
    /// What a trace that it keeps says of that.
    state: TraceState,
}

/// How many traces a second may begin, however many workers ask.
#[derive(Debug)]
pub struct RateLimit(Mutex<TokenBucket>);

impl RateLimit {
    /// Lets a number of traces a second through, on average; at most one second's worth at once.
    pub fn new(max_per_second: f64) -> Self {
        Self(Mutex::new(TokenBucket::full(max_per_second)))
    }

    /// Changes the rate while running. What has been let through counts on.
    pub fn set(&self, max_per_second: f64) {
        self.bucket().set_rate(max_per_second);
    }

    fn take(&self, now: Instant) -> bool {
        self.bucket().take(now)
    }

    fn bucket(&self) -> MutexGuard<'_, TokenBucket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RootSampler {
    /// Keeps `ratio` (0 to 1) of the roots, and no more of them than the limit lets through.
    ///
    /// Values out of range count as the nearest in range; NaN as 0.
    pub fn new(ratio: f64, limit: Option<Arc<RateLimit>>) -> Self {
        let threshold = threshold(ratio);
        // With a limit, how likely it was is not known; and that all are kept needs no words.
        let is_exact = limit.is_none() && (1..1 << RANDOM_BITS).contains(&threshold);
        let state = is_exact.then(|| TraceState::of_threshold(threshold));
        Self {
            threshold,
            limit,
            state: state.unwrap_or_default(),
        }
    }

    /// The `tracestate` of a trace that begins here and is kept: with how great a probability it was, so that
    /// whoever counts spans can tell how many requests they stand for.
    pub(crate) fn state(&self) -> &TraceState {
        &self.state
    }

    /// Whether the trace that begins with this id is kept.
    ///
    /// The ratio is decided by the lower 56 bits of the id, as OpenTelemetry's consistent probability
    /// sampling does: everybody with the same ratio decides alike, and a lower ratio keeps a
    /// subset of what a higher one keeps. The limit comes after the ratio.
    pub fn decide(&self, trace_id: TraceId, now: Instant) -> bool {
        trace_id.low64() & RANDOM_MASK >= self.threshold
            && self.limit.as_ref().is_none_or(|limit| limit.take(now))
    }
}

/// The whole rule: a decision that came in from someone trusted is kept, whatever ratio and limit
/// would have said; where none came in, the sampler decides.
///
/// For a request without context `trace_id` is the id that the new trace gets.
pub fn decide(incoming: Decision, trace_id: TraceId, roots: &RootSampler, now: Instant) -> bool {
    match incoming {
        Decision::Sampled => true,
        Decision::NotSampled => false,
        Decision::Deferred => roots.decide(trace_id, now),
    }
}

/// How many traces one stands for that was kept with this `tracestate`: 1 over the probability that OpenTelemetry's member
/// says (`ot=th:c`). 1 where it says none, or nothing that can be read, and a million at most: it is the sender's word.
pub fn weight(trace_state: &str) -> f64 {
    let threshold = || {
        let members = trace_state.split(',').map(str::trim);
        let ot = members
            .into_iter()
            .find_map(|member| member.strip_prefix("ot="))?;
        let digits = ot.split(';').find_map(|field| field.strip_prefix("th:"))?;
        let is_read = (1..=DIGITS).contains(&digits.len());
        let value = u64::from_str_radix(digits, 16).ok().filter(|_| is_read)?;
        // Zeros at the end are left out.
        Some(value << (4 * (DIGITS - digits.len())))
    };
    let all = 1_u64 << RANDOM_BITS;
    let weight = |threshold| all as f64 / (all - threshold) as f64;
    threshold().map_or(1.0, weight).min(MAX_WEIGHT)
}

/// Nobody keeps less than one trace in so many and means to count by them.
const MAX_WEIGHT: f64 = 1e6;

/// Hexadecimal digits of a threshold.
const DIGITS: usize = RANDOM_BITS as usize / 4;

/// Rejection threshold of OpenTelemetry's probability sampling: (1 - ratio) * 2^56.
fn threshold(ratio: f64) -> u64 {
    // `as` saturates, and takes NaN to 0. 2^56 has an exact f64, and so has the product near the ends.
    let kept = (ratio.clamp(0.0, 1.0) * (1u64 << RANDOM_BITS) as f64) as u64;
    (1 << RANDOM_BITS) - kept
}

/// Fills at its rate, and lets one through for each token.
#[derive(Clone, Debug)]
struct TokenBucket {
    per_second: f64,
    tokens: f64,
    filled: Option<Instant>,
}

impl TokenBucket {
    fn full(per_second: f64) -> Self {
        let per_second = per_second.max(0.0);
        Self {
            per_second,
            tokens: capacity(per_second),
            filled: None,
        }
    }

    fn set_rate(&mut self, per_second: f64) {
        self.per_second = per_second.max(0.0);
        self.tokens = self.tokens.min(capacity(self.per_second));
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = self.filled.map_or(0.0, |filled| {
            now.saturating_duration_since(filled).as_secs_f64()
        });
        self.filled = self.filled.max(Some(now));
        self.tokens = (self.tokens + passed * self.per_second).min(capacity(self.per_second));
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// One second's worth, and never less than one event, so that a rate below 1 lets any through; a rate
/// of zero lets none.
fn capacity(per_second: f64) -> f64 {
    if per_second > 0.0 {
        per_second.max(1.0)
    } else {
        0.0
    }
}
