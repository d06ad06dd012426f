//! Single values: what they expect, and how their text is read.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::Kind;
use super::docs::Shape;
use super::mistake::{Mistakes, Place, quoted};
use super::tree::{Node, Value};

/// A single value that is read from its text. Quotes around it in the file make no difference.
pub struct Scalar<T> {
    expected: Cow<'static, str>,
    parse: Parse<T>,
}

type Parse<T> = Box<dyn Fn(&str) -> Option<T> + Send + Sync>;

/// A kind of single value. `expected` completes "expected ..." ("a port number from 1 to 65535").
pub fn scalar<T>(
    expected: impl Into<Cow<'static, str>>,
    parse: impl Fn(&str) -> Option<T> + Send + Sync + 'static,
) -> Scalar<T> {
    Scalar {
        expected: expected.into(),
        parse: Box::new(parse),
    }
}

impl<T> Scalar<T> {
    /// The same text, as another type.
    pub fn map<U>(self, convert: impl Fn(T) -> U + Send + Sync + 'static) -> Scalar<U>
    where
        T: 'static,
    {
        let parse = self.parse;
        Scalar {
            expected: self.expected,
            parse: Box::new(move |text| parse(text).map(&convert)),
        }
    }

    /// What a text has to look like; completes "expected ...".
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Reads a text from outside a file, such as a flag or an environment variable; `origin` names it.
    pub fn read_text(&self, origin: &str, text: &str) -> Result<T, Mistakes> {
        (self.parse)(text).ok_or_else(|| {
            Mistakes::one(Place::of(origin).mistake(quoted(text), self.expected.clone()))
        })
    }

    /// Reads a key of a table whose keys are free.
    pub(super) fn read_key(&self, key: &str, place: &Place, mistakes: &mut Mistakes) -> Option<T> {
        let value = (self.parse)(key);
        if value.is_none() {
            let given = format!("the key {}", quoted(key));
            mistakes.push(place.mistake(given, self.expected.clone()));
        }
        value
    }
}

impl<T> fmt::Debug for Scalar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scalar").field(&self.expected).finish()
    }
}

impl<T> Kind for Scalar<T> {
    type Value = T;

    fn read(&self, node: &Node, place: &Place, mistakes: &mut Mistakes) -> Option<T> {
        let value = match &node.value {
            Value::Text(text) => (self.parse)(text),
            _ => None,
        };
        if value.is_none() {
            mistakes.push(place.mistake(node.given(), self.expected.clone()));
        }
        value
    }

    fn shape(&self) -> Shape {
        Shape::Scalar(self.expected.clone().into_owned())
    }
}

/// Any text that is not empty.
pub fn string() -> Scalar<String> {
    scalar("text", |text| (!text.is_empty()).then(|| text.to_owned()))
}

/// `true` or `false`.
pub fn boolean() -> Scalar<bool> {
    scalar("true or false", |text| match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    })
}

/// A whole number in a range.
pub fn integer(range: RangeInclusive<u64>) -> Scalar<u64> {
    let (min, max) = (*range.start(), *range.end());
    let expected = match max {
        u64::MAX => format!("a whole number of at least {min}"),
        _ => format!("a whole number from {min} to {max}"),
    };
    scalar(expected, move |text| {
        digits(text).filter(|n| range.contains(n))
    })
}

/// A number in a range.
pub fn number(range: RangeInclusive<f64>) -> Scalar<f64> {
    let (min, max) = (*range.start(), *range.end());
    let expected = format!("a number from {min} to {max}");
    scalar(expected, move |text| {
        text.parse().ok().filter(|n| range.contains(n))
    })
}

/// A share, from 0 (none) to 1 (all).
pub fn ratio() -> Scalar<f64> {
    let mut ratio = number(0.0..=1.0);
    ratio.expected = "a ratio from 0 to 1".into();
    ratio
}

/// A TCP port that can be connected to.
pub fn port() -> Scalar<u16> {
    scalar("a port number from 1 to 65535", |text| {
        digits(text)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|n| *n > 0)
    })
}

/// An IP address with a port; port 0 leaves the choice to the system.
pub fn socket_addr() -> Scalar<SocketAddr> {
    scalar(
        "an IP address and port such as 127.0.0.1:8084 or [::1]:8084",
        |text| text.parse().ok(),
    )
}

/// A time: a whole number and its unit (us, ms, s, m, h, d), within a range.
pub fn duration(range: RangeInclusive<Duration>) -> Scalar<Duration> {
    let (min, max) = (*range.start(), *range.end());
    let expected = match (min, max) {
        (Duration::ZERO, Duration::MAX) => "a time such as 250ms, 30s or 5m".to_owned(),
        (min, Duration::MAX) => format!("a time of at least {}", time_text(min)),
        (min, max) => format!("a time from {} to {}", time_text(min), time_text(max)),
    };
    scalar(expected, move |text| {
        let (count, unit) = count_and_unit(text)?;
        let micros = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        let time = Duration::from_micros(count.checked_mul(micros)?);
        range.contains(&time).then_some(time)
    })
}

/// A time as [`duration`] reads it, in the largest unit that divides it.
fn time_text(time: Duration) -> String {
    const UNITS: [(u128, &str); 5] = [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
        (1_000_000, "s"),
        (1_000, "ms"),
    ];
    let micros = time.as_micros();
    if micros == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(unit, _)| micros.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", micros / unit),
        None => format!("{micros}us"),
    }
}

/// A size in bytes, within a range: a whole number with B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB,
/// TiB (powers of 1024).
pub fn byte_size(range: RangeInclusive<u64>) -> Scalar<u64> {
    let (min, max) = (*range.start(), *range.end());
    let expected = match (min, max) {
        (0, u64::MAX) => "a size such as 64KiB, 512MiB or 1GiB".to_owned(),
        (min, u64::MAX) => format!("a size of at least {}", size_text(min)),
        (min, max) => format!("a size from {} to {}", size_text(min), size_text(max)),
    };
    scalar(expected, move |text| {
        let (count, unit) = count_and_unit(text)?;
        let bytes = match unit {
            "B" => 1,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return None,
        };
        let size = count.checked_mul(bytes)?;
        range.contains(&size).then_some(size)
    })
}

/// A size as [`byte_size`] reads it, in the largest unit that divides it.
fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    let divides = |(unit, _): &&(u64, &str)| bytes > 0 && bytes.is_multiple_of(*unit);
    match UNITS.iter().find(divides) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// One of the words of a fixed set, each with what it means.
pub fn one_of<T: Clone + Send + Sync + 'static>(words: &[(&'static str, T)]) -> Scalar<T> {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let expected = match names.as_slice() {
        [] => "nothing at all".to_owned(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    };
    let words = words.to_vec();
    scalar(expected, move |text| {
        words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| meaning.clone())
    })
}

/// A file or folder; whether it exists is for whoever opens it.
pub fn path() -> Scalar<PathBuf> {
    scalar("a path", |text| {
        (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
    })
}

/// A host name (RFC 1123), or `*.` and a host name, which means any labels before it. Lower case.
pub fn host_pattern() -> Scalar<String> {
    scalar(
        "a host name such as books.example, or *.books.example",
        |text| {
            let host = text.to_ascii_lowercase();
            is_host_name(host.strip_prefix("*.").unwrap_or(&host)).then_some(host)
        },
    )
}

fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// A network: address and number of leading bits (RFC 4632); an address alone is that one address.
pub fn cidr() -> Scalar<(IpAddr, u8)> {
    scalar(
        "an address or network such as 10.0.0.0/8 or fd00::/8",
        |text| {
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, Some(digits(bits)?)),
                None => (text, None),
            };
            let address: IpAddr = address.parse().ok()?;
            let width = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.unwrap_or(width);
            (bits <= width).then_some((address, u8::try_from(bits).ok()?))
        },
    )
}

/// A whole number without sign.
fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    text.parse().ok()
}

fn count_and_unit(text: &str) -> Option<(u64, &str)> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit_at);
    Some((digits(count)?, unit))
}
