//! Ids of traces and spans. An id is never zero: W3C and B3 both call that invalid, so the types
//! cannot hold it.

use crate::hex;
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// Id of a trace: 128 bits, never zero. A 64-bit id of B3 is one whose upper half is zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(NonZeroU128);

/// Id of a span: 64 bits, never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(NonZeroU64);

/// A text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Too few or too many digits.
    #[error("an id of {expected} hexadecimal digits was expected, not of {given}")]
    Length {
        /// What the type takes.
        expected: &'static str,
        /// Bytes that were given.
        given: usize,
    },
    /// Something that is no hexadecimal digit.
    #[error("an id consists of hexadecimal digits")]
    Digit,
    /// All zero.
    #[error("an id of zeros only is invalid")]
    Zero,
}

impl TraceId {
    /// The id with this value; `None` for zero.
    pub fn new(value: u128) -> Option<Self> {
        NonZeroU128::new(value).map(Self)
    }

    /// The id of these bytes, most significant first; `None` when all are zero.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        Self::new(u128::from_be_bytes(bytes))
    }

    /// The bytes, most significant first, as OTLP carries them.
    pub fn to_bytes(self) -> [u8; 16] {
        self.get().to_be_bytes()
    }

    /// The value.
    pub fn get(self) -> u128 {
        self.0.get()
    }

    /// A new id. All 128 bits are random, which satisfies the random flag of W3C level 2 (section
    /// 3.2.2.5.2 of Trace Context Level 2 asks for the lower 56).
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        loop {
            if let Some(id) = Self::new(rng.u128(..)) {
                return id;
            }
        }
    }

    /// The lower 64 bits: all that a tracer with 64-bit ids keeps of it.
    pub fn low64(self) -> u64 {
        self.get() as u64
    }

    /// The upper 64 bits; 0 for an id that came with 64.
    pub fn high64(self) -> u64 {
        (self.get() >> 64) as u64
    }

    /// The 32 lower-case digits, as ASCII.
    pub fn to_hex(self) -> [u8; 32] {
        hex::digits_u128(self.get())
    }
}

impl SpanId {
    /// The id with this value; `None` for zero.
    pub fn new(value: u64) -> Option<Self> {
        NonZeroU64::new(value).map(Self)
    }

    /// The id of these bytes, most significant first; `None` when all are zero.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        Self::new(u64::from_be_bytes(bytes))
    }

    /// The bytes, most significant first, as OTLP carries them.
    pub fn to_bytes(self) -> [u8; 8] {
        self.get().to_be_bytes()
    }

    /// The value.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// A new id.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        loop {
            if let Some(id) = Self::new(rng.u64(..)) {
                return id;
            }
        }
    }

    /// The 16 lower-case digits, as ASCII.
    pub fn to_hex(self) -> [u8; 16] {
        hex::digits_u64(self.get())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(&self.to_hex(), f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(&self.to_hex(), f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn write_ascii(digits: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.pad(std::str::from_utf8(digits).map_err(|_| fmt::Error)?)
}

impl FromStr for TraceId {
    type Err = ParseIdError;

    /// 32 digits, or the 16 of a 64-bit id, in either case.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.len() {
            16 | 32 => Self::new(parse_digits(text)?).ok_or(ParseIdError::Zero),
            given => Err(ParseIdError::Length {
                expected: "32 or 16",
                given,
            }),
        }
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    /// 16 digits, in either case.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.len() {
            16 => Self::new(parse_digits(text)? as u64).ok_or(ParseIdError::Zero),
            given => Err(ParseIdError::Length {
                expected: "16",
                given,
            }),
        }
    }
}

fn parse_digits(text: &str) -> Result<u128, ParseIdError> {
    hex::parse(text.as_bytes(), hex::Case::Any).ok_or(ParseIdError::Digit)
}

macro_rules! serde_as_hex {
    ($type:ident, $what:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

serde_as_hex!(TraceId, "a trace id of 32 hexadecimal digits");
serde_as_hex!(SpanId, "a span id of 16 hexadecimal digits");
