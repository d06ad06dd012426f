//! How much a connection puts up with from a client that makes requests only to give them up ("rapid reset",
//! CVE-2023-44487): each costs the proxy and the application their work, and the client nothing.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Requests given up at once before anything is concluded.
const MAX_GIVEN_UP: u32 = 500;
/// One that was waited for this long is given up for a reason.
const AT_ONCE: Duration = Duration::from_secs(1);

/// What the requests of one connection have come to.
#[derive(Default)]
pub(crate) struct Patience {
    asked: Cell<u32>,
    given_up: Cell<u32>,
    over: Notify,
}

/// A request that is not answered yet. Dropped, it was given up.
pub(crate) struct Asked {
    patience: Rc<Patience>,
    since: Instant,
    is_answered: bool,
}

impl Patience {
    /// One more request.
    pub(crate) fn asked(self: &Rc<Self>, now: Instant) -> Asked {
        self.asked.set(self.asked.get().saturating_add(1));
        Asked {
            patience: Rc::clone(self),
            since: now,
            is_answered: false,
        }
    }

    /// Resolves when patience is over: hundreds were given up at once, and they are more than half of all.
    pub(crate) fn flooded(&self) -> impl Future<Output = ()> {
        self.over.notified()
    }

    fn given_up(&self) {
        let given_up = self.given_up.get().saturating_add(1);
        self.given_up.set(given_up);
        if given_up >= MAX_GIVEN_UP && given_up > self.asked.get() / 2 {
            self.over.notify_one();
        }
    }
}

impl Asked {
    /// The head of the answer is there.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.is_answered && self.since.elapsed() < AT_ONCE {
            self.patience.given_up();
        }
    }
}
