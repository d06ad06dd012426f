//! The propagation audit: which requests are in flight in the application, which have just ended, and what an outbound
//! request shows of them ([`Evidence`]). One table for all threads of the proxy, for the application answers on one
//! thread's connection and calls through another's.
//!
//! The same look-up counts what a request in flight calls, by the ids that the call carries ([`Calls`]).

mod busy;
mod calls;
mod ended;
mod examples;

pub(crate) use self::busy::Busy;
pub(crate) use self::calls::Calls;
pub(crate) use self::examples::{Example, Given, Sent};

use self::ended::Ended;
use self::examples::Examples;

use crate::hop::SeriesKey;
use ahash::AHashMap;
use clew_trace::audit::Evidence;
use clew_trace::{Extracted, SpanId, TraceId};
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Parts of the table, so that threads seldom wait for one another.
const PARTS: usize = 16;
/// Requests in flight that a part remembers; of more than that nothing is concluded.
const MAX_IN_FLIGHT: usize = 4_096;
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
    busy: Arc<Busy>,
    examples: Examples,
}

/// On lines of memory of its own, for threads.
#[derive(Default)]
#[repr(align(128))]
struct Part {
    /// Those with requests in flight, by the lower half of their ids, which is all that some families carry.
    traces: AHashMap<u64, Trace>,
    in_flight: usize,
    /// Number of the next request.
    next: u64,
    ended: Ended,
}

/// A trace with requests in flight.
struct Trace {
    id: TraceId,
    in_flight: Vec<InFlight>,
}

/// A request in flight.
struct InFlight {
    /// Tells it from others of its part.
    number: u64,
    /// What the application was given. Several may have the same, where context was passed on to them unchanged.
    given: Given,
    calls: Vec<Calls>,
}

impl Trace {
    /// The one request in flight that a call with this parent was made for, when there can be no other.
    fn cause(&mut self, parent: SpanId) -> Option<&mut InFlight> {
        let is_alone = self.in_flight.len() == 1;
        let mut candidates = self
            .in_flight
            .iter_mut()
            .filter(|request| is_alone || request.given.span == parent);
        let first = candidates.next()?;
        candidates.next().is_none().then_some(first)
    }
}

/// What a request of the application shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) evidence: Evidence,
    /// The request in flight that it was made for, when its ids tell.
    pub(crate) cause: Option<Cause>,
}

/// A request in flight, as one that was made for it remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    trace: TraceId,
    number: u64,
}

impl Audit {
    /// Nothing has happened yet.
    pub(crate) fn new(now: Instant, busy: Arc<Busy>) -> Self {
        Self {
            parts: Default::default(),
            in_flight: AtomicUsize::new(0),
            forgotten: AtomicUsize::new(0),
            last_end_ms: AtomicU64::new(0),
            since: now,
            busy,
            examples: Examples::default(),
        }
    }

    /// The application is given a request with this context. It is in flight until what is returned is dropped.
    pub(crate) fn received(self: &Arc<Self>, given: Given, now: Instant) -> Received {
        let trace = given.trace;
        if self.in_flight.fetch_add(1, Relaxed) == 0 {
            self.busy.note(now, || self.is_busy());
        }
        let mut part = self.part(trace);
        let is_remembered = part.in_flight < MAX_IN_FLIGHT;
        let number = part.next;
        if is_remembered {
            part.in_flight += 1;
            part.next += 1;
            let known = part.traces.entry(trace.low64()).or_insert_with(|| Trace {
                id: trace,
                in_flight: Vec::with_capacity(1),
            });
            known.in_flight.push(InFlight {
                number,
                given,
                calls: Vec::new(),
            });
        } else {
            self.forgotten.fetch_add(1, Relaxed);
        }
        Received {
            audit: Arc::clone(self),
            cause: Cause { trace, number },
            is_remembered,
            is_over: false,
        }
    }

    /// What a request of the application with these labels shows. It is counted as a call of the one that it was made
    /// for.
    pub(crate) fn look(
        &self,
        came: &Extracted,
        call: &SeriesKey,
        now: Instant,
        unix_nano: u64,
    ) -> Seen {
        let seen = self.compare(came, call, now);
        if Examples::show(seen.evidence) {
            let context = came.context.as_ref();
            let sent = Sent {
                evidence: seen.evidence,
                unix_nano,
                families: came.families,
                unusable: came.unusable,
                context: context.map(|context| (context.trace_id, context.span_id)),
            };
            let beside = || (self.any_in_flight(), self.in_flight.load(Relaxed));
            self.examples.keep(call, sent, now, beside);
        }
        seen
    }

    /// Calls that speak against the application, or may: of each route the last one.
    pub(crate) fn examples(&self) -> Vec<Example> {
        self.examples.all()
    }

    /// One that is in flight. Looks through the table: for examples, of which there are few.
    fn any_in_flight(&self) -> Option<Given> {
        let parts = self.parts.iter();
        let mut parts = parts.map(|part| part.lock().unwrap_or_else(PoisonError::into_inner));
        parts.find_map(|part| {
            let mut traces = part.traces.values().filter(|_| part.in_flight > 0);
            traces.find_map(|trace| Some(trace.in_flight.first()?.given.clone()))
        })
    }

    fn compare(&self, came: &Extracted, call: &SeriesKey, now: Instant) -> Seen {
        let Some(context) = &came.context else {
            return self.without_context(came, now).into();
        };
        let mut part = self.part(context.trace_id);
        let Part { traces, ended, .. } = &mut *part;
        let known = traces.get_mut(&context.trace_id.low64());
        let Some(known) = known.filter(|known| is_same(known.id, context.trace_id)) else {
            let evidence = match () {
                () if ended.has(context.trace_id, self.millis(now)) => Evidence::Ended,
                () if self.forgotten.load(Relaxed) > 0 => Evidence::Forgotten,
                () if self.is_busy() => Evidence::OtherBusy,
                () => Evidence::OtherIdle,
            };
            return evidence.into();
        };
        let parent = context.span_id;
        let mut in_flight = known.in_flight.iter();
        let evidence = if in_flight.any(|request| request.given.span == parent) {
            Evidence::Given
        } else {
            Evidence::Inside
        };
        let trace = known.id;
        let cause = known.cause(parent).map(|request| {
            calls::count(&mut request.calls, call);
            Cause {
                trace,
                number: request.number,
            }
        });
        Seen { evidence, cause }
    }

    fn without_context(&self, came: &Extracted, now: Instant) -> Evidence {
        match came {
            _ if came.is_mangled() => Evidence::Unusable,
            _ if !came.families.is_empty() => Evidence::Decision,
            _ if self.is_busy() => Evidence::AbsentBusy,
            _ if self.has_just_ended(now) => Evidence::AbsentAfter,
            _ => Evidence::AbsentIdle,
        }
    }

    /// A call that was made for a request has failed.
    pub(crate) fn failed(&self, cause: Cause, call: &SeriesKey) {
        let mut part = self.part(cause.trace);
        let known = part.traces.get_mut(&cause.trace.low64());
        let in_flight = known.map(|known| known.in_flight.as_mut_slice());
        let mut in_flight = in_flight.unwrap_or_default().iter_mut();
        // It may have ended meanwhile.
        if let Some(request) = in_flight.find(|request| request.number == cause.number) {
            calls::failed(&mut request.calls, call);
        }
    }

    fn is_busy(&self) -> bool {
        self.in_flight.load(Relaxed) > 0
    }

    fn ended(&self, received: &Received, now: Instant) -> Vec<Calls> {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.busy.note(now, || self.is_busy());
        }
        let now_ms = self.millis(now);
        self.last_end_ms.fetch_max(now_ms, Relaxed);
        if !received.is_remembered {
            self.forgotten.fetch_sub(1, Relaxed);
            return Vec::new();
        }
        let mut part = self.part(received.cause.trace);
        part.end(received.cause, now_ms)
    }

    fn has_just_ended(&self, now: Instant) -> bool {
        let last = self.last_end_ms.load(Relaxed);
        let since = self.millis(now).saturating_sub(last);
        last > 0 && u128::from(since) < JUST_ENDED.as_millis()
    }

    /// Milliseconds since the beginning, and one.
    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.since).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
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
    /// Ends a request; what it called.
    fn end(&mut self, request: Cause, now_ms: u64) -> Vec<Calls> {
        self.in_flight -= 1;
        self.ended.note(request.trace, now_ms);
        let Entry::Occupied(mut known) = self.traces.entry(request.trace.low64()) else {
            return Vec::new();
        };
        let in_flight = &mut known.get_mut().in_flight;
        let mut others = in_flight.iter();
        let Some(at) = others.position(|other| other.number == request.number) else {
            return Vec::new();
        };
        let ended = in_flight.swap_remove(at);
        if in_flight.is_empty() {
            known.remove();
        }
        ended.calls
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
    cause: Cause,
    is_remembered: bool,
    is_over: bool,
}

impl Received {
    /// The request has ended: what it called meanwhile.
    pub(crate) fn end(mut self, now: Instant) -> Vec<Calls> {
        self.is_over = true;
        self.audit.ended(&self, now)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.is_over {
            self.audit.ended(self, Instant::now());
        }
    }
}

impl From<Evidence> for Seen {
    fn from(evidence: Evidence) -> Self {
        Self {
            evidence,
            cause: None,
        }
    }
}
