//! Connections to servers: one request at a time, sent and answered in the task of whoever asks.

use super::body::Decoder;
use super::channel::{Channel, Incoming, Sending, SendingError, Shared};
use super::encode::{self, Framing};
use super::head::{self, Asked, HeadScan};
use crate::codec::{Break, Io, OutgoingBody, SendError};
use http::header::UPGRADE;
use http::{Method, Request, Response, StatusCode};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A connection to a server.
pub(crate) struct Client {
    channel: Shared,
    max_head_bytes: usize,
}

impl Client {
    pub(crate) fn new(io: Io, max_head_bytes: usize) -> Self {
        Self {
            channel: Channel::shared(io),
            max_head_bytes,
        }
    }

    /// It cannot carry another request: an exchange is not over, or the server has closed it.
    pub(crate) fn is_closed(&self) -> bool {
        let mut channel = self.channel.borrow_mut();
        !(channel.is_reusable
            && channel.decoder.is_done()
            && channel.upload.is_none()
            && channel.wire.is_quiet())
    }

    /// Gives its buffers back.
    pub(crate) fn rest(&self) {
        self.channel.borrow_mut().wire.rest();
    }

    /// Sends a request and waits for the head of its response. `interim` gets what comes before that.
    pub(crate) fn send<B: OutgoingBody, I: FnMut(Response<()>)>(
        &mut self,
        request: Request<B>,
        mut interim: I,
    ) -> impl Future<Output = Result<Response<Incoming>, SendError<B>>> + use<B, I> {
        let channel = Rc::clone(&self.channel);
        let max_head_bytes = self.max_head_bytes;
        let mut begun = match self.is_closed() {
            true => Err(Some(request)),
            false => Ok(Waiting::new(
                begin(&mut channel.borrow_mut(), request),
                max_head_bytes,
            )),
        };
        poll_fn(move |cx| match &mut begun {
            Ok(waiting) => waiting.poll(&channel, cx, &mut interim).map_err(|cause| {
                let unsent = None;
                SendError { unsent, cause }
            }),
            Err(request) => Poll::Ready(Err(SendError {
                unsent: request.take(),
                cause: Break::Closed,
            })),
        })
    }
}

/// Writes the head; it goes out with what there is of the body when the answer is asked for.
fn begin<B: OutgoingBody>(channel: &mut Channel, request: Request<B>) -> Asked {
    let (head, body) = request.into_parts();
    let framing = match body.size_hint().exact() {
        Some(length) => Framing::Length(length),
        None => Framing::Chunked,
    };
    channel.begin(Decoder::done());
    channel.is_reusable = false;
    let output = &mut channel.wire.output;
    output.write(|out| encode::request_head(out, &head, framing));
    if !body.is_end_stream() {
        channel.upload = Some(Sending::new(Box::new(body), framing));
    }
    Asked {
        is_head: head.method == Method::HEAD,
        is_connect: head.method == Method::CONNECT,
        asks_upgrade: head.headers.contains_key(UPGRADE),
    }
}

/// Waits for the head of a response.
struct Waiting {
    asked: Asked,
    max_head_bytes: usize,
    scan: HeadScan,
    /// The server has stopped to read. It may have answered before.
    is_cut_off: bool,
}

impl Waiting {
    fn new(asked: Asked, max_head_bytes: usize) -> Self {
        Self {
            asked,
            max_head_bytes,
            scan: HeadScan::default(),
            is_cut_off: false,
        }
    }

    fn poll(
        &mut self,
        channel: &Shared,
        cx: &mut Context<'_>,
        interim: &mut impl FnMut(Response<()>),
    ) -> Poll<Result<Response<Incoming>, Break>> {
        self.poll_request(channel, cx)?;
        loop {
            let taken = {
                let wire = &mut channel.borrow_mut().wire;
                self.scan.take(&mut wire.input, self.max_head_bytes)
            };
            let Some(bytes) = taken.map_err(|_| Break::Malformed)? else {
                match ready!(channel.borrow_mut().wire.poll_fill(cx)) {
                    Ok(1..) => continue,
                    Ok(0) | Err(_) => return Poll::Ready(Err(Break::Closed)),
                }
            };
            let head = head::response(&bytes, self.asked).map_err(|_| Break::Malformed)?;
            let status = head.response.status();
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                interim(head.response);
                continue;
            }
            let mut shared = channel.borrow_mut();
            let is_sending = shared.upload.is_some() || !shared.wire.output.is_empty();
            if head::is_handover(self.asked, status) && is_sending {
                // What is left of the request would be taken for the other protocol.
                return Poll::Ready(Err(Break::Malformed));
            }
            shared.decoder = Decoder::new(head.length);
            shared.is_reusable = head.keep_alive && !self.is_cut_off;
            drop(shared);
            let body = Incoming::new(channel);
            return Poll::Ready(Ok(head.response.map(|()| body)));
        }
    }

    /// Sends what there is of the request.
    fn poll_request(
        &mut self,
        channel: &RefCell<Channel>,
        cx: &mut Context<'_>,
    ) -> Result<(), Break> {
        let upload = channel.borrow_mut().upload.take();
        let failed = match upload {
            None => match channel.borrow_mut().wire.poll_flush(cx) {
                Poll::Ready(Err(_)) => Some(SendingError::Connection),
                _ => None,
            },
            Some(mut upload) => match upload.poll(channel, cx) {
                Poll::Pending => {
                    channel.borrow_mut().upload = Some(upload);
                    None
                }
                Poll::Ready(sent) => sent.err(),
            },
        };
        match failed {
            None => Ok(()),
            Some(SendingError::Connection) => {
                self.is_cut_off = true;
                channel.borrow_mut().wire.output.clear();
                Ok(())
            }
            Some(SendingError::Body(_)) => Err(Break::RequestBody),
        }
    }
}
