//! Spans of time, as people write them: `500ms`, `30s`, `1m`, `6h`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A span of time that is written as a whole number and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(Duration);

/// What a span of time has to look like; the text of the error.
pub const TIME_SPAN_FORM: &str =
    "a whole number and a unit (ms, s, m, h or d), such as 30s, 1m or 6h";

/// The text is not a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {TIME_SPAN_FORM}")]
pub struct NotATimeSpan;

/// Units, longest first, so that the largest one that divides a span names it.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl TimeSpan {
    /// From a duration; parts below a millisecond are cut off.
    pub fn new(duration: Duration) -> Self {
        Self(Duration::from_millis(
            u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        ))
    }

    /// From whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As a duration.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for TimeSpan {
    type Err = NotATimeSpan;

    fn from_str(text: &str) -> Result<Self, NotATimeSpan> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| NotATimeSpan)?;
        let (_, unit_ms) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or(NotATimeSpan)?;
        number
            .checked_mul(unit_ms)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or(NotATimeSpan)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if ms == 0 {
            return f.write_str("0s");
        }
        let (unit, unit_ms) = UNITS
            .into_iter()
            .find(|(_, unit_ms)| ms.is_multiple_of(*unit_ms))
            .unwrap_or(("ms", 1));
        write!(f, "{}{unit}", ms / unit_ms)
    }
}

/// The time that an answer speaks of: what was asked for, without what lies before the first numbers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct WindowBounds {
    /// Its first moment, RFC 3339.
    pub from: String,
    /// Its last moment, RFC 3339.
    pub to: String,
    /// Its length in seconds, by which rates are divided.
    pub seconds: f64,
}

#[cfg(test)]
mod tests;
