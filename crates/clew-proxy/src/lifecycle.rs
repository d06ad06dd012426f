//! The end of connections: gracefully when the proxy drains, by force after its deadline.
//!
//! Draining costs nothing while nobody drains: a connection looks at one flag of its own thread when it
//! has nothing else to do, and the thread wakes every connection once when the flag changes.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The open connections of one data-plane thread.
#[derive(Default)]
pub(crate) struct Connections {
    stage: Cell<Stage>,
    /// Wakers by slot; freed slots are used again.
    wakers: RefCell<Vec<Option<Waker>>>,
    free: RefCell<Vec<usize>>,
    idle: tokio::sync::Notify,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stage {
    /// Serving.
    #[default]
    Open,
    /// Open requests may finish.
    Draining,
    /// Everything ends now.
    Forced,
}

impl Connections {
    /// How far the end has come.
    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Resolves when the thread drains. To be polled inside of [`Self::drive`] only, which wakes it.
    pub(crate) fn draining(&self) -> impl Future<Output = ()> {
        std::future::poll_fn(|_| match self.stage.get() {
            Stage::Open => Poll::Pending,
            Stage::Draining | Stage::Forced => Poll::Ready(()),
        })
    }

    /// Number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.wakers.borrow().len() - self.free.borrow().len()
    }

    /// Moves on to a later stage and tells every connection.
    pub(crate) fn advance(&self, stage: Stage) {
        self.stage.set(stage);
        for waker in self.wakers.borrow_mut().iter_mut().filter_map(Option::take) {
            waker.wake();
        }
        if self.open() == 0 {
            self.idle.notify_waiters();
        }
    }

    /// Waits until no connection is open.
    pub(crate) async fn closed(&self) {
        loop {
            let notified = self.idle.notified();
            if self.open() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// Drives a connection to its end. When the thread drains, `graceful` is called once; when it is
    /// forced, the connection is dropped and the answer is `None`.
    pub(crate) async fn drive<F: Future>(
        &self,
        connection: F,
        graceful: impl FnOnce(Pin<&mut F>),
    ) -> Option<F::Output> {
        let slot = Slot::new(self);
        let mut connection = std::pin::pin!(connection);
        let mut graceful = Some(graceful);
        std::future::poll_fn(|cx| {
            if self.stage.get() == Stage::Forced {
                return Poll::Ready(None);
            }
            let mut poll = connection.as_mut().poll(cx);
            // After it was polled: a connection that has not read yet what has come already would end
            // without an answer to it.
            if poll.is_pending()
                && self.stage.get() == Stage::Draining
                && let Some(graceful) = graceful.take()
            {
                graceful(connection.as_mut());
                poll = connection.as_mut().poll(cx);
            }
            if poll.is_pending() {
                slot.watch(cx);
            }
            poll.map(Some)
        })
        .await
    }
}

/// Place of one connection in the table, given back when the connection ends.
struct Slot<'a> {
    connections: &'a Connections,
    index: usize,
}

impl<'a> Slot<'a> {
    fn new(connections: &'a Connections) -> Self {
        let index = connections.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut wakers = connections.wakers.borrow_mut();
            wakers.push(None);
            wakers.len() - 1
        });
        Self { connections, index }
    }

    fn watch(&self, cx: &Context<'_>) {
        let mut wakers = self.connections.wakers.borrow_mut();
        let waker = &mut wakers[self.index];
        match waker {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.connections.wakers.borrow_mut()[self.index] = None;
        self.connections.free.borrow_mut().push(self.index);
        if self.connections.open() == 0 {
            self.connections.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
