//! Query parameters: each is taken by its name, and what nobody took is refused.

use super::refusal::Refusal;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use clew_api::rest::window::{TIME_SPAN_FORM, TimeSpan};
use clew_store::Window;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use utoipa::IntoParams;

/// The most parameters that are looked at.
const MAX_PARAMETERS: usize = 32;
/// How far back a window reaches when nothing is said.
pub(super) const DEFAULT_WINDOW: TimeSpan = TimeSpan::from_secs(60);
/// The longest window.
const MAX_WINDOW: TimeSpan = TimeSpan::from_secs(366 * 24 * 3600);

/// What a moment has to look like.
const MOMENT_FORM: &str = "a time as in RFC 3339, such as 2026-01-31T12:00:00Z";

/// The parameters of one kind of request, taken from its query.
pub(super) trait Parameters: Sized {
    /// Parameters that may be there several times.
    const REPEATED: &'static [&'static str] = &[];

    /// Takes every parameter that there is.
    fn take(query: &mut Query) -> Result<Self, Refusal>;
}

/// Extracts the parameters of a request; a parameter that there is not, or that is there twice, is refused.
pub(super) struct Asked<P>(pub(super) P);

impl<S: Sync, P: Parameters> FromRequestParts<S> for Asked<P> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Query::parse(parts.uri.query().unwrap_or_default(), P::REPEATED)?
            .into_parameters()
            .map(Self)
    }
}

/// No parameter at all.
pub(super) struct Nothing;

impl Parameters for Nothing {
    fn take(_: &mut Query) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

/// The parameters that were given and not yet taken.
pub(super) struct Query {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl Query {
    fn parse(text: &str, repeated: &[&str]) -> Result<Self, Refusal> {
        let mut given: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if given.len() >= MAX_PARAMETERS {
                return Err(Refusal::bad_value(
                    "query",
                    &name,
                    &format!("at most {MAX_PARAMETERS} parameters"),
                ));
            }
            let is_again = given.iter().any(|(other, _)| *other == name);
            if is_again && !repeated.contains(&name.as_str()) {
                return Err(Refusal::bad_value(&name, &value, "one value, not several"));
            }
            given.push((name, value));
        }
        Ok(Self {
            given,
            known: Vec::new(),
        })
    }

    fn into_parameters<P: Parameters>(mut self) -> Result<P, Refusal> {
        // What is not there is named first: a misspelt name is the likelier mistake than a missing one.
        let taken = P::take(&mut self);
        match self.given.first() {
            Some((name, value)) if taken.is_ok() || !self.known.contains(&name.as_str()) => {
                Err(Refusal::unknown_parameter(name, value, &self.known))
            }
            _ => taken,
        }
    }

    /// The value of a parameter, which is then taken.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let at = self.given.iter().position(|(other, _)| other == name)?;
        Some(self.given.remove(at).1)
    }

    /// All values of a parameter, in their order, which are then taken.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let taken = self.given.extract_if(.., |(other, _)| other == name);
        taken.map(|(_, value)| value).collect()
    }

    /// The value of a parameter that must not be empty.
    pub(super) fn name(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        match self.text(name) {
            Some(text) if text.is_empty() => Err(Refusal::bad_value(name, &text, "a name")),
            text => Ok(text),
        }
    }

    /// `true` or `false`; false when it is not there.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Refusal> {
        match self.text(name) {
            None => Ok(false),
            Some(text) => text
                .parse()
                .map_err(|_| Refusal::bad_value(name, &text, "true or false")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<N>(
        &mut self,
        name: &'static str,
        bounds: RangeInclusive<N>,
    ) -> Result<Option<N>, Refusal>
    where
        N: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Ok(Some(number)),
            _ => {
                let expected =
                    format!("a whole number from {} to {}", bounds.start(), bounds.end());
                Err(Refusal::bad_value(name, &text, &expected))
            }
        }
    }

    /// A span of time.
    pub(super) fn time(&mut self, name: &'static str) -> Result<Option<Duration>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let span: TimeSpan = text
            .parse()
            .map_err(|_| Refusal::bad_value(name, &text, TIME_SPAN_FORM))?;
        Ok(Some(span.duration()))
    }

    /// A moment, RFC 3339.
    pub(super) fn moment(&mut self, name: &'static str) -> Result<Option<SystemTime>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse::<Timestamp>() {
            Ok(moment) => Ok(Some(moment.into())),
            Err(_) => Err(Refusal::bad_value(name, &text, MOMENT_FORM)),
        }
    }

    /// The window that is asked about.
    pub(super) fn window(&mut self) -> Result<Window, Refusal> {
        WindowParameters::take(self).map(WindowParameters::window)
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                Err(Refusal::bad_value(name, &text, &words.join(" or ")))
            }
        }
    }
}

/// Parameters of everything that is asked about a window of time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WindowParameters {
    /// How far to look back: a whole number and a unit (ms, s, m, h, d). Default: 1m
    #[param(value_type = Option<String>, example = "1m")]
    window: Duration,
    /// Where the window ends, RFC 3339. Default: now, which is also what a later time is taken for. Numbers are kept per
    /// second for ten minutes, then per ten seconds for six hours, then per minute: a window that ended earlier has edges
    /// that exact
    #[param(value_type = Option<String>, example = "2026-01-31T12:00:00Z")]
    until: SystemTime,
}

impl Parameters for WindowParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let window = query.time("window")?.unwrap_or(DEFAULT_WINDOW.duration());
        if window.is_zero() || window > MAX_WINDOW.duration() {
            let given = TimeSpan::new(window).to_string();
            return Err(Refusal::bad_value(
                "window",
                &given,
                &format!("more than 0s and at most {MAX_WINDOW}"),
            ));
        }
        let now = SystemTime::now();
        // A browser's clock may be ahead of ours.
        let until = query.moment("until")?.map_or(now, |until| until.min(now));
        Ok(Self { window, until })
    }
}

impl WindowParameters {
    fn window(self) -> Window {
        Window::ending(self.until, self.window)
    }
}

/// As in `application/x-www-form-urlencoded`: `+` is a space.
fn decoded(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(|text| text.into_owned())
        .map_err(|_| Refusal::bad_value("query", text, "UTF-8"))
}

#[cfg(test)]
mod tests;
