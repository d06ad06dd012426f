//! Which parts of a path's segment are data.
//!
//! The rules err towards leaving text alone: a literal that is data is caught by the
//! [`super::Learner`] as soon as its siblings grow, while a route that was taken for data is
//! lost. Long random strings are the exception: they may be secrets. So that the template of a template
//! is itself, nothing here looks into braces.

use super::NAME;
use super::class::{
    DATE, DATE_BYTES, GLUED_ID_DIGITS, ID, ID_DIGITS, TOKEN, UUID, UUID_BYTES, class, is_date,
    is_placeholder, is_random, is_uuid, is_version, word_class,
};

#[cfg(test)]
mod tests;

/// A longer segment is no name that somebody gave a route.
const MAX_SEGMENT_BYTES: usize = 64;

/// Writes the template of one segment, which has only ASCII characters that may stand in a path.
///
/// | written | from |
/// |---|---|
/// | as it is | `books`, `v1`, `v2beta1`, `1.1`, `en-US`, `oauth2`, `us-east-1`, `logo.png` |
/// | a placeholder | `42`, `2024-05-01`, `a@example.com`, `harry-potter-12345`, `eyJhbGciOiJIUzI1NiJ9` |
/// | both | `42:activate`, `app.3f9a1c.js`, `order-12345`, `sha256:9f86d0...`, `Products(42)` |
pub(super) fn write_segment(segment: &str, out: &mut String) {
    let start = out.len();
    if segment.len() > MAX_SEGMENT_BYTES {
        out.push_str(TOKEN);
        return;
    }
    match class(segment) {
        Some(placeholder) => out.push_str(placeholder),
        None => write_composite(segment, out),
    }
    if out.len() - start > MAX_SEGMENT_BYTES {
        out.truncate(start);
        out.push_str(TOKEN);
    }
}

/// Function calls (`Products(42)`, OData), lists (`a,12345`), and parts between separators.
fn write_composite(segment: &str, out: &mut String) {
    let call = segment
        .strip_suffix(')')
        .and_then(|call| call.split_once('('))
        .filter(|(function, _)| !function.is_empty());
    if let Some((function, argument)) = call {
        write_parts(function, out);
        out.push('(');
        out.push_str(match argument {
            "" => "",
            argument if is_placeholder(argument) => argument,
            argument => class(argument).unwrap_or(NAME),
        });
        out.push(')');
        return;
    }
    // Lists differ in length; one placeholder stands for all of them.
    if segment.contains(',')
        && let Some(placeholder) = segment.split(',').find_map(class)
    {
        out.push_str(placeholder);
        return;
    }
    write_parts(segment, out);
}

/// `42:activate`, `lodash@4.17.21`, `year=2024`: each part for itself.
fn write_parts(segment: &str, out: &mut String) {
    let mut rest = segment;
    while let Some(end) = rest.find([':', '=', '@', ',', '!', '$', '&', '\'', '*', '+', '~']) {
        write_dotted(&rest[..end], out);
        out.push_str(&rest[end..=end]);
        rest = &rest[end + 1..];
    }
    write_dotted(rest, out);
}

/// File names, versions, host names. A short number between dots is part of a name (`jquery-3.6.0.js`)
/// unless it is the whole of a file's (`42.json`).
fn write_dotted(part: &str, out: &mut String) {
    if !part.contains('.') {
        return write_words(part, out);
    }
    if let Some(placeholder) = class(part) {
        out.push_str(placeholder);
        return;
    }
    let has_one_dot = part.matches('.').count() == 1;
    for (index, piece) in part.split('.').enumerate() {
        if index > 0 {
            out.push('.');
        }
        let is_number = piece.bytes().all(|byte| byte.is_ascii_digit());
        let is_stem = index == 0 && has_one_dot && !is_version(part);
        if is_number && piece.len() < ID_DIGITS && !is_stem {
            out.push_str(piece);
        } else {
            write_words(piece, out);
        }
    }
}

/// Words between dashes. Data at the end of one word leaves the word (`order-12345`); data among
/// several makes all of it data, because the words are somebody's title (`harry-potter-12345`).
fn write_words(piece: &str, out: &mut String) {
    if let Some(placeholder) = class(piece) {
        out.push_str(placeholder);
        return;
    }
    let Some((head, separator, placeholder)) = data_at_the_end(piece) else {
        match piece.split(['-', '_']).nth(1) {
            None => write_word(piece, out),
            Some(_) => match data_within(piece) {
                Some(placeholder) => out.push_str(placeholder),
                None => out.push_str(piece),
            },
        }
        return;
    };
    if !head.is_empty() && head.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        out.push_str(head);
        out.push(separator);
    }
    out.push_str(placeholder);
}

/// What stands before the data, the separator, and what the data is.
fn data_at_the_end(piece: &str) -> Option<(&str, char, &'static str)> {
    let by_length = |bytes: usize, is: fn(&str) -> bool, placeholder| {
        let at = piece.len().checked_sub(bytes + 1)?;
        let (head, tail) = (piece.get(..at)?, piece.get(at + 1..)?);
        let separator = piece[at..]
            .chars()
            .next()
            .filter(|c| matches!(c, '-' | '_'))?;
        is(tail).then_some((head, separator, placeholder))
    };
    by_length(UUID_BYTES, is_uuid, UUID)
        .or_else(|| by_length(DATE_BYTES, is_date, DATE))
        .or_else(|| {
            let at = piece.rfind(['-', '_'])?;
            let separator = piece[at..].chars().next()?;
            Some((&piece[..at], separator, word_class(&piece[at + 1..])?))
        })
}

/// Data at the start of several words, or among them.
fn data_within(piece: &str) -> Option<&'static str> {
    let mut words = piece.split(['-', '_']);
    let first = words.next().and_then(word_class);
    first.or_else(|| {
        words
            .any(|word| word_class(word).is_some())
            .then_some(TOKEN)
    })
}

/// A word that stands alone: `tt0111161` leaves its letters.
fn write_word(word: &str, out: &mut String) {
    let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    let letters = &word[..word.len() - digits];
    let is_glued =
        digits >= GLUED_ID_DIGITS && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_glued && !is_random(word) {
        out.push_str(letters);
        out.push_str(ID);
    } else {
        out.push_str(word_class(word).unwrap_or(word));
    }
}
