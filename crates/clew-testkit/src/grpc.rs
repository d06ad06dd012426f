//! gRPC as bytes on HTTP/2, so that a test decides about every frame.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};

/// A message with its five-byte prefix, uncompressed.
pub fn message(payload: impl AsRef<[u8]>) -> Bytes {
    let payload = payload.as_ref();
    let mut bytes = BytesMut::with_capacity(5 + payload.len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(payload.len()).unwrap());
    bytes.put_slice(payload);
    bytes.freeze()
}

/// The payloads of whole messages.
pub fn payloads(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while let [0, a, b, c, d, rest @ ..] = bytes {
        let (payload, after) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        payloads.push(payload.to_vec());
        bytes = after;
    }
    assert!(bytes.is_empty(), "a message is cut off: {bytes:?}");
    payloads
}

/// Trailers that say a status.
pub fn status(code: u16) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from(code),
    )])
}

/// The status that trailers, or the head of a trailers-only response, say.
pub fn status_of(headers: &HeaderMap) -> Option<u16> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}
