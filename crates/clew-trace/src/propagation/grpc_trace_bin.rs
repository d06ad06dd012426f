//! `grpc-trace-bin`: OpenCensus' binary context, base64 as all `-bin` metadata of gRPC (OpenCensus specification,
//! "BinaryEncoding"; gRPC over HTTP/2, "Binary-Header").
//!
//! A byte of version, 0, then fields, each a byte of id and its bytes: 0 the trace id (16), 1 the span id (8), 2 the
//! options (1), of which bit 0 says that the trace is kept.

use super::b3::{State, context};
use super::{Content, Format, Malformed, single};
use crate::context::{Decision, TraceContext};
use crate::id::{SpanId, TraceId};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderName, HeaderValue};

static GRPC_TRACE_BIN: HeaderName = HeaderName::from_static("grpc-trace-bin");

pub(super) const FORMAT: Format = Format {
    headers: &[&GRPC_TRACE_BIN],
    extract,
    inject,
};

/// "Implementations must accept padded and un-padded values and should emit un-padded values."
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Version, and the three fields with their ids.
const LENGTH: usize = 1 + 17 + 9 + 2;
const MAX_TEXT: usize = 128;

fn extract(headers: &HeaderMap) -> Result<Option<Content>, Malformed> {
    let Some(text) = single(headers, &GRPC_TRACE_BIN)? else {
        return Ok(None);
    };
    if text.len() > MAX_TEXT {
        return Err(Malformed::Form);
    }
    let mut buffer = [0; MAX_TEXT];
    let length = BASE64
        .decode_slice(text, &mut buffer)
        .map_err(|_| Malformed::Form)?;
    parse(&buffer[..length]).map(|context| Some(Content::Context(context)))
}

fn parse(bytes: &[u8]) -> Result<TraceContext, Malformed> {
    let [0, fields @ ..] = bytes else {
        return Err(Malformed::Version);
    };
    let [0, rest @ ..] = fields else {
        return Err(Malformed::TraceId);
    };
    let (trace_id, rest) = rest.split_first_chunk::<16>().ok_or(Malformed::TraceId)?;
    let [1, rest @ ..] = rest else {
        return Err(Malformed::SpanId);
    };
    let (span_id, rest) = rest.split_first_chunk::<8>().ok_or(Malformed::SpanId)?;
    // Fields that are not known yet come after those that are, and are passed over.
    let decision = match rest {
        [2, options, ..] => Decision::from(options & 1 != 0),
        _ => Decision::Deferred,
    };
    Ok(context(
        TraceId::new(u128::from_be_bytes(*trace_id)).ok_or(Malformed::ZeroId)?,
        SpanId::new(u64::from_be_bytes(*span_id)).ok_or(Malformed::ZeroId)?,
        None,
        State {
            decision,
            debug: false,
        },
    ))
}

fn inject(headers: &mut HeaderMap, context: &TraceContext) {
    let mut bytes = [0; LENGTH];
    bytes[2..18].copy_from_slice(&context.trace_id.get().to_be_bytes());
    bytes[18] = 1;
    bytes[19..27].copy_from_slice(&context.span_id.get().to_be_bytes());
    bytes[27] = 2;
    bytes[28] = u8::from(context.decision.is_sampled());
    let mut text = [0; LENGTH.div_ceil(3) * 4];
    let written = BASE64.encode_slice(bytes, &mut text);
    if let Some(Ok(value)) = written
        .ok()
        .map(|length| HeaderValue::from_bytes(&text[..length]))
    {
        headers.insert(&GRPC_TRACE_BIN, value);
    }
}
