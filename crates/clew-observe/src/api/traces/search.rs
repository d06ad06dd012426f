//! Which traces are meant: parameters that the questions about several traces share.

#[cfg(test)]
mod tests;

use super::super::query::{Parameters, Query};
use super::super::refusal::Refusal;
use clew_store::Window;
use clew_store::query::TraceQuery;
use percent_encoding::percent_decode_str;
use std::ops::RangeInclusive;
use std::time::Duration;
use utoipa::IntoParams;

/// Tags that one search may ask for.
const MAX_TAGS: usize = 16;
const TAGS_FORM: &str = "NAME=VALUE, several of them with commas between, at most 16; a comma, a percent sign and, in a \
                         name, an equals sign as %2C, %25 and %3D";
const STATUS_FORM: &str = "an HTTP status, such as 503, or a class of them, such as 5xx";

/// What traces to look for. A trace is found when one of its spans satisfies everything.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParameters {
    #[param(ignore)]
    pub(super) window: Window,
    /// Only traces with a span of this service
    service: Option<String>,
    /// Only traces with a span of this route
    route: Option<String>,
    /// Only traces with a span that took at least this long
    #[param(value_type = Option<String>, example = "200ms")]
    min_duration: Option<Duration>,
    /// Only traces with a span that took at most this long
    #[param(value_type = Option<String>, example = "2s")]
    max_duration: Option<Duration>,
    /// Only traces with a span of this HTTP status, or of this class of them
    #[param(value_type = Option<String>, example = "5xx")]
    status: Option<RangeInclusive<u16>>,
    /// Only traces with a span that has all these attributes, itself or by its resource: NAME=VALUE, several of them with
    /// commas between. Numbers, true and false are written as text. What a name or a value has of `,` and `%`, and a name
    /// of `=`, is percent-encoded in it, beside the encoding of the whole parameter
    #[param(value_type = Option<String>, example = "deployment.environment.name=staging,retry=true")]
    tags: Vec<(String, String)>,
    /// Only traces with a span that failed. Default: false
    #[param(value_type = Option<bool>)]
    errors: bool,
    /// Only traces that nothing was added to for this long: those that are probably whole. Default: 0s
    #[param(value_type = Option<String>, example = "2s")]
    settled: Option<Duration>,
}

impl Parameters for SearchParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            service: query.name("service")?,
            route: query.name("route")?,
            min_duration: query.time("min_duration")?,
            max_duration: query.time("max_duration")?,
            status: take_status(query)?,
            tags: take_tags(query)?,
            errors: query.flag("errors")?,
            settled: query.time("settled")?,
        })
    }
}

impl SearchParameters {
    /// The question for so many traces at most.
    pub(super) fn query(self, limit: usize) -> TraceQuery {
        TraceQuery {
            service: self.service,
            route: self.route,
            min_duration: self.min_duration,
            max_duration: self.max_duration,
            status: self.status,
            tags: self.tags,
            errors_only: self.errors,
            window: self.window,
            settled_for: self.settled.filter(|settled| !settled.is_zero()),
            limit,
            ..TraceQuery::default()
        }
    }
}

fn take_status(query: &mut Query) -> Result<Option<RangeInclusive<u16>>, Refusal> {
    let Some(text) = query.text("status") else {
        return Ok(None);
    };
    match status(&text) {
        Some(range) => Ok(Some(range)),
        None => Err(Refusal::bad_value("status", &text, STATUS_FORM)),
    }
}

fn status(text: &str) -> Option<RangeInclusive<u16>> {
    if text.len() != 3 {
        return None;
    }
    let code = match text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        Some(class) => class.parse::<u16>().ok()? * 100,
        None => text.parse().ok()?,
    };
    let last = if text.ends_with(['x', 'X']) {
        code + 99
    } else {
        code
    };
    (100..=599).contains(&code).then_some(code..=last)
}

fn take_tags(query: &mut Query) -> Result<Vec<(String, String)>, Refusal> {
    let Some(text) = query.text("tags") else {
        return Ok(Vec::new());
    };
    match tags(&text) {
        Some(tags) => Ok(tags),
        None => Err(Refusal::bad_value("tags", &text, TAGS_FORM)),
    }
}

fn tags(text: &str) -> Option<Vec<(String, String)>> {
    let decoded = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let tags: Option<Vec<_>> = text
        .split(',')
        .map(|tag| {
            let (name, value) = tag.split_once('=')?;
            let is_named = !name.is_empty();
            is_named.then_some((decoded(name)?, decoded(value)?))
        })
        .collect();
    tags.filter(|tags| tags.len() <= MAX_TAGS)
}
