//! The propagation audit: which requests are in flight in the application, which have just ended, and what an outbound
//! request shows of them ([`Evidence`]). One table for all threads of the proxy, for the application answers on one
//! thread's connection and calls through another's.

use ahash::AHashMap;
use clew_trace::audit::Evidence;
use clew_trace::{Extracted, SpanId, TraceId};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Parts of the table, so that threads seldom wait for one another.
const PARTS: usize = 16;
/// Requests in flight that a part remembers; of more than that nothing is concluded.
const MAX_IN_FLIGHT: usize = 4_096;
/// Requests that have ended, as above: the older ones are forgotten first.
const MAX_ENDED: usize = 1_024;
/// For how long one that has ended is remembered.
const MEMORY: Duration = Duration::from_secs(60);
/// What is called so soon after a request has ended may be its work.
const JUST_ENDED: Duration = Duration::from_secs(1);

/// The table.
pub(crate) struct Audit {
    parts: [Mutex<Part>; PARTS],
    in_flight: AtomicUsize,
    /// Of these, the ones that are not in the table.
    forgotten: AtomicUsize,
    /// When the last one ended, in milliseconds since the beginning; 0: none has.
    last_end_ms: AtomicU64,
    since: Instant,
}

#[derive(Default)]
struct Part {
    /// By the lower half of the trace id, which is all that some families carry.
    traces: AHashMap<u64, Trace>,
    in_flight: usize,
    /// In the order of their end.
    ended: VecDeque<(u64, Instant)>,
}

/// What this instance has of a trace.
struct Trace {
    id: TraceId,
    /// The spans that requests in flight were given.
    given: Vec<SpanId>,
    ended: Option<Instant>,
}

impl Audit {
    /// Nothing has happened yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            parts: Default::default(),
            in_flight: AtomicUsize::new(0),
            forgotten: AtomicUsize::new(0),
            last_end_ms: AtomicU64::new(0),
            since: now,
        }
    }

    /// The application is given a request with this context. It is in flight until what is returned is dropped.
    pub(crate) fn received(self: &Arc<Self>, trace: TraceId, given: SpanId) -> Received {
        self.in_flight.fetch_add(1, Relaxed);
        let mut part = self.part(trace);
        let is_remembered = part.in_flight < MAX_IN_FLIGHT;
        if is_remembered {
            part.in_flight += 1;
            let known = part.traces.entry(trace.low64()).or_insert_with(|| Trace {
                id: trace,
                given: Vec::with_capacity(1),
                ended: None,
            });
            known.given.push(given);
        } else {
            self.forgotten.fetch_add(1, Relaxed);
        }
        Received {
            audit: Arc::clone(self),
            trace,
            given,
            is_remembered,
        }
    }

    /// What a request of the application shows.
    pub(crate) fn evidence(&self, came: &Extracted, now: Instant) -> Evidence {
        let is_busy = self.in_flight.load(Relaxed) > 0;
        let Some(context) = &came.context else {
            return match came {
                _ if came.is_mangled() => Evidence::Unusable,
                _ if !came.families.is_empty() => Evidence::Decision,
                _ if is_busy => Evidence::AbsentBusy,
                _ if self.has_just_ended(now) => Evidence::AbsentAfter,
                _ => Evidence::AbsentIdle,
            };
        };
        let part = self.part(context.trace_id);
        let known = part.traces.get(&context.trace_id.low64());
        match known.filter(|known| is_same(known.id, context.trace_id)) {
            Some(known) if known.given.contains(&context.span_id) => Evidence::Given,
            Some(known) if !known.given.is_empty() => Evidence::Inside,
            Some(_) => Evidence::Ended,
            None if self.forgotten.load(Relaxed) > 0 => Evidence::Forgotten,
            None if is_busy => Evidence::OtherBusy,
            None => Evidence::OtherIdle,
        }
    }

    fn ended(&self, received: &Received, now: Instant) {
        self.in_flight.fetch_sub(1, Relaxed);
        let since = now.saturating_duration_since(self.since).as_millis();
        let ms = u64::try_from(since).unwrap_or(u64::MAX).max(1);
        self.last_end_ms.fetch_max(ms, Relaxed);
        if !received.is_remembered {
            self.forgotten.fetch_sub(1, Relaxed);
            return;
        }
        let mut part = self.part(received.trace);
        part.in_flight -= 1;
        part.end(received.trace.low64(), received.given, now);
    }

    fn has_just_ended(&self, now: Instant) -> bool {
        let last = self.last_end_ms.load(Relaxed);
        let ended = self.since + Duration::from_millis(last);
        last > 0 && now.saturating_duration_since(ended) < JUST_ENDED
    }

    fn part(&self, trace: TraceId) -> MutexGuard<'_, Part> {
        // The number of parts is a power of two, and ids are random, or nearly so, in their lowest bits.
        let index = usize::try_from(trace.low64() % PARTS as u64).unwrap_or_default();
        self.parts[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn end(&mut self, key: u64, given: SpanId, now: Instant) {
        if let Some(known) = self.traces.get_mut(&key) {
            if let Some(at) = known.given.iter().position(|span| *span == given) {
                known.given.swap_remove(at);
            }
            known.ended = Some(now);
        }
        self.ended.push_back((key, now));
        while let Some(&(key, at)) = self.ended.front()
            && (self.ended.len() > MAX_ENDED || now.saturating_duration_since(at) > MEMORY)
        {
            self.ended.pop_front();
            let is_over = |known: &Trace| known.given.is_empty() && known.ended == Some(at);
            if self.traces.get(&key).is_some_and(is_over) {
                self.traces.remove(&key);
            }
        }
    }
}

/// Whether two ids are of one trace: where one is of 64 bits, its half counts.
fn is_same(one: TraceId, other: TraceId) -> bool {
    let (high, other_high) = (one.high64(), other.high64());
    high == other_high || high == 0 || other_high == 0
}

/// A request in flight in the application. Dropped, it has ended.
pub(crate) struct Received {
    audit: Arc<Audit>,
    trace: TraceId,
    given: SpanId,
    is_remembered: bool,
}

impl Drop for Received {
    fn drop(&mut self) {
        self.audit.ended(self, Instant::now());
    }
}
