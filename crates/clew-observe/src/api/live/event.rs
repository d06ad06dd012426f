//! Server-sent events, as bytes.

use axum::body::Bytes;
use axum::http::StatusCode;

/// How long a client waits before it comes again, in milliseconds.
const RETRY_MS: u32 = 1_000;

/// Tells the client when to come again. Before any event.
pub(super) fn retry() -> Bytes {
    format!("retry: {RETRY_MS}\n\n").into()
}

/// A comment, which clients read over.
pub(super) fn heartbeat() -> Bytes {
    Bytes::from_static(b":\n\n")
}

/// What watch number `watch` answers. `body` is JSON.
pub(super) fn answer(watch: usize, status: StatusCode, body: &[u8]) -> Bytes {
    let status = status.as_u16();
    let mut event =
        format!("event: answer\ndata: {{\"watch\":{watch},\"status\":{status},\"body\":")
            .into_bytes();
    append_json(&mut event, body);
    event.extend_from_slice(b"}\n\n");
    event.into()
}

/// Lines of watch number `watch`, each JSON: an event for each.
pub(super) fn lines(watch: usize, lines: &[u8]) -> Bytes {
    let mut events = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            let head = format!("event: line\ndata: {{\"watch\":{watch},\"line\":");
            events.extend_from_slice(head.as_bytes());
            events.extend_from_slice(line);
            events.extend_from_slice(b"}\n\n");
        }
    }
    events.into()
}

/// JSON of several lines is data of several lines: the client puts them together again.
fn append_json(event: &mut Vec<u8>, json: &[u8]) {
    for (number, line) in json.trim_ascii().split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            event.extend_from_slice(b"\ndata: ");
        }
        event.extend_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_several_lines_is_one_event() {
        let event = answer(3, StatusCode::OK, b"{\n  \"a\": 1\n}\n");
        let expected = "event: answer\ndata: {\"watch\":3,\"status\":200,\"body\":{\ndata:   \"a\": 1\ndata: }}\n\n";
        assert_eq!(event, expected);
    }

    #[test]
    fn each_line_is_an_event() {
        assert_eq!(
            lines(0, b"1\n\n2\n"),
            "event: line\ndata: {\"watch\":0,\"line\":1}\n\nevent: line\ndata: {\"watch\":0,\"line\":2}\n\n"
        );
    }
}
