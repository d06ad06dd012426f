//! The messages of an export on the wire: spans that are encoded already go out as they are.

use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Sends pieces of bytes as one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExportCodec;

impl Codec for ExportCodec {
    type Encode = Vec<Bytes>;
    type Decode = ExportResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for ExportCodec {
    type Item = Vec<Bytes>;
    type Error = Status;

    fn encode(&mut self, pieces: Vec<Bytes>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(pieces.iter().map(Bytes::len).sum());
        for piece in pieces {
            out.put(piece);
        }
        Ok(())
    }
}

impl Decoder for ExportCodec {
    type Item = ExportResponse;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<ExportResponse>, Status> {
        let bytes = bytes.copy_to_bytes(bytes.remaining());
        let response = ExportResponse::decode(bytes).map_err(|error| {
            Status::internal(format!("the collector's answer cannot be read: {error}"))
        })?;
        Ok(Some(response))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(1024, 32 * 1024)
    }
}

/// `opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`: some spans were not taken, and sending them again would not help.
#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl ExportResponse {
    /// Number of spans that were refused.
    pub(super) fn refused(&self) -> usize {
        let refused = self
            .partial_success
            .as_ref()
            .map_or(0, |partial| partial.rejected_spans);
        usize::try_from(refused).unwrap_or(0)
    }

    /// Why, in the collector's words.
    pub(super) fn message(&self) -> &str {
        self.partial_success
            .as_ref()
            .map_or("", |partial| &partial.error_message)
    }
}
