//! The server's name in a TLS ClientHello (RFC 6066, section 3; RFC 8446, sections 4.1.2 and 5.1). All versions since
//! TLS 1.0 begin alike. Of an encrypted ClientHello (ECH) it is the outer name, which is all that is to be seen.
//!
//! Nothing is verified that the name does not depend on: this is to label a connection, and not to be a server.

/// A client asks in less, keys of post-quantum exchanges included.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// What the first bytes of a connection say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hello {
    /// As far as they go they can be the beginning of a ClientHello.
    Incomplete,
    /// It is whole, and asks for this server.
    For(String),
    /// It is whole and names none, or is too large, or it is something else.
    Unnamed,
}

/// Looks at a connection's first bytes. Once they are not incomplete, more bytes change nothing.
pub(super) fn inspect(bytes: &[u8]) -> Hello {
    match message(bytes) {
        Err(Stop::Incomplete) => Hello::Incomplete,
        Err(Stop::Different) => Hello::Unnamed,
        Ok(message) => server_name(&message).map_or(Hello::Unnamed, Hello::For),
    }
}

/// Why there is no whole message.
enum Stop {
    Incomplete,
    Different,
}

/// Content type of records that carry handshake messages.
const HANDSHAKE: u8 = 22;
/// Major version of every record.
const MAJOR_VERSION: u8 = 3;
const RECORD_HEADER: usize = 5;
const MAX_FRAGMENT: usize = 1 << 14;
/// Type of the message.
const CLIENT_HELLO: u8 = 1;
const MESSAGE_HEADER: usize = 4;

/// The body of the first handshake message, which may be cut into any number of records.
fn message(mut rest: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut message = Vec::new();
    loop {
        if message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Err(Stop::Different);
        }
        if let [_, a, b, c, body @ ..] = &message[..] {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            if length > MAX_BYTES - RECORD_HEADER - MESSAGE_HEADER {
                return Err(Stop::Different);
            }
            if body.len() >= length {
                return Ok(body[..length].to_vec());
            }
        }
        let fragment = fragment(&mut rest)?;
        message.extend_from_slice(fragment);
    }
}

/// What is there of the next record's fragment; at least a byte.
fn fragment<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Stop> {
    for (byte, expected) in rest.iter().zip([HANDSHAKE, MAJOR_VERSION]) {
        if *byte != expected {
            return Err(Stop::Different);
        }
    }
    let [_, _, _, a, b, behind @ ..] = *rest else {
        return Err(Stop::Incomplete);
    };
    let length = usize::from(*a) << 8 | usize::from(*b);
    // Empty ones are not allowed (RFC 8446, section 5.1), and would be endless.
    if length == 0 || length > MAX_FRAGMENT {
        return Err(Stop::Different);
    }
    let (fragment, behind) = behind.split_at(length.min(behind.len()));
    *rest = behind;
    if fragment.is_empty() {
        return Err(Stop::Incomplete);
    }
    Ok(fragment)
}

/// Numbers of RFC 6066.
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// The name that a whole ClientHello asks for. One that is cut short inside has none.
fn server_name(hello: &[u8]) -> Option<String> {
    let mut hello = Fields(hello);
    let (_version, _random) = (hello.take(2)?, hello.take(32)?);
    let _session = hello.vector8()?;
    let _ciphers = hello.vector16()?;
    let _compression = hello.vector8()?;
    let mut extensions = Fields(hello.vector16()?);
    loop {
        let kind = extensions.number16()?;
        let content = extensions.vector16()?;
        if kind == SERVER_NAME {
            let mut names = Fields(Fields(content).vector16()?);
            let kind = names.take(1)?;
            let name = names.vector16()?;
            return (kind == [HOST_NAME]).then(|| host_name(name)).flatten();
        }
    }
}

/// A name of the DNS in lower case. Addresses are no names (RFC 6066), and neither is what could not be shown.
fn host_name(name: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &[u8]| (1..=63).contains(&label.len()) && label.iter().all(is_plain);
    let mut labels = name.split(|byte| *byte == b'.');
    if name.len() > 253 || !labels.all(is_label) {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    // No top-level domain is a number: what ends in one is an address.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then_some(name)
}

/// What is left of a structure.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from(bytes[0]) << 8 | u16::from(bytes[1]))
    }

    /// What has its length before it, in one byte.
    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    /// The same in two bytes.
    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.number16()?;
        self.take(length.into())
    }
}

#[cfg(test)]
pub(super) mod tests;
