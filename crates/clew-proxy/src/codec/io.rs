//! A connection's bytes, wherever they come from.

use crate::meter::Meter;
use bytes::{Buf, Bytes};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection or a tunnel inside one, with the bytes that were read ahead of time.
///
/// One concrete type, so that the codec and everything above are compiled once.
pub(crate) struct Io {
    prefix: Bytes,
    stream: Stream,
    /// Counts what goes to and comes from a peer.
    meter: Option<Arc<Meter>>,
    heard: Option<Arc<Heard>>,
}

/// Whether bytes have come since one last looked. It stays on the connection's thread; that it could leave it is
/// asked for by hyper's upgrades.
#[derive(Default)]
pub(crate) struct Heard(AtomicBool);

impl Heard {
    /// Looks, and forgets.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

enum Stream {
    Tcp(TcpStream),
    Tunnel(Box<TokioIo<Upgraded>>),
}

impl Io {
    /// A TCP connection of which nothing was read.
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        Self {
            prefix: Bytes::new(),
            stream: Stream::Tcp(stream),
            meter: None,
            heard: None,
        }
    }

    /// The same, and what goes to and comes from the other side is counted.
    pub(crate) fn metered(stream: TcpStream, meter: Arc<Meter>) -> Self {
        Self {
            meter: Some(meter),
            ..Self::tcp(stream)
        }
    }

    /// Who counts its bytes, where someone does.
    pub(crate) fn meter(&self) -> Option<&Arc<Meter>> {
        self.meter.as_ref()
    }

    /// What runs inside an upgraded connection.
    pub(super) fn tunnel(upgraded: Upgraded) -> Self {
        Self {
            prefix: Bytes::new(),
            stream: Stream::Tunnel(Box::new(TokioIo::new(upgraded))),
            // The connection around it is counted, where it is one to a peer.
            meter: None,
            heard: None,
        }
    }

    /// Waits until there is something to read, or the end. Inside a tunnel that cannot be told, and it waits
    /// for ever.
    pub(crate) async fn readable(&self) {
        if self.prefix.is_empty() {
            match &self.stream {
                // An error shows when it is read.
                Stream::Tcp(tcp) => drop(tcp.readable().await),
                Stream::Tunnel(_) => std::future::pending().await,
            }
        }
    }

    /// The other side is to see a reset, and not an end, when this value is dropped. A tunnel inside a
    /// connection only ends.
    pub(crate) fn reset_when_dropped(&self) {
        if let Stream::Tcp(tcp) = &self.stream {
            // Best effort: a connection that has broken already cannot be told.
            drop(tcp.set_zero_linger());
        }
    }

    /// Notes whether bytes come.
    pub(crate) fn heard_by(mut self, heard: Arc<Heard>) -> Self {
        self.heard = Some(heard);
        self
    }

    /// Puts bytes back that were read from it; they will be read again first.
    pub(crate) fn unread(mut self, bytes: Bytes) -> Self {
        debug_assert!(
            self.prefix.is_empty(),
            "bytes are put back once, before anything else is read"
        );
        self.prefix = bytes;
        self
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(heard) = &self.heard
            && !self.prefix.is_empty()
        {
            heard.0.store(true, Ordering::Relaxed);
        }
        if !self.prefix.is_empty() {
            let n = self.prefix.len().min(buf.remaining());
            buf.put_slice(&self.prefix[..n]);
            self.prefix.advance(n);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let poll = match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_read(cx, buf),
        };
        let read = buf.filled().len() - before;
        if let Some(meter) = &self.meter {
            meter.read(read);
        }
        if let Some(heard) = self.heard.as_ref().filter(|_| read > 0) {
            heard.0.store(true, Ordering::Relaxed);
        }
        poll
    }
}

impl Io {
    fn count_written(&self, poll: &Poll<io::Result<usize>>) {
        if let (Some(meter), Poll::Ready(Ok(bytes))) = (&self.meter, poll) {
            meter.written(*bytes);
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Stream::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_write(cx, buf),
        };
        self.count_written(&poll);
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Stream::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_write_vectored(cx, bufs),
        };
        self.count_written(&poll);
        poll
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Tcp(tcp) => tcp.is_write_vectored(),
            Stream::Tunnel(tunnel) => tunnel.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tunnel(tunnel) => Pin::new(tunnel.as_mut()).poll_shutdown(cx),
        }
    }
}
