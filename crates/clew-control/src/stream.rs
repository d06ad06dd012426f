//! Streams that follow a value: what every answer of control that does not end is made of.

use clew_runtime::drain::DrainWatch;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::Status;

/// An answer that does not end.
pub(crate) type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// Opens streams, up to a number, until the drain begins.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    permits: Arc<Semaphore>,
    limit: usize,
    /// Of their own, so that those who watch never keep members out.
    to_join: Arc<Semaphore>,
    drain: DrainWatch,
}

impl Streams {
    /// Room for so many streams, and for twice as many as there may be members that join: one that joins again
    /// may do so before its earlier stream is seen to be broken.
    pub(crate) fn new(limit: usize, max_members: usize, drain: DrainWatch) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        let joins = max_members.saturating_mul(2).min(Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(limit)),
            limit,
            to_join: Arc::new(Semaphore::new(joins)),
            drain,
        }
    }

    /// Leave to open a stream that is a membership.
    pub(crate) fn permit_to_join(&self) -> Result<OwnedSemaphorePermit, Status> {
        let permit = Arc::clone(&self.to_join).try_acquire_owned();
        permit.map_err(|_| Status::resource_exhausted("control has as many members as it may have"))
    }

    /// Sends what `news` makes of the value, now and after each change.
    ///
    /// `news` compares with what it has said before; an error of it ends the stream. Changes that come
    /// while earlier messages wait to be read are seen as one. When the drain begins the stream ends.
    pub(crate) fn follow<V, T, F>(
        &self,
        value: watch::Receiver<V>,
        news: F,
    ) -> Result<Answers<T>, Status>
    where
        V: Clone + Send + Sync + 'static,
        T: Send + 'static,
        F: FnMut(&V) -> Result<Vec<T>, Status> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            tracing::warn!(
                limit = self.limit,
                "a stream is refused: there are too many"
            );
            Status::resource_exhausted(format!(
                "control has {} open streams, which is all it may have",
                self.limit
            ))
        })?;
        Ok(self.follow_by(permit, value, news))
    }

    /// The same, by leave that was had before.
    pub(crate) fn follow_by<V, T, F>(
        &self,
        permit: OwnedSemaphorePermit,
        value: watch::Receiver<V>,
        news: F,
    ) -> Answers<T>
    where
        V: Clone + Send + Sync + 'static,
        T: Send + 'static,
        F: FnMut(&V) -> Result<Vec<T>, Status> + Send + 'static,
    {
        let follower = Follower {
            value,
            news,
            queue: VecDeque::new(),
            state: State::Unread,
            _permit: permit,
        };
        let answers = stream::unfold(follower, |mut follower| async move {
            let answer = follower.next().await?;
            Some((answer, follower))
        });
        self.until_drain(answers).boxed()
    }

    /// The stream, until the drain begins.
    pub(crate) fn until_drain<S: Stream>(&self, stream: S) -> impl Stream<Item = S::Item> + use<S> {
        let drain = self.drain.clone();
        stream.take_until(async move { drain.started().await })
    }
}

struct Follower<V, T, F> {
    value: watch::Receiver<V>,
    news: F,
    queue: VecDeque<T>,
    state: State,
    _permit: OwnedSemaphorePermit,
}

#[derive(PartialEq)]
enum State {
    /// The value has not been looked at.
    Unread,
    /// It has, and is waited for to change.
    Read,
    /// The error has been sent.
    Ended,
}

impl<V: Clone, T, F: FnMut(&V) -> Result<Vec<T>, Status>> Follower<V, T, F> {
    async fn next(&mut self) -> Option<Result<T, Status>> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(Ok(message));
            }
            match self.state {
                State::Unread => self.state = State::Read,
                // The value's owner is gone: control has ended.
                State::Read => self.value.changed().await.ok()?,
                State::Ended => return None,
            }
            let now = self.value.borrow_and_update().clone();
            match (self.news)(&now) {
                Ok(messages) => self.queue.extend(messages),
                Err(status) => {
                    self.state = State::Ended;
                    return Some(Err(status));
                }
            }
        }
    }
}
