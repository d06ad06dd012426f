//! The body of a request on its way to the server: streamed, counted, never held.

use crate::codec::{BodyError, BoxError, Break, InBody, OutgoingBody};
use crate::error::Reason;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// What became of a request's body, seen from the hop that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    bytes: Cell<u64>,
    broken: Cell<Option<Reason>>,
    /// Since when the client is being waited for, and who waits.
    waiting: RefCell<Option<(Instant, Waker)>>,
    is_answered: Cell<bool>,
}

impl Progress {
    /// Bytes of data that came from the client so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// The server has begun to answer. From here on both may be quiet for as long as they like: whether the rest of
    /// the body is worth waiting for is up to the server.
    pub(crate) fn answered(&self) {
        self.is_answered.set(true);
    }

    /// Ends the body when the client has been waited for too long before there was an answer. To be called now and
    /// then: a timer for each body would cost every request something, for the few that are this slow.
    pub(crate) fn end_if_slow(&self, limit: Duration, now: Instant) {
        if self.is_answered.get() {
            return;
        }
        let is_slow = |since: &Instant| now.saturating_duration_since(*since) > limit;
        let slow = self
            .waiting
            .borrow_mut()
            .take_if(|(since, _)| is_slow(since));
        if let Some((_, waiting)) = slow {
            self.broken.set(Some(Reason::BodyTimeout));
            waiting.wake();
        }
    }

    fn wait(&self, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        let since = waiting
            .as_ref()
            .map_or_else(Instant::now, |(since, _)| *since);
        *waiting = Some((since, waker.clone()));
    }

    /// Why the client's part ended before its time: it broke off, or what it sent is no body.
    pub(crate) fn broken(&self) -> Option<Reason> {
        self.broken.get()
    }
}

/// The client has stopped in the middle of the body.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct Slow;

/// Body of a request to a server.
pub(crate) enum RequestBody {
    /// None.
    Empty,
    /// Passed through from the client.
    Relayed(InBody, Rc<Progress>),
}

impl RequestBody {
    /// Relays a client's body; the progress tells how far it got.
    pub(crate) fn relay(body: InBody) -> (Self, Option<Rc<Progress>>) {
        if body.is_end_stream() {
            return (Self::Empty, None);
        }
        let progress = Rc::new(Progress::default());
        (Self::Relayed(body, Rc::clone(&progress)), Some(progress))
    }

    /// There is nothing to send, so that the request can be sent twice.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl OutgoingBody for RequestBody {}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self::Relayed(body, progress) = &mut *self else {
            return Poll::Ready(None);
        };
        if progress.broken.get() == Some(Reason::BodyTimeout) {
            return Poll::Ready(Some(Err(Box::new(Slow))));
        }
        let Poll::Ready(polled) = Pin::new(body).poll_frame(cx) else {
            progress.wait(cx.waker());
            return Poll::Pending;
        };
        progress.waiting.take();
        Poll::Ready(polled.map(|frame| match frame {
            Ok(frame) => {
                if let Some(data) = frame.data_ref() {
                    progress.bytes.set(progress.bytes.get() + data.len() as u64);
                }
                Ok(frame)
            }
            Err(BodyError { cause, source }) => {
                progress.broken.set(match cause {
                    Break::Closed | Break::Reset => Some(Reason::ClientCancelled),
                    Break::Malformed => Some(Reason::MalformedRequest),
                    Break::RequestBody => None,
                });
                Err(source)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Relayed(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Relayed(body, _) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_client_that_is_waited_for_too_long_is_slow() {
        let progress = Progress::default();
        progress.wait(Waker::noop());
        progress.end_if_slow(LIMIT, Instant::now());
        assert_eq!(progress.broken(), None);
        progress.end_if_slow(LIMIT, Instant::now() + 2 * LIMIT);
        assert_eq!(progress.broken(), Some(Reason::BodyTimeout));
    }

    /// A stream in both directions may be quiet, and a server may answer without the rest of the body.
    #[test]
    fn once_there_is_an_answer_no_client_is_slow() {
        let progress = Progress::default();
        progress.wait(Waker::noop());
        progress.answered();
        progress.end_if_slow(LIMIT, Instant::now() + 2 * LIMIT);
        assert_eq!(progress.broken(), None);
    }
}
