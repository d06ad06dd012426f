//! Header values that are put together on the stack.

use http::{HeaderMap, HeaderName, HeaderValue};

/// At most `N` bytes of a header value.
pub(super) struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Line<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
        }
    }
}

impl<const N: usize> Line<N> {
    /// Adds a part. What does not fit is a mistake of the caller's.
    pub(super) fn push(&mut self, part: &[u8]) {
        self.bytes[self.length..][..part.len()].copy_from_slice(part);
        self.length += part.len();
    }

    /// Adds a number in decimal digits.
    pub(super) fn push_decimal(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    /// Writes it as the one value of a header. Digits and separators are always a valid one.
    pub(super) fn insert(&self, headers: &mut HeaderMap, name: &'static HeaderName) {
        if let Ok(value) = HeaderValue::from_bytes(&self.bytes[..self.length]) {
            headers.insert(name, value);
        }
    }
}
