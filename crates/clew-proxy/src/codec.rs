//! What the data path needs of an HTTP implementation, as three small traits, and the choice of one.
//!
//! Nothing above this module names hyper: a faster codec is a second implementation of [`Codec`] and one
//! changed line ([`Active`]).

mod hyper_codec;
mod io;

use crate::config::Limits;
use crate::lifecycle::Connections;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::future::Future;
use std::rc::Rc;

pub(crate) use hyper_codec::Hyper;
pub(crate) use io::{Heard, Io};

/// The codec in use.
pub(crate) type Active = Hyper;
/// Body of a message that came in on a connection of the active codec.
pub(crate) type InBody = <Active as Codec>::Body;
/// Client connection of the active codec.
pub(crate) type Client<B> = <Active as Codec>::Client<B>;

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

/// Connections of one implementation of HTTP.
pub(crate) trait Codec {
    /// Body of an incoming message.
    type Body: IncomingBody;
    /// Connection to a server.
    type Client<B: OutgoingBody>: ClientConnection<B, Self::Body>;

    /// Serves one connection to its end. Ends gracefully when `connections` drain.
    fn serve<S: Serve<Self::Body>>(
        io: Io,
        version: HttpVersion,
        limits: &Limits,
        service: Rc<S>,
        connections: &Connections,
    ) -> impl Future<Output = Result<(), ServeError>>;

    /// Performs the handshake on a new connection to a server and drives it in a task of its own.
    fn open<B: OutgoingBody>(
        io: Io,
        version: HttpVersion,
        limits: &Limits,
    ) -> impl Future<Output = Result<Self::Client<B>, BoxError>>;
}

/// A body that the codec reads from the wire.
pub(crate) trait IncomingBody:
    Body<Data = Bytes, Error = BodyError> + Unpin + 'static
{
}

/// A body that the codec writes to the wire.
pub(crate) trait OutgoingBody:
    Body<Data = Bytes, Error = BoxError> + Unpin + 'static
{
}

/// Answers the requests of one connection.
pub(crate) trait Serve<B>: 'static {
    /// Body of the answers.
    type Body: OutgoingBody;

    /// Answers one request. Dropping the future means that the client has given up.
    fn call(
        self: Rc<Self>,
        request: Request<B>,
    ) -> impl Future<Output = Response<Self::Body>> + 'static;

    /// Resolves when the client has made so many requests only to give them up that the connection is to end.
    fn flooded(&self) -> impl Future<Output = ()>;
}

/// A connection on which requests are sent.
pub(crate) trait ClientConnection<Out, In>: 'static {
    /// A request may be sent at once.
    fn is_ready(&self) -> bool;

    /// The connection is over.
    fn is_closed(&self) -> bool;

    /// A second handle for concurrent requests, where the version allows them.
    fn share(&self) -> Option<Self>
    where
        Self: Sized;

    /// Sends one request and waits for the head of the response.
    ///
    /// It is handed over at once; the future only waits.
    fn send(
        &mut self,
        request: Request<Out>,
    ) -> impl Future<Output = Result<Response<In>, SendError<Out>>> + use<Self, Out, In>;
}

/// Why a connection of a client ended before its time.
#[derive(Debug)]
pub(crate) enum ServeError {
    /// What came was no request; the client has been told so if that was possible.
    Malformed,
    /// The head of a request was too large; the client has been told.
    HeadTooLarge,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The client has flooded the connection with requests that it gave up.
    Flood,
    /// The connection broke.
    Broken,
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

/// Takes the connection out of the codec's hands after an upgrade or CONNECT.
pub(crate) fn upgrade<M: hyper_codec::CanUpgrade>(
    message: M,
) -> impl Future<Output = Result<Io, BoxError>> + 'static {
    hyper_codec::upgrade(message)
}
