//! What a text is, when it is plainly data and not the name of a route.

use super::NAME;

pub(super) const ID: &str = "{id}";
pub(super) const UUID: &str = "{uuid}";
pub(super) const HEX: &str = "{hex}";
pub(super) const DATE: &str = "{date}";
pub(super) const EMAIL: &str = "{email}";
pub(super) const TOKEN: &str = "{token}";

pub(super) const UUID_BYTES: usize = 36;
pub(super) const DATE_BYTES: usize = 10;
/// Digits that make a part of a name an id. Four are found in `iso-8601`; there the word stays.
pub(super) const ID_DIGITS: usize = 4;
/// Digits right after letters that do: `office365` and `es2015` stay, `tt0111161` does not.
pub(super) const GLUED_ID_DIGITS: usize = 5;

/// The segment is a placeholder and nothing else.
pub(super) fn is_placeholder(segment: &str) -> bool {
    [ID, UUID, HEX, DATE, EMAIL, TOKEN, NAME].contains(&segment)
}

/// What a word is when it is data: `12345`, `3f9a1c`, `V1StGXR8`.
pub(super) fn word_class(word: &str) -> Option<&'static str> {
    if !word.bytes().all(|byte| byte.is_ascii_alphanumeric()) || is_version(word) {
        return None;
    }
    let mut digits = 0;
    let mut longest = 0;
    for byte in word.bytes() {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        longest = longest.max(digits);
    }
    if longest == word.len() {
        (longest >= ID_DIGITS).then_some(ID)
    } else if is_hex(word) {
        Some(HEX)
    } else if is_random(word) {
        Some(TOKEN)
    } else {
        (longest >= GLUED_ID_DIGITS).then_some(ID)
    }
}

/// What the whole text is, when it is data.
pub(super) fn class(text: &str) -> Option<&'static str> {
    if is_uuid(text) {
        Some(UUID)
    } else if is_date(text) {
        Some(DATE)
    } else if is_number(text) {
        Some(ID)
    } else if is_hex(text) || is_hardware_address(text) {
        Some(HEX)
    } else if is_email(text) {
        Some(EMAIL)
    } else {
        None
    }
}

/// Digits with what stands between digits in ids, quantities, addresses, ISBNs and coordinates. A
/// version of an API (`1.1`, `2.0`) is none.
fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-+_.,:".contains(&byte))
        && !is_short_version(text)
}

/// `1.1`, `2.0`, `10.2`.
fn is_short_version(text: &str) -> bool {
    text.split_once('.').is_some_and(|(major, minor)| {
        [major, minor].iter().all(|part| {
            matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// `v1`, `v1.2`, `v1alpha2`, `v1p1beta1`.
pub(super) fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['v', 'V']) else {
        return is_short_version(text);
    };
    let is_digit = |c: char| c.is_ascii_digit();
    rest.starts_with(is_digit)
        && rest.split('.').all(|part| {
            part.split(is_digit)
                .all(|word| matches!(word, "" | "p" | "alpha" | "beta" | "rc" | "preview"))
                && part
                    .split(|c| !is_digit(c))
                    .all(|number| number.len() < GLUED_ID_DIGITS)
        })
}

pub(super) fn is_uuid(text: &str) -> bool {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(text);
    text.len() == UUID_BYTES
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Hashes and ids in hexadecimal. Words that happen to be hexadecimal (`facade`, `dec2024`, `face2face`)
/// are none: short ones must change between digits and letters more than once and have two digits.
fn is_hex(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("0x") {
        return rest.len() >= 4 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match text.len() {
        0..6 => false,
        6..12 => digits >= 2 && changes(text) >= 2,
        12..16 => digits >= 1,
        16.. => true,
    }
}

/// MAC and IPv6 addresses.
fn is_hardware_address(text: &str) -> bool {
    text.matches(':').count() >= 2
        && text
            .split(':')
            .all(|group| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `2024-05-01`, `2024-05`, with a time after it or not (RFC 3339, ISO 8601); with other separators as well.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        bytes.get(from..to)?.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let is_year = number(0, 4).is_some_and(|year| (1900..2200).contains(&year));
    let is_month = |from| number(from, from + 2).is_some_and(|month| (1..=12).contains(&month));
    let is_day = |from| number(from, from + 2).is_some_and(|day| (1..=31).contains(&day));
    let is_separator = |at: usize| bytes.get(at).is_some_and(|byte| b"-_.".contains(byte));
    let is_time = |from: usize| match bytes.get(from..) {
        None | Some([]) => true,
        Some([b'T' | b't' | b' ' | b'_', time @ ..]) => {
            number(from + 1, from + 3).is_some()
                && time
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || b":.-+_Zz".contains(byte))
        }
        Some(_) => false,
    };
    let is_day_of_month = is_separator(4)
        && is_month(5)
        && (bytes.len() == 7 || (bytes.get(4) == bytes.get(7) && is_day(8) && is_time(10)));
    let is_compact = is_month(4) && is_day(6) && bytes.len() > 8 && is_time(8);
    is_year && (is_day_of_month || is_compact)
}

/// An address with a domain that has a dot and ends in letters, so that `lodash@4.17.21` is none.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let mut labels = domain.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !local.is_empty()
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && domain.contains('.')
        && labels.all(is_label)
}

/// Letters and digits without order: base62, base64, nanoid, ULID, KSUID. Words with a digit in them
/// (`oauth2`, `sha256`, `getUserByIdV2`) change seldom between letters, digits and cases; random text
/// changes all the time.
pub(super) fn is_random(word: &str) -> bool {
    let length = word.len();
    match changes(word) {
        4.. if length >= 7 => true,
        3 if length >= 10 => true,
        1.. if length >= 16 => length < 3 * runs(word),
        0 if length >= 20 => 2 * length < 5 * runs(word),
        _ => false,
    }
}

/// Number of changes between letters and digits.
fn changes(word: &str) -> usize {
    let bytes = word.as_bytes();
    bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count()
}

/// Number of words in camel case: runs of digits, of capitals, and of small letters with the capital
/// before them.
fn runs(word: &str) -> usize {
    let bytes = word.as_bytes();
    let begins = |pair: &&[u8]| {
        pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
            || (pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
    };
    let ends_of_capitals = bytes
        .windows(3)
        .filter(|three| {
            three[0].is_ascii_uppercase()
                && three[1].is_ascii_uppercase()
                && three[2].is_ascii_lowercase()
        })
        .count();
    bytes.windows(2).filter(begins).count() + ends_of_capitals + usize::from(!bytes.is_empty())
}
