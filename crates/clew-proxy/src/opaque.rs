//! Bytes: connections whose protocol the mesh does not read, and tunnels inside HTTP.

use crate::codec::Io;
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who sent bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The side that opened the connection.
    Client,
    /// The side that it was opened to.
    Server,
}

/// Bytes that went through so far.
#[derive(Debug, Default)]
pub(crate) struct Transferred {
    from_client: Cell<u64>,
    from_server: Cell<u64>,
}

impl Transferred {
    /// Counts bytes.
    pub(crate) fn add(&self, from: From, bytes: u64) {
        let sum = match from {
            From::Client => &self.from_client,
            From::Server => &self.from_server,
        };
        sum.set(sum.get() + bytes);
    }

    /// Bytes from the client.
    pub(crate) fn client_bytes(&self) -> u64 {
        self.from_client.get()
    }

    /// Bytes from the server.
    pub(crate) fn server_bytes(&self) -> u64 {
        self.from_server.get()
    }
}

/// Copies both ways until both sides have ended. `count` hears of bytes as they come, so that the sums
/// are right also when the copy fails or is dropped.
///
/// A side that breaks off breaks the other, too: were its connection only closed, the other side would
/// take that for the end of one half, and go on writing to nobody.
pub(crate) async fn copy(client: Io, server: Io, count: &impl Fn(From, u64)) -> io::Result<()> {
    let mut client = Counted {
        io: client,
        count: |bytes| count(From::Client, bytes),
    };
    let mut server = Counted {
        io: server,
        count: |bytes| count(From::Server, bytes),
    };
    let copied =
        tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await;
    if copied.is_err() {
        client.io.reset_when_dropped();
        server.io.reset_when_dropped();
    }
    copied.map(drop)
}

/// Bytes in flight each way.
const BUFFER: usize = 16 * 1024;

/// Tells how much is read from a connection.
struct Counted<F> {
    io: Io,
    count: F,
}

impl<F: Fn(u64) + Unpin> AsyncRead for Counted<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.io).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            (self.count)(read as u64);
        }
        poll
    }
}

impl<F: Fn(u64) + Unpin> AsyncWrite for Counted<F> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
