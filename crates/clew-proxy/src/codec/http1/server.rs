//! Connections of clients: requests are read one after the other, answered, and their answers sent.
//!
//! Everything that a request needs is polled from here: reading its body, asking the server, reading the answer.

use super::body::{Decoded, Decoder};
use super::channel::{Channel, Incoming, Sending, SendingError, Shared};
use super::encode::{self, Answering, Framing};
use super::head::{self, Asked, HeadError, HeadScan, RequestHead};
use crate::codec::{InBody, Io, Serve, ServeError};
use crate::config::Limits;
use crate::lifecycle::Connections;
use http::header::UPGRADE;
use http::{Method, Request, Response, Version};
use http_body::Body as _;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// What is left of a request when its answer is complete is read and thrown away, for this long and up to this size, so
/// that the next request is found.
const LINGER: Duration = Duration::from_secs(1);
const MAX_LEFT: usize = 64 * 1024;
/// The same where no other request is answered. A connection that is closed with bytes unread is reset, and the client
/// may lose the answer with it; the system's own buffers hold megabytes.
const MAX_LINGER: usize = 16 * 1024 * 1024;
/// Pipelined requests are read ahead this far, to see whether the client is still there.
const MAX_AHEAD: usize = 64 * 1024;

/// Serves one connection to its end.
pub(crate) async fn serve<S: Serve>(
    io: Io,
    limits: &Limits,
    service: Rc<S>,
    connections: &Connections,
) {
    let closing = Cell::new(false);
    let connection = Connection {
        channel: Channel::shared(io),
        limits,
        service,
        closing: &closing,
    };
    connections
        .drive(connection.run(), |_| closing.set(true))
        .await;
}

struct Connection<'a, S> {
    channel: Shared,
    limits: &'a Limits,
    service: Rc<S>,
    /// The proxy drains: no other request is answered.
    closing: &'a Cell<bool>,
}

/// How an exchange ended.
enum Ended {
    /// Another may follow.
    Kept,
    /// The connection is over.
    Over,
    /// It was complete, but the client may still be sending.
    Unread,
}

impl<S: Serve> Connection<'_, S> {
    async fn run(&self) {
        let sleep = pin!(tokio::time::sleep(self.limits.client_idle_timeout));
        let mut bound = WaitBound { sleep, until: None };
        loop {
            let mut scan = HeadScan::default();
            let read = poll_fn(|cx| self.poll_head(&mut scan, &mut bound, cx)).await;
            let ended = match read {
                // In a box, so that an idle connection holds no room for it.
                Ok(Some(head)) => Box::pin(self.exchange(head)).await,
                Ok(None) => return,
                Err(error) => return Box::pin(self.refuse(error)).await,
            };
            match ended {
                Ended::Kept => bound.until = None,
                Ended::Over => return,
                Ended::Unread => return Box::pin(self.linger()).await,
            }
        }
    }

    /// Reads the head of the next request; `None` when the connection ended before there was one.
    fn poll_head(
        &self,
        scan: &mut HeadScan,
        bound: &mut WaitBound<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<RequestHead>, ServeError>> {
        let wire = &mut self.channel.borrow_mut().wire;
        loop {
            let is_first_look = scan.is_fresh();
            match scan.take(&mut wire.input, self.limits.max_head_bytes) {
                Ok(Some(bytes)) => {
                    return Poll::Ready(head::request(&bytes).map(Some).map_err(refused));
                }
                Ok(None) if is_first_look && !wire.input.is_empty() => {
                    head::refuse_early(&wire.input).map_err(refused)?;
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(refused(error))),
            }
            // Half an empty line is no beginning.
            let is_idle = matches!(*wire.input, [] | [b'\r']);
            match wire.poll_fill(cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) if is_idle => return Poll::Ready(Ok(None)),
                Poll::Ready(_) => return Poll::Ready(Err(ServeError::Broken)),
                Poll::Pending if is_idle && self.closing.get() => return Poll::Ready(Ok(None)),
                Poll::Pending if is_idle => {
                    wire.rest();
                    ready!(bound.poll(Waiting::Idle, self.limits.client_idle_timeout, cx));
                    return Poll::Ready(Ok(None));
                }
                Poll::Pending => {
                    ready!(bound.poll(Waiting::Head, self.limits.head_timeout, cx));
                    return Poll::Ready(Err(ServeError::HeadTimeout));
                }
            }
        }
    }

    /// Answers one request.
    async fn exchange(&self, head: RequestHead) -> Ended {
        let RequestHead {
            request,
            length,
            keep_alive,
            expects_continue,
        } = head;
        let asked = Asked {
            is_head: request.method() == Method::HEAD,
            is_connect: request.method() == Method::CONNECT,
            asks_upgrade: request.headers().contains_key(UPGRADE),
        };
        let version = request.version();
        let request = self.begin(request, Decoder::new(length));
        let Some(response) = self.ask(request).await else {
            return Ended::Over;
        };
        let is_lost = {
            let mut channel = self.channel.borrow_mut();
            channel.takes_interim = false;
            let waits = expects_continue && !channel.told_to_continue && !channel.decoder.is_done();
            waits || channel.decoder.is_broken()
        };
        let answering = Answering {
            asked,
            version,
            // Whether a client sends the body that it was not told to send, nobody can tell.
            close: !keep_alive || is_lost || self.closing.get(),
        };
        if head::is_handover(asked, response.status()) {
            return self.hand_over(response, &answering).await;
        }
        let sent = self.answer(response, &answering).await;
        match sent {
            Err(()) => Ended::Over,
            Ok(true) => self.ended(),
            Ok(false) => self.read_rest().await,
        }
    }

    /// The message begins: its body is read through the request.
    fn begin(&self, request: Request<()>, decoder: Decoder) -> Request<InBody> {
        let mut channel = self.channel.borrow_mut();
        channel.begin(decoder);
        channel.heir = None;
        channel.told_to_continue = false;
        channel.takes_interim = request.version() == Version::HTTP_11;
        drop(channel);
        request.map(|()| InBody::Http1(Incoming::new(&self.channel)))
    }

    /// Has the request answered; `None` when the client has gone.
    async fn ask(&self, request: Request<InBody>) -> Option<Response<S::Body>> {
        let mut call = pin!(Rc::clone(&self.service).call(request));
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => {
                ready!(self.poll_gone(cx));
                Poll::Ready(None)
            }
        })
        .await
    }

    /// Ready when the client has gone. Looks only while nobody else reads, and a while ahead; interim responses go out.
    fn poll_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        let channel = &mut *self.channel.borrow_mut();
        if !channel.wire.output.is_empty()
            && let Poll::Ready(Err(_)) = channel.wire.poll_flush(cx)
        {
            return Poll::Ready(());
        }
        while channel.decoder.is_done() && channel.wire.input.len() < MAX_AHEAD {
            match ready!(channel.wire.poll_fill(cx)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Sends an answer, and says whether it was the last one. An error: the connection is over, because the client has
    /// gone or the answer broke.
    async fn answer(&self, response: Response<S::Body>, answering: &Answering) -> Result<bool, ()> {
        let (head, body) = response.into_parts();
        let framing = encode::response_framing(answering, head.status, body.size_hint().exact());
        let output = |out: &mut Vec<u8>| encode::response_head(out, &head, answering, framing);
        self.channel.borrow_mut().wire.output.write(output);
        drop(head);
        let mut sending = Sending::new(body, framing);
        let sent = poll_fn(|cx| match sending.poll(&self.channel, cx) {
            Poll::Ready(sent) => Poll::Ready(Some(sent)),
            Poll::Pending => {
                ready!(self.poll_gone(cx));
                Poll::Ready(None)
            }
        });
        match sent.await {
            Some(Ok(())) => Ok(answering.close || framing == Framing::UntilClose),
            Some(Err(SendingError::Body(_))) => {
                // Closed, it would look complete where only the end of the connection tells.
                self.channel.borrow_mut().wire.reset_when_dropped();
                Err(())
            }
            Some(Err(SendingError::Connection)) | None => Err(()),
        }
    }

    /// The last exchange is over.
    fn ended(&self) -> Ended {
        let channel = self.channel.borrow();
        match channel.decoder.is_done() && channel.wire.input.is_empty() {
            true => Ended::Over,
            false => Ended::Unread,
        }
    }

    /// Reads what is left of the request, so that the next one can be found.
    async fn read_rest(&self) -> Ended {
        if self.channel.borrow().decoder.is_done() {
            return Ended::Kept;
        }
        let mut left = MAX_LEFT;
        let reading = poll_fn(|cx| {
            loop {
                match ready!(self.channel.borrow_mut().poll_body(cx)) {
                    Ok(Decoded::Data(data)) if data.len() <= left => left -= data.len(),
                    Ok(Decoded::Trailers(_) | Decoded::More) => {}
                    Ok(Decoded::End) => return Poll::Ready(Ended::Kept),
                    Ok(Decoded::Data(_)) | Err(_) => return Poll::Ready(Ended::Unread),
                }
            }
        });
        let read = tokio::time::timeout(LINGER, reading).await;
        read.unwrap_or(Ended::Unread)
    }

    /// The connection stops being HTTP.
    async fn hand_over(&self, response: Response<S::Body>, answering: &Answering) -> Ended {
        let (head, _) = response.into_parts();
        let answering = Answering {
            close: false,
            version: Version::HTTP_11,
            ..*answering
        };
        let write = |out: &mut Vec<u8>| {
            encode::response_head(out, &head, &answering, Framing::None);
        };
        self.channel.borrow_mut().wire.output.write(write);
        // Who waits for a connection that breaks now hears of it.
        let heir = self.channel.borrow_mut().heir.take();
        let flushed = poll_fn(|cx| self.channel.borrow_mut().wire.poll_flush(cx)).await;
        let channel = &mut *self.channel.borrow_mut();
        if flushed.is_ok()
            && let (Some(heir), Some(io)) = (heir, channel.wire.take())
        {
            // Who does not want it any more closes it.
            let _ = heir.send(io);
        }
        Ended::Over
    }

    /// Tells the client why nothing it sends is read any more.
    async fn refuse(&self, error: ServeError) {
        let Some(response) = self.service.refused(error) else {
            return;
        };
        let answering = Answering {
            asked: Asked::default(),
            version: Version::HTTP_11,
            close: true,
        };
        if self.answer(response, &answering).await.is_ok() {
            self.linger().await;
        }
    }

    async fn shut_down(&self) {
        let shut_down = poll_fn(|cx| self.channel.borrow_mut().wire.poll_shutdown(cx)).await;
        drop(shut_down);
    }

    /// Ends our side, and reads what the client is still sending until it ends its own.
    async fn linger(&self) {
        self.shut_down().await;
        let mut left = MAX_LINGER;
        let reading = poll_fn(|cx| {
            let wire = &mut self.channel.borrow_mut().wire;
            loop {
                match wire.input.len().checked_sub(left) {
                    Some(_) => return Poll::Ready(()),
                    None => left -= wire.input.len(),
                }
                wire.input.clear();
                match ready!(wire.poll_fill(cx)) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Poll::Ready(()),
                }
            }
        });
        // Who goes on for longer does not wait for the answer.
        let _ = tokio::time::timeout(LINGER, reading).await;
    }
}

fn refused(error: HeadError) -> ServeError {
    match error {
        HeadError::Malformed => ServeError::Malformed,
        HeadError::TooLarge => ServeError::HeadTooLarge,
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// The first byte of a request.
    Idle,
    /// The rest of its head.
    Head,
}

/// The bound of a wait. The timer is set once and left alone while requests come and go: when it goes off, it is
/// looked up how long has been waited really.
struct WaitBound<'a> {
    sleep: Pin<&'a mut Sleep>,
    until: Option<(Waiting, Instant)>,
}

impl WaitBound<'_> {
    /// Ready when this wait, which began when it was first polled, has been longer than `limit`.
    fn poll(&mut self, waiting: Waiting, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let until = match self.until {
            Some((same, until)) if same == waiting => until,
            _ => {
                let until = Instant::now() + limit;
                self.until = Some((waiting, until));
                if until < self.sleep.deadline() {
                    self.sleep.as_mut().reset(until);
                }
                until
            }
        };
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(until);
        }
    }
}
