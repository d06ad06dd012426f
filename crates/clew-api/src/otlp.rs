//! OTLP: the trace collector service, and its spans as ours.
//!
//! What a [`Span`] has no field for (trace state, flags, scope version and attributes, counts of what the
//! sender dropped) ends here.

pub use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
pub use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
pub use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
pub use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
pub use opentelemetry_proto::tonic::resource::v1::Resource;
pub use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as OtlpSpan, Status as OtlpStatus, span as otlp_span,
};

mod cuts;
mod json;
mod size;
mod write;

pub use cuts::{MAX_ATTRIBUTES, MAX_EVENTS, MAX_TEXT_BYTES};
pub use json::{InvalidJson, request_from_json};
pub(crate) use size::{Field, field};
pub use size::{InvalidWire, Size};
pub use write::request_from_spans;

use clew_trace::span::{AttributeValue, Span, SpanEvent, SpanKind, SpanLink, SpanStatus};
use clew_trace::{SpanId, TraceId};
pub(crate) use cuts::Cuts;
use std::sync::Arc;

/// What OpenTelemetry calls a service that gives no name (resource semantic conventions, `service.name`).
pub(crate) const UNKNOWN_SERVICE: &str = "unknown_service";

/// The spans of a request, and how many were no spans.
#[derive(Debug, Default, PartialEq)]
pub struct ReceivedSpans {
    /// In the order in which they came.
    pub spans: Vec<Span>,
    /// Refused for their ids.
    pub rejected: u64,
    /// Why the first of them was refused.
    pub reason: Option<&'static str>,
    /// Times that something was longer than is kept ([`MAX_TEXT_BYTES`], [`MAX_ATTRIBUTES`], [`MAX_EVENTS`]).
    pub cut: u64,
}

impl ReceivedSpans {
    /// The answer to the sender: a partial success when spans were refused. They must not be sent again.
    pub fn response(&self) -> ExportTraceServiceResponse {
        let partial = self.reason.map(|reason| ExportTracePartialSuccess {
            rejected_spans: i64::try_from(self.rejected).unwrap_or(i64::MAX),
            error_message: reason.to_owned(),
        });
        ExportTraceServiceResponse {
            partial_success: partial,
        }
    }

    pub(crate) fn reject(&mut self, reason: &'static str) {
        self.rejected += 1;
        self.reason.get_or_insert(reason);
    }
}

/// Spans as ours. A span with a malformed id is refused by itself, not with all that came with it.
pub fn spans_from_otlp(resource_spans: Vec<ResourceSpans>) -> ReceivedSpans {
    let mut received = ReceivedSpans::default();
    let mut cuts = Cuts::default();
    for group in resource_spans {
        let origin = Origin::read(group.resource, &mut cuts);
        for scoped in group.scope_spans {
            let scope = cuts.text(scoped.scope.map(|scope| scope.name).unwrap_or_default());
            for span in scoped.spans {
                match origin.span(&scope, span, &mut cuts) {
                    Ok(span) => received.spans.push(span),
                    Err(reason) => received.reject(reason),
                }
            }
        }
    }
    received.cut = cuts.0;
    received
}

/// Who emitted spans.
struct Origin {
    service: String,
    namespace: String,
    instance: String,
    resource: Arc<[(String, AttributeValue)]>,
}

impl Origin {
    fn read(resource: Option<Resource>, cuts: &mut Cuts) -> Self {
        let mut resource = attributes(resource.map(|r| r.attributes).unwrap_or_default(), cuts);
        let mut take = |key: &str| {
            let position = resource.iter().position(|(name, _)| name == key)?;
            match resource.remove(position).1 {
                AttributeValue::String(text) => Some(text),
                _ => None,
            }
        };
        let service = take("service.name").filter(|name| !name.is_empty());
        let (namespace, instance) = (take("service.namespace"), take("service.instance.id"));
        Self {
            service: service.unwrap_or_else(|| UNKNOWN_SERVICE.to_owned()),
            namespace: namespace.unwrap_or_default(),
            instance: instance.unwrap_or_default(),
            resource: resource.into(),
        }
    }

    fn span(&self, scope: &str, span: OtlpSpan, cuts: &mut Cuts) -> Result<Span, &'static str> {
        let status = span.status.unwrap_or_default();
        Ok(Span {
            trace_id: trace_id(&span.trace_id).ok_or("a trace id is not 16 bytes, or zero")?,
            span_id: span_id(&span.span_id).ok_or("a span id is not 8 bytes, or zero")?,
            parent_span_id: parent_span_id(&span.parent_span_id)?,
            kind: SpanKind::from_number(span.kind),
            name: cuts.text(span.name),
            service: self.service.clone(),
            namespace: self.namespace.clone(),
            instance: self.instance.clone(),
            scope: scope.to_owned(),
            start_unix_nano: span.start_time_unix_nano,
            end_unix_nano: span.end_time_unix_nano,
            status: SpanStatus::from_number(status.code),
            status_message: cuts.text(status.message),
            trace_state: cuts.text(span.trace_state),
            attributes: attributes(span.attributes, cuts),
            resource: Arc::clone(&self.resource),
            events: cuts
                .list(span.events, MAX_EVENTS)
                .into_iter()
                .map(|given| event(given, cuts))
                .collect(),
            links: cuts
                .list(span.links, MAX_EVENTS)
                .into_iter()
                .filter_map(|given| link(given, cuts))
                .collect(),
        })
    }
}

fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    TraceId::from_bytes(bytes.try_into().ok()?)
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    SpanId::from_bytes(bytes.try_into().ok()?)
}

/// A root has no parent id; some senders write zeros instead of nothing.
fn parent_span_id(bytes: &[u8]) -> Result<Option<SpanId>, &'static str> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes = bytes
        .try_into()
        .map_err(|_| "a parent span id is not 8 bytes")?;
    Ok(SpanId::from_bytes(bytes))
}

fn event(event: otlp_span::Event, cuts: &mut Cuts) -> SpanEvent {
    SpanEvent {
        time_unix_nano: event.time_unix_nano,
        name: cuts.text(event.name),
        attributes: attributes(event.attributes, cuts),
    }
}

/// A link to nothing is no link; the span is kept without it.
fn link(link: otlp_span::Link, cuts: &mut Cuts) -> Option<SpanLink> {
    Some(SpanLink {
        trace_id: trace_id(&link.trace_id)?,
        span_id: span_id(&link.span_id)?,
        attributes: attributes(link.attributes, cuts),
    })
}

/// Attributes that have a value; an attribute without one says nothing.
fn attributes(pairs: Vec<KeyValue>, cuts: &mut Cuts) -> Vec<(String, AttributeValue)> {
    cuts.list(pairs, MAX_ATTRIBUTES)
        .into_iter()
        .filter_map(|pair| Some((cuts.text(pair.key), attribute_value(pair.value?, cuts)?)))
        .collect()
}

/// Recursion is bounded by the decoders: prost and serde_json refuse what nests deeper than about 100.
fn attribute_value(value: AnyValue, cuts: &mut Cuts) -> Option<AttributeValue> {
    Some(match value.value? {
        any_value::Value::StringValue(text) => AttributeValue::String(cuts.text(text)),
        any_value::Value::BoolValue(value) => AttributeValue::Bool(value),
        any_value::Value::IntValue(number) => AttributeValue::Int(number),
        any_value::Value::DoubleValue(number) => AttributeValue::Double(number),
        any_value::Value::BytesValue(bytes) => AttributeValue::Bytes(cuts.bytes(bytes)),
        any_value::Value::ArrayValue(array) => AttributeValue::Array(
            cuts.list(array.values, MAX_ATTRIBUTES)
                .into_iter()
                .filter_map(|value| attribute_value(value, cuts))
                .collect(),
        ),
        any_value::Value::KvlistValue(list) => AttributeValue::Map(attributes(list.values, cuts)),
        // A reference into a table that only profiles have.
        any_value::Value::StringValueStrindex(_) => return None,
    })
}

#[cfg(test)]
mod tests;
