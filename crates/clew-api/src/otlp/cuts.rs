//! The most that is kept of one span; what is more is cut, and counted.
//!
//! The OpenTelemetry SDKs keep 128 attributes, events and links by default, and text without a bound.

/// Attributes of one span, event, link, resource or map, and items of one list.
pub const MAX_ATTRIBUTES: usize = 256;
/// Events, and links, of one span.
pub const MAX_EVENTS: usize = 256;
/// Bytes of one name, key, text or binary value.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;

/// How often something was cut.
#[derive(Debug, Default)]
pub(crate) struct Cuts(pub(crate) u64);

impl Cuts {
    /// The text, to its bound; it ends at a whole character.
    pub(crate) fn text(&mut self, mut text: String) -> String {
        if text.len() > MAX_TEXT_BYTES {
            self.0 += 1;
            text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
            text.shrink_to_fit();
        }
        text
    }

    /// The list, to a bound.
    pub(crate) fn list<T>(&mut self, mut list: Vec<T>, most: usize) -> Vec<T> {
        if list.len() > most {
            self.0 += 1;
            list.truncate(most);
        }
        list
    }

    /// The bytes, to their bound.
    pub(crate) fn bytes(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut bytes = self.list(bytes, MAX_TEXT_BYTES);
        bytes.shrink_to_fit();
        bytes
    }
}
