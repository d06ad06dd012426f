//! Heads of HTTP/1 messages as they come in (RFC 9112): httparse reads the lines, what they mean for the framing is
//! decided here, and what two readers could take for different messages is refused.

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use httparse::Status;
use std::mem::MaybeUninit;

/// Header lines that a message may have.
pub(super) const MAX_LINES: usize = 100;
/// Room for the headers that a proxy adds, so that the map does not grow for them.
const ROOM: usize = 8;

type Lines<'a> = [MaybeUninit<httparse::Header<'a>>; MAX_LINES];

/// Why what came is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// It breaks the protocol.
    Malformed,
    /// It is larger than the limit, or has more lines.
    TooLarge,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Exact(u64),
    /// The chunks tell.
    Chunked,
    /// The end of the connection tells.
    UntilClose,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) request: Request<()>,
    pub(super) length: Length,
    /// Another request may follow.
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
}

/// The head of a response.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) response: Response<()>,
    pub(super) length: Length,
    /// The connection may carry another request.
    pub(super) keep_alive: bool,
}

/// Finds the end of a head in what has come so far, without looking at a byte twice.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    scanned: usize,
}

impl HeadScan {
    /// Takes one whole head off the input, if it is there. `max_bytes` is with the empty line at its end.
    pub(super) fn take(
        &mut self,
        input: &mut BytesMut,
        max_bytes: usize,
    ) -> Result<Option<Bytes>, HeadError> {
        if self.scanned == 0 {
            skip_empty_lines(input);
            if **input == [b'\r'] {
                // Perhaps another empty line.
                return Ok(None);
            }
        }
        match end_of_head(input, self.scanned.saturating_sub(2)) {
            Some(end) if end <= max_bytes => {
                self.scanned = 0;
                Ok(Some(input.split_to(end).freeze()))
            }
            None if input.len() <= max_bytes => {
                self.scanned = input.len();
                Ok(None)
            }
            _ => Err(HeadError::TooLarge),
        }
    }

    /// Nothing of a head was seen yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.scanned == 0
    }
}

/// Some clients end a body with one line end too many (RFC 9112, section 2.2).
fn skip_empty_lines(input: &mut BytesMut) {
    loop {
        match **input {
            [b'\r', b'\n', ..] => input.advance(2),
            [b'\n', ..] => input.advance(1),
            _ => return,
        }
    }
}

/// Where the first empty line ends. A line may end without a carriage return (RFC 9112, section 2.2); since heads are
/// written anew, nobody behind us can see such a line otherwise.
fn end_of_head(input: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', &input[from..]).find_map(|at| {
        let next = from + at + 1;
        match input[next..] {
            [b'\n', ..] => Some(next + 1),
            [b'\r', b'\n', ..] => Some(next + 2),
            _ => None,
        }
    })
}

/// What has come is the beginning of no request, whatever follows: a client that speaks something else is told at once
/// and not after the time for a head.
pub(super) fn refuse_early(input: &[u8]) -> Result<(), HeadError> {
    let mut lines: Lines<'_> = [const { MaybeUninit::uninit() }; MAX_LINES];
    httparse::Request::new(&mut [])
        .parse_with_uninit_headers(input, &mut lines)
        .map(drop)
        .map_err(refusal)
}

fn refusal(error: httparse::Error) -> HeadError {
    match error {
        httparse::Error::TooManyHeaders => HeadError::TooLarge,
        _ => HeadError::Malformed,
    }
}

/// The parser has to find the end where we did: otherwise one of us reads the lines wrongly.
fn whole(parsed: httparse::Result<usize>, head: &Bytes) -> Result<(), HeadError> {
    match parsed {
        Ok(Status::Complete(length)) if length == head.len() => Ok(()),
        Ok(_) => Err(HeadError::Malformed),
        Err(error) => Err(refusal(error)),
    }
}

/// Reads one whole head of a request.
pub(super) fn request(head: &Bytes) -> Result<RequestHead, HeadError> {
    let mut lines: Lines<'_> = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut parsed = httparse::Request::new(&mut []);
    whole(parsed.parse_with_uninit_headers(head, &mut lines), head)?;
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(HeadError::Malformed);
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Malformed)?;
    let uri = Uri::from_maybe_shared(head.slice_ref(target.as_bytes()))
        .map_err(|_| HeadError::Malformed)?;
    if !is_target(&method, &uri) {
        return Err(HeadError::Malformed);
    }
    let mut framing = Framing::of(minor);
    let headers = framing.headers(head, parsed.headers)?;
    if method == Method::CONNECT && (framing.is_chunked || framing.length.is_some_and(|n| n > 0)) {
        // Is what follows a body or the tunnel's?
        return Err(HeadError::Malformed);
    }
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = framing.version;
    *request.headers_mut() = headers;
    Ok(RequestHead {
        request,
        length: match framing.is_chunked {
            true => Length::Chunked,
            false => Length::Exact(framing.length.unwrap_or(0)),
        },
        keep_alive: framing.keep_alive(),
        // A client of HTTP/1.0 does not know the word (RFC 9110, section 10.1.1).
        expects_continue: framing.expects_continue && minor == 1,
    })
}

/// The target has the form that its method asks for (RFC 9112, section 3.2).
fn is_target(method: &Method, uri: &Uri) -> bool {
    let (scheme, authority) = (uri.scheme().is_some(), uri.authority().is_some());
    if *method == Method::CONNECT {
        return authority && !scheme && uri.path_and_query().is_none();
    }
    if authority {
        return scheme;
    }
    uri.path().starts_with('/') || (*method == Method::OPTIONS && uri.path() == "*")
}

/// What of a request its response depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) is_head: bool,
    pub(super) is_connect: bool,
    /// It asked for another protocol.
    pub(super) asks_upgrade: bool,
}

/// Reads one whole head of a response.
pub(super) fn response(head: &Bytes, asked: Asked) -> Result<ResponseHead, HeadError> {
    let mut lines: Lines<'_> = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut parsed = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let result = config.parse_response_with_uninit_headers(&mut parsed, head, &mut lines);
    whole(result, head)?;
    let (Some(code), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(HeadError::Malformed);
    };
    let status = StatusCode::from_u16(code).map_err(|_| HeadError::Malformed)?;
    if status == StatusCode::SWITCHING_PROTOCOLS && !asked.asks_upgrade {
        return Err(HeadError::Malformed);
    }
    let mut framing = Framing::of(minor);
    let headers = framing.headers(head, parsed.headers)?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.version_mut() = framing.version;
    *response.headers_mut() = headers;
    let length = if has_no_body(status, asked) {
        Length::Exact(0)
    } else if framing.is_chunked {
        Length::Chunked
    } else {
        framing.length.map_or(Length::UntilClose, Length::Exact)
    };
    Ok(ResponseHead {
        response,
        length,
        keep_alive: framing.keep_alive() && length != Length::UntilClose,
    })
}

/// Responses that end with their head (RFC 9112, section 6.3).
pub(super) fn has_no_body(status: StatusCode, asked: Asked) -> bool {
    asked.is_head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || (asked.is_connect && status.is_success())
}

/// After this answer the connection is no longer HTTP.
pub(super) fn is_handover(asked: Asked, status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (asked.is_connect && status.is_success())
}

/// What the headers say of the message's length and of the connection.
struct Framing {
    version: Version,
    length: Option<u64>,
    is_chunked: bool,
    close: bool,
    asks_keep_alive: bool,
    expects_continue: bool,
}

impl Framing {
    fn of(minor: u8) -> Self {
        Self {
            version: if minor == 0 {
                Version::HTTP_10
            } else {
                Version::HTTP_11
            },
            length: None,
            is_chunked: false,
            close: false,
            asks_keep_alive: false,
            expects_continue: false,
        }
    }

    /// Takes the lines over into a map and notes what they say.
    fn headers(
        &mut self,
        head: &Bytes,
        lines: &[httparse::Header<'_>],
    ) -> Result<HeaderMap, HeadError> {
        let mut headers = HeaderMap::with_capacity(lines.len() + ROOM);
        for line in lines {
            let name =
                HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::Malformed)?;
            let value = HeaderValue::from_maybe_shared(head.slice_ref(line.value))
                .map_err(|_| HeadError::Malformed)?;
            if name == CONTENT_LENGTH {
                let length = self.content_length(&value).ok_or(HeadError::Malformed)?;
                // Said twice, it goes on once.
                headers.insert(name, HeaderValue::from(length));
                continue;
            } else if name == TRANSFER_ENCODING {
                self.transfer_encoding(&value)?;
            } else if name == CONNECTION {
                self.connection(&value);
            } else if name == EXPECT {
                self.expects_continue = value.as_bytes().eq_ignore_ascii_case(b"100-continue");
            }
            headers.append(name, value);
        }
        if self.is_chunked && headers.remove(CONTENT_LENGTH).is_some() {
            // The chunks count, and nothing after the message is believed (RFC 9112, section 6.3).
            self.close = true;
        }
        Ok(headers)
    }

    /// Digits alone, or a list of the same (RFC 9110, section 8.6).
    fn content_length(&mut self, value: &HeaderValue) -> Option<u64> {
        for one in value.to_str().ok()?.split(',') {
            let one = one.trim_matches([' ', '\t']);
            if one.is_empty() || !one.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let length = one.parse().ok()?;
            if self.length.is_some_and(|known| known != length) {
                return None;
            }
            self.length = Some(length);
        }
        self.length
    }

    /// Chunks, and nothing else: a coding that we do not undo would be lost, for the header does not pass on.
    fn transfer_encoding(&mut self, value: &HeaderValue) -> Result<(), HeadError> {
        let is_chunked = value.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !is_chunked || self.is_chunked || self.version == Version::HTTP_10 {
            return Err(HeadError::Malformed);
        }
        self.is_chunked = true;
        Ok(())
    }

    fn connection(&mut self, value: &HeaderValue) {
        for token in value.as_bytes().split(|&byte| byte == b',') {
            let token = token.trim_ascii();
            self.close |= token.eq_ignore_ascii_case(b"close");
            self.asks_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn keep_alive(&self) -> bool {
        !self.close && (self.version == Version::HTTP_11 || self.asks_keep_alive)
    }
}

/// Reads a whole trailer section, its empty line included. Fields that would change the message or who may see it are
/// left out (RFC 9110, section 6.5.1).
pub(super) fn trailers(section: &Bytes) -> Result<HeaderMap, HeadError> {
    let is_bare = |at: usize| !section[..at].ends_with(b"\r");
    if memchr::memchr_iter(b'\n', section).any(is_bare) {
        return Err(HeadError::Malformed);
    }
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let lines = match httparse::parse_headers(section, &mut lines) {
        Ok(Status::Complete((length, lines))) if length == section.len() => lines,
        Ok(_) => return Err(HeadError::Malformed),
        Err(error) => return Err(refusal(error)),
    };
    let mut trailers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name =
            HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::Malformed)?;
        let value = HeaderValue::from_maybe_shared(section.slice_ref(line.value))
            .map_err(|_| HeadError::Malformed)?;
        if !belongs_in_head(&name) {
            trailers.append(name, value);
        }
    }
    Ok(trailers)
}

/// Framing, routing, and what says who asks.
fn belongs_in_head(name: &HeaderName) -> bool {
    use http::header as h;
    [
        h::CONTENT_LENGTH,
        h::TRANSFER_ENCODING,
        h::CONNECTION,
        h::UPGRADE,
        h::TE,
        h::TRAILER,
        h::HOST,
        h::EXPECT,
        h::CONTENT_TYPE,
        h::CONTENT_ENCODING,
        h::CONTENT_RANGE,
        h::AUTHORIZATION,
        h::PROXY_AUTHORIZATION,
        h::COOKIE,
        h::SET_COOKIE,
    ]
    .contains(name)
}

#[cfg(test)]
mod tests;
