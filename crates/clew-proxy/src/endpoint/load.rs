//! How loaded one endpoint is, as one data-plane thread sees it: what the balancer compares.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Half-life-like constant of the latency average: old samples weigh 1/e after this long.
const LATENCY_DECAY: Duration = Duration::from_secs(10);
/// Latency that an endpoint is given before it was measured: low, so that new ones are tried.
const INITIAL_LATENCY_NS: f64 = 1_000_000.0;
/// Added for an endpoint that has not answered its first requests yet: nobody knows how slow it is, and one
/// request at a time is enough to find out while there are others.
const UNANSWERED_COST: f64 = 1e15;
/// How long an endpoint that did not accept a connection is avoided while there are others; doubled with each
/// failure in a row.
const AVOID_FOR: Duration = Duration::from_secs(1);
/// Doublings of [`AVOID_FOR`] at most.
const MAX_DOUBLINGS: u32 = 5;

/// Smoothed response time and requests in flight.
pub(super) struct Load {
    in_flight: Cell<u32>,
    /// Of these, the ones whose response has not begun.
    unanswered: Cell<u32>,
    /// Since when there is something unanswered and no answer came.
    silent_since: Cell<Instant>,
    /// Peak-sensitive moving average of the time to the response's head, in nanoseconds.
    latency_ns: Cell<f64>,
    updated: Cell<Instant>,
    /// It has answered since it was last connected to in vain, if it ever was.
    answered: Cell<bool>,
    /// Connecting failed so many times in a row.
    failures: Cell<u32>,
    /// Others are preferred until then.
    avoid_until: Cell<Option<Instant>>,
}

impl Load {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            in_flight: Cell::new(0),
            unanswered: Cell::new(0),
            silent_since: Cell::new(now),
            latency_ns: Cell::new(INITIAL_LATENCY_NS),
            updated: Cell::new(now),
            answered: Cell::new(false),
            failures: Cell::new(0),
            avoid_until: Cell::new(None),
        }
    }

    /// Connecting to it failed lately.
    pub(super) fn is_avoided(&self, now: Instant) -> bool {
        self.avoid_until.get().is_some_and(|until| now < until)
    }

    /// What another request would cost here, in arbitrary units; less is better.
    pub(super) fn cost(&self, now: Instant, weight: f64) -> f64 {
        if self.is_avoided(now) {
            return f64::MAX;
        }
        let in_flight = f64::from(self.in_flight.get());
        let is_asked = self.unanswered.get() > 0;
        if is_asked && !self.answered.get() {
            return UNANSWERED_COST + in_flight / weight;
        }
        let latency = if is_asked {
            // One that has stopped to answer is as slow as it has been silent.
            let silence = now.saturating_duration_since(self.silent_since.get());
            self.latency_ns.get().max(nanos(silence))
        } else {
            // An average that nobody feeds fades, so that a once slow endpoint is tried again.
            self.latency_ns.get() * self.weight_of_average(now)
        };
        (in_flight + 1.0) * latency.max(1.0) / weight
    }

    /// How much the average weighs against a sample of now.
    fn weight_of_average(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.updated.get());
        (-age.as_secs_f64() / LATENCY_DECAY.as_secs_f64()).exp()
    }

    fn observe(&self, latency: Duration) {
        let now = Instant::now();
        let (sample, average) = (nanos(latency), self.latency_ns.get());
        let keep = self.weight_of_average(now);
        // Peaks count at once, improvements slowly (Finagle's "peak EWMA").
        let next = if sample > average {
            sample
        } else {
            average * keep + sample * (1.0 - keep)
        };
        self.latency_ns.set(next);
        self.updated.set(now);
        self.silent_since.set(now);
        self.answered.set(true);
    }

    /// It accepted a connection.
    pub(super) fn connected(&self) {
        self.failures.set(0);
        self.avoid_until.set(None);
    }

    /// It did not accept a connection.
    pub(super) fn not_connected(&self) {
        let doublings = self.failures.get().min(MAX_DOUBLINGS);
        self.failures.set(self.failures.get().saturating_add(1));
        self.avoid_until
            .set(Some(Instant::now() + AVOID_FOR * 2_u32.pow(doublings)));
        self.answered.set(false);
    }
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// One request, or one transfer of bytes, that an endpoint is busy with until this is dropped.
pub(super) struct Place {
    load: Rc<Load>,
    is_answered: bool,
}

impl Place {
    /// Counts from before there is a connection: an endpoint that does not accept any looks busy, not idle.
    pub(super) fn take(load: &Rc<Load>) -> Self {
        if load.unanswered.get() == 0 {
            load.silent_since.set(Instant::now());
        }
        load.unanswered.set(load.unanswered.get() + 1);
        load.in_flight.set(load.in_flight.get() + 1);
        Self {
            load: Rc::clone(load),
            is_answered: false,
        }
    }

    /// The response has begun, so long after the request was sent.
    pub(super) fn answered_after(&mut self, latency: Duration) {
        self.load.observe(latency);
        self.answered();
    }

    /// Nothing is waited for any more.
    pub(super) fn answered(&mut self) {
        if !std::mem::replace(&mut self.is_answered, true) {
            decrease(&self.load.unanswered);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.answered();
        decrease(&self.load.in_flight);
    }
}

fn decrease(count: &Cell<u32>) {
    count.set(count.get().saturating_sub(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(load: &Rc<Load>, latency: Duration) {
        Place::take(load).answered_after(latency);
    }

    #[test]
    fn an_endpoint_that_stops_to_answer_costs_more_the_longer_it_is_silent() {
        let load = Rc::new(Load::new());
        answered(&load, Duration::from_millis(1));
        let at_rest = load.cost(Instant::now(), 1.0);
        let _stuck = Place::take(&load);
        let after = |seconds| load.cost(Instant::now() + Duration::from_secs(seconds), 1.0);
        assert!(after(60) > after(1) && after(1) > 100.0 * at_rest);
    }

    #[test]
    fn a_long_response_is_no_silence() {
        let load = Rc::new(Load::new());
        let mut stream = Place::take(&load);
        stream.answered_after(Duration::from_millis(1));
        let later = Instant::now() + Duration::from_secs(60);
        assert!(load.cost(later, 1.0) < 2.0 * INITIAL_LATENCY_NS);
    }

    #[test]
    fn one_that_is_being_connected_to_is_not_idle() {
        let (asked, idle) = (Rc::new(Load::new()), Rc::new(Load::new()));
        let _connecting = Place::take(&asked);
        let now = Instant::now();
        assert!(asked.cost(now, 1.0) > idle.cost(now, 1.0));
    }

    #[test]
    fn one_that_accepts_no_connection_is_avoided_for_longer_each_time() {
        let load = Load::new();
        let is_avoided = |seconds| load.is_avoided(Instant::now() + Duration::from_secs(seconds));
        load.not_connected();
        assert!(is_avoided(0) && !is_avoided(2));
        load.not_connected();
        load.not_connected();
        assert!(is_avoided(2) && !is_avoided(5));
        load.connected();
        assert!(!is_avoided(0));
    }
}
