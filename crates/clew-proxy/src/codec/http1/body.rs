//! Bodies of HTTP/1 messages as they come in: by length, by chunks, or to the end of the connection.

use super::head::{HeadScan, Length, trailers};
use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;

/// The line of a chunk's size, extensions included.
const MAX_SIZE_LINE: usize = 4 * 1024;
/// Extensions in all chunks of a body: nobody reads them, and a client could send nothing else.
const MAX_EXTENSIONS: usize = 16 * 1024;
/// A trailer section.
const MAX_TRAILERS: usize = 16 * 1024;

/// Reads one body.
#[derive(Debug)]
pub(super) struct Decoder(State);

#[derive(Debug)]
enum State {
    /// So many bytes are still to come.
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Done,
    /// What came is no body: nothing after it is anything.
    Broken,
}

#[derive(Debug)]
struct Chunks {
    at: Place,
    extensions: usize,
}

#[derive(Debug)]
enum Place {
    /// Before the line of a chunk's size.
    Size,
    /// Within the data of a chunk; so much of it is missing.
    Data(u64),
    /// Before the line end after the data.
    DataEnd,
    /// Before or within the trailer section.
    Trailers(HeadScan),
}

/// What the input holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    Data(Bytes),
    Trailers(HeaderMap),
    /// The body has ended.
    End,
    /// More input is needed.
    More,
}

/// What came is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("the chunks of the body are malformed")]
    Malformed,
    #[error("the connection was closed in the middle of the body")]
    Closed,
}

impl Decoder {
    pub(super) fn new(length: Length) -> Self {
        Self(match length {
            Length::Exact(0) => State::Done,
            Length::Exact(length) => State::Length(length),
            Length::Chunked => State::Chunked(Chunks {
                at: Place::Size,
                extensions: 0,
            }),
            Length::UntilClose => State::UntilClose,
        })
    }

    /// A body that has ended.
    pub(super) fn done() -> Self {
        Self(State::Done)
    }

    /// All of it was taken.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// What came was no body: nobody knows where the next message begins.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.0, State::Broken)
    }

    /// Bytes that are still to come, where that is known.
    pub(super) fn remaining(&self) -> Option<u64> {
        match self.0 {
            State::Length(remaining) => Some(remaining),
            State::Done => Some(0),
            State::Chunked(_) | State::UntilClose | State::Broken => None,
        }
    }

    /// Takes the next piece off the input. `ended`: no more input comes.
    pub(super) fn decode(
        &mut self,
        input: &mut BytesMut,
        ended: bool,
    ) -> Result<Decoded, DecodeError> {
        let decoded = match &mut self.0 {
            State::Done => return Ok(Decoded::End),
            State::Broken => return Err(DecodeError::Malformed),
            State::Length(remaining) => {
                let data = take(input, remaining);
                if *remaining == 0 {
                    self.0 = State::Done;
                }
                data
            }
            State::UntilClose if input.is_empty() && ended => Some(Decoded::End),
            State::UntilClose => {
                let mut endless = u64::MAX;
                take(input, &mut endless)
            }
            State::Chunked(chunks) => match chunks.decode(input) {
                Ok(decoded) => decoded,
                Err(error) => {
                    self.0 = State::Broken;
                    return Err(error);
                }
            },
        };
        match decoded {
            Some(last @ (Decoded::End | Decoded::Trailers(_))) => {
                self.0 = State::Done;
                Ok(last)
            }
            Some(decoded) => Ok(decoded),
            None if ended => Err(DecodeError::Closed),
            None => Ok(Decoded::More),
        }
    }
}

/// What there is of so many bytes.
fn take(input: &mut BytesMut, remaining: &mut u64) -> Option<Decoded> {
    if input.is_empty() {
        return None;
    }
    let length = usize::try_from(*remaining).map_or(input.len(), |most| most.min(input.len()));
    *remaining -= length as u64;
    Some(Decoded::Data(input.split_to(length).freeze()))
}

impl Chunks {
    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Decoded>, DecodeError> {
        loop {
            match &mut self.at {
                Place::Size => {
                    let Some(size) = self.size(input)? else {
                        return Ok(None);
                    };
                    self.at = match size {
                        0 => Place::Trailers(HeadScan::default()),
                        size => Place::Data(size),
                    };
                }
                Place::Data(missing) => {
                    let data = take(input, missing);
                    if *missing == 0 {
                        self.at = Place::DataEnd;
                    }
                    return Ok(data);
                }
                Place::DataEnd => match **input {
                    [b'\r', b'\n', ..] => {
                        input.advance(2);
                        self.at = Place::Size;
                    }
                    [] | [b'\r'] => return Ok(None),
                    _ => return Err(DecodeError::Malformed),
                },
                Place::Trailers(scan) => return last(scan, input),
            }
        }
    }

    /// Takes the line of a chunk's size: hexadecimal digits, then perhaps extensions (RFC 9112, section 7.1). A bare
    /// line feed does not end it: readers that take it for one and readers that do not see different bodies.
    fn size(&mut self, input: &mut BytesMut) -> Result<Option<u64>, DecodeError> {
        let window = &input[..input.len().min(MAX_SIZE_LINE)];
        let Some(end) = memchr::memchr(b'\n', window) else {
            return match window.len() < MAX_SIZE_LINE {
                true => Ok(None),
                false => Err(DecodeError::Malformed),
            };
        };
        let line = window[..end]
            .strip_suffix(b"\r")
            .ok_or(DecodeError::Malformed)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let (size, rest) = line.split_at(digits.count());
        // Sixteen digits are all that a number of 64 bits has.
        let size = std::str::from_utf8(size)
            .ok()
            .filter(|size| size.len() <= 16)
            .and_then(|size| u64::from_str_radix(size, 16).ok())
            .ok_or(DecodeError::Malformed)?;
        let is_text = |&byte: &u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        // Some servers fill the line up with blanks.
        let is_extension = matches!(rest.trim_ascii_start(), [] | [b';', ..]);
        self.extensions += rest.trim_ascii_start().len();
        if !is_extension || !rest.iter().all(is_text) || self.extensions > MAX_EXTENSIONS {
            return Err(DecodeError::Malformed);
        }
        input.advance(end + 1);
        Ok(Some(size))
    }
}

/// What follows the last chunk: an empty line, or trailers and an empty line.
fn last(scan: &mut HeadScan, input: &mut BytesMut) -> Result<Option<Decoded>, DecodeError> {
    if scan.is_fresh() {
        match **input {
            [b'\r', b'\n', ..] => {
                input.advance(2);
                return Ok(Some(Decoded::End));
            }
            [] | [b'\r'] => return Ok(None),
            [b'\r' | b'\n', ..] => return Err(DecodeError::Malformed),
            _ => {}
        }
    }
    let section = scan.take(input, MAX_TRAILERS);
    let Some(section) = section.map_err(|_| DecodeError::Malformed)? else {
        return Ok(None);
    };
    let trailers = trailers(&section).map_err(|_| DecodeError::Malformed)?;
    Ok(Some(match trailers.is_empty() {
        true => Decoded::End,
        false => Decoded::Trailers(trailers),
    }))
}

#[cfg(test)]
mod tests;
