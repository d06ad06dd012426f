//! From a hop record to the bytes of an OTLP span, without a value in between.
//!
//! What is said follows the OpenTelemetry semantic conventions 1.37 for HTTP and RPC; where the
//! conventions leave a choice, [`conventions`] makes it. Written private by default: of a query only its
//! presence, no header, no body.

mod conventions;
mod template;
#[cfg(test)]
mod tests;
pub(super) mod wire;

use http::Version;
use std::time::Instant;

pub(super) use self::template::Template;
use self::wire::{Message, name};
use super::clock::nanoseconds;
use crate::hop::{Direction, Exchange, HopRecord, HopTrace, Phase};

/// Version of the semantic conventions, as OTLP names it.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// Values longer than this are cut: a span is no place for a path of 60 KiB.
const MAX_VALUE_BYTES: usize = 2_048;

/// Field numbers of `opentelemetry.proto.trace.v1.Span` and of the messages in it.
mod field {
    pub(super) const TRACE_ID: u8 = 1;
    pub(super) const SPAN_ID: u8 = 2;
    pub(super) const TRACE_STATE: u8 = 3;
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

/// `Span.flags`, beside W3C's in the lowest octet: "it is known whether the parent is remote", "it is".
const FLAGS_REMOTE_PARENT: u32 = 0x300;

/// Appends a span as one element of `ScopeSpans.spans`.
pub(super) fn append(
    bytes: &mut Vec<u8>,
    template: &mut Template,
    record: &HopRecord,
    trace: &HopTrace,
) {
    const SCOPE_SPANS_SPANS: u8 = 2;
    /// Enough for most spans, so that the buffer grows at most once for each.
    const USUAL_BYTES: usize = 2_048;
    bytes.reserve(USUAL_BYTES);
    let mut list = Message::new(bytes);
    list.nested(SCOPE_SPANS_SPANS, |span| {
        identity(span, record, trace);
        span.raw(template.fields(record));
        request(span, record);
        peer(span, record);
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
    span.fixed64(field::START, record.start_unix_nano);
    span.fixed64(field::END, unix_nano(record, record.end));
    let parent = trace.parent.map_or(0, |_| FLAGS_REMOTE_PARENT);
    span.fixed32(field::FLAGS, u32::from(trace.flags.octet()) | parent);
    if !trace.state.is_empty() {
        span.text(field::TRACE_STATE, trace.state.as_str());
    }
}

fn request(span: &mut Message<'_>, record: &HopRecord) {
    let path = limited(record.path.path());
    span.text_attribute(field::ATTRIBUTES, name!("url.path"), path);
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
        span.text_attribute_of_parts(field::ATTRIBUTES, name!("url.full"), &parts);
    }
    if !record.is_grpc {
        let (request, response) = (record.request_bytes, record.response_bytes);
        span.number_attribute(field::ATTRIBUTES, name!("http.request.body.size"), request);
        span.number_attribute(
            field::ATTRIBUTES,
            name!("http.response.body.size"),
            response,
        );
    }
}

fn peer(span: &mut Message<'_>, record: &HopRecord) {
    if let Some(peer) = record.peer_address {
        let address = wire::Ip::new(peer.ip());
        let name = name!("network.peer.address");
        span.text_attribute(field::ATTRIBUTES, name, address.as_str());
        span.number_attribute(
            field::ATTRIBUTES,
            name!("network.peer.port"),
            peer.port().into(),
        );
    }
}

fn outcome(span: &mut Message<'_>, record: &HopRecord) {
    if let Some(status) = record.status {
        let status = status.as_u16().into();
        span.number_attribute(
            field::ATTRIBUTES,
            name!("http.response.status_code"),
            status,
        );
    }
    if let Some(status) = record.grpc_status {
        span.number_attribute(
            field::ATTRIBUTES,
            name!("rpc.grpc.status_code"),
            status.into(),
        );
    }
    let verdict = conventions::verdict(record);
    if let Some(error_type) = verdict.error_type {
        span.text_attribute(field::ATTRIBUTES, name!("error.type"), error_type);
    }
    if verdict.cancelled {
        span.text_attribute(field::ATTRIBUTES, name!("clew.outcome"), "cancelled");
    }
    let exchange = match record.exchange {
        Exchange::Unary => None,
        Exchange::Stream => Some("stream"),
        Exchange::Tunnel => Some("tunnel"),
    };
    if let Some(exchange) = exchange {
        span.text_attribute(field::ATTRIBUTES, name!("clew.exchange"), exchange);
    }
    if verdict.is_error {
        const STATUS_ERROR: u64 = 2;
        span.nested_short(field::STATUS, |status| {
            status.number(field::STATUS_CODE, STATUS_ERROR);
        });
    }
}

fn proxy_time(span: &mut Message<'_>, record: &HopRecord) {
    for (phase, time) in record.phases.iter() {
        // Rounded, not cut: most phases take a few microseconds.
        let us = (nanoseconds(time) + 500) / 1_000;
        let to = field::ATTRIBUTES;
        match phase {
            Phase::Detect => span.number_attribute(to, name!("clew.proxy.detect_us"), us),
            Phase::Route => span.number_attribute(to, name!("clew.proxy.route_us"), us),
            Phase::Policy => span.number_attribute(to, name!("clew.proxy.policy_us"), us),
            Phase::Queue => span.number_attribute(to, name!("clew.proxy.queue_us"), us),
            Phase::Balance => span.number_attribute(to, name!("clew.proxy.balance_us"), us),
            Phase::Connect => span.number_attribute(to, name!("clew.proxy.connect_us"), us),
            Phase::Tls => span.number_attribute(to, name!("clew.proxy.tls_us"), us),
            Phase::Request => span.number_attribute(to, name!("clew.proxy.request_us"), us),
            Phase::Response => span.number_attribute(to, name!("clew.proxy.response_us"), us),
        }
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
        let name = name!("clew.link");
        link.text_attribute(field::LINK_ATTRIBUTES, name, "untrusted_context");
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
