//! HTTP/1 messages as they go out (RFC 9112). The framing is ours alone: what the headers said of it is written anew.

use super::head::{Asked, has_no_body, is_handover};
use super::wire::Output;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version, request, response};
use http_body::Frame;
use std::io::Write as _;

/// How the end of a body that goes out is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// The message is its head.
    None,
    /// So many bytes.
    Length(u64),
    Chunked,
    /// By closing the connection, for a client of HTTP/1.0.
    UntilClose,
}

/// The body is not as long as was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongLength;

/// What a response says of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answering {
    pub(super) asked: Asked,
    /// What the client speaks.
    pub(super) version: Version,
    /// No other request is answered after this one.
    pub(super) close: bool,
}

/// The framing of a response's body.
pub(super) fn response_framing(
    answering: &Answering,
    status: StatusCode,
    exact: Option<u64>,
) -> Framing {
    match exact {
        _ if has_no_body(status, answering.asked) => Framing::None,
        Some(length) => Framing::Length(length),
        None if answering.version == Version::HTTP_10 => Framing::UntilClose,
        None => Framing::Chunked,
    }
}

/// Writes the head of a request.
pub(super) fn request_head(out: &mut Vec<u8>, head: &request::Parts, framing: Framing) {
    out.reserve(512);
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b' ');
    let target = match (head.uri.authority(), head.uri.path_and_query()) {
        (Some(authority), _) if head.method == Method::CONNECT => authority.as_str(),
        (_, Some(path)) => path.as_str(),
        (_, None) => "/",
    };
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let says_length = head.headers.contains_key(CONTENT_LENGTH)
        || matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
    match framing {
        Framing::Length(0) if !says_length => headers(out, &head.headers, Framing::None),
        framing => headers(out, &head.headers, framing),
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the head of a response.
pub(super) fn response_head(
    out: &mut Vec<u8>,
    head: &response::Parts,
    answering: &Answering,
    framing: Framing,
) {
    out.reserve(512);
    status_line(out, answering.version, head.status);
    // It has no body to be as long, and may not claim one (RFC 9110, section 8.6).
    let may_say_length = !head.status.is_informational()
        && head.status != StatusCode::NO_CONTENT
        && !is_handover(answering.asked, head.status);
    match framing {
        Framing::None if !may_say_length => headers(out, &head.headers, Framing::UntilClose),
        framing => headers(out, &head.headers, framing),
    }
    let is_upgrade = head.headers.contains_key(CONNECTION);
    let close = answering.close || framing == Framing::UntilClose;
    match (close, answering.version) {
        _ if is_upgrade => {}
        (true, Version::HTTP_11) => out.extend_from_slice(b"connection: close\r\n"),
        (false, Version::HTTP_10) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        _ => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an interim response.
pub(super) fn interim_head(out: &mut Vec<u8>, status: StatusCode, map: &HeaderMap) {
    status_line(out, Version::HTTP_11, status);
    headers(out, map, Framing::UntilClose);
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, version: Version, status: StatusCode) {
    out.extend_from_slice(match version {
        Version::HTTP_10 => b"HTTP/1.0 ",
        _ => b"HTTP/1.1 ",
    });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    let reason = status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes the lines of the headers, and those of the framing. Where there is no body, the length that one would have
/// may stay.
fn headers(out: &mut Vec<u8>, headers: &HeaderMap, framing: Framing) {
    for (name, value) in headers {
        let is_framing =
            (name == CONTENT_LENGTH && framing != Framing::None) || name == TRANSFER_ENCODING;
        if !is_framing {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    match framing {
        Framing::Length(length) => {
            // Writing to memory does not fail.
            let _ = write!(out, "content-length: {length}\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
}

impl Framing {
    /// Adds a piece of the body to what goes out.
    pub(super) fn frame(
        &mut self,
        frame: Frame<Bytes>,
        out: &mut Output,
    ) -> Result<(), WrongLength> {
        let data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                // Where the body has no chunks there is no place for trailers.
                if let (Self::Chunked, Ok(trailers)) = (&self, frame.into_trailers()) {
                    out.write(|out| {
                        out.extend_from_slice(b"0\r\n");
                        headers(out, &trailers, Self::UntilClose);
                        out.extend_from_slice(b"\r\n");
                    });
                    *self = Self::None;
                }
                return Ok(());
            }
        };
        match self {
            // An empty chunk would be the last one.
            _ if data.is_empty() => {}
            Self::None => {}
            Self::UntilClose => out.push(data),
            Self::Length(remaining) => {
                *remaining = remaining
                    .checked_sub(data.len() as u64)
                    .ok_or(WrongLength)?;
                out.push(data);
            }
            Self::Chunked => {
                out.write(|out| {
                    let _ = write!(out, "{:x}\r\n", data.len());
                });
                out.push(data);
                out.write(|out| out.extend_from_slice(b"\r\n"));
            }
        }
        Ok(())
    }

    /// The body has ended.
    pub(super) fn end(&mut self, out: &mut Output) -> Result<(), WrongLength> {
        match self {
            Self::Length(1..) => return Err(WrongLength),
            Self::Chunked => out.write(|out| out.extend_from_slice(b"0\r\n\r\n")),
            Self::None | Self::Length(0) | Self::UntilClose => {}
        }
        *self = Self::None;
        Ok(())
    }
}
