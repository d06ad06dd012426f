//! From a path to its template, by looking at this path alone.

use super::class::class;
use super::segment::write_segment;
use super::{FOLD, NAME};

#[cfg(test)]
mod tests;

/// Segments of a template; deeper paths end in `/…`. Deep paths are files and object keys: the deepest
/// APIs that are in wide use (Azure's, Kubernetes') have a dozen.
pub const MAX_SEGMENTS: usize = 16;
/// Bytes of a template; longer ones end in `/…`.
pub const MAX_TEMPLATE_BYTES: usize = 256;
/// Bytes of an encoded segment that are decoded to be looked at; longer ones are data.
const MAX_ENCODED_BYTES: usize = 192;

/// Appends the template of a path to `out`, a buffer that is meant to be used again and again.
///
/// Deterministic, linear in the length of the path, and free of allocation once `out` has grown.
/// The template of a template is the template itself.
///
/// - Segments that are plainly data become `{id}`, `{uuid}`, `{hex}`, `{date}`, `{email}`, `{token}`,
///   or `{name}` (text that has to be percent-encoded); see [`write_segment`].
/// - `.` and `..` are resolved, runs of slashes count as one, a slash at the end stays, and path
///   parameters (`;v=1`, RFC 3986 section 3.3) are left out.
/// - A query or fragment that was left on is not looked at.
pub fn write_template(path: &str, out: &mut String) {
    let start = out.len();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path == "*" {
        // The target of `OPTIONS *`.
        out.push('*');
        return;
    }
    let mut depth = 0;
    let mut folded = false;
    let mut buffer = [0; MAX_ENCODED_BYTES];
    for raw in path.split('/') {
        let raw = raw.split(';').next().unwrap_or_default();
        if raw.is_empty() {
            continue;
        }
        let decoded = decode(raw, &mut buffer);
        match decoded {
            Decoded::Readable(".") => {}
            Decoded::Readable("..") => {
                depth = usize::saturating_sub(depth, 1);
                out.truncate(start + out[start..].rfind('/').unwrap_or(0));
            }
            _ => {
                folded =
                    depth == MAX_SEGMENTS || raw == FOLD || !push_segment(&decoded, start, out);
                depth += 1;
            }
        }
        if folded {
            out.push('/');
            out.push_str(FOLD);
            return;
        }
    }
    if out.len() == start || path.ends_with('/') {
        out.push('/');
    }
}

/// False: there is no room for it in the template that begins at `start`, and `out` is as before.
fn push_segment(decoded: &Decoded<'_>, start: usize, out: &mut String) -> bool {
    let before = out.len();
    out.push('/');
    match decoded {
        Decoded::Readable(text) => write_segment(text, out),
        Decoded::Text(text) => out.push_str(class(text).unwrap_or(NAME)),
        Decoded::Unreadable => out.push_str(NAME),
    }
    // A slash at the end, or the fold, must still find room.
    let fits = out.len() - start + '/'.len_utf8() + FOLD.len() <= MAX_TEMPLATE_BYTES;
    if !fits {
        out.truncate(before);
    }
    fits
}

/// A segment without its percent-encoding.
enum Decoded<'a> {
    /// Characters that may stand in a path as they are (RFC 3986 `pchar`), and braces, which templates have.
    Readable(&'a str),
    /// Text with other characters in it: spaces, quotes, slashes, letters that are not ASCII. Routes
    /// are not called so; what people have typed is.
    Text(&'a str),
    /// No text.
    Unreadable,
}

fn decode<'a>(raw: &'a str, buffer: &'a mut [u8; MAX_ENCODED_BYTES]) -> Decoded<'a> {
    if !raw.contains('%') {
        let is_readable = raw
            .bytes()
            .all(|byte| is_pchar(byte) || matches!(byte, b'{' | b'}'));
        return if is_readable {
            Decoded::Readable(raw)
        } else {
            Decoded::Text(raw)
        };
    }
    let mut length = 0;
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => (high << 4) | low,
                _ => return Decoded::Unreadable,
            },
            byte => byte,
        };
        match buffer.get_mut(length) {
            Some(slot) => *slot = byte,
            None => return Decoded::Unreadable,
        }
        length += 1;
    }
    match std::str::from_utf8(&buffer[..length]) {
        Ok(text) if text.bytes().all(is_pchar) => Decoded::Readable(text),
        Ok(text) => Decoded::Text(text),
        Err(_) => Decoded::Unreadable,
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}

/// `pchar` of RFC 3986 but `%`, which begins an encoded byte, and `;`, which begins parameters.
fn is_pchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}
