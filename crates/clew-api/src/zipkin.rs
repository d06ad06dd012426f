//! Zipkin's spans, version 2, as ours: `POST /api/v2/spans` in JSON and protobuf.
//!
//! Source: openzipkin/zipkin-api, zipkin2-api.yaml and zipkin.proto.
//!
//! | Zipkin | ours |
//! |---|---|
//! | `localEndpoint.serviceName` | service; its address: `network.local.*` |
//! | `remoteEndpoint` | `peer.service`, `network.peer.*` |
//! | `kind`, absent | the kind, internal |
//! | `annotations` | events |
//! | `tags` | attributes; `error` sets the status, and its text is the status in words |
//! | `debug`, `shared` | `zipkin.debug`, `zipkin.shared` |
//! | `shared` | an id of its own, below the span whose id it shared ([`clew_trace::shared`]) |
//!
//! The exporters of OpenTelemetry that write Zipkin put what Zipkin has no field for into tags
//! ("Compatibility: Zipkin" of its specification); the status, the scope and who sent it are read back from there.

mod json;
pub mod message;
mod size;

pub use json::{InvalidJson, list_from_json};
pub use size::{size_of_json, size_of_protobuf};

use crate::otlp::{Cuts, MAX_ATTRIBUTES, MAX_EVENTS, ReceivedSpans, UNKNOWN_SERVICE};
use clew_trace::shared::server_half;
use clew_trace::span::{AttributeValue, Span, SpanEvent, SpanKind, SpanStatus};
use clew_trace::{SpanId, TraceId};
use message::{Annotation, Endpoint, Kind, ListOfSpans};
use std::net::IpAddr;
use std::sync::Arc;

/// The scope of spans that name none.
pub const ZIPKIN_SCOPE: &str = "zipkin";

/// Spans as ours. A span with a malformed id is refused by itself, not with all that came with it. One that says
/// nothing of its time is taken to have begun when it came, `received_unix_nano`.
pub fn spans_from_zipkin(list: ListOfSpans, received_unix_nano: u64) -> ReceivedSpans {
    let mut received = ReceivedSpans::default();
    let mut cuts = Cuts::default();
    let nothing = Arc::from(Vec::new());
    for given in list.spans {
        match span(given, &nothing, received_unix_nano, &mut cuts) {
            Ok(span) => received.spans.push(span),
            Err(reason) => received.reject(reason),
        }
    }
    received.cut = cuts.0;
    received
}

fn span(
    given: message::Span,
    resource: &Arc<[(String, AttributeValue)]>,
    received_unix_nano: u64,
    cuts: &mut Cuts,
) -> Result<Span, &'static str> {
    let trace_id = trace_id(&given.trace_id).ok_or("a trace id is not 16 or 32 digits, or zero")?;
    let own = span_id(&given.id).ok_or("a span id is not 16 digits, or zero")?;
    let parent = match given.parent_id.as_slice() {
        [] => None,
        bytes => SpanId::from_bytes(
            bytes
                .try_into()
                .map_err(|_| "a parent id is not 16 digits")?,
        ),
    };
    let (span_id, parent_span_id) = match given.shared {
        true => (server_half(own), Some(own)),
        false => (own, parent),
    };
    let start_unix_nano = start(&given, received_unix_nano);
    let end_unix_nano = start_unix_nano.saturating_add(nanos(given.duration));
    let mut attributes = Vec::new();
    let service = local(given.local_endpoint, &mut attributes);
    remote(given.remote_endpoint, &mut attributes);
    for (name, is_set) in [
        ("zipkin.debug", given.debug),
        ("zipkin.shared", given.shared),
    ] {
        if is_set {
            attributes.push((name.to_owned(), true.into()));
        }
    }
    let mut tags = Tags::default();
    for (key, value) in given.tags {
        tags.read(key, value, &mut attributes);
    }
    Ok(Span {
        trace_id,
        span_id,
        parent_span_id,
        kind: kind(given.kind),
        name: cuts.text(given.name),
        service: cuts.text(service),
        namespace: cuts.text(tags.namespace),
        instance: cuts.text(tags.instance),
        scope: cuts.text(tags.scope.unwrap_or_else(|| ZIPKIN_SCOPE.to_owned())),
        start_unix_nano,
        end_unix_nano,
        status: tags.status,
        status_message: cuts.text(tags.status_message),
        trace_state: String::new(),
        attributes: cut(attributes, cuts),
        resource: Arc::clone(resource),
        events: cuts
            .list(given.annotations, MAX_EVENTS)
            .into_iter()
            .map(|annotation| event(annotation, cuts))
            .collect(),
        links: Vec::new(),
    })
}

/// 8 bytes are the lower half of an id whose upper half is zero, as in B3.
fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    match bytes.len() {
        8 => TraceId::new(u64::from_be_bytes(bytes.try_into().ok()?).into()),
        _ => TraceId::from_bytes(bytes.try_into().ok()?),
    }
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    SpanId::from_bytes(bytes.try_into().ok()?)
}

fn kind(number: i32) -> SpanKind {
    match Kind::try_from(number) {
        Ok(Kind::Client) => SpanKind::Client,
        Ok(Kind::Server) => SpanKind::Server,
        Ok(Kind::Producer) => SpanKind::Producer,
        Ok(Kind::Consumer) => SpanKind::Consumer,
        // Zipkin has no other word for what happens inside of one program.
        Ok(Kind::Unspecified) => SpanKind::Internal,
        Err(_) => SpanKind::Unspecified,
    }
}

fn nanos(micros: u64) -> u64 {
    micros.saturating_mul(1_000)
}

/// A span that says nothing of its start still may have events.
fn start(given: &message::Span, received_unix_nano: u64) -> u64 {
    let annotated = given
        .annotations
        .iter()
        .map(|annotation| annotation.timestamp);
    let own = (given.timestamp > 0).then_some(given.timestamp);
    let said = own.or_else(|| annotated.filter(|micros| *micros > 0).min());
    said.map_or(received_unix_nano, nanos)
}

/// The service, as it calls itself; its address goes to the attributes.
fn local(endpoint: Option<Endpoint>, attributes: &mut Vec<(String, AttributeValue)>) -> String {
    let Some(endpoint) = endpoint else {
        return UNKNOWN_SERVICE.to_owned();
    };
    address(
        &endpoint,
        ["network.local.address", "network.local.port"],
        attributes,
    );
    if endpoint.service_name.is_empty() {
        UNKNOWN_SERVICE.to_owned()
    } else {
        endpoint.service_name
    }
}

fn remote(endpoint: Option<Endpoint>, attributes: &mut Vec<(String, AttributeValue)>) {
    let Some(endpoint) = endpoint else { return };
    address(
        &endpoint,
        ["network.peer.address", "network.peer.port"],
        attributes,
    );
    if !endpoint.service_name.is_empty() {
        attributes.push(("peer.service".to_owned(), endpoint.service_name.into()));
    }
}

fn address(endpoint: &Endpoint, names: [&str; 2], attributes: &mut Vec<(String, AttributeValue)>) {
    let ipv4 = <[u8; 4]>::try_from(endpoint.ipv4.as_slice()).map(IpAddr::from);
    let ipv6 = <[u8; 16]>::try_from(endpoint.ipv6.as_slice()).map(IpAddr::from);
    if let Ok(ip) = ipv4.or(ipv6) {
        attributes.push((names[0].to_owned(), ip.to_string().into()));
    }
    if endpoint.port > 0 {
        attributes.push((names[1].to_owned(), i64::from(endpoint.port).into()));
    }
}

/// What tags say that has a field of its own.
#[derive(Default)]
struct Tags {
    namespace: String,
    instance: String,
    scope: Option<String>,
    status: SpanStatus,
    status_message: String,
}

impl Tags {
    fn read(&mut self, key: String, value: String, attributes: &mut Vec<(String, AttributeValue)>) {
        match key.as_str() {
            "service.namespace" => self.namespace = value,
            "service.instance.id" => self.instance = value,
            "otel.scope.name" | "otel.library.name" if !value.is_empty() => {
                self.scope = Some(value);
            }
            "otel.status_code" => self.said(&value),
            // That it is there is the error, whatever it says; but bridges from OpenTracing write "false".
            "error" if value != "false" => {
                self.status = SpanStatus::Error;
                if value != "true" {
                    self.status_message = value;
                }
            }
            _ => attributes.push((key, value.into())),
        }
    }

    fn said(&mut self, code: &str) {
        // `error` comes with it, and is read in either order.
        if code == "OK" && self.status == SpanStatus::Unset {
            self.status = SpanStatus::Ok;
        } else if code == "ERROR" {
            self.status = SpanStatus::Error;
        }
    }
}

fn cut(
    attributes: Vec<(String, AttributeValue)>,
    cuts: &mut Cuts,
) -> Vec<(String, AttributeValue)> {
    cuts.list(attributes, MAX_ATTRIBUTES)
        .into_iter()
        .map(|(key, value)| match value {
            AttributeValue::String(text) => (cuts.text(key), cuts.text(text).into()),
            other => (key, other),
        })
        .collect()
}

fn event(annotation: Annotation, cuts: &mut Cuts) -> SpanEvent {
    SpanEvent {
        time_unix_nano: nanos(annotation.timestamp),
        name: cuts.text(annotation.value),
        attributes: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
