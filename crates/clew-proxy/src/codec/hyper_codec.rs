//! hyper's low-level connections as a [`Codec`].

use super::{
    BodyError, BoxError, Break, ClientConnection, Codec, HttpVersion, IncomingBody, Io,
    OutgoingBody, SendError, Serve, ServeError,
};
use crate::config::Limits;
use crate::lifecycle::Connections;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Either;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn as client;
use hyper::server::conn as server;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// hyper 1.
pub(crate) struct Hyper;

/// Streams of one HTTP/2 connection that a client may open.
const MAX_STREAMS: u32 = 1024;
/// Bytes of HTTP/2 flow-control window that a stream has: enough for a fast peer on a fast network, small
/// enough that many streams do not hold much.
const STREAM_WINDOW: u32 = 64 * 1024;
/// Room for every stream: a window is given back when a body is read on, so with less, a few streams that nobody
/// reads would stop all others of the connection.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * MAX_STREAMS;

impl Codec for Hyper {
    type Body = HyperBody;
    type Client<B: OutgoingBody> = HyperClient<B>;

    async fn serve<S: Serve<HyperBody>>(
        io: Io,
        version: HttpVersion,
        limits: &Limits,
        service: Rc<S>,
        connections: &Connections,
    ) -> Result<(), ServeError> {
        let flooded = Rc::clone(&service);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let answer = Rc::clone(&service).call(request.map(HyperBody));
            // A block around it would keep it twice.
            answer.map(Ok::<_, Infallible>)
        });
        let io = TokioIo::new(io);
        let result = match version {
            HttpVersion::Http1 => {
                let mut builder = server::http1::Builder::new();
                builder
                    .timer(TokioTimer::new())
                    .header_read_timeout(limits.head_timeout)
                    .max_buf_size(limits.max_head_bytes.max(8 * 1024))
                    .auto_date_header(false);
                let connection = builder.serve_connection(io, service).with_upgrades();
                connections
                    .drive(connection, |connection| connection.graceful_shutdown())
                    .await
            }
            HttpVersion::Http2 => {
                let mut builder = server::http2::Builder::new(LocalExecutor);
                builder
                    .timer(TokioTimer::new())
                    .initial_stream_window_size(STREAM_WINDOW)
                    .initial_connection_window_size(CONNECTION_WINDOW)
                    .max_concurrent_streams(MAX_STREAMS)
                    .max_header_list_size(max_header_list(limits))
                    .auto_date_header(false);
                let connection = builder.serve_connection(io, service);
                let driving =
                    connections.drive(connection, |connection| connection.graceful_shutdown());
                tokio::select! {
                    ended = driving => ended,
                    () = flooded.flooded() => return Err(ServeError::Flood),
                }
            }
        };
        match result {
            None | Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(serve_error(&error)),
        }
    }

    async fn open<B: OutgoingBody>(
        io: Io,
        version: HttpVersion,
        limits: &Limits,
    ) -> Result<HyperClient<B>, BoxError> {
        let io = TokioIo::new(io);
        match version {
            HttpVersion::Http1 => {
                let (sender, connection) = client::http1::Builder::new()
                    .max_buf_size(limits.max_head_bytes.max(8 * 1024))
                    .handshake(io)
                    .await?;
                let connection = connection.with_upgrades();
                // What goes wrong on the connection reaches the one request that it carries.
                tokio::task::spawn_local(async move { drop(connection.await) });
                Ok(HyperClient::Http1(sender))
            }
            HttpVersion::Http2 => {
                let (sender, connection) = client::http2::Builder::new(LocalExecutor)
                    .timer(TokioTimer::new())
                    .initial_stream_window_size(STREAM_WINDOW)
                    .initial_connection_window_size(CONNECTION_WINDOW)
                    .max_header_list_size(max_header_list(limits))
                    .handshake(io)
                    .await?;
                tokio::task::spawn_local(async move { drop(connection.await) });
                Ok(HyperClient::Http2(sender))
            }
        }
    }
}

/// Where the codec itself refuses a head, without telling anyone. It is more than a request may have, so that
/// heads that are just too large are refused, and counted, by those above.
fn max_header_list(limits: &Limits) -> u32 {
    u32::try_from(limits.max_head_bytes.saturating_mul(4)).unwrap_or(u32::MAX)
}

fn serve_error(error: &hyper::Error) -> ServeError {
    if error.is_parse_too_large() {
        ServeError::HeadTooLarge
    } else if error.is_parse() || breaks_http2(error) {
        ServeError::Malformed
    } else if error.is_timeout() {
        ServeError::HeadTimeout
    } else {
        ServeError::Broken
    }
}

/// The codec has ended the connection, for what came on it broke the protocol.
fn breaks_http2(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<h2::Error>())
        .is_some_and(|error| {
            error.is_library() && error.is_go_away() && error.reason() != Some(h2::Reason::NO_ERROR)
        })
}

/// Runs hyper's HTTP/2 tasks on the thread that owns the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Body of a message that came in.
pub(crate) struct HyperBody(Incoming);

impl IncomingBody for HyperBody {}

impl Body for HyperBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.0)
            .poll_frame(cx)
            .map_err(|error| BodyError {
                cause: break_of(&error),
                source: Box::new(error),
            })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Connection to a server.
pub(crate) enum HyperClient<B> {
    Http1(client::http1::SendRequest<B>),
    Http2(client::http2::SendRequest<B>),
}

impl<B: OutgoingBody> ClientConnection<B, HyperBody> for HyperClient<B> {
    fn is_ready(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_ready(),
            Self::Http2(sender) => sender.is_ready(),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }

    fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(sender) => Some(Self::Http2(sender.clone())),
        }
    }

    fn send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<HyperBody>, SendError<B>>> + use<B> {
        // The request is handed over now, and is not kept in the future.
        let sending = match self {
            Self::Http1(sender) => Either::Left(sender.try_send_request(request)),
            Self::Http2(sender) => Either::Right(sender.try_send_request(request)),
        };
        async move {
            match sending.await {
                Ok(response) => Ok(response.map(HyperBody)),
                Err(mut failed) => Err(SendError {
                    unsent: failed.take_message(),
                    cause: break_of(failed.error()),
                }),
            }
        }
    }
}

fn break_of(error: &hyper::Error) -> Break {
    if error.is_user() {
        return Break::RequestBody;
    }
    if error.is_parse() {
        return Break::Malformed;
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            return match (h2.is_reset(), h2.is_library()) {
                (true, false) => Break::Reset,
                // Our side has reset the stream, for what came on it broke the protocol.
                (true, true) => Break::Malformed,
                (false, _) => Break::Closed,
            };
        }
        if let Some(io) = cause.downcast_ref::<io::Error>()
            && matches!(
                io.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            )
        {
            // Chunks that are none.
            return Break::Malformed;
        }
        source = cause.source();
    }
    Break::Closed
}

/// A message whose connection can be taken over.
pub(crate) trait CanUpgrade {
    fn on_upgrade(self) -> hyper::upgrade::OnUpgrade;
}

impl<B> CanUpgrade for &mut Request<B> {
    fn on_upgrade(self) -> hyper::upgrade::OnUpgrade {
        hyper::upgrade::on(self)
    }
}

impl<B> CanUpgrade for &mut Response<B> {
    fn on_upgrade(self) -> hyper::upgrade::OnUpgrade {
        hyper::upgrade::on(self)
    }
}

pub(super) fn upgrade<M: CanUpgrade>(
    message: M,
) -> impl Future<Output = Result<Io, BoxError>> + 'static {
    let on_upgrade = message.on_upgrade();
    async move { Ok(Io::tunnel(on_upgrade.await?)) }
}
