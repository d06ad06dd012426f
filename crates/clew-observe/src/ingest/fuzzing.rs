//! The bodies of requests with spans, from bytes to spans, for tests that give them any bytes. No interface: only
//! `clew-fuzz` calls it. `None` is a refusal.

use super::{decode, grpc};
use bytes::Bytes;
use clew_api::otlp::{ReceivedSpans, spans_from_otlp};
use clew_api::zipkin::spans_from_zipkin;

/// When the spans came, for those that do not say it.
pub const RECEIVED_UNIX_NANO: u64 = 1_700_000_000_000_000_000;

/// OTLP in protobuf.
pub fn otlp_protobuf(body: &[u8]) -> Option<ReceivedSpans> {
    let request = decode::protobuf(body).ok()?;
    Some(spans_from_otlp(request.resource_spans))
}

/// OTLP in JSON.
pub fn otlp_json(body: &[u8]) -> Option<ReceivedSpans> {
    let request = decode::json(body).ok()?;
    Some(spans_from_otlp(request.resource_spans))
}

/// Zipkin in protobuf.
pub fn zipkin_protobuf(body: &[u8]) -> Option<ReceivedSpans> {
    let list = decode::zipkin_protobuf(body).ok()?;
    Some(spans_from_zipkin(list, RECEIVED_UNIX_NANO))
}

/// Zipkin in JSON.
pub fn zipkin_json(body: &[u8]) -> Option<ReceivedSpans> {
    let list = decode::zipkin_json(body).ok()?;
    Some(spans_from_zipkin(list, RECEIVED_UNIX_NANO))
}

/// What is inside of gzip.
pub fn gzip(body: &[u8]) -> Option<Bytes> {
    decode::decompress(body).ok()
}

/// The one message of a body of gRPC, and whether it is compressed.
pub fn grpc(body: &[u8]) -> Option<(bool, Bytes)> {
    grpc::unframe(Bytes::copy_from_slice(body)).ok()
}
