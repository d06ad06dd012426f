//! TLS over a connection, by rustls: it moves the bytes, rustls understands them.

use rustls::Connection;
use std::cell::Cell;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection whose bytes are encrypted.
pub(crate) struct TlsStream {
    tcp: TcpStream,
    session: Connection,
    /// Bytes that are decrypted and were not taken yet.
    readable: usize,
    /// The other side has said that no more comes.
    has_ended: bool,
    /// The other side is not to take the end for one.
    is_cut_off: Cell<bool>,
}

impl TlsStream {
    /// Performs the handshake on a connection. What was read of it already comes first.
    pub(super) async fn handshake(
        tcp: TcpStream,
        session: Connection,
        mut read_ahead: &[u8],
    ) -> io::Result<Self> {
        let mut stream = Self {
            tcp,
            session,
            readable: 0,
            has_ended: false,
            is_cut_off: Cell::new(false),
        };
        while !read_ahead.is_empty() {
            stream.session.read_tls(&mut read_ahead)?;
            if let Err(error) = stream.take_in() {
                // Why it was refused is told to the other side, as far as that goes at once.
                let _ = std::future::poll_fn(|cx| stream.poll_send(cx)).await;
                return Err(error);
            }
        }
        std::future::poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_send(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            let read = ready!(self.poll_take(cx));
            if let Err(error) = read {
                // As above; an alert fits in what the system buffers.
                let _ = self.poll_send(cx);
                return Poll::Ready(Err(error));
            }
            if self.has_ended {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// What TLS knows, such as the certificates that the other side has shown.
    pub(super) fn session(&self) -> &Connection {
        &self.session
    }

    /// The other side is to see a reset, and not an end, when this value is dropped.
    pub(super) fn reset_when_dropped(&self) -> io::Result<()> {
        self.is_cut_off.set(true);
        self.tcp.set_zero_linger()
    }

    /// Decrypts what has come.
    fn take_in(&mut self) -> io::Result<()> {
        let processed = self.session.process_new_packets();
        let state = processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.readable = state.plaintext_bytes_to_read();
        self.has_ended |= state.peer_has_closed();
        Ok(())
    }

    /// Reads once and decrypts it.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut tcp = Polled {
            tcp: &mut self.tcp,
            cx,
        };
        match self.session.read_tls(&mut tcp) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
            // The end of the connection, without the end of TLS before it: someone may have cut it off.
            Ok(0) if !self.has_ended => {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(_) => {}
        }
        Poll::Ready(self.take_in())
    }

    /// Waits until something is decrypted, or the end.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.readable == 0 && !self.has_ended {
            ready!(self.poll_take(cx))?;
            if self.session.wants_write() {
                // An answer to what the other side's TLS asks; what does not go at once goes with the next bytes.
                if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing has come, the end neither; what TLS says for itself, as tickets, does not count.
    pub(super) fn is_quiet(&mut self) -> bool {
        while self.readable == 0 && !self.has_ended {
            match self.session.read_tls(&mut Tried(&self.tcp)) {
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                Ok(0) => return false,
                Ok(_) if self.take_in().is_err() => return false,
                Ok(_) => {}
            }
        }
        false
    }

    /// Sends all that is encrypted.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut tcp = Polled {
                tcp: &mut self.tcp,
                cx,
            };
            match self.session.write_tls(&mut tcp) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Encrypts what `write` gives, and sends of it what goes at once. Pending while too much waits already.
    fn poll_encrypt(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&mut rustls::Writer<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let taken = write(&mut self.session.writer())?;
            let sent = self.poll_send(cx);
            if let Poll::Ready(Err(error)) = sent {
                return Poll::Ready(Err(error));
            }
            if taken > 0 {
                return Poll::Ready(Ok(taken));
            }
            ready!(sent)?;
        }
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_readable(cx))?;
        let this = &mut *self;
        while this.readable > 0 && buf.remaining() > 0 {
            let mut reader = this.session.reader();
            let chunk = reader.fill_buf()?;
            let length = chunk.len().min(buf.remaining());
            buf.put_slice(&chunk[..length]);
            reader.consume(length);
            this.readable -= length;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_encrypt(cx, |writer| writer.write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        self.poll_encrypt(cx, |writer| writer.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Said once, however often this is called.
        self.session.send_close_notify();
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// A connection as rustls reads and writes it, in a task that is woken when it can go on.
struct Polled<'a, 'b> {
    tcp: &'a mut TcpStream,
    cx: &'a mut Context<'b>,
}

fn would_block<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl Read for Polled<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut read = ReadBuf::new(buf);
        would_block(Pin::new(&mut *self.tcp).poll_read(self.cx, &mut read))?;
        Ok(read.filled().len())
    }
}

impl Write for Polled<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        would_block(Pin::new(&mut *self.tcp).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        would_block(Pin::new(&mut *self.tcp).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection that is dropped ends as one in clear does: with an end, and not as if it were cut off. Best effort: what the
/// system does not take at once is not sent.
impl Drop for TlsStream {
    fn drop(&mut self) {
        if self.is_cut_off.get() {
            return;
        }
        self.session.send_close_notify();
        while self.session.wants_write() {
            match self.session.write_tls(&mut Tried(&self.tcp)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }
}

/// The same where nobody is woken: what does not go at once does not go.
struct Tried<'a>(&'a TcpStream);

impl Read for Tried<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

impl Write for Tried<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
