//! A connection's bytes, wherever they come from.

use crate::meter::Meter;
use bytes::{Buf, Bytes};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection with the bytes that were read ahead of time.
pub(crate) struct Io {
    prefix: Bytes,
    tcp: TcpStream,
    /// Counts what goes to and comes from a peer.
    meter: Option<Rc<Meter>>,
}

impl Io {
    /// A TCP connection of which nothing was read.
    pub(crate) fn tcp(tcp: TcpStream) -> Self {
        Self {
            prefix: Bytes::new(),
            tcp,
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

    /// Who counts its bytes, where someone does.
    pub(crate) fn meter(&self) -> Option<&Rc<Meter>> {
        self.meter.as_ref()
    }

    /// Waits until there is something to read, or the end.
    pub(crate) async fn readable(&self) {
        if self.prefix.is_empty() {
            // An error shows when it is read.
            drop(self.tcp.readable().await);
        }
    }

    /// The same, as a poll.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.tcp.poll_read_ready(cx)
    }

    /// Nothing has come, the end neither. What has come and is not known yet to the runtime does not count.
    pub(super) fn is_quiet(&self) -> bool {
        let nothing = self.tcp.try_read(&mut [0]);
        self.prefix.is_empty()
            && nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The other side is to see a reset, and not an end, when this value is dropped.
    pub(crate) fn reset_when_dropped(&self) {
        // Best effort: a connection that has broken already cannot be told.
        drop(self.tcp.set_zero_linger());
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
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        if let Some(meter) = &self.meter {
            meter.read(buf.filled().len() - before);
        }
        Poll::Ready(Ok(()))
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
        let poll = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.count_written(&poll);
        poll
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.count_written(&poll);
        poll
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
