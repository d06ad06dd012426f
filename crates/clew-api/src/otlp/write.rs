//! Our spans as OTLP.

use super::{
    AnyValue, ArrayValue, ExportTraceServiceRequest, InstrumentationScope, KeyValue, KeyValueList,
    OtlpSpan, OtlpStatus, Resource, ResourceSpans, ScopeSpans, any_value, otlp_span,
};
use clew_trace::span::{AttributeValue, Span, SpanEvent, SpanLink};
use std::collections::HashMap;
use std::sync::Arc;

/// A request with these spans, those of one sender and scope together, otherwise in their order. As JSON (it is
/// `Serialize`) it is OTLP/JSON; a number that JSON does not have (NaN, the infinities) is text in it.
///
/// [`spans_from_otlp`](super::spans_from_otlp) makes the same spans of it, but for such numbers.
pub fn request_from_spans(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let mut groups = Groups::default();
    for span in spans {
        let group = groups.of(&span);
        group.push(otlp(span));
    }
    ExportTraceServiceRequest {
        resource_spans: groups.resources,
    }
}

type Attributes = Arc<[(String, AttributeValue)]>;

/// Spans by who sent them.
#[derive(Default)]
struct Groups {
    resources: Vec<ResourceSpans>,
    /// By service, namespace and instance: what else is known of a sender, with its place.
    places: HashMap<[String; 3], Vec<(Attributes, usize)>>,
    /// By sender and scope.
    scopes: HashMap<(usize, String), usize>,
}

impl Groups {
    fn of(&mut self, span: &Span) -> &mut Vec<OtlpSpan> {
        let sender = self.sender(span);
        let scopes = &mut self.resources[sender].scope_spans;
        let scope = *self
            .scopes
            .entry((sender, span.scope.clone()))
            .or_insert_with(|| {
                scopes.push(ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: span.scope.clone(),
                        ..InstrumentationScope::default()
                    }),
                    ..ScopeSpans::default()
                });
                scopes.len() - 1
            });
        &mut scopes[scope].spans
    }

    fn sender(&mut self, span: &Span) -> usize {
        let name = [&span.service, &span.namespace, &span.instance].map(String::clone);
        let places = self.places.entry(name).or_default();
        let known = places.iter().find(|(resource, _)| {
            Arc::ptr_eq(resource, &span.resource) || *resource == span.resource
        });
        if let Some((_, place)) = known {
            return *place;
        }
        let place = self.resources.len();
        places.push((Arc::clone(&span.resource), place));
        self.resources.push(ResourceSpans {
            resource: Some(resource(span)),
            ..ResourceSpans::default()
        });
        place
    }
}

fn resource(span: &Span) -> Resource {
    let named = [
        ("service.name", &span.service),
        ("service.namespace", &span.namespace),
        ("service.instance.id", &span.instance),
    ];
    let named = named.into_iter().filter(|(_, value)| !value.is_empty());
    let named = named.map(|(name, value)| (name.to_owned(), value.as_str().into()));
    Resource {
        attributes: named
            .chain(span.resource.iter().cloned())
            .map(key_value)
            .collect(),
        ..Resource::default()
    }
}

fn otlp(span: Span) -> OtlpSpan {
    let parent = span.parent_span_id.map(|parent| parent.to_bytes().to_vec());
    OtlpSpan {
        trace_id: span.trace_id.to_bytes().to_vec(),
        span_id: span.span_id.to_bytes().to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        trace_state: span.trace_state,
        name: span.name,
        kind: span.kind.number(),
        start_time_unix_nano: span.start_unix_nano,
        end_time_unix_nano: span.end_unix_nano,
        attributes: key_values(span.attributes),
        events: span.events.into_iter().map(event).collect(),
        links: span.links.into_iter().map(link).collect(),
        status: Some(OtlpStatus {
            code: span.status.number(),
            message: span.status_message,
        }),
        ..OtlpSpan::default()
    }
}

fn event(event: SpanEvent) -> otlp_span::Event {
    otlp_span::Event {
        time_unix_nano: event.time_unix_nano,
        name: event.name,
        attributes: key_values(event.attributes),
        ..otlp_span::Event::default()
    }
}

fn link(link: SpanLink) -> otlp_span::Link {
    otlp_span::Link {
        trace_id: link.trace_id.to_bytes().to_vec(),
        span_id: link.span_id.to_bytes().to_vec(),
        attributes: key_values(link.attributes),
        ..otlp_span::Link::default()
    }
}

fn key_values(attributes: Vec<(String, AttributeValue)>) -> Vec<KeyValue> {
    attributes.into_iter().map(key_value).collect()
}

fn key_value((key, value): (String, AttributeValue)) -> KeyValue {
    KeyValue {
        key,
        value: Some(any(value)),
        ..KeyValue::default()
    }
}

fn any(value: AttributeValue) -> AnyValue {
    let value = match value {
        AttributeValue::String(text) => any_value::Value::StringValue(text),
        AttributeValue::Bool(value) => any_value::Value::BoolValue(value),
        AttributeValue::Int(number) => any_value::Value::IntValue(number),
        AttributeValue::Double(number) if !number.is_finite() => {
            any_value::Value::StringValue(number.to_string())
        }
        AttributeValue::Double(number) => any_value::Value::DoubleValue(number),
        AttributeValue::Bytes(bytes) => any_value::Value::BytesValue(bytes),
        AttributeValue::Array(values) => any_value::Value::ArrayValue(ArrayValue {
            values: values.into_iter().map(any).collect(),
        }),
        AttributeValue::Map(values) => any_value::Value::KvlistValue(KeyValueList {
            values: key_values(values),
        }),
    };
    AnyValue { value: Some(value) }
}

#[cfg(test)]
mod tests;
