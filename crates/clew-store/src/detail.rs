//! The parts of a span that nothing is searched by, as JSON in one column.

use clew_trace::Span;
use clew_trace::span::{AttributeValue, SpanEvent, SpanLink};
use serde::{Deserialize, Serialize};

type Attributes = Vec<(String, AttributeValue)>;

#[derive(Serialize)]
struct Borrowed<'a> {
    #[serde(skip_serializing_if = "is_empty")]
    attributes: &'a [(String, AttributeValue)],
    #[serde(skip_serializing_if = "is_empty")]
    resource: &'a [(String, AttributeValue)],
    #[serde(skip_serializing_if = "is_empty")]
    events: &'a [SpanEvent],
    #[serde(skip_serializing_if = "is_empty")]
    links: &'a [SpanLink],
}

/// What [`write()`] wrote.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(crate) struct Detail {
    pub(crate) attributes: Attributes,
    pub(crate) resource: Attributes,
    pub(crate) events: Vec<SpanEvent>,
    pub(crate) links: Vec<SpanLink>,
}

fn is_empty<T>(list: &&[T]) -> bool {
    list.is_empty()
}

/// The column's text.
///
/// # Errors
/// None of these values can fail to be JSON; an error would be one of the serializer.
pub(crate) fn write(span: &Span) -> Result<String, serde_json::Error> {
    let Span {
        attributes,
        resource,
        events,
        links,
        ..
    } = span;
    serde_json::to_string(&Borrowed {
        attributes,
        resource,
        events,
        links,
    })
}

/// Reads the column.
///
/// # Errors
/// It is not what [`write()`] writes.
pub(crate) fn read(json: &str) -> Result<Detail, serde_json::Error> {
    serde_json::from_str(json)
}
