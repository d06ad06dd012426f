//! From bytes to a request, within bounds that hold before memory is spent.

use super::{MAX_PARTS, MAX_REQUEST_BYTES, MAX_SPANS, Refusal};
use bytes::Bytes;
use clew_api::otlp::{ExportTraceServiceRequest, Size, request_from_json};
use clew_api::zipkin::message::ListOfSpans;
use clew_api::zipkin::{list_from_json, size_of_json, size_of_protobuf};
use flate2::read::MultiGzDecoder;
use prost::Message as _;
use std::io::Read as _;

/// What is inside, unless that is larger than a request may be.
pub(super) fn decompress(body: &[u8]) -> Result<Bytes, Refusal> {
    let limit = MAX_REQUEST_BYTES as u64;
    let mut inside = Vec::with_capacity(body.len().saturating_mul(4).min(MAX_REQUEST_BYTES));
    MultiGzDecoder::new(body)
        .take(limit + 1)
        .read_to_end(&mut inside)
        .map_err(|error| Refusal::Malformed(error.to_string()))?;
    if inside.len() > MAX_REQUEST_BYTES {
        Err(Refusal::TooLarge)
    } else {
        Ok(inside.into())
    }
}

pub(super) fn protobuf(body: &[u8]) -> Result<ExportTraceServiceRequest, Refusal> {
    let size = Size::of_protobuf(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    check(size)?;
    ExportTraceServiceRequest::decode(body).map_err(|error| Refusal::Malformed(error.to_string()))
}

pub(super) fn json(body: &[u8]) -> Result<ExportTraceServiceRequest, Refusal> {
    check(Size::of_json(body))?;
    let request =
        request_from_json(body).map_err(|error| Refusal::Malformed(with_cause(&error)))?;
    check(Size::of_decoded(&request))?;
    Ok(request)
}

pub(super) fn zipkin_protobuf(body: &[u8]) -> Result<ListOfSpans, Refusal> {
    let size = size_of_protobuf(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
    check(size)?;
    ListOfSpans::decode(body).map_err(|error| Refusal::Malformed(error.to_string()))
}

pub(super) fn zipkin_json(body: &[u8]) -> Result<ListOfSpans, Refusal> {
    check(size_of_json(body))?;
    list_from_json(body).map_err(|error| Refusal::Malformed(with_cause(&error)))
}

fn check(size: Size) -> Result<(), Refusal> {
    if size.spans > MAX_SPANS || size.parts > MAX_PARTS {
        Err(Refusal::TooMany)
    } else {
        Ok(())
    }
}

/// An error and what is behind it, for the sender to read.
fn with_cause(error: &dyn std::error::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
