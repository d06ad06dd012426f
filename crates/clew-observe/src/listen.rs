//! Ports: binding them, serving HTTP on them, and ending.

#[cfg(test)]
mod tests;

use axum::serve::Listener;
use clew_runtime::drain::DrainWatch;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections that one port holds open; past it, new ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_024;

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
    pub(crate) async fn serve(self, router: axum::Router, drain: DrainWatch) {
        let begun = drain.clone();
        let server =
            axum::serve(self, router).with_graceful_shutdown(async move { begun.started().await });
        tokio::select! {
            result = server => {
                if let Err(error) = result {
                    tracing::error!(%error, "a server of observe ended");
                }
            }
            () = drain.forced() => {}
        }
    }
}

impl Listener for BoundPort {
    type Io = HeldConnection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (HeldConnection, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        // Listener's own accept: it waits a second when the process is out of descriptors.
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        // Answers are written at once; an error only means that the peer has gone.
        let _ = stream.set_nodelay(true);
        (
            HeldConnection {
                stream,
                _place: place,
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that holds its place among those that a port may have.
#[derive(Debug)]
pub(crate) struct HeldConnection {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for HeldConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
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
