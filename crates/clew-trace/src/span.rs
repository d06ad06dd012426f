//! The span at rest: what is stored, queried and shown, whoever emitted it.
//!
//! Proxies do not build these on the way of a request: they encode their hop records as OTLP directly.
//! This value is what observe makes of OTLP, from proxies and from applications alike.

use crate::id::{SpanId, TraceId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

mod double;
#[cfg(test)]
mod tests;

/// One span with the parts of its resource and scope that Clew looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// Its propagated parent; `None` for a root. An inferred parent is a link and never here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<SpanId>,
    /// Its part in a request.
    pub kind: SpanKind,
    /// Name, such as `GET /books/{id}`.
    pub name: String,
    /// `service.name`: the workload.
    pub service: String,
    /// `service.namespace`; empty when it was not given.
    #[serde(default)]
    pub namespace: String,
    /// `service.instance.id`; empty when it was not given.
    #[serde(default)]
    pub instance: String,
    /// Instrumentation scope: `clew.proxy` for spans of the mesh, else the library's name.
    #[serde(default)]
    pub scope: String,
    /// Unix time in nanoseconds.
    pub start_unix_nano: u64,
    /// Unix time in nanoseconds.
    pub end_unix_nano: u64,
    /// Outcome.
    #[serde(default)]
    pub status: SpanStatus,
    /// What the status says in words; empty when nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_message: String,
    /// The `tracestate` that goes on with it; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_state: String,
    /// Attributes of the span, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, AttributeValue)>,
    /// Attributes of the resource that have no field above. Spans that came together share them.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub resource: Arc<[(String, AttributeValue)]>,
    /// Events, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SpanEvent>,
    /// Links, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<SpanLink>,
}

impl Span {
    /// Time from start to end; 0 when the clocks that gave them disagree.
    pub fn duration_nano(&self) -> u64 {
        self.end_unix_nano.saturating_sub(self.start_unix_nano)
    }

    /// Value of an attribute of the span.
    pub fn attribute(&self, key: &str) -> Option<&AttributeValue> {
        find(&self.attributes, key)
    }

    /// Value of an attribute of the resource, other than those with a field.
    pub fn resource_attribute(&self, key: &str) -> Option<&AttributeValue> {
        find(&self.resource, key)
    }
}

fn is_empty(attributes: &Arc<[(String, AttributeValue)]>) -> bool {
    attributes.len() == 0
}

/// Linear: spans have a few dozen attributes, and order is part of the value.
fn find<'a>(attributes: &'a [(String, AttributeValue)], key: &str) -> Option<&'a AttributeValue> {
    attributes
        .iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

/// Part of a span in a request (OpenTelemetry `SpanKind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// Not said.
    Unspecified,
    /// Inside one program.
    #[default]
    Internal,
    /// The side that answers.
    Server,
    /// The side that asks.
    Client,
    /// Sends a message that someone takes later.
    Producer,
    /// Takes such a message.
    Consumer,
}

impl SpanKind {
    /// Lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    /// Number in OTLP.
    pub fn number(self) -> i32 {
        match self {
            Self::Unspecified => 0,
            Self::Internal => 1,
            Self::Server => 2,
            Self::Client => 3,
            Self::Producer => 4,
            Self::Consumer => 5,
        }
    }

    /// From the number in OTLP; an unknown one is [`SpanKind::Unspecified`].
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }
}

/// Outcome of a span (OpenTelemetry `StatusCode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanStatus {
    /// Nothing was said, which is how most successes look.
    #[default]
    Unset,
    /// The application says that it succeeded.
    Ok,
    /// It failed.
    Error,
}

impl SpanStatus {
    /// Lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }

    /// Number in OTLP.
    pub fn number(self) -> i32 {
        match self {
            Self::Unset => 0,
            Self::Ok => 1,
            Self::Error => 2,
        }
    }

    /// From the number in OTLP; an unknown one is [`SpanStatus::Unset`].
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// Value of an attribute (OTLP `AnyValue`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeValue {
    /// Text.
    String(String),
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Any number, NaN and the infinities included.
    Double(#[serde(with = "double")] f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Several values.
    Array(Vec<AttributeValue>),
    /// Named values.
    Map(Vec<(String, AttributeValue)>),
}

impl AttributeValue {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// True or false, if it is one of them.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Any number as one that may have a fraction.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Double(number) => Some(*number),
            Self::Int(number) => Some(*number as f64),
            _ => None,
        }
    }
}

impl AttributeValue {
    /// As people write it: text, a number, true or false; `None` for bytes and for what has several values.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bool(value) => Some(Cow::Owned(value.to_string())),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Double(number) => Some(Cow::Owned(number.to_string())),
            Self::Bytes(_) | Self::Array(_) | Self::Map(_) => None,
        }
    }
}

/// The HTTP status of a response, among the attributes of a span: `http.response.status_code`, which was
/// `http.status_code` before OpenTelemetry's semantic conventions 1.23, and is text in what comes by Zipkin.
pub fn http_status_code(attributes: &[(String, AttributeValue)]) -> Option<u16> {
    let value = find(attributes, "http.response.status_code")
        .or_else(|| find(attributes, "http.status_code"))?;
    value.to_text()?.parse().ok()
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for AttributeValue {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanEvent {
    /// Unix time in nanoseconds.
    pub time_unix_nano: u64,
    /// What happened.
    pub name: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, AttributeValue)>,
}

/// A relation to another span that is not its parent. An inferred parent carries `clew.inferred`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// More about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, AttributeValue)>,
}
