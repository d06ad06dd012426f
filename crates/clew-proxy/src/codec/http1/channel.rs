//! One connection and the message that is being read from it: shared by whoever drives the connection and the body
//! that it gave away. All of them run in one task, so that a request has one task and not three.

use super::body::{DecodeError, Decoded, Decoder};
use super::encode::Framing;
use super::wire::Wire;
use crate::codec::{BodyError, BoxError, Break, Io, OutgoingBody};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A connection, shared within its thread.
pub(super) type Shared = Rc<RefCell<Channel>>;

pub(super) struct Channel {
    pub(super) wire: Wire,
    /// Reads the body of the message that came last.
    pub(super) decoder: Decoder,
    /// Grows with each message: a body that outlives its own reads nothing of the next.
    pub(super) message: u64,
    /// As a client: the request's body, as long as it is being sent.
    pub(super) upload: Option<Sending<Box<dyn OutgoingBody>>>,
    /// As a client: the connection may carry another request when this one is over.
    pub(super) is_reusable: bool,
    /// As a server: who wants the connection when the answer says that it stops being HTTP.
    pub(super) heir: Option<oneshot::Sender<Io>>,
    /// As a server: the client understands interim responses, and none of the answer was sent.
    pub(super) takes_interim: bool,
    /// As a server: the client was told to send the body that it has announced.
    pub(super) told_to_continue: bool,
}

impl Channel {
    pub(super) fn new(io: Io) -> Self {
        Self {
            wire: Wire::new(io),
            decoder: Decoder::done(),
            message: 0,
            upload: None,
            is_reusable: true,
            heir: None,
            takes_interim: false,
            told_to_continue: false,
        }
    }

    pub(super) fn shared(io: Io) -> Shared {
        Rc::new(RefCell::new(Self::new(io)))
    }

    /// The next message begins; its body is read with this.
    pub(super) fn begin(&mut self, decoder: Decoder) {
        self.message += 1;
        self.decoder = decoder;
    }

    /// The next piece of the body.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Decoded, BodyError>> {
        let wire = &mut self.wire;
        loop {
            match self.decoder.decode(&mut wire.input, wire.has_ended) {
                Ok(Decoded::More) => {
                    if let Err(error) = ready!(wire.poll_fill(cx)) {
                        return Poll::Ready(Err(broken(Break::Closed, error)));
                    }
                }
                Ok(decoded) => return Poll::Ready(Ok(decoded)),
                Err(error @ DecodeError::Malformed) => {
                    return Poll::Ready(Err(broken(Break::Malformed, error)));
                }
                Err(error @ DecodeError::Closed) => {
                    return Poll::Ready(Err(broken(Break::Closed, error)));
                }
            }
        }
    }
}

fn broken(cause: Break, source: impl Into<BoxError>) -> BodyError {
    BodyError {
        cause,
        source: source.into(),
    }
}

/// Body of a message that came in.
pub(crate) struct Incoming {
    channel: Shared,
    message: u64,
}

impl Incoming {
    /// The body of the message that has just begun.
    pub(super) fn new(channel: &Shared) -> Self {
        Self {
            channel: Rc::clone(channel),
            message: channel.borrow().message,
        }
    }

    fn is_current(&self) -> bool {
        self.channel.borrow().message == self.message
    }

    /// Of a request: the connection, once the answer has said that it stops being HTTP.
    pub(crate) fn inherit(&mut self) -> oneshot::Receiver<Io> {
        let (heir, inherited) = oneshot::channel();
        if self.is_current() {
            self.channel.borrow_mut().heir = Some(heir);
        }
        inherited
    }

    /// Of a response that says that the connection stops being HTTP: the connection.
    pub(crate) fn take_connection(&mut self) -> Option<Io> {
        let mut channel = self.channel.borrow_mut();
        channel.is_reusable = false;
        // It holds the client's connection, and who waits for that holds this one.
        channel.upload = None;
        channel.wire.take()
    }

    /// Of a request: where interim responses go.
    pub(crate) fn interim(&self) -> Interim {
        Interim {
            channel: Rc::clone(&self.channel),
            message: self.message,
        }
    }

    /// The rest of a request's body goes to the server while its answer comes. Whether it fails does not matter to the
    /// answer, unless it was the client who broke off.
    pub(crate) fn poll_upload(&self, cx: &mut Context<'_>) -> Result<(), BodyError> {
        let Some(mut upload) = self.channel.borrow_mut().upload.take() else {
            return Ok(());
        };
        match upload.poll(&self.channel, cx) {
            Poll::Pending => self.channel.borrow_mut().upload = Some(upload),
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(SendingError::Connection)) => {
                self.channel.borrow_mut().is_reusable = false;
            }
            Poll::Ready(Err(SendingError::Body(error))) => {
                self.channel.borrow_mut().is_reusable = false;
                return Err(broken(Break::RequestBody, error));
            }
        }
        Ok(())
    }
}

/// The answer was complete, or the connection given up, before this was read.
#[derive(Debug, thiserror::Error)]
#[error("the exchange that the body belongs to is over")]
struct Over;

impl Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.is_current() {
            return Poll::Ready(Some(Err(broken(Break::Closed, Over))));
        }
        if let Err(error) = self.poll_upload(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        let decoded = ready!(self.channel.borrow_mut().poll_body(cx));
        Poll::Ready(match decoded {
            Ok(Decoded::Data(data)) => Some(Ok(Frame::data(data))),
            Ok(Decoded::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Ok(Decoded::End | Decoded::More) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        let channel = self.channel.borrow();
        channel.message != self.message || channel.decoder.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let channel = self.channel.borrow();
        let remaining = match channel.message == self.message {
            true => channel.decoder.remaining(),
            false => Some(0),
        };
        remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Where interim responses to one request go.
#[derive(Clone)]
pub(crate) struct Interim {
    channel: Shared,
    message: u64,
}

impl Interim {
    /// Passes one on, unless the client does not understand it or has so many to read already that it reads none.
    pub(crate) fn send(&self, response: &Response<()>) {
        let mut channel = self.channel.borrow_mut();
        if channel.message != self.message
            || !channel.takes_interim
            || channel.wire.output.is_full()
        {
            return;
        }
        channel.told_to_continue |= response.status() == StatusCode::CONTINUE;
        let (status, headers) = (response.status(), response.headers());
        let output = &mut channel.wire.output;
        output.write(|out| super::encode::interim_head(out, status, headers));
    }
}

/// A body that never pauses lets others run after so many flushes: the other direction of its own exchange, too.
const MOST_FLUSHES: u32 = 4;

/// A body on its way out.
pub(super) struct Sending<B> {
    pub(super) body: B,
    pub(super) framing: Framing,
    pub(super) has_ended: bool,
}

/// Why a body did not go out.
#[derive(Debug)]
pub(super) enum SendingError {
    /// It broke, or is not as long as was said.
    Body(BoxError),
    /// Nobody is there to get it.
    Connection,
}

/// The body is shorter or longer than its head says.
#[derive(Debug, thiserror::Error)]
#[error("the body is not as long as its head says")]
struct NotAsSaid;

impl<B: OutgoingBody> Sending<B> {
    pub(super) fn new(body: B, framing: Framing) -> Self {
        Self {
            body,
            framing,
            has_ended: false,
        }
    }

    /// Sends what there is. Ready when all of it, and what was to go before it, has been sent.
    ///
    /// The connection is not borrowed while the body is asked: its bytes may come from any other.
    pub(super) fn poll(
        &mut self,
        to: &RefCell<Channel>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendingError>> {
        let mut flushes = 0;
        loop {
            if self.has_ended || to.borrow().wire.output.is_full() {
                let flushed = to.borrow_mut().wire.poll_flush(cx);
                if flushed.is_pending() && !self.has_ended {
                    self.body.poll_alongside(cx).map_err(SendingError::Body)?;
                }
                ready!(flushed).map_err(|_| SendingError::Connection)?;
                if self.has_ended {
                    return Poll::Ready(Ok(()));
                }
                flushes += 1;
                if flushes == MOST_FLUSHES {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            let polled = match self.body.is_end_stream() {
                true => Poll::Ready(None),
                false => Pin::new(&mut self.body).poll_frame(cx),
            };
            let wire = &mut to.borrow_mut().wire;
            let added = match polled {
                Poll::Ready(Some(Ok(frame))) => self.framing.frame(frame, &mut wire.output),
                Poll::Ready(None) => {
                    self.has_ended = true;
                    self.framing.end(&mut wire.output)
                }
                Poll::Ready(Some(Err(error))) => {
                    // What there was of it is passed on, as far as that goes at once.
                    let _ = wire.poll_flush(cx);
                    return Poll::Ready(Err(SendingError::Body(error)));
                }
                Poll::Pending => {
                    return match wire.poll_flush(cx) {
                        Poll::Ready(Err(_)) => Poll::Ready(Err(SendingError::Connection)),
                        _ => Poll::Pending,
                    };
                }
            };
            if added.is_err() {
                let _ = wire.poll_flush(cx);
                return Poll::Ready(Err(SendingError::Body(Box::new(NotAsSaid))));
            }
        }
    }
}

#[cfg(test)]
mod tests;
