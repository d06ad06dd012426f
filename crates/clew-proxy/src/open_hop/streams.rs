//! The hops that are looked at while they are open: those whose answer did not arrive at once. Which of them are long
//! streams is found when they are looked at, so that a short request costs a place in a list, and that only seldom.

use super::Open;
use crate::config::Limits;
use crate::report::WorkerReports;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Of so many hops all are looked at in one go.
const AT_ONCE: usize = 1_024;
/// Of more than that a part, so that all had their turn after so many times: a hundred thousand silent WebSockets
/// hold up no request.
const TURNS: usize = 10;

/// The open hops of one data-plane thread that may be long streams. There are no more than there are open requests.
pub(crate) struct OpenStreams {
    /// See [`Limits::long_stream`].
    pub(super) long_after: Duration,
    /// See [`Limits::stream_report_interval`].
    pub(super) tell_every: Duration,
    hops: RefCell<Vec<Rc<Open>>>,
    /// Where the next look begins.
    next: Cell<usize>,
}

impl OpenStreams {
    /// None yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            long_after: limits.long_stream,
            tell_every: limits.stream_report_interval,
            hops: RefCell::default(),
            next: Cell::new(0),
        }
    }

    /// Reports what has become of those that are long streams. To be called now and then.
    pub(crate) fn look(&self, reports: &WorkerReports, now: Instant) {
        let hops = self.hops.borrow();
        let all = hops.len();
        let turn = all.min(AT_ONCE.max(all.div_ceil(TURNS)));
        let first = self.next.get();
        for index in first..first + turn {
            hops[index % all].look(self, reports, now);
        }
        self.next.set((first + turn).checked_rem(all).unwrap_or(0));
    }

    /// Adds a hop that is not there.
    pub(super) fn add(&self, hop: &Rc<Open>) {
        let mut hops = self.hops.borrow_mut();
        hop.place.set(Some(hops.len()));
        hops.push(Rc::clone(hop));
    }

    /// Removes a hop if it is there.
    pub(super) fn remove(&self, hop: &Open) {
        let Some(place) = hop.place.take() else {
            return;
        };
        let mut hops = self.hops.borrow_mut();
        hops.swap_remove(place);
        if let Some(moved) = hops.get(place) {
            moved.place.set(Some(place));
        }
    }
}
