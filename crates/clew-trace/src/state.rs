//! The `tracestate` header: other vendors' data, which Clew carries and never reads, and one member of its own making.

use http::HeaderValue;
use http::header::GetAll;
use std::fmt;

#[cfg(test)]
mod tests;

/// Members that a list may have (W3C Trace Context Level 2, section 3.3.1.1).
const MAX_MEMBERS: usize = 32;
/// What every participant must be able to carry; we carry no more (section 3.3.1.5).
const MAX_BYTES: usize = 512;
/// Members longer than this are the first to go when the list is too long (section 3.3.1.5).
const LONG_MEMBER_BYTES: usize = 128;
/// Bound on the bytes that are looked at. Sixteen times what a sender can hope to get through.
const MAX_BYTES_READ: usize = 16 * MAX_BYTES;

/// Content of `tracestate`, verbatim: at most 32 members and 512 bytes. Most requests have none.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceState(Option<HeaderValue>);

impl TraceState {
    /// Reads all `tracestate` headers of a request as one list.
    ///
    /// A list that is not well formed or has more than 32 members is discarded whole, which the
    /// specification lets a participant do and its test suite expects; the trace goes on without.
    /// A list of more than 512 bytes loses whole members: first those over 128 bytes, then the last
    /// ones.
    pub fn from_headers(values: &GetAll<'_, HeaderValue>) -> Self {
        let mut values = values.iter();
        let Some(first) = values.next() else {
            return Self::default();
        };
        let second = values.next();
        if second.is_none() && first.len() <= MAX_BYTES {
            // The usual case shares the header's bytes.
            return match count_members(first.as_bytes()) {
                Some(1..=MAX_MEMBERS) => Self(Some(first.clone())),
                _ => Self::default(),
            };
        }
        let mut joined = Vec::with_capacity(MAX_BYTES);
        for value in [first].into_iter().chain(second).chain(values) {
            if joined.len() + value.len() > MAX_BYTES_READ {
                return Self::default();
            }
            if !joined.is_empty() {
                joined.push(b',');
            }
            joined.extend_from_slice(value.as_bytes());
        }
        Self::from_joined(&joined)
    }

    fn from_joined(list: &[u8]) -> Self {
        let shortened = match count_members(list) {
            Some(1..=MAX_MEMBERS) if list.len() <= MAX_BYTES => HeaderValue::from_bytes(list),
            Some(1..=MAX_MEMBERS) => HeaderValue::from_bytes(&shorten(list)),
            _ => return Self::default(),
        };
        Self(shortened.ok().filter(|value| !value.is_empty()))
    }

    /// OpenTelemetry's member with the rejection threshold of consistent probability sampling, `ot=th:c`: of 2^56,
    /// in hexadecimal digits without the zeros at their end ("TraceState: Probability Sampling", `th`).
    pub(crate) fn of_threshold(threshold: u64) -> Self {
        let digits = format!("{threshold:014x}");
        let digits = match digits.trim_end_matches('0') {
            "" => "0",
            digits => digits,
        };
        Self(HeaderValue::from_str(&format!("ot=th:{digits}")).ok())
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The list as one header; `None` when it is empty.
    pub fn header(&self) -> Option<&HeaderValue> {
        self.0.as_ref()
    }

    /// The list as text; empty when there is none.
    pub fn as_str(&self) -> &str {
        self.0
            .as_ref()
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The members of a list, optional white space and empty members left out.
fn members(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(trim)
        .filter(|member| !member.is_empty())
}

/// Number of members; `None` when one of them is malformed.
fn count_members(list: &[u8]) -> Option<usize> {
    members(list).try_fold(0, |count, member| is_member(member).then_some(count + 1))
}

/// `key=value` as section 3.3.1.3 of level 2 defines them (level 1 allows less in keys).
fn is_member(member: &[u8]) -> bool {
    let Some(equals) = member.iter().position(|&byte| byte == b'=') else {
        return false;
    };
    let (key, value) = (&member[..equals], &member[equals + 1..]);
    let is_key = matches!(key, [b'a'..=b'z' | b'0'..=b'9', rest @ ..]
    if rest.len() < 256 && rest.iter().all(|byte| {
        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@')
    }));
    // Commas split members and blanks at the end are trimmed, so that neither is here.
    let is_value = (1..=256).contains(&value.len())
        && value
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && *byte != b'=');
    is_key && is_value
}

/// Leaves out members until the list fits.
fn shorten(list: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = members(list).collect();
    let length = |kept: &[&[u8]]| kept.iter().map(|member| member.len() + 1).sum::<usize>();
    while length(&kept) > MAX_BYTES + 1 {
        let long = kept
            .iter()
            .rposition(|member| member.len() > LONG_MEMBER_BYTES);
        kept.remove(long.unwrap_or(kept.len() - 1));
    }
    kept.join(&b',')
}

fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
