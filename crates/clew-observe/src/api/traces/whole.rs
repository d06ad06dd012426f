//! One trace as the API shows it.

use super::super::clock::{nanos_as_millis, rfc3339_nanos};
use super::scope;
use crate::blame::{Hop, Tree, proxy_time};
use clew_api::rest::span::{Span, SpanEvent, SpanLink};
use clew_api::rest::traces::{HopTime, MissingParent, Trace, TraceState};
use clew_trace::span::AttributeValue;
use clew_trace::{SpanId, TraceId};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One span has no parent, and every parent is there.
pub(super) fn is_whole(spans: &[clew_trace::Span]) -> bool {
    let roots = spans.iter().filter(|span| span.parent_span_id.is_none());
    roots.count() == 1 && missing_parents(spans).is_empty()
}

/// The trace of these spans, which come by their start; with a scope, what that has of it. Its state is that of all of it.
pub(super) fn trace(
    (trace_id, state): (TraceId, TraceState),
    spans: Vec<clew_trace::Span>,
    scope: Option<&str>,
) -> Trace {
    let start = spans
        .iter()
        .map(|span| span.start_unix_nano)
        .min()
        .unwrap_or_default();
    let end = spans
        .iter()
        .map(|span| span.end_unix_nano)
        .max()
        .unwrap_or_default();
    let hops = hops(&spans);
    let kept = scope::keep(spans, scope);
    let spans = kept.spans.iter().zip(kept.hidden_ancestors);
    Trace {
        trace_id: trace_id.to_string(),
        state,
        start: rfc3339_nanos(start),
        duration_ms: nanos_as_millis(end.saturating_sub(start)),
        spans: spans
            .map(|(span, hidden)| shown(span, hidden, start))
            .collect(),
        missing_parents: missing_parents(&kept.spans),
        hidden_spans: kept.hidden as u64,
        hops,
    }
}

fn hops(spans: &[clew_trace::Span]) -> Vec<HopTime> {
    let tree = Tree::new(spans);
    let shown = |hop: Hop| {
        let service = |span: usize| tree.span(span).service.clone();
        let callee = |client| tree.callee(client);
        let named = hop.client.or(hop.server).map(|span| tree.span(span));
        HopTime {
            depth: hop.depth,
            client: hop.client.map(service),
            server: hop
                .server
                .map(service)
                .or_else(|| hop.client.and_then(callee)),
            name: named.map(|span| span.name.clone()).unwrap_or_default(),
            total_ms: nanos_as_millis(hop.total),
            client_proxy_ms: nanos_as_millis(hop.client_proxy.0),
            client_wait_ms: nanos_as_millis(hop.client_proxy.1),
            network_ms: hop.between.map(nanos_as_millis),
            server_proxy_ms: nanos_as_millis(hop.server_proxy.0),
            server_wait_ms: nanos_as_millis(hop.server_proxy.1),
            application_ms: hop.application.map(nanos_as_millis),
            on_path_ms: nanos_as_millis(hop.on_path),
            skew_at_least_ms: (hop.skew != 0).then(|| hop.skew as f64 / 1e6),
        }
    };
    tree.hops().into_iter().map(shown).collect()
}

/// Parents that are named and not there, in the order of their first child.
fn missing_parents(spans: &[clew_trace::Span]) -> Vec<MissingParent> {
    let known: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let mut missing: Vec<MissingParent> = Vec::new();
    let mut positions: HashMap<SpanId, usize> = HashMap::new();
    for span in spans {
        let Some(parent) = span.parent_span_id.filter(|parent| !known.contains(parent)) else {
            continue;
        };
        let position = *positions.entry(parent).or_insert_with(|| {
            missing.push(MissingParent {
                span_id: parent.to_string(),
                children: Vec::new(),
            });
            missing.len() - 1
        });
        missing[position].children.push(span.span_id.to_string());
    }
    missing
}

fn shown(span: &clew_trace::Span, hidden_ancestors: u32, trace_start: u64) -> Span {
    let offset_ms = |unix_nano: u64| nanos_as_millis(unix_nano.saturating_sub(trace_start));
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let event = |event: &clew_trace::span::SpanEvent| SpanEvent {
        name: event.name.clone(),
        offset_ms: offset_ms(event.time_unix_nano),
        attributes: attributes(&event.attributes),
    };
    let link = |link: &clew_trace::span::SpanLink| SpanLink {
        trace_id: link.trace_id.to_string(),
        span_id: link.span_id.to_string(),
        attributes: attributes(&link.attributes),
    };
    Span {
        span_id: span.span_id.to_string(),
        parent_span_id: span.parent_span_id.map(|parent| parent.to_string()),
        hidden_ancestors,
        kind: span.kind.as_str().to_owned(),
        service: span.service.clone(),
        namespace: given(&span.namespace),
        instance: given(&span.instance),
        name: span.name.clone(),
        scope: span.scope.clone(),
        start: rfc3339_nanos(span.start_unix_nano),
        offset_ms: offset_ms(span.start_unix_nano),
        duration_ms: nanos_as_millis(span.duration_nano()),
        status: span.status.as_str().to_owned(),
        status_message: span.status_message.clone(),
        attributes: attributes(&span.attributes),
        resource: attributes(&span.resource),
        events: span.events.iter().map(event).collect(),
        links: span.links.iter().map(link).collect(),
        proxy_time: proxy_time(span),
    }
}

fn attributes(attributes: &[(String, AttributeValue)]) -> BTreeMap<String, Value> {
    attributes
        .iter()
        .map(|(name, value)| (name.clone(), json(value)))
        .collect()
}

fn json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::String(text) => text.clone().into(),
        AttributeValue::Bool(value) => (*value).into(),
        AttributeValue::Int(number) => (*number).into(),
        // JSON has no NaN and no infinities.
        AttributeValue::Double(number) if !number.is_finite() => number.to_string().into(),
        AttributeValue::Double(number) => (*number).into(),
        AttributeValue::Bytes(bytes) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
        AttributeValue::Array(values) => values.iter().map(json).collect(),
        AttributeValue::Map(values) => values
            .iter()
            .map(|(name, value)| (name.clone(), json(value)))
            .collect(),
    }
}
