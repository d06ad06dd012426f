//! The parts of a span that nothing is searched by, as bytes in one column: attributes, events and links; and
//! what the spans of one sender have in common, which is kept once.
//!
//! Spans are most of what a store holds, and half of a span was the names of its attributes. They are numbers
//! here, of a table of names, and numbers are as long as they have to be (LEB128, as in protobuf).

mod bytes;

use bytes::{Reader, Writer};
use clew_trace::span::{AttributeValue, SpanEvent, SpanLink};
use clew_trace::{Span, SpanId, TraceId};
use serde::Deserialize;

pub(crate) type Attributes = Vec<(String, AttributeValue)>;

/// Finds the number of a name; `None` when it has none and is written out.
pub(crate) type NumberOf<'a> = dyn FnMut(&str) -> rusqlite::Result<Option<i64>> + 'a;
/// Finds the name of a number.
pub(crate) type NameOf<'a> = dyn FnMut(i64) -> Option<String> + 'a;

/// What [`write()`] wrote.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    pub(crate) attributes: Attributes,
    /// Only in what format 1 wrote; now part of the [`Origin`].
    pub(crate) resource: Attributes,
    pub(crate) events: Vec<SpanEvent>,
    pub(crate) links: Vec<SpanLink>,
    pub(crate) trace_state: String,
}

/// What [`write_origin`] wrote: who sent a span, beside the service.
pub(crate) struct Origin {
    pub(crate) namespace: String,
    pub(crate) instance: String,
    pub(crate) scope: String,
    pub(crate) resource: Attributes,
}

/// The column's bytes.
pub(crate) fn write(span: &Span, number_of: &mut NumberOf<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut writer = Writer::new(number_of);
    writer.attributes(&span.attributes)?;
    writer.number(span.events.len() as u64);
    for event in &span.events {
        writer.number(event.time_unix_nano);
        writer.text(&event.name);
        writer.attributes(&event.attributes)?;
    }
    writer.number(span.links.len() as u64);
    for link in &span.links {
        writer.bytes(&link.trace_id.to_bytes());
        writer.bytes(&link.span_id.to_bytes());
        writer.attributes(&link.attributes)?;
    }
    // Most spans have none, and what was written before there was one ends here.
    if !span.trace_state.is_empty() {
        writer.text(&span.trace_state);
    }
    Ok(writer.finish())
}

/// What a span shares with the others of its sender.
pub(crate) fn write_origin(span: &Span, number_of: &mut NumberOf<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut writer = Writer::new(number_of);
    writer.text(&span.namespace);
    writer.text(&span.instance);
    writer.text(&span.scope);
    writer.attributes(&span.resource)?;
    Ok(writer.finish())
}

/// Reads the column; `None` when it is not what [`write()`] writes.
pub(crate) fn read(bytes: &[u8], name_of: &mut NameOf<'_>) -> Option<Detail> {
    let mut reader = Reader::new(bytes, name_of);
    let attributes = reader.attributes()?;
    let events = reader.list(|reader| {
        Some(SpanEvent {
            time_unix_nano: reader.number()?,
            name: reader.text()?,
            attributes: reader.attributes()?,
        })
    })?;
    let links = reader.list(|reader| {
        Some(SpanLink {
            trace_id: TraceId::from_bytes(reader.bytes()?.try_into().ok()?)?,
            span_id: SpanId::from_bytes(reader.bytes()?.try_into().ok()?)?,
            attributes: reader.attributes()?,
        })
    })?;
    let trace_state = if reader.is_at_end() {
        String::new()
    } else {
        reader.text()?
    };
    Some(Detail {
        attributes,
        events,
        links,
        trace_state,
        ..Detail::default()
    })
}

/// Reads an origin; `None` when it is not what [`write_origin`] writes.
pub(crate) fn read_origin(bytes: &[u8], name_of: &mut NameOf<'_>) -> Option<Origin> {
    let mut reader = Reader::new(bytes, name_of);
    Some(Origin {
        namespace: reader.text()?,
        instance: reader.text()?,
        scope: reader.text()?,
        resource: reader.attributes()?,
    })
}

/// Reads what format 1 wrote: the same as JSON.
///
/// # Errors
/// It is not.
pub(crate) fn read_json(json: &str) -> Result<Detail, serde_json::Error> {
    serde_json::from_str(json)
}

#[cfg(test)]
mod tests;
