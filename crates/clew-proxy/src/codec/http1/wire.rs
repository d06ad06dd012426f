//! The bytes of one connection: what has come and was not read yet, and what waits to be sent.

use crate::codec::Io;
use bytes::{Buf, Bytes, BytesMut};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// Most messages are smaller. They are read to a place that all connections of the thread share, so that it stays in
/// the processor's cache, and what has come is copied to as much room as it needs.
const SMALL_READ: usize = 16 * 1024;
/// What more comes for is read straight to where it stays, in few calls.
const LARGE_READ: usize = 64 * 1024;
/// Pieces up to this size are copied to what is sent before them.
const COPIED: usize = 4 * 1024;
/// More than this is not gathered before it is sent.
const FULL: usize = 64 * 1024;
/// Pieces that are sent in one call.
const PIECES: usize = 16;

/// A connection. An idle one holds no buffer.
pub(super) struct Wire {
    /// Gone when another protocol has taken the connection over.
    io: Option<Io>,
    /// What has come and was not taken yet.
    pub(super) input: BytesMut,
    /// The other side has said that no more comes.
    pub(super) has_ended: bool,
    /// The last read filled its room: more is coming.
    is_large: bool,
    pub(super) output: Output,
}

impl Wire {
    pub(super) fn new(io: Io) -> Self {
        Self {
            io: Some(io),
            input: BytesMut::new(),
            has_ended: false,
            is_large: false,
            output: Output::default(),
        }
    }

    /// Reads what there is; the number of bytes is zero at the end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(io) = self.io.as_mut().filter(|_| !self.has_ended) else {
            return Poll::Ready(Ok(0));
        };
        ready!(io.poll_readable(cx))?;
        let read = if self.is_large {
            self.input.reserve(LARGE_READ);
            ready!(pin!(io.read_buf(&mut self.input)).poll(cx))?
        } else {
            ready!(read_small(io, &mut self.input, cx))?
        };
        self.is_large = read >= SMALL_READ;
        self.has_ended = read == 0;
        Poll::Ready(Ok(read))
    }

    /// Sends what waits. Ready when there is nothing left.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(io) = &mut self.io else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        ready!(self.output.poll_send(io, cx))?;
        Pin::new(io).poll_flush(cx)
    }

    /// Tells the other side that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Some(io) => Pin::new(io).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Gives buffers back that an idle connection does not need.
    pub(super) fn rest(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        self.output.rest();
    }

    /// Nothing has come and nothing waits, and the other side has not closed.
    pub(super) fn is_quiet(&mut self) -> bool {
        let Some(io) = &mut self.io else {
            return false;
        };
        self.input.is_empty() && self.output.is_empty() && !self.has_ended && io.is_quiet()
    }

    /// The other side is to see a reset, and not an end, when the connection is closed.
    pub(super) fn reset_when_dropped(&self) {
        if let Some(io) = &self.io {
            io.reset_when_dropped();
        }
    }

    /// Hands the connection over, with what has come already.
    pub(super) fn take(&mut self) -> Option<Io> {
        let io = self.io.take()?;
        Some(io.unread(self.input.split().freeze()))
    }
}

thread_local! {
    static PLACE: RefCell<Box<[u8]>> = RefCell::new(vec![0; SMALL_READ].into());
}

fn read_small(io: &mut Io, input: &mut BytesMut, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    PLACE.with_borrow_mut(|place| {
        let mut read = ReadBuf::new(place);
        ready!(Pin::new(io).poll_read(cx, &mut read))?;
        input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
}

/// Bytes that wait to be sent.
#[derive(Default)]
pub(super) struct Output {
    /// Complete pieces, in their order; sent before `tail`.
    pieces: VecDeque<Bytes>,
    /// What is being gathered, and how much of it is sent.
    tail: Vec<u8>,
    sent: usize,
    length: usize,
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All that waits.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        pieces
            .chain([&self.tail[self.sent..]])
            .collect::<Vec<_>>()
            .concat()
    }

    /// Enough for one call: more is to be gathered when this is sent.
    pub(super) fn is_full(&self) -> bool {
        self.length >= FULL || self.pieces.len() + 1 >= PIECES
    }

    /// Adds small things.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.tail.len();
        write(&mut self.tail);
        self.length += self.tail.len() - before;
    }

    /// Adds data; a large piece is not copied.
    pub(super) fn push(&mut self, data: Bytes) {
        if data.len() <= COPIED {
            self.write(|tail| tail.extend_from_slice(&data));
            return;
        }
        self.length += data.len();
        if self.sent < self.tail.len() {
            let mut before = Bytes::from(std::mem::take(&mut self.tail));
            before.advance(self.sent);
            self.pieces.push_back(before);
        }
        self.tail.clear();
        self.sent = 0;
        self.pieces.push_back(data);
    }

    /// Forgets what waits: nobody is there to get it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn rest(&mut self) {
        if self.is_empty() {
            self.clear();
        }
    }

    fn poll_send(&mut self, io: &mut Io, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let io = Pin::new(&mut *io);
            let sent = if self.pieces.is_empty() {
                ready!(io.poll_write(cx, &self.tail[self.sent..]))?
            } else {
                let mut slices = [IoSlice::new(&[]); PIECES];
                let count = self.gather(&mut slices);
                ready!(io.poll_write_vectored(cx, &slices[..count]))?
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(sent);
        }
        Poll::Ready(Ok(()))
    }

    fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>; PIECES]) -> usize {
        let pieces = self.pieces.iter().map(|piece| &piece[..]);
        let waiting = pieces.chain([&self.tail[self.sent..]]);
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(waiting) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    fn advance(&mut self, sent: usize) {
        self.length -= sent;
        let mut left = sent;
        while left > 0 {
            let Some(first) = self.pieces.front_mut() else {
                self.sent += left;
                break;
            };
            let part = left.min(first.len());
            first.advance(part);
            left -= part;
            if first.is_empty() {
                self.pieces.pop_front();
            }
        }
        if self.sent == self.tail.len() {
            self.tail.clear();
            self.sent = 0;
        }
    }
}
