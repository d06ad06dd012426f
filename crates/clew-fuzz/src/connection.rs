//! What is told from the first bytes of a connection, and what envelopes of messages hold.

use clew_observe::ingest::{MAX_REQUEST_BYTES, fuzzing as ingest};
use clew_proxy::fuzzing as proxy;

/// No first line of HTTP is waited for longer.
const MAX_FIRST_BYTES: usize = 16 * 1024;

/// Detection of protocols. Taken: it is HTTP.
///
/// A verdict never changes with more bytes, and does not wait for ever.
pub fn detect(bytes: &[u8]) -> bool {
    let mut verdict = None;
    // Reading byte by byte is what a slow network does; past the bound it is enough to look now and then.
    let ends = (0..=bytes.len()).filter(|end| *end <= 64 || end % 61 == 0 || *end == bytes.len());
    for end in ends {
        let said = proxy::protocol(&bytes[..end]);
        assert!(
            verdict.is_none() || said == verdict,
            "{verdict:?} became {said:?} after {end} bytes"
        );
        verdict = said;
    }
    assert!(
        verdict.is_some() || bytes.len() <= MAX_FIRST_BYTES,
        "still nothing after {} bytes",
        bytes.len()
    );
    verdict.is_some_and(|verdict| verdict != "bytes")
}

/// Compressed requests with spans: what is inside is bounded, whatever is outside.
pub fn gzip(bytes: &[u8]) -> bool {
    let inside = ingest::gzip(bytes);
    if let Some(inside) = &inside {
        assert!(inside.len() <= MAX_REQUEST_BYTES);
    }
    inside.is_some()
}

/// The frame around the one message of OTLP/gRPC: the message is the rest, whatever its length says.
pub fn grpc_frame(bytes: &[u8]) -> bool {
    let message = ingest::grpc(bytes);
    if let Some((is_compressed, message)) = &message {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut frame = vec![u8::from(*is_compressed)];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(message);
        assert_eq!(frame, bytes, "a frame says one thing");
    }
    message.is_some()
}
