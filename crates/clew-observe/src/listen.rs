//! Ports: binding them, serving HTTP on them, and ending.

#[cfg(test)]
mod tests;

use axum::serve::Listener;
use clew_runtime::drain::DrainWatch;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Sleep;

/// Connections that one port holds open; past it, new ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;
/// In which a connection has to say what it speaks, and an HTTP/1 request its head; also how long an HTTP/1
/// connection may be idle. Without it, as many silent connections as there are places would stop a port for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// From one HTTP/2 ping to the next.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// In which a ping has to be answered.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Open requests of one HTTP/2 connection.
const MAX_STREAMS: u32 = 256;
/// Length of HTTP/2's preface: with so many bytes it is known what a connection speaks.
const PREFACE_BYTES: usize = 24;

/// An address to listen on, and how much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// This one, or it is an error. Port 0: the system chooses.
    Required(SocketAddr),
    /// This one where it is free, else one that the system chooses on the same address.
    Wanted(SocketAddr),
}

impl Port {
    /// Binds it.
    ///
    /// # Errors
    /// The address and what the system said of it.
    pub(crate) async fn bind(self) -> Result<BoundPort, (SocketAddr, io::Error)> {
        let (Self::Required(address) | Self::Wanted(address)) = self;
        let listener = match TcpListener::bind(address).await {
            Err(error)
                if self == Self::Wanted(address) && error.kind() == io::ErrorKind::AddrInUse =>
            {
                tracing::info!(%address, "this port is taken; the system chooses another");
                TcpListener::bind(SocketAddr::new(address.ip(), 0)).await
            }
            result => result,
        };
        let bound = listener.and_then(|listener| {
            let address = listener.local_addr()?;
            Ok(BoundPort {
                listener,
                address,
                places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            })
        });
        bound.map_err(|error| (address, error))
    }
}

/// A port that is bound. Connections wait in the system's queue until it is served.
#[derive(Debug)]
pub(crate) struct BoundPort {
    listener: TcpListener,
    address: SocketAddr,
    places: Arc<Semaphore>,
}

impl BoundPort {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves HTTP/1 and HTTP/2 (by prior knowledge) until the drain has ended open requests.
    pub(crate) async fn serve(mut self, router: axum::Router, drain: DrainWatch) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = drain.started() => break,
                connection = self.accept() => {
                    let service = TowerToHyperService::new(router.clone());
                    connections.spawn(serve_connection(connection, service, drain.clone()));
                }
                Some(ended) = connections.join_next() => note_panic(ended),
            }
        }
        drop(self.listener);
        let ended = async {
            while let Some(ended) = connections.join_next().await {
                note_panic(ended);
            }
        };
        tokio::select! {
            () = ended => {}
            () = drain.forced() => {}
        }
    }

    async fn accept(&mut self) -> HeldConnection {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        // Listener's own accept: it waits a second when the process is out of descriptors.
        let (stream, _) = Listener::accept(&mut self.listener).await;
        // Answers are written at once; an error only means that the peer has gone.
        let _ = stream.set_nodelay(true);
        HeldConnection {
            stream,
            opening: Some(Opening {
                deadline: Box::pin(tokio::time::sleep(HEAD_TIMEOUT)),
                bytes: 0,
            }),
            _place: place,
        }
    }
}

fn note_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection of observe ended with a panic");
    }
}

async fn serve_connection(
    connection: HeldConnection,
    service: TowerToHyperService<axum::Router>,
    drain: DrainWatch,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS);
    let serving = builder.serve_connection(TokioIo::new(connection), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = drain.started() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // The peer's doing: it went away, was silent, or does not speak HTTP.
        tracing::debug!(%error, "a connection to observe ended");
    }
}

/// A connection that holds its place among those that a port may have.
#[derive(Debug)]
struct HeldConnection {
    stream: TcpStream,
    /// Until it is known what it speaks, which the server waits for without a bound of its own.
    opening: Option<Opening>,
    _place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Opening {
    deadline: Pin<Box<Sleep>>,
    bytes: usize,
}

impl AsyncRead for HeldConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(opening) = &mut this.opening else {
            return read;
        };
        opening.bytes += buffer.filled().len() - before;
        if opening.bytes >= PREFACE_BYTES {
            this.opening = None;
        } else if read.is_pending() && opening.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for HeldConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
