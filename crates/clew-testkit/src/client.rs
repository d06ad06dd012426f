//! Clients: one connection each, so that a test knows which request goes where.

use crate::body::{self, Body, Whole};
use crate::within;
use http::header::HOST;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinHandle};

/// A connection that speaks HTTP. It is closed when the value is dropped.
#[derive(Debug)]
pub struct Client {
    sender: Sender,
    form: Form,
    connection: JoinHandle<()>,
    /// What hyper runs beside the connection.
    beside: Tasks,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// How a request says where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Path in the request line, authority in `Host`.
    Origin,
    /// As the request says: to an HTTP proxy, or in HTTP/2.
    Absolute,
}

/// A response that was read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Head.
    pub headers: HeaderMap,
    /// Body and trailers.
    pub body: Whole,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body.data).unwrap()
    }

    /// Value of a header; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// gRPC status, from the trailers or from a head that is the whole response.
    pub fn grpc_status(&self) -> Option<u16> {
        crate::grpc::status_of(&self.body.trailers)
            .or_else(|| crate::grpc::status_of(&self.headers))
    }
}

/// A request without a body. The URI names the service: `http://books/1`.
pub fn get(uri: &str) -> Request<Body> {
    request(Method::GET, uri, body::empty())
}

/// A request. The URI names the service: `http://books/1`.
pub fn request(method: Method, uri: &str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    request
}

/// A gRPC request: HTTP/2 only.
pub fn grpc(uri: &str, body: Body) -> Request<Body> {
    let mut request = request(Method::POST, uri, body);
    let headers = request.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    headers.insert("te", "trailers".parse().unwrap());
    request
}

/// The same request with one more header.
pub fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

impl Client {
    /// Speaks HTTP/1.1.
    pub async fn http1(address: SocketAddr) -> Self {
        let connected = Self::try_http1(address).await;
        connected.expect("someone who accepts connections")
    }

    /// Speaks HTTP/1.1 to someone who may be about to end: `None` when it has.
    pub async fn try_http1(address: SocketAddr) -> Option<Self> {
        let stream = connect(address).await.ok()?;
        let (sender, connection) = http1::handshake(stream).await.ok()?;
        // What goes wrong on the connection reaches the request that it carries.
        let task = tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Some(Self {
            sender: Sender::Http1(sender),
            form: Form::Origin,
            connection: task,
            beside: Tasks::default(),
        })
    }

    /// Speaks HTTP/1.1 to an HTTP proxy: the request line has the whole URI.
    pub async fn http_proxy(address: SocketAddr) -> Self {
        let mut client = Self::http1(address).await;
        client.form = Form::Absolute;
        client
    }

    /// Speaks HTTP/2 by prior knowledge.
    pub async fn http2(address: SocketAddr) -> Self {
        let beside = Tasks::default();
        let handshake = http2::handshake(beside.clone(), connect(address).await.unwrap()).await;
        let (sender, connection) = handshake.unwrap();
        let task = tokio::spawn(async move { drop(connection.await) });
        Self {
            sender: Sender::Http2(sender),
            form: Form::Absolute,
            connection: task,
            beside,
        }
    }

    /// Sends a request and gives the head of the response. Dropping the future, or the body of the
    /// response, gives the request up.
    ///
    /// # Errors
    /// The connection broke, or the stream was reset.
    pub async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let request = match (&self.sender, self.form) {
            (Sender::Http1(_), Form::Origin) => in_origin_form(with_host(request)),
            (Sender::Http1(_), Form::Absolute) => with_host(request),
            (Sender::Http2(_), _) => request,
        };
        let what = format!("the answer to {} {}", request.method(), request.uri());
        match &mut self.sender {
            Sender::Http1(sender) => {
                within("a free connection", sender.ready()).await?;
                within(&what, sender.send_request(request)).await
            }
            Sender::Http2(sender) => {
                // Each request has a handle of its own, so that many can be open.
                let mut sender = sender.clone();
                within("a free stream", sender.ready()).await?;
                within(&what, sender.send_request(request)).await
            }
        }
    }

    /// Another handle to the same HTTP/2 connection, which stays open until this value is dropped.
    ///
    /// # Panics
    /// The connection speaks HTTP/1.
    pub fn share(&self) -> Shared {
        match &self.sender {
            Sender::Http2(sender) => Shared(sender.clone()),
            Sender::Http1(_) => panic!("HTTP/1 carries one request at a time"),
        }
    }

    /// Sends a request and reads the response to its end.
    ///
    /// # Panics
    /// There is no whole response.
    pub async fn ask(&mut self, request: Request<Body>) -> Answer {
        let what = format!("{} {}", request.method(), request.uri());
        match self.send(request).await {
            Ok(response) => answer(response).await,
            Err(error) => panic!("no answer to {what}: {error:?}"),
        }
    }

    /// Closes the connection, whatever goes on.
    pub fn close(self) {}

    /// Waits until the other side has closed the connection.
    pub async fn closed(&mut self) {
        let closed = within(
            "the other side to close the connection",
            &mut self.connection,
        );
        drop(closed.await);
    }
}

/// A handle to the HTTP/2 connection of a [`Client`].
#[derive(Clone, Debug)]
pub struct Shared(http2::SendRequest<Body>);

impl Shared {
    /// As [`Client::send`].
    ///
    /// # Errors
    /// The connection broke, or the stream was reset.
    pub async fn send(
        mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        within("a free stream", self.0.ready()).await?;
        within("an answer", self.0.send_request(request)).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
        self.beside.abort();
    }
}

/// Runs hyper's tasks, until it is told to end them. hyper keeps an HTTP/2 connection in a task of its own.
#[derive(Clone, Debug, Default)]
struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl Tasks {
    fn abort(&self) {
        for task in self.lock().drain(..) {
            task.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let task = tokio::spawn(task).abort_handle();
        self.lock().push(task);
    }
}

/// Reads a response to its end.
///
/// # Panics
/// It breaks off.
pub async fn answer(response: Response<Incoming>) -> Answer {
    let (head, incoming) = response.into_parts();
    let body = match body::read(incoming).await {
        Ok(body) => body,
        Err(error) => panic!(
            "the response with status {} breaks off: {error:?}",
            head.status
        ),
    };
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}

async fn connect(address: SocketAddr) -> io::Result<TokioIo<TcpStream>> {
    let stream = within("a connection", TcpStream::connect(address)).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

fn with_host(mut request: Request<Body>) -> Request<Body> {
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(HOST)
    {
        let host = authority.as_str().parse().unwrap();
        request.headers_mut().insert(HOST, host);
    }
    request
}

fn in_origin_form(mut request: Request<Body>) -> Request<Body> {
    if request.method() != Method::CONNECT
        && let Some(path) = request.uri().path_and_query().cloned()
    {
        *request.uri_mut() = Uri::from(path);
    }
    request
}
