//! Messages of HTTP/1, as the proxy reads and writes them.

use clew_proxy::fuzzing::http1::{self, Message};

/// Requests. Taken: the bytes begin with a whole one.
pub fn http1_request(bytes: &[u8]) -> bool {
    holds(bytes, http1::request)
}

/// Responses. Taken: the bytes begin with a whole one.
pub fn http1_response(bytes: &[u8]) -> bool {
    holds(bytes, http1::response)
}

/// Sizes of the pieces that a network may make of the bytes.
const PIECES: [usize; 3] = [1, 7, 1_000];

/// 1. It makes no difference in which pieces a message comes.
/// 2. What goes on is one message with the same body, and nothing behind it: nothing is hidden in it.
/// 3. A proxy behind this one passes it on as it is.
fn holds(bytes: &[u8], read: fn(&[u8], usize) -> Option<Message>) -> bool {
    let whole = read(bytes, bytes.len());
    for piece in PIECES {
        let in_pieces = read(bytes, piece);
        let told = |message: &Option<Message>| message.as_ref().map(|m| (m.body.clone(), m.taken));
        assert_eq!(told(&in_pieces), told(&whole), "in pieces of {piece}");
    }
    let Some(message) = whole else {
        return false;
    };
    let all = usize::MAX;
    let Some(again) = read(&message.written, all) else {
        panic!("what goes on is no message");
    };
    assert_eq!(again.taken, message.written.len(), "something is behind it");
    assert_eq!(again.body, message.body);
    let third = read(&again.written, all).map(|message| message.written);
    assert_eq!(third, Some(again.written));
    true
}
