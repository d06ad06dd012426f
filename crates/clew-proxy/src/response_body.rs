//! The body of a response on its way to the client. It owns the hop, so that the hop ends when the
//! stream does.

use crate::codec::{BodyError, BoxError, Break, InBody, OutgoingBody};
use crate::endpoint::Lease;
use crate::error::Reason;
use crate::hop::End;
use crate::open_hop::OpenHop;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Body of a response to a client.
pub(crate) enum ResponseBody {
    /// None.
    Empty,
    /// The mesh's own words.
    Text(Option<Bytes>),
    /// Passed through from the server.
    Relayed(Box<Relay>),
}

impl ResponseBody {
    /// The mesh's own words.
    pub(crate) fn text(text: String) -> Self {
        Self::Text(Some(text.into()))
    }

    /// Relays a server's body and closes the hops at its end.
    pub(crate) fn relay(body: InBody, hops: Hops, lease: Lease) -> Self {
        if body.is_end_stream() {
            hops.close(End::Complete);
            lease.give_back();
            return Self::Empty;
        }
        Self::Relayed(Box::new(Relay {
            body,
            open: Some((hops, lease)),
        }))
    }
}

/// The hops of one request: its own, and at the gateway the one at the edge around it.
pub(crate) struct Hops {
    /// The hop whose peer is the server.
    pub(crate) inner: OpenHop,
    /// The hop whose peer is the client, at the gateway.
    pub(crate) outer: Option<OpenHop>,
}

impl Hops {
    /// One hop alone.
    pub(crate) fn of(hop: OpenHop) -> Self {
        Self {
            inner: hop,
            outer: None,
        }
    }

    /// Does the same to each.
    pub(crate) fn each(&mut self, mut f: impl FnMut(&mut OpenHop)) {
        f(&mut self.inner);
        if let Some(outer) = &mut self.outer {
            f(outer);
        }
    }

    /// Closes them, the inner one first.
    pub(crate) fn close(self, end: End) {
        self.inner.close(end);
        if let Some(outer) = self.outer {
            outer.close(end);
        }
    }
}

/// A server's body in flight.
pub(crate) struct Relay {
    body: InBody,
    open: Option<(Hops, Lease)>,
}

impl Relay {
    fn end(&mut self, end: End) {
        if let Some((hops, lease)) = self.open.take() {
            hops.close(end);
            if end == End::Complete {
                lease.give_back();
            }
        }
    }

    /// There is more of it than came at once.
    fn watch(&mut self) {
        if let Some((hops, _)) = &mut self.open {
            hops.each(OpenHop::watch);
        }
    }

    fn note(&mut self, frame: &Frame<Bytes>) {
        let Some((hops, _)) = &mut self.open else {
            return;
        };
        if let Some(data) = frame.data_ref() {
            hops.each(|hop| hop.response_data(data.len()));
        } else if let Some(trailers) = frame.trailers_ref() {
            hops.each(|hop| hop.grpc_status(trailers));
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The codec drops the body when the client has gone, but also when it knows, from the content
        // length, that nothing more will come. Otherwise the hops see to their end themselves.
        if self.body.is_end_stream() {
            self.end(End::Complete);
        }
    }
}

impl OutgoingBody for ResponseBody {
    fn poll_alongside(&mut self, cx: &mut Context<'_>) -> Result<(), BoxError> {
        let Self::Relayed(relay) = self else {
            return Ok(());
        };
        relay
            .body
            .poll_alongside(cx)
            .map_err(|BodyError { cause, source }| {
                relay.end(End::Failed(reason_of(cause)));
                source
            })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let relay = match &mut *self {
            Self::Empty => return Poll::Ready(None),
            Self::Text(text) => return Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Relayed(relay) => relay,
        };
        let Poll::Ready(polled) = Pin::new(&mut relay.body).poll_frame(cx) else {
            relay.watch();
            return Poll::Pending;
        };
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                relay.note(&frame);
                if relay.body.is_end_stream() {
                    relay.end(End::Complete);
                } else {
                    relay.watch();
                }
                Some(Ok(frame))
            }
            Some(Err(BodyError { cause, source })) => {
                relay.end(End::Failed(reason_of(cause)));
                Some(Err(source))
            }
            None => {
                relay.end(End::Complete);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_none(),
            Self::Relayed(relay) => relay.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Text(text) => {
                SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64))
            }
            Self::Relayed(relay) => relay.body.size_hint(),
        }
    }
}

/// What a break on the way to the server is called.
pub(crate) fn reason_of(cause: Break) -> Reason {
    match cause {
        Break::Closed => Reason::ServerClosed,
        Break::Reset => Reason::ServerReset,
        Break::Malformed => Reason::MalformedResponse,
        Break::RequestBody => Reason::ClientCancelled,
    }
}
