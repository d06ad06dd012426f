//! Times as answers show them.

use clew_api::rest::window::WindowBounds;
use clew_store::Window;
use jiff::Timestamp;
use std::time::{Duration, SystemTime};

/// RFC 3339 in UTC; the epoch where the time cannot be written so.
pub(super) fn rfc3339(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap_or_default().to_string()
}

/// RFC 3339 in UTC of Unix time in nanoseconds.
pub(super) fn rfc3339_nanos(unix_nano: u64) -> String {
    Timestamp::from_nanosecond(i128::from(unix_nano))
        .unwrap_or_default()
        .to_string()
}

/// Milliseconds with their fraction.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Milliseconds with their fraction, of nanoseconds.
pub(super) fn nanos_as_millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// The time that an answer speaks of.
pub(super) fn bounds(window: &Window) -> WindowBounds {
    WindowBounds {
        from: rfc3339(window.from),
        to: rfc3339(window.to),
        seconds: window.length().as_secs_f64(),
    }
}
