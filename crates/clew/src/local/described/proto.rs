//! A `.proto` file (proto2, proto3): each method of each service is a route, named as gRPC names it,
//! `package.Service/Method`. Nothing else of it is read, and so neither are its imports.

use super::{check, rule};
use clew_model::policy::{PathMatch, RouteRule, RuleSource};
use clew_runtime::config::{Mistakes, Place};

pub(super) fn parse(origin: &str, text: &str) -> Result<Vec<RouteRule>, Mistakes> {
    let place = Place::of(origin);
    let mut mistakes = Mistakes::default();
    let tokens = tokens(text);
    let mut reading = Reading::default();
    for (index, token) in tokens.iter().enumerate() {
        let next = |ahead: usize| tokens.get(index + ahead).map(|token| token.text);
        if let Err((given, expected)) = reading.take(token.text, next(1), next(2)) {
            mistakes.push(place.at_line(token.line).mistake(given, expected));
        }
    }
    if reading.depth != 0 {
        mistakes.push(place.mistake("a { that is never closed", "a } for each"));
    }
    check(&reading.rules, &place, &mut mistakes);
    mistakes.or_value(Some(reading.rules), &place)
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    package: String,
    /// The service whose braces are open.
    service: Option<String>,
    depth: usize,
    rules: Vec<RouteRule>,
}

impl Reading {
    /// Takes a word or a sign, knowing the two after it. What is wrong is what was given, and what was expected.
    fn take(
        &mut self,
        token: &str,
        next: Option<&str>,
        after: Option<&str>,
    ) -> Result<(), (String, &'static str)> {
        match token {
            "{" => self.depth += 1,
            "}" => {
                let depth = self.depth.checked_sub(1);
                self.depth = depth.ok_or_else(|| ("a } too many".to_owned(), "a { before it"))?;
                if self.depth == 0 {
                    self.service = None;
                }
            }
            "package" if self.depth == 0 && after == Some(";") => {
                self.package = next.unwrap_or_default().to_owned();
            }
            "service" if self.depth == 0 => {
                let name = next.filter(|_| after == Some("{"));
                let wrong = || {
                    (
                        "a service without a name".to_owned(),
                        "service NAME { ... }",
                    )
                };
                self.service = Some(name.ok_or_else(wrong)?.to_owned());
            }
            "rpc" if self.depth == 1 => {
                let Some(service) = &self.service else {
                    return Ok(());
                };
                let wrong = || ("an rpc without a name".to_owned(), "rpc NAME (...)");
                let method = next.filter(|_| after == Some("(")).ok_or_else(wrong)?;
                let dot = if self.package.is_empty() { "" } else { "." };
                let name = format!("{}{dot}{service}/{method}", self.package);
                let path = PathMatch::Exact(format!("/{name}").into());
                self.rules
                    .push(rule(RuleSource::Proto, &name, "POST", path));
            }
            _ => {}
        }
        Ok(())
    }
}

/// A word, with the dots in it, or a sign.
struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// The text without comments, strings and blanks.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' | '\'' => string_length(rest, first),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let is_text = first.is_whitespace() || matches!(first, '"' | '\'');
        if !is_text && !token.starts_with("//") && !token.starts_with("/*") {
            tokens.push(Token { text: token, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
}

/// With its quotes; a backslash takes the next character with it.
fn string_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            end if end == quote => return at + end.len_utf8(),
            _ => {}
        }
    }
    text.len()
}
