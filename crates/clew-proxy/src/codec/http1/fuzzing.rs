//! Whole messages, read from any bytes and written as they would go on, for tests that try any bytes.

use super::body::{Decoded, Decoder};
use super::encode::{self, Answering, Framing};
use super::head::{self, Asked, HeadScan, Length};
use super::wire::Output;
use crate::headers::strip_hop_by_hop;
use bytes::BytesMut;
use http_body::Frame;

/// As for requests of the proxy.
const MAX_HEAD: usize = 64 * 1024;

/// A message that was read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its body, without trailers.
    pub body: Vec<u8>,
    /// The message as it goes on.
    pub written: Vec<u8>,
    /// Bytes that it took; what follows is another message.
    pub taken: usize,
}

/// Reads a request from bytes that come in pieces of this size; `None` when they are none, or only half of one.
pub fn request(bytes: &[u8], piece: usize) -> Option<Message> {
    let mut pieces = Pieces::new(bytes, piece);
    let head = head::request(&pieces.head()?).ok()?;
    let (mut parts, ()) = head.request.into_parts();
    strip_hop_by_hop(&mut parts.headers, false);
    let mut framing = match head.length {
        Length::Exact(length) => Framing::Length(length),
        Length::Chunked | Length::UntilClose => Framing::Chunked,
    };
    let mut output = Output::default();
    output.write(|out| encode::request_head(out, &parts, framing));
    if is_past_limit(&output) {
        return None;
    }
    pieces.body(Decoder::new(head.length), &mut framing, output)
}

/// The same of a response to a GET.
pub fn response(bytes: &[u8], piece: usize) -> Option<Message> {
    let mut pieces = Pieces::new(bytes, piece);
    let asked = Asked::default();
    let head = head::response(&pieces.head()?, asked).ok()?;
    let (mut parts, ()) = head.response.into_parts();
    strip_hop_by_hop(&mut parts.headers, false);
    let answering = Answering {
        asked,
        version: parts.version,
        close: !head.keep_alive,
    };
    let mut framing = match head.length {
        _ if head::has_no_body(parts.status, asked) => Framing::None,
        Length::Exact(length) => Framing::Length(length),
        Length::Chunked => Framing::Chunked,
        Length::UntilClose => Framing::UntilClose,
    };
    let mut output = Output::default();
    output.write(|out| encode::response_head(out, &parts, &answering, framing));
    if is_past_limit(&output) {
        return None;
    }
    pieces.body(Decoder::new(head.length), &mut framing, output)
}

/// A head that has as many lines as are allowed, and gets one more on its way, is too large for the next reader.
fn is_past_limit(head: &Output) -> bool {
    // Without the first line and the empty one.
    let lines = head.to_vec().iter().filter(|&&byte| byte == b'\n').count();
    lines > head::MAX_LINES + 2
}

/// Bytes on their way in.
struct Pieces<'a> {
    input: BytesMut,
    rest: &'a [u8],
    piece: usize,
    all: usize,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], piece: usize) -> Self {
        Self {
            input: BytesMut::new(),
            rest: bytes,
            piece: piece.max(1),
            all: bytes.len(),
        }
    }

    /// The next piece comes, if there is one.
    fn more(&mut self) -> bool {
        let (piece, rest) = self.rest.split_at(self.piece.min(self.rest.len()));
        self.input.extend_from_slice(piece);
        self.rest = rest;
        !piece.is_empty()
    }

    fn head(&mut self) -> Option<bytes::Bytes> {
        let mut scan = HeadScan::default();
        loop {
            if let Some(head) = scan.take(&mut self.input, MAX_HEAD).ok()? {
                return Some(head);
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn body(
        mut self,
        mut decoder: Decoder,
        framing: &mut Framing,
        mut output: Output,
    ) -> Option<Message> {
        let (mut body, mut has_ended) = (Vec::new(), false);
        loop {
            let frame = match decoder.decode(&mut self.input, has_ended).ok()? {
                Decoded::More => {
                    has_ended = !self.more();
                    continue;
                }
                Decoded::End => break,
                Decoded::Trailers(trailers) => Frame::trailers(trailers),
                Decoded::Data(data) => {
                    body.extend_from_slice(&data);
                    Frame::data(data)
                }
            };
            framing.frame(frame, &mut output).ok()?;
        }
        framing.end(&mut output).ok()?;
        Some(Message {
            body,
            written: output.to_vec(),
            taken: self.all - self.rest.len() - self.input.len(),
        })
    }
}
