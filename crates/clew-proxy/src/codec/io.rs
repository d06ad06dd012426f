//! A connection's bytes, wherever they come from.

use super::tls::TlsStream;
use crate::meter::Meter;
use bytes::{Buf, Bytes};
use clew_identity::Credentials;
use clew_model::identity::Identity;
use rustls::Connection;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection with the bytes that were read ahead of time.
pub(crate) struct Io {
    prefix: Bytes,
    stream: Stream,
    /// Counts what goes to and comes from a peer.
    meter: Option<Rc<Meter>>,
}

enum Stream {
    /// In clear.
    Tcp(TcpStream),
    /// With a peer that has proven who it is.
    Tls {
        stream: Box<TlsStream>,
        peer: Identity,
    },
}

impl Io {
    /// A TCP connection of which nothing was read.
    pub(crate) fn tcp(tcp: TcpStream) -> Self {
        Self {
            prefix: Bytes::new(),
            stream: Stream::Tcp(tcp),
            meter: None,
        }
    }

    /// The same, and what goes to and comes from the other side is counted.
    pub(crate) fn metered(tcp: TcpStream, meter: Rc<Meter>) -> Self {
        Self {
            meter: Some(meter),
            ..Self::tcp(tcp)
        }
    }

    /// The connection after a TLS handshake, in which the other side has proven who it is. What was read ahead is part of it.
    pub(crate) async fn secured(
        self,
        session: Connection,
        credentials: &Credentials,
    ) -> io::Result<Self> {
        let Stream::Tcp(tcp) = self.stream else {
            return Err(io::Error::other("TLS inside of TLS"));
        };
        let stream = TlsStream::handshake(tcp, session, &self.prefix).await?;
        let peer = credentials
            .peer(stream.session())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if let Some(meter) = &self.meter {
            meter.secured();
        }
        Ok(Self {
            prefix: Bytes::new(),
            stream: Stream::Tls {
                stream: Box::new(stream),
                peer,
            },
            meter: self.meter,
        })
    }

    /// Who the other side has proven to be; `None` in clear.
    pub(crate) fn peer(&self) -> Option<&Identity> {
        match &self.stream {
            Stream::Tcp(_) => None,
            Stream::Tls { peer, .. } => Some(peer),
        }
    }

    /// Who counts its bytes, where someone does.
    pub(crate) fn meter(&self) -> Option<&Rc<Meter>> {
        self.meter.as_ref()
    }

    /// Waits until there is something to read, or the end.
    pub(crate) async fn readable(&mut self) {
        // An error shows when it is read.
        drop(std::future::poll_fn(|cx| self.poll_readable(cx)).await);
    }

    /// The same, as a poll.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Tcp(tcp) => tcp.poll_read_ready(cx),
            Stream::Tls { stream, .. } => stream.poll_readable(cx),
        }
    }

    /// Nothing has come, the end neither. What has come and is not known yet to the runtime does not count.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.prefix.is_empty()
            && match &mut self.stream {
                Stream::Tcp(tcp) => tcp
                    .try_read(&mut [0])
                    .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock),
                Stream::Tls { stream, .. } => stream.is_quiet(),
            }
    }

    /// The other side is to see a reset, and not an end, when this value is dropped.
    pub(crate) fn reset_when_dropped(&self) {
        let set = match &self.stream {
            Stream::Tcp(tcp) => tcp.set_zero_linger(),
            Stream::Tls { stream, .. } => stream.reset_when_dropped(),
        };
        // Best effort: a connection that has broken already cannot be told.
        drop(set);
    }

    /// Puts bytes back that were read from it; they will be read again first.
    pub(crate) fn unread(mut self, bytes: Bytes) -> Self {
        if !self.prefix.is_empty() && !bytes.is_empty() {
            self.prefix = [bytes, self.prefix].concat().into();
        } else if !bytes.is_empty() {
            self.prefix = bytes;
        }
        self
    }

    fn count_written(&self, poll: &Poll<io::Result<usize>>) {
        if let (Some(meter), Poll::Ready(Ok(bytes))) = (&self.meter, poll) {
            meter.written(*bytes);
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            let n = self.prefix.len().min(buf.remaining());
            buf.put_slice(&self.prefix[..n]);
            self.prefix.advance(n);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).poll_read(cx, buf),
        })?;
        if let Some(meter) = &self.meter {
            meter.read(buf.filled().len() - before);
        }
        Poll::Ready(Ok(()))
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
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).poll_write(cx, buf),
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
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).poll_write_vectored(cx, bufs),
        };
        self.count_written(&poll);
        poll
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}
