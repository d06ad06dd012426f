//! Protocol detection: HTTP/1, HTTP/2 by prior knowledge, or bytes, told from the first bytes that the
//! client sends, within a bound of time. And of bytes that are TLS, the name of the server that they are for.

mod client_hello;

use crate::codec::{HttpVersion, Io};
use bytes::BytesMut;
use client_hello::Hello;
use std::future::Future;
use std::time::Duration;
use tokio::io::AsyncReadExt;

#[cfg(test)]
mod tests;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detected {
    /// HTTP.
    Http(HttpVersion),
    /// Something else.
    Opaque,
    /// Nothing came within the time: the server may be the one that speaks first.
    Silent,
    /// The client closed before it said anything, or we drain and it had not.
    Closed,
}

/// What the bytes so far allow to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Clear.
    Is(Detected),
    /// More bytes are needed.
    Open,
}

/// Connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Methods that need no second look: these words and a space begin HTTP/1 and nothing else that is known.
const METHODS: [&[u8]; 9] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
];

/// No method is longer.
const MAX_METHOD: usize = 32;
/// A first line that is longer than this without saying `HTTP/1` is not HTTP.
const MAX_FIRST_LINE: usize = 8 * 1024;

/// Reads until the protocol is clear. What was read is put back. `quit` ends it while nothing has come.
pub(crate) async fn detect(
    mut io: Io,
    timeout: Duration,
    quit: impl Future<Output = ()>,
) -> (Detected, Io) {
    let mut seen = BytesMut::with_capacity(1024);
    let mut quit = std::pin::pin!(quit);
    let reading = async {
        loop {
            let is_silent = seen.is_empty();
            let read = tokio::select! {
                biased;
                read = io.read_buf(&mut seen) => read,
                () = &mut quit, if is_silent => return Detected::Closed,
            };
            match read {
                Ok(0) | Err(_) if seen.is_empty() => return Detected::Closed,
                // What is there is all that will come: let the side that knows the protocol answer it.
                Ok(0) | Err(_) => return Detected::Opaque,
                Ok(_) => match inspect(&seen) {
                    Verdict::Is(detected) => return detected,
                    Verdict::Open => {}
                },
            }
        }
    };
    let in_time = tokio::time::timeout(timeout, reading).await;
    let detected = in_time.unwrap_or(match seen.is_empty() {
        true => Detected::Silent,
        false => Detected::Opaque,
    });
    (detected, io.unread(seen.freeze()))
}

/// A ClientHello comes in one go. What only begins like one, and may be bytes of the application's own, is not held up for longer.
pub(crate) const HELLO_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads the name of the server that a TLS client asks for, when the connection begins as TLS does. It waits for no more
/// than the server needs to answer, within `timeout`. What was read is put back.
///
/// The name is the client's claim: whoever decides by it has to know better.
pub(crate) async fn server_name(mut io: Io, timeout: Duration) -> (Option<String>, Io) {
    // All of what was read for detection fits, and is taken first.
    let mut seen = BytesMut::with_capacity(client_hello::MAX_BYTES);
    let reading = async {
        loop {
            match client_hello::inspect(&seen) {
                Hello::For(name) => return Some(name),
                Hello::Unnamed => return None,
                Hello::Incomplete if seen.len() >= client_hello::MAX_BYTES => return None,
                Hello::Incomplete => {}
            }
            if let Ok(0) | Err(_) = io.read_buf(&mut seen).await {
                return None;
            }
        }
    };
    let name = tokio::time::timeout(timeout, reading).await;
    (name.ok().flatten(), io.unread(seen.freeze()))
}

/// Tells the protocol from a prefix of the connection's bytes. A verdict never changes with more bytes.
pub(crate) fn inspect(bytes: &[u8]) -> Verdict {
    let common = bytes.len().min(PREFACE.len());
    if bytes[..common] == PREFACE[..common] {
        return if common == PREFACE.len() {
            Verdict::Is(Detected::Http(HttpVersion::Http2))
        } else {
            Verdict::Open
        };
    }
    if METHODS.iter().any(|method| bytes.starts_with(method)) {
        return Verdict::Is(Detected::Http(HttpVersion::Http1));
    }
    inspect_first_line(bytes)
}

/// Any other token could be a method of its own ("PROPFIND") or another protocol's word ("get key",
/// "EHLO name"): the end of the line tells.
fn inspect_first_line(bytes: &[u8]) -> Verdict {
    let line_end = bytes.iter().position(|&byte| byte == b'\n');
    let line = &bytes[..line_end.unwrap_or(bytes.len())];
    let token = line.iter().take_while(|&&byte| is_token(byte)).count();
    let plausible = match line.get(token) {
        None => token <= MAX_METHOD,
        // The bound holds here too: what a slow network brings byte by byte is the same protocol.
        Some(&next) => next == b' ' && (1..=MAX_METHOD).contains(&token),
    };
    if !plausible || line.len() > MAX_FIRST_LINE {
        return Verdict::Is(Detected::Opaque);
    }
    if line_end.is_none() {
        return Verdict::Open;
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_http = line
        .rsplit(|&byte| byte == b' ')
        .next()
        .is_some_and(|word| word.starts_with(b"HTTP/1."));
    Verdict::Is(if is_http {
        Detected::Http(HttpVersion::Http1)
    } else {
        Detected::Opaque
    })
}

/// `tchar` of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
