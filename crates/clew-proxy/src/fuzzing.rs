//! Protocol detection and messages of HTTP/1, for tests that give them any bytes. No interface: only `clew-fuzz` calls it.

pub use crate::codec::fuzzing as http1;

use crate::codec::HttpVersion;
use crate::detect::{Detected, Verdict, inspect};

/// What a connection that begins with these bytes is taken for; `None` while more are needed.
pub fn protocol(seen: &[u8]) -> Option<&'static str> {
    match inspect(seen) {
        Verdict::Is(Detected::Http(HttpVersion::Http1)) => Some("HTTP/1"),
        Verdict::Is(Detected::Http(HttpVersion::Http2)) => Some("HTTP/2"),
        Verdict::Is(_) => Some("bytes"),
        Verdict::Open => None,
    }
}
