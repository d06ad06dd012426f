//! HTTP/2, by hyper's low-level connections.

use super::{BodyError, BoxError, Break, InBody, Io, OutgoingBody, SendError, Serve, ServeError};
use crate::config::Limits;
use crate::lifecycle::Connections;
use futures_util::{FutureExt, TryFutureExt};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2 as client;
use hyper::server::conn::http2 as server;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::rc::Rc;

/// Streams of one connection that a client may open.
const MAX_STREAMS: u32 = 1024;
/// Bytes of flow-control window that a stream has: enough for a fast peer on a fast network, small enough that many
/// streams do not hold much.
const STREAM_WINDOW: u32 = 64 * 1024;
/// Room for every stream: a window is given back when a body is read on, so with less, a few streams that nobody
/// reads would stop all others of the connection.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * MAX_STREAMS;

/// Serves one connection to its end.
pub(super) async fn serve<S: Serve>(
    io: Io,
    limits: &Limits,
    service: Rc<S>,
    connections: &Connections,
) {
    let watching = Rc::clone(&service);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let answer = Rc::clone(&service).call(request.map(InBody::Http2));
        // A block around it would keep it twice.
        answer.map(Ok::<_, Infallible>)
    });
    let mut builder = server::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(max_header_list(limits))
        .auto_date_header(false);
    let connection = builder.serve_connection(TokioIo::new(io), service);
    let driving = connections.drive(connection, |connection| connection.graceful_shutdown());
    let error = tokio::select! {
        ended = driving => match ended {
            None | Some(Ok(())) => return,
            Some(Err(error)) => serve_error(&error),
        },
        () = watching.flooded() => ServeError::Flood,
    };
    // hyper has told the client already, in its own words.
    drop(watching.refused(error));
}

/// Where the codec itself refuses a head, without telling anyone. It is more than a request may have, so that
/// heads that are just too large are refused, and counted, by those above.
fn max_header_list(limits: &Limits) -> u32 {
    u32::try_from(limits.max_head_bytes.saturating_mul(4)).unwrap_or(u32::MAX)
}

/// How the codec ended the connection, where it did: for what came broke the protocol, or was more than it puts up with.
fn serve_error(error: &hyper::Error) -> ServeError {
    let ended = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<h2::Error>())
        .filter(|error| error.is_library() && error.is_go_away())
        .and_then(h2::Error::reason);
    match ended {
        None | Some(h2::Reason::NO_ERROR) => ServeError::Broken,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => ServeError::Flood,
        Some(_) => ServeError::Malformed,
    }
}

/// Runs hyper's tasks on the thread that owns the connection.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Connection to a server.
pub(crate) struct Client<B>(client::SendRequest<B>);

impl<B> Client<B> {
    /// A second handle for the same connection.
    pub(super) fn share(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: OutgoingBody> Client<B> {
    /// Performs the handshake on a new connection and drives it in a task of its own.
    pub(super) async fn open(io: Io, limits: &Limits) -> Result<Self, BoxError> {
        let (sender, connection) = client::Builder::new(LocalExecutor)
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(max_header_list(limits))
            .handshake(TokioIo::new(io))
            .await?;
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Self(sender))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Sends a request and waits for the head of its response. hyper takes the request over at once, and keeps interim
    /// responses to itself.
    pub(super) fn send(
        &mut self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, SendError<B>>> + use<B> {
        let sending = self.0.try_send_request(request);
        sending.map_err(|mut failed| SendError {
            unsent: failed.take_message(),
            cause: break_of(failed.error()),
        })
    }
}

/// What the failure of a body means.
pub(super) fn body_error(error: hyper::Error) -> BodyError {
    BodyError {
        cause: break_of(&error),
        source: Box::new(error),
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
            && io.kind() == io::ErrorKind::InvalidData
        {
            return Break::Malformed;
        }
        source = cause.source();
    }
    Break::Closed
}
