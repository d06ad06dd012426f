//! Path templates as anchored regular expressions, and back.
//!
//! The Linkerd proxy API knows exact paths, prefixes and regular expressions. A template goes over as an
//! expression (syntax of the `regex` crate, which Linkerd's proxies use) that matches exactly what the
//! template matches, with one named group per placeholder: `/books/{id}` becomes
//! `^/books/(?P<p2_id>[^/]+)$`, and `/books/{id}.json` becomes `^/books/(?P<p2_id>[^/]+)\.json$`. The number makes
//! names unique; bytes of a name that a group's name cannot hold are written `[2d]`.
//!
//! An expression that somebody else wrote is understood when it is made of nothing but literal text and
//! at most one `[^/]+` a segment; all others are not ours to guess at.

use clew_model::policy::PathMatch;
use std::fmt::Write as _;

/// Characters that mean something in an expression.
const SPECIAL: &str = r"\.+*?()|[]{}^$#&-~";
/// One segment, whatever it is.
const ANY_SEGMENT: &str = "[^/]+";

/// The expression that matches what the template matches.
pub fn regex_of_template(template: &str) -> String {
    let mut regex = String::with_capacity(template.len() + 16);
    regex.push('^');
    for (position, segment) in template.split('/').enumerate() {
        if position > 0 {
            regex.push('/');
        }
        match placeholder(segment) {
            Some((before, name, after)) => {
                push_literal(&mut regex, before);
                let _ = write!(regex, "(?P<p{position}_{}>{ANY_SEGMENT})", group_name(name));
                push_literal(&mut regex, after);
            }
            None => push_literal(&mut regex, segment),
        }
    }
    regex.push('$');
    regex
}

/// What the expression matches, as a template, or as an exact path when it has no placeholder; `None` when
/// it is not one of ours and not as simple as one.
///
/// Linkerd matches expressions against the whole path, so anchors may be missing.
pub fn path_of_regex(regex: &str) -> Option<PathMatch> {
    let body = regex.strip_prefix('^').unwrap_or(regex);
    let body = match body.strip_suffix('$') {
        Some(rest) if !ends_in_escape(rest) => rest,
        _ => body,
    };
    let mut template = String::with_capacity(body.len());
    let mut placeholders = 0;
    let mut rest = body;
    while let Some(next) = rest.chars().next() {
        if let Some((name, after)) = take_any_segment(rest) {
            // One to a segment; and a literal brace before it would be read as its own.
            let so_far = template.rsplit('/').next().unwrap_or_default();
            if so_far.contains('{') {
                return None;
            }
            let _ = write!(template, "{{{name}}}");
            placeholders += 1;
            rest = after;
            continue;
        }
        let (literal, after) = take_literal(next, rest)?;
        template.push(literal);
        rest = after;
    }
    // Literal braces in a segment without one would be read as a placeholder.
    if template
        .split('/')
        .filter(|s| placeholder(s).is_some())
        .count()
        != placeholders
    {
        return None;
    }
    Some(match placeholders {
        0 => PathMatch::Exact(template.into()),
        _ => PathMatch::Template(template.into()),
    })
}

/// The first `{name}` of a segment, and the text before and after it, as `clew_model` reads templates.
fn placeholder(segment: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = segment.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn push_literal(regex: &mut String, text: &str) {
    for c in text.chars() {
        if SPECIAL.contains(c) {
            regex.push('\\');
        }
        regex.push(c);
    }
}

/// A name of a capture group that stands for any text.
fn group_name(name: &str) -> String {
    let mut group = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            group.push(char::from(byte));
        } else {
            let _ = write!(group, "[{byte:02x}]");
        }
    }
    group
}

/// The text that a group's name stands for: ours without the number, others as they are.
fn name_of_group(group: &str) -> Option<String> {
    let own = group.strip_prefix('p').and_then(|g| g.split_once('_'));
    let encoded = match own {
        Some((digits, name))
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => group,
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(next) = rest.chars().next() {
        if next == '[' {
            let hex = rest.get(1..3)?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = rest.get(3..)?.strip_prefix(']')?;
        } else {
            rest = &rest[next.len_utf8()..];
            bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (!name.contains(['/', '{', '}'])).then_some(name)
}

/// `[^/]+`, `([^/]+)`, `(?:[^/]+)`, `(?P<name>[^/]+)` or `(?<name>[^/]+)` at the start, and what follows it.
fn take_any_segment(text: &str) -> Option<(String, &str)> {
    if let Some(after) = text.strip_prefix(ANY_SEGMENT) {
        return Some(("segment".to_owned(), after));
    }
    let group = text.strip_prefix('(')?;
    let named = group
        .strip_prefix("?P<")
        .or_else(|| group.strip_prefix("?<"));
    let (name, body) = match named {
        Some(named) => {
            let (name, body) = named.split_once('>')?;
            (name_of_group(name)?, body)
        }
        None => (
            "segment".to_owned(),
            group.strip_prefix("?:").unwrap_or(group),
        ),
    };
    let after = body.strip_prefix(ANY_SEGMENT)?.strip_prefix(')')?;
    Some((name, after))
}

/// One character that stands for itself, escaped or not, and what follows it.
fn take_literal(next: char, text: &str) -> Option<(char, &str)> {
    let after = &text[next.len_utf8()..];
    if next == '\\' {
        let escaped = after.chars().next()?;
        // `\d`, `\w`... are classes, `\x41` is a code, `\<` is a boundary: the other punctuation stands for itself.
        let itself = escaped.is_ascii_punctuation() && !matches!(escaped, '<' | '>');
        return itself.then(|| (escaped, &after[escaped.len_utf8()..]));
    }
    // A repetition after a literal makes it no literal; it is met as a special character in the next turn.
    let plain = !SPECIAL.contains(next) || matches!(next, '-' | '&' | '~' | '#');
    plain.then_some((next, after))
}

/// Whether the text ends in a backslash that escapes what comes next.
fn ends_in_escape(text: &str) -> bool {
    text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}
