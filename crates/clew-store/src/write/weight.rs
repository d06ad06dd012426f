//! About how many bytes of memory something takes while it waits: what the queue is bounded by.

use crate::sample::{Sample, SampleValue};
use clew_trace::Span;
use clew_trace::span::AttributeValue;
use std::sync::Arc;

/// A node of a map or an allocation, beside what is in it.
const OVERHEAD: usize = 48;

/// Of spans. A resource that follows one another's is the same one, and counts once.
pub(super) fn of_spans(spans: &[Span]) -> usize {
    let mut last: Option<&Arc<[(String, AttributeValue)]>> = None;
    let mut bytes = 0;
    for span in spans {
        if !last.is_some_and(|last| Arc::ptr_eq(last, &span.resource)) {
            bytes += of_attributes(&span.resource);
        }
        last = Some(&span.resource);
        bytes += of_span(span);
    }
    bytes
}

fn of_span(span: &Span) -> usize {
    let texts = [
        &span.name,
        &span.service,
        &span.namespace,
        &span.instance,
        &span.scope,
        &span.status_message,
        &span.trace_state,
    ];
    let events = span.events.iter();
    let links = span.links.iter();
    size_of::<Span>()
        + texts.iter().map(|text| text.len()).sum::<usize>()
        + of_attributes(&span.attributes)
        + events
            .map(|event| size_of_val(event) + event.name.len() + of_attributes(&event.attributes))
            .sum::<usize>()
        + links
            .map(|link| size_of_val(link) + of_attributes(&link.attributes))
            .sum::<usize>()
}

fn of_attributes(attributes: &[(String, AttributeValue)]) -> usize {
    let each = attributes
        .iter()
        .map(|(key, value)| size_of::<String>() + key.len() + of_value(value));
    each.sum()
}

fn of_value(value: &AttributeValue) -> usize {
    size_of::<AttributeValue>()
        + match value {
            AttributeValue::String(text) => text.len(),
            AttributeValue::Bytes(bytes) => bytes.len(),
            AttributeValue::Array(values) => values.iter().map(of_value).sum(),
            AttributeValue::Map(attributes) => of_attributes(attributes),
            AttributeValue::Bool(_) | AttributeValue::Int(_) | AttributeValue::Double(_) => 0,
        }
}

pub(super) fn of_samples(samples: &[Sample]) -> usize {
    samples.iter().map(of_sample).sum()
}

fn of_sample(sample: &Sample) -> usize {
    let labels = sample.labels.iter();
    let labels: usize = labels
        .map(|(name, value)| OVERHEAD + name.len() + value.len())
        .sum();
    let buckets = match &sample.value {
        SampleValue::Histogram(histogram) => histogram.buckets().count() * OVERHEAD / 2,
        SampleValue::Counter(_) | SampleValue::Gauge(_) => 0,
    };
    size_of::<Sample>() + labels + buckets
}
