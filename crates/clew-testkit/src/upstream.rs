//! Applications behind the mesh: HTTP servers whose every answer a test decides.

use crate::body::{self, Body, Whole};
use crate::within;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

/// Requests that wait for a test to take them.
const WAITING: usize = 1_024;

/// An application that gives each request to the test, which answers when it likes.
#[derive(Debug)]
pub struct Scripted {
    server: Server,
    exchanges: mpsc::Receiver<Exchange>,
}

impl Scripted {
    /// Begins to serve HTTP/1 and HTTP/2.
    pub async fn start() -> Self {
        let (sender, exchanges) = mpsc::channel(WAITING);
        let server = Server::start(move |request, connection| {
            let sender = sender.clone();
            Box::pin(async move {
                let (answer, answered) = oneshot::channel();
                let (head, body) = request.into_parts();
                let exchange = Exchange {
                    head,
                    body: Some(body),
                    connection,
                    answer,
                };
                if sender.send(exchange).await.is_err() {
                    return Err(Unanswered);
                }
                answered.await.map_err(|_| Unanswered)
            })
        })
        .await;
        Self { server, exchanges }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Connections that were opened to it so far.
    pub fn connections(&self) -> usize {
        self.server.connections.load(Ordering::Relaxed)
    }

    /// The next request.
    pub async fn next(&mut self) -> Exchange {
        within("a request at the upstream", self.exchanges.recv())
            .await
            .expect("the upstream serves")
    }

    /// Takes the next request and answers it at once.
    pub async fn answer_next(&mut self, response: Response<Body>) -> Seen {
        let mut exchange = self.next().await;
        let seen = exchange.read().await;
        exchange.answer(response);
        seen
    }

    /// No request has come that the test has not taken.
    pub fn is_quiet(&mut self) -> bool {
        self.exchanges.try_recv().is_err()
    }
}

/// A request that waits for its answer. Dropped, the connection is closed or the stream reset without one.
#[derive(Debug)]
pub struct Exchange {
    /// The request's head.
    pub head: http::request::Parts,
    /// Its body, until it is read or taken.
    pub body: Option<Incoming>,
    /// Which connection it came on: 1 for the first.
    pub connection: usize,
    answer: oneshot::Sender<Response<Body>>,
}

impl Exchange {
    /// The request's body, to be read piece by piece.
    pub fn body(&mut self) -> &mut Incoming {
        self.body
            .as_mut()
            .expect("the body is there until it is read")
    }

    /// Reads the request to its end.
    pub async fn read(&mut self) -> Seen {
        let incoming = self.body.take().expect("the body is read once");
        let body = body::read(incoming).await.expect("a whole request");
        Seen::new(&self.head, body, self.connection)
    }

    /// Answers.
    pub fn answer(self, response: Response<Body>) {
        // The proxy may have given up; then its test looks at that.
        let _ = self.answer.send(response);
    }

    /// The request, for an upgrade of its connection.
    pub fn upgrade(&mut self) -> hyper::upgrade::OnUpgrade {
        self.head
            .extensions
            .remove::<hyper::upgrade::OnUpgrade>()
            .expect("a request that can be upgraded")
    }

    /// Waits until the proxy has given the request up.
    pub async fn given_up(&mut self) {
        within("the proxy to give the request up", self.answer.closed()).await;
    }
}

/// A request that was read to its end.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Target, as the request wrote it.
    pub uri: Uri,
    /// Version.
    pub version: Version,
    /// Head.
    pub headers: HeaderMap,
    /// Body and trailers.
    pub body: Whole,
    /// Which connection it came on: 1 for the first.
    pub connection: usize,
}

impl Seen {
    fn new(head: &http::request::Parts, body: Whole, connection: usize) -> Self {
        Self {
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            headers: head.headers.clone(),
            body,
            connection,
        }
    }

    /// Value of a header; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// An application that answers by itself, and remembers what it was asked.
#[derive(Debug)]
pub struct Answering {
    server: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Answering {
    /// Begins to serve HTTP/1 and HTTP/2. Requests are read to their end, then answered.
    pub async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Seen) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let remembered = Arc::clone(&seen);
        let answer = Arc::new(answer);
        let server = Server::start(move |request, connection| {
            let (answer, remembered) = (Arc::clone(&answer), Arc::clone(&remembered));
            Box::pin(async move {
                let (head, incoming) = request.into_parts();
                let body = body::read(incoming).await.map_err(|_| Unanswered)?;
                let asked = Seen::new(&head, body, connection);
                remembered
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(asked.clone());
                Ok(answer(asked).await)
            })
        })
        .await;
        Self { server, seen }
    }

    /// Says "ok" to everything.
    pub async fn ok() -> Self {
        Self::start(|_| std::future::ready(ok("ok"))).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Connections that were opened to it so far.
    pub fn connections(&self) -> usize {
        self.server.connections.load(Ordering::Relaxed)
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// 200 with a text.
pub fn ok(text: &str) -> Response<Body> {
    Response::new(body::full(text.to_owned()))
}

/// A status without a body.
pub fn status(code: u16) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

/// The test did not answer.
#[derive(Debug)]
struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the test does not answer")
    }
}

impl std::error::Error for Unanswered {}

type Answered = Pin<Box<dyn Future<Output = Result<Response<Body>, Unanswered>> + Send>>;

/// Accepts connections until it is dropped, and closes them then.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Server {
    async fn start(
        answer: impl Fn(Request<Incoming>, usize) -> Answered + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(crate::address::loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let answer = Arc::new(answer);
        let accepting = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let connection = count.fetch_add(1, Ordering::Relaxed) + 1;
                let answer = Arc::clone(&answer);
                open.spawn(async move {
                    let service = service_fn(move |request| answer(request, connection));
                    let mut builder = Builder::new(TokioExecutor::new());
                    builder.http1().auto_date_header(false);
                    builder.http2().auto_date_header(false);
                    // What goes wrong is what the test wanted to go wrong.
                    let serving =
                        builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    drop(serving.await);
                });
            }
        });
        Self {
            address,
            connections,
            accepting: accepting.abort_handle(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
