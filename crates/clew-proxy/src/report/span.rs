//! From a hop record to the bytes of an OTLP span, without a value in between.
//!
//! What is said follows the OpenTelemetry semantic conventions 1.37 for HTTP and RPC; where the
//! conventions leave a choice, [`conventions`] makes it. Written private by default: of a query only its
//! presence, no header, no body.

mod conventions;
#[cfg(test)]
mod tests;
pub(super) mod wire;

use clew_trace::span::SpanKind;
use http::Version;
use std::time::Instant;

use self::wire::Message;
use super::clock::nanoseconds;
use crate::hop::{Direction, Exchange, HopRecord, HopTrace, Phase, SeriesKey};

/// Version of the semantic conventions, as OTLP names it.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// Values longer than this are cut: a span is no place for a path of 60 KiB.
const MAX_VALUE_BYTES: usize = 2_048;

/// Field numbers of `opentelemetry.proto.trace.v1.Span` and of the messages in it.
mod field {
    pub(super) const TRACE_ID: u8 = 1;
    pub(super) const SPAN_ID: u8 = 2;
    pub(super) const PARENT_SPAN_ID: u8 = 4;
    pub(super) const NAME: u8 = 5;
    pub(super) const KIND: u8 = 6;
    pub(super) const START: u8 = 7;
    pub(super) const END: u8 = 8;
    pub(super) const ATTRIBUTES: u8 = 9;
    pub(super) const EVENTS: u8 = 11;
    pub(super) const LINKS: u8 = 13;
    pub(super) const STATUS: u8 = 15;
    pub(super) const FLAGS: u8 = 16;
    pub(super) const EVENT_TIME: u8 = 1;
    pub(super) const EVENT_NAME: u8 = 2;
    pub(super) const STATUS_CODE: u8 = 3;
    pub(super) const LINK_TRACE_ID: u8 = 1;
    pub(super) const LINK_SPAN_ID: u8 = 2;
    pub(super) const LINK_ATTRIBUTES: u8 = 4;
}

/// `Span.flags`: the W3C sampled flag, "it is known whether the parent is remote", "it is".
const FLAG_SAMPLED: u32 = 0x01;
const FLAGS_REMOTE_PARENT: u32 = 0x300;

/// The attributes that all hops with these labels share, encoded once.
pub(super) fn shared_attributes(key: &SeriesKey) -> Box<[u8]> {
    let mut bytes = Vec::new();
    let mut span = Message::new(&mut bytes);
    let mut text = |name, value: &str| {
        if !value.is_empty() {
            span.text_attribute(field::ATTRIBUTES, name, value);
        }
    };
    text("clew.direction", key.direction.as_str());
    text("clew.tls", key.tls.as_str());
    if let Some(workload) = &key.peer.workload {
        text("clew.peer.workload", workload.name.as_str());
        text("clew.peer.namespace", workload.namespace.as_str());
    }
    if let Some(instance) = &key.peer.instance {
        text("clew.peer.instance", instance.as_str());
    }
    text(
        "clew.peer.identity",
        key.peer.identity.as_deref().unwrap_or(""),
    );
    if let (Direction::Outbound, Some(service)) = (key.direction, &key.peer.service) {
        text("clew.dst_service", service.as_str());
    }
    bytes.into_boxed_slice()
}

/// Appends a span as one element of `ScopeSpans.spans`.
pub(super) fn append(
    bytes: &mut Vec<u8>,
    shared_attributes: &[u8],
    record: &HopRecord,
    trace: &HopTrace,
) {
    const SCOPE_SPANS_SPANS: u8 = 2;
    let mut list = Message::new(bytes);
    list.nested(SCOPE_SPANS_SPANS, |span| {
        identity(span, record, trace);
        span.raw(shared_attributes);
        request_attributes(span, record);
        peer_attributes(span, record);
        outcome(span, record);
        proxy_time(span, record);
        events(span, record);
        link(span, trace);
    });
}

fn identity(span: &mut Message<'_>, record: &HopRecord, trace: &HopTrace) {
    span.bytes(field::TRACE_ID, &trace.trace_id.to_bytes());
    span.bytes(field::SPAN_ID, &trace.span_id.to_bytes());
    if let Some(parent) = trace.parent {
        span.bytes(field::PARENT_SPAN_ID, &parent.to_bytes());
    }
    conventions::span_name(record, |parts| span.text_of_parts(field::NAME, parts));
    let kind = match record.key.direction {
        Direction::Inbound => SpanKind::Server,
        Direction::Outbound => SpanKind::Client,
    };
    span.number(field::KIND, kind.number() as u64);
    span.fixed64(field::START, record.start_unix_nano);
    span.fixed64(field::END, unix_nano(record, record.end));
    span.fixed32(
        field::FLAGS,
        FLAG_SAMPLED | trace.parent.map_or(0, |_| FLAGS_REMOTE_PARENT),
    );
}

fn request_attributes(span: &mut Message<'_>, record: &HopRecord) {
    let route = record.key.route.as_str();
    if record.is_grpc {
        span.text_attribute(field::ATTRIBUTES, "rpc.system", "grpc");
        if let Some((service, method)) = conventions::grpc_method(record.path.path()) {
            span.text_attribute(field::ATTRIBUTES, "rpc.service", limited(service));
            span.text_attribute(field::ATTRIBUTES, "rpc.method", limited(method));
        }
    } else {
        let method = conventions::known_method(&record.method);
        span.text_attribute(
            field::ATTRIBUTES,
            "http.request.method",
            method.unwrap_or("_OTHER"),
        );
        if method.is_none() {
            let original = limited(record.method.as_str());
            span.text_attribute(field::ATTRIBUTES, "http.request.method_original", original);
        }
        span.number_attribute(
            field::ATTRIBUTES,
            "http.request.body.size",
            record.request_bytes,
        );
        span.number_attribute(
            field::ATTRIBUTES,
            "http.response.body.size",
            record.response_bytes,
        );
    }
    if record.route_is_configured {
        span.text_attribute(
            field::ATTRIBUTES,
            "http.route",
            conventions::path_of_route(route),
        );
    } else {
        span.text_attribute(field::ATTRIBUTES, "clew.route", route);
    }
    let path = limited(record.path.path());
    span.text_attribute(field::ATTRIBUTES, "url.path", path);
    span.text_attribute(field::ATTRIBUTES, "url.scheme", record.scheme);
    if record.key.direction == Direction::Outbound && !record.authority.is_empty() {
        // The mark tells that there was a query; its text is private.
        let query = if record.path.query().is_some() {
            "?REDACTED"
        } else {
            ""
        };
        let parts = [
            record.scheme,
            "://",
            limited(&record.authority),
            path,
            query,
        ];
        span.text_attribute_of_parts(field::ATTRIBUTES, "url.full", &parts);
    }
    span.text_attribute(
        field::ATTRIBUTES,
        "network.protocol.version",
        protocol_version(record.version),
    );
}

fn peer_attributes(span: &mut Message<'_>, record: &HopRecord) {
    if let Some((host, port)) = conventions::server_address(&record.authority, record.scheme) {
        span.text_attribute(field::ATTRIBUTES, "server.address", limited(host));
        span.number_attribute(field::ATTRIBUTES, "server.port", port.into());
    }
    if let Some(peer) = record.peer_address {
        let address = wire::Ip::new(peer.ip());
        span.text_attribute(field::ATTRIBUTES, "network.peer.address", address.as_str());
        span.number_attribute(field::ATTRIBUTES, "network.peer.port", peer.port().into());
    }
}

fn outcome(span: &mut Message<'_>, record: &HopRecord) {
    if let Some(status) = record.status {
        span.number_attribute(
            field::ATTRIBUTES,
            "http.response.status_code",
            status.as_u16().into(),
        );
    }
    if let Some(status) = record.grpc_status {
        span.number_attribute(field::ATTRIBUTES, "rpc.grpc.status_code", status.into());
    }
    let verdict = conventions::verdict(record);
    if let Some(error_type) = verdict.error_type {
        span.text_attribute(field::ATTRIBUTES, "error.type", error_type);
    }
    if verdict.cancelled {
        span.text_attribute(field::ATTRIBUTES, "clew.outcome", "cancelled");
    }
    match record.exchange {
        Exchange::Unary => {}
        Exchange::Stream => span.text_attribute(field::ATTRIBUTES, "clew.exchange", "stream"),
        Exchange::Tunnel => span.text_attribute(field::ATTRIBUTES, "clew.exchange", "tunnel"),
    }
    if verdict.is_error {
        const STATUS_ERROR: u64 = 2;
        span.nested_short(field::STATUS, |status| {
            status.number(field::STATUS_CODE, STATUS_ERROR)
        });
    }
}

fn proxy_time(span: &mut Message<'_>, record: &HopRecord) {
    for (phase, time) in record.phases.iter() {
        // Rounded, not cut: most phases take a few microseconds.
        let microseconds = (nanoseconds(time) + 500) / 1_000;
        span.number_attribute(field::ATTRIBUTES, proxy_time_name(phase), microseconds);
    }
}

fn proxy_time_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Detect => "clew.proxy.detect_us",
        Phase::Route => "clew.proxy.route_us",
        Phase::Policy => "clew.proxy.policy_us",
        Phase::Queue => "clew.proxy.queue_us",
        Phase::Balance => "clew.proxy.balance_us",
        Phase::Connect => "clew.proxy.connect_us",
        Phase::Tls => "clew.proxy.tls_us",
        Phase::Request => "clew.proxy.request_us",
        Phase::Response => "clew.proxy.response_us",
    }
}

fn events(span: &mut Message<'_>, record: &HopRecord) {
    let moments = [
        ("clew.response.headers", record.response_start),
        ("clew.response.first_byte", record.first_body),
    ];
    for (name, moment) in moments {
        let Some(moment) = moment else { continue };
        span.nested_short(field::EVENTS, |event| {
            event.fixed64(field::EVENT_TIME, unix_nano(record, moment));
            event.text(field::EVENT_NAME, name);
        });
    }
}

fn link(span: &mut Message<'_>, trace: &HopTrace) {
    let Some((trace_id, span_id)) = trace.link else {
        return;
    };
    span.nested_short(field::LINKS, |link| {
        link.bytes(field::LINK_TRACE_ID, &trace_id.to_bytes());
        link.bytes(field::LINK_SPAN_ID, &span_id.to_bytes());
        link.text_attribute(field::LINK_ATTRIBUTES, "clew.link", "untrusted_context");
    });
}

fn unix_nano(record: &HopRecord, moment: Instant) -> u64 {
    let since_start = moment.saturating_duration_since(record.start);
    record
        .start_unix_nano
        .saturating_add(nanoseconds(since_start))
}

/// As `network.protocol.version` and the tap name it.
pub(super) fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        _ => "3",
    }
}

/// The text, cut where it is too long.
fn limited(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_VALUE_BYTES))
        .unwrap_or(text)
}
