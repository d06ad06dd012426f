//! HTTP on the wire: what the data path needs of it, whatever its version. HTTP/1 is our own, HTTP/2 is hyper's; nothing
//! above this module names either.

mod http1;
mod http2;
mod io;
mod tls;

use crate::config::Limits;
use crate::lifecycle::Connections;
use bytes::Bytes;
use futures_util::TryFutureExt;
use futures_util::future::Either;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pub use http1::fuzzing;
pub(crate) use io::Io;

/// An error in a form that every codec can carry onwards, its cause included.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Version of HTTP that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HttpVersion {
    /// HTTP/1.0 and 1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A body that is written to the wire.
pub(crate) trait OutgoingBody:
    Body<Data = Bytes, Error = BoxError> + Unpin + 'static
{
    /// Does what goes on beside it while nobody takes any more of it: who does not read may still send.
    fn poll_alongside(&mut self, _: &mut Context<'_>) -> Result<(), BoxError> {
        Ok(())
    }
}

impl OutgoingBody for Box<dyn OutgoingBody> {
    fn poll_alongside(&mut self, cx: &mut Context<'_>) -> Result<(), BoxError> {
        (**self).poll_alongside(cx)
    }
}

/// Answers the requests of one connection.
pub(crate) trait Serve: 'static {
    /// Body of the answers.
    type Body: OutgoingBody;

    /// Answers one request. Dropping the future means that the client has given up.
    fn call(
        self: Rc<Self>,
        request: Request<InBody>,
    ) -> impl Future<Output = Response<Self::Body>> + 'static;

    /// Hears of the end of a connection on which no request came, or what is none; gives what the client is told,
    /// where it can be told.
    fn refused(&self, error: ServeError) -> Option<Response<Self::Body>>;

    /// Resolves when the client has made so many requests only to give them up that the connection is to end.
    fn flooded(&self) -> impl Future<Output = ()>;
}

/// Why a connection of a client ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServeError {
    /// What came was no request.
    Malformed,
    /// The head of a request was too large.
    HeadTooLarge,
    /// Part of a head came, and the rest not in time.
    HeadTimeout,
    /// The client has flooded the connection with requests that it gave up.
    Flood,
    /// The connection broke.
    Broken,
}

/// Serves one connection to its end. Ends gracefully when `connections` drain.
pub(crate) async fn serve<S: Serve>(
    io: Io,
    version: HttpVersion,
    limits: &Limits,
    service: Rc<S>,
    connections: &Connections,
) {
    match version {
        HttpVersion::Http1 => http1::serve(io, limits, service, connections).await,
        // It is large, and connections of the other version would keep room for it.
        HttpVersion::Http2 => Box::pin(http2::serve(io, limits, service, connections)).await,
    }
}

/// A connection on which requests are sent.
pub(crate) enum Client<B> {
    /// One request at a time.
    Http1(http1::Client),
    /// As many as the server allows.
    Http2(http2::Client<B>),
}

impl<B: OutgoingBody> Client<B> {
    /// Makes a connection to a server ready for requests.
    pub(crate) async fn open(
        io: Io,
        version: HttpVersion,
        limits: &Limits,
    ) -> Result<Self, BoxError> {
        Ok(match version {
            HttpVersion::Http1 => Self::Http1(http1::Client::new(io, limits.max_head_bytes)),
            HttpVersion::Http2 => Self::Http2(http2::Client::open(io, limits).await?),
        })
    }

    /// It takes no other request.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(client) => client.is_closed(),
            Self::Http2(client) => client.is_closed(),
        }
    }

    /// A second handle for concurrent requests, where the version allows them.
    pub(crate) fn share(&self) -> Option<Self> {
        match self {
            Self::Http1(_) => None,
            Self::Http2(client) => Some(Self::Http2(client.share())),
        }
    }

    /// It is not needed for now.
    pub(crate) fn rest(&self) {
        if let Self::Http1(client) = self {
            client.rest();
        }
    }

    /// Sends a request and waits for the head of the response. Interim responses before it go to `interim`, in HTTP/1.
    ///
    /// The request is handed over at once; the future does not keep it.
    pub(crate) fn send<I: FnMut(Response<()>)>(
        &mut self,
        request: Request<B>,
        interim: I,
    ) -> impl Future<Output = Result<Response<InBody>, SendError<B>>> + use<B, I> {
        // A block that waits for a future which it was given keeps it twice.
        match self {
            Self::Http1(client) => {
                let sending = client.send(request, interim);
                Either::Left(sending.map_ok(|response| response.map(InBody::Http1)))
            }
            Self::Http2(client) => {
                let sending = client.send(request);
                Either::Right(sending.map_ok(|response| response.map(InBody::Http2)))
            }
        }
    }
}

/// Why a request got no response.
#[derive(Debug)]
pub(crate) struct SendError<B> {
    /// The request, when the server has seen nothing of it.
    pub(crate) unsent: Option<Request<B>>,
    /// What happened.
    pub(crate) cause: Break,
}

/// How an exchange with a server broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// The connection was closed.
    Closed,
    /// The stream was reset.
    Reset,
    /// What came is no response.
    Malformed,
    /// The body of the request failed, because the client did.
    RequestBody,
}

/// Body of a message that came in.
pub(crate) enum InBody {
    /// On a connection of HTTP/1.
    Http1(http1::Incoming),
    /// In a stream of HTTP/2.
    Http2(hyper::body::Incoming),
}

impl InBody {
    /// Of a request: where interim responses to it go.
    pub(crate) fn interim(&self) -> Interim {
        match self {
            Self::Http1(body) => Interim(Some(body.interim())),
            Self::Http2(_) => Interim(None),
        }
    }

    /// Of a response: the rest of the request goes on, though nobody takes the response.
    pub(crate) fn poll_alongside(&self, cx: &mut Context<'_>) -> Result<(), BodyError> {
        match self {
            Self::Http1(body) => body.poll_upload(cx),
            Self::Http2(_) => Ok(()),
        }
    }

    /// Of a request: the connection, once the answer to it says that it stops being HTTP (an upgrade, or CONNECT).
    pub(crate) fn inherit(&mut self) -> impl Future<Output = Option<Io>> + use<> {
        let inherited = match self {
            Self::Http1(body) => Some(body.inherit()),
            Self::Http2(_) => None,
        };
        async move { inherited?.await.ok() }
    }

    /// Of a response that says that the connection stops being HTTP: the connection.
    pub(crate) fn take_connection(&mut self) -> Option<Io> {
        match self {
            Self::Http1(body) => body.take_connection(),
            Self::Http2(_) => None,
        }
    }
}

/// Where interim responses (1xx) to one request go.
#[derive(Clone)]
pub(crate) struct Interim(Option<http1::Interim>);

impl Interim {
    /// Passes one on. In HTTP/2 it is lost, for hyper cannot send it.
    pub(crate) fn send(&self, response: &Response<()>) {
        if let Some(interim) = &self.0 {
            interim.send(response);
        }
    }
}

impl Body for InBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Http1(body) => Pin::new(body).poll_frame(cx),
            Self::Http2(body) => Pin::new(body).poll_frame(cx).map_err(http2::body_error),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

/// A body broke before its end.
#[derive(Debug)]
pub(crate) struct BodyError {
    /// How.
    pub(crate) cause: Break,
    /// The codec's own error, to be carried on: a reset keeps its code.
    pub(crate) source: BoxError,
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body ended before its time")
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}
