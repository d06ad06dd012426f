//! How work ends: gracefully, then at a deadline, then by force.
//!
//! The owner of a process, a role or a test keeps the one [`Drain`]; everything that accepts or
//! does work gets a [`DrainWatch`]. Three moments matter:
//!
//! 1. [`Drain::start`]: [`DrainWatch::started`] resolves. Stop accepting, let open work finish.
//! 2. The grace period ends, or [`Drain::force`] is called: [`DrainWatch::forced`] resolves.
//!    End open work now.
//! 3. Every [`DrainGuard`] is gone: [`Drain::finished`] resolves.
//!
//! No task and no timer runs in the background: the deadline is a value, and each waiter sleeps
//! towards it in its own runtime. So one drain serves any number of single-threaded runtimes on
//! other threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// The owner's end: starts the drain and waits for its end.
///
/// Dropping it counts as [`Drain::start`]: work whose owner is gone must not go on for ever.
#[derive(Debug)]
pub struct Drain {
    shared: Arc<Shared>,
}

/// What accepting and working code holds. Cheap to clone, usable from any runtime.
#[derive(Clone, Debug)]
pub struct DrainWatch {
    shared: Arc<Shared>,
}

/// Held by one piece of open work (a connection, a task) until it is done.
#[derive(Debug)]
pub struct DrainGuard {
    shared: Arc<Shared>,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// All open work was done before the deadline.
    Clean,
    /// The deadline came, or force was asked for, while work was open.
    Forced {
        /// Guards that were still held at that moment.
        open: usize,
    },
}

#[derive(Debug)]
struct Shared {
    grace: Duration,
    phase: watch::Sender<Phase>,
    open: AtomicUsize,
    /// Notified whenever `open` falls to zero.
    idle: Notify,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Open,
    Draining { deadline: Option<Instant> },
    Forced,
}

impl Drain {
    /// A drain that gives open work `grace` to finish, counted from [`Drain::start`].
    ///
    /// A grace that is too long for the clock to express means: no deadline, only
    /// [`Drain::force`] ends open work.
    pub fn new(grace: Duration) -> (Drain, DrainWatch) {
        let shared = Arc::new(Shared {
            grace,
            phase: watch::Sender::new(Phase::Open),
            open: AtomicUsize::new(0),
            idle: Notify::new(),
        });
        let drain = Drain { shared };
        let watch = drain.watch();
        (drain, watch)
    }

    /// One more watch of this drain.
    pub fn watch(&self) -> DrainWatch {
        DrainWatch {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Begins the drain. The deadline counts from the first call; later calls change nothing.
    pub fn start(&self) {
        self.shared.start();
    }

    /// Ends the grace period now, and begins the drain if it has not begun.
    pub fn force(&self) {
        self.shared.phase.send_replace(Phase::Forced);
    }

    /// Work that is open at this moment.
    fn open(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Waits until the drain has begun and either no guard is held any more, or the grace is over.
    ///
    /// After [`Finished::Forced`] the work that was told to end is only just ending: join its tasks
    /// before the process exits, so that what they close is still reported.
    pub async fn finished(&self) -> Finished {
        self.shared.started().await;
        tokio::select! {
            // In this order, so that work which ended exactly at the deadline counts as finished.
            biased;
            () = self.shared.idle() => Finished::Clean,
            () = self.shared.forced() => match self.open() {
                0 => Finished::Clean,
                open => Finished::Forced { open },
            },
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.shared.start();
    }
}

impl DrainWatch {
    /// Resolves when the drain has begun: stop accepting, let open work finish.
    pub async fn started(&self) {
        self.shared.started().await;
    }

    /// Resolves when the grace is over: end open work now.
    pub async fn forced(&self) {
        self.shared.forced().await;
    }

    /// Whether the drain has begun.
    pub fn is_started(&self) -> bool {
        !matches!(*self.shared.phase.borrow(), Phase::Open)
    }

    /// Registers a piece of open work, which ends when the guard is dropped.
    ///
    /// A guard may be taken after the drain has begun: a connection that was accepted at that very
    /// moment is served too.
    pub fn guard(&self) -> DrainGuard {
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        DrainGuard {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl DrainGuard {
    /// A watch of the drain that this guard holds open.
    pub fn watch(&self) -> DrainWatch {
        DrainWatch {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        if self.shared.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.idle.notify_waiters();
        }
    }
}

impl Shared {
    fn start(&self) {
        self.phase.send_if_modified(|phase| {
            let begins = matches!(phase, Phase::Open);
            if begins {
                let deadline = Instant::now().checked_add(self.grace);
                *phase = Phase::Draining { deadline };
            }
            begins
        });
    }

    async fn started(&self) {
        let mut phase = self.phase.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = phase.wait_for(|p| !matches!(p, Phase::Open)).await;
    }

    async fn forced(&self) {
        let mut phase = self.phase.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            let deadline = match now {
                Phase::Forced => return,
                Phase::Draining { deadline } => deadline,
                Phase::Open => None,
            };
            tokio::select! {
                _ = phase.changed() => {}
                () = sleep_until(deadline) => return,
            }
        }
    }

    /// Resolves when no guard is held.
    async fn idle(&self) {
        loop {
            // Enabled before the count is read, so that a guard dropped in between is not missed.
            let mut idle = std::pin::pin!(self.idle.notified());
            idle.as_mut().enable();
            if self.open.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
