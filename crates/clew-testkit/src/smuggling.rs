//! Requests that two readers may take for different ones: each hides `GET /smuggled` from one of them.
//!
//! What a proxy may do with one is to refuse it, or to pass it on so that nobody behind it sees the hidden
//! request (RFC 9112, section 11.2).

use crate::wire::Wire;
use std::net::SocketAddr;

/// Sends bytes on a connection of their own, and gives what comes back until the other side has closed it. This side
/// is closed when there is an answer: who closes before is taken for one who gives up.
pub async fn send(entry: SocketAddr, bytes: &str) -> Vec<u8> {
    let mut client = Wire::connect(entry).await;
    // They may be refused before all of them are read, and who has refused may have reset the connection.
    let _ = client.try_write(bytes).await;
    let mut answer = client.read_answer().await;
    let _ = client.try_finish().await;
    answer.extend(client.closed().await);
    answer
}

/// Path of the request that must never be seen.
pub const HIDDEN: &str = "/smuggled";

const INNER: &str = "GET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n";
const LAST_CHUNK: &str = "0\r\n\r\n";

/// A name and the bytes of each.
pub fn corpus() -> Vec<(&'static str, String)> {
    // Who believes the length reads `hidden` as a body; who believes the chunks reads it as a request.
    let by_length = |coding: &str| {
        let length = LAST_CHUNK.len() + INNER.len();
        request(
            &format!("Content-Length: {length}\r\n{coding}"),
            &format!("{LAST_CHUNK}{INNER}"),
        )
    };
    // The other way round: after four bytes of a body comes what looks like a request.
    let by_chunks = |coding: &str| {
        let chunk = format!("{:x}\r\n{INNER}\r\n{LAST_CHUNK}", INNER.len());
        request(&format!("Content-Length: 4\r\n{coding}"), &chunk)
    };
    // Chunks that end in an odd way, and the request behind them.
    let after_chunks =
        |end: &str| request("Transfer-Encoding: chunked\r\n", &format!("{end}{INNER}"));
    let length = INNER.len();
    vec![
        (
            "a length beside chunks",
            by_length("Transfer-Encoding: chunked"),
        ),
        (
            "chunks beside a length",
            by_chunks("Transfer-Encoding: chunked"),
        ),
        (
            "a coding with a blank before its colon",
            by_length("Transfer-Encoding : chunked"),
        ),
        (
            "a coding with a tab before its colon",
            by_length("Transfer-Encoding\t: chunked"),
        ),
        (
            "a coding that is nearly chunked",
            by_length("Transfer-Encoding: xchunked"),
        ),
        (
            "a coding after a vertical tab",
            by_length("Transfer-Encoding:\x0bchunked"),
        ),
        (
            "a coding in quotes",
            by_length("Transfer-Encoding: \"chunked\""),
        ),
        (
            "a coding twice",
            by_chunks("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        ),
        (
            "a coding in a list",
            by_chunks("Transfer-Encoding: identity, chunked"),
        ),
        (
            "a coding that is not last",
            by_chunks("Transfer-Encoding: chunked, identity"),
        ),
        (
            "a coding in a folded header",
            by_length("X: y\r\n Transfer-Encoding: chunked"),
        ),
        (
            "a coding behind a bare line feed",
            by_length("X: y\nTransfer-Encoding: chunked"),
        ),
        (
            "a coding behind a bare carriage return",
            by_length("X: y\rTransfer-Encoding: chunked"),
        ),
        (
            "a coding with an underscore",
            by_length("Transfer_Encoding: chunked"),
        ),
        (
            "a coding in HTTP/1.0",
            by_chunks("Transfer-Encoding: chunked").replace("HTTP/1.1\r\nHost", "HTTP/1.0\r\nHost"),
        ),
        (
            "two lengths",
            request(
                &format!("Content-Length: 0\r\nContent-Length: {length}\r\n"),
                INNER,
            ),
        ),
        (
            "two lengths in a list",
            request(&format!("Content-Length: 0, {length}\r\n"), INNER),
        ),
        (
            "a length in hexadecimal",
            request(&format!("Content-Length: 0x{length:x}\r\n"), INNER),
        ),
        (
            "a length with a plus",
            request(&format!("Content-Length: +{length}\r\n"), INNER),
        ),
        (
            "a length with a blank before its colon",
            request(&format!("Content-Length : {length}\r\n"), INNER),
        ),
        (
            "a length that is for this connection only",
            request(
                &format!("Connection: content-length\r\nContent-Length: {length}\r\n"),
                INNER,
            ),
        ),
        (
            "a coding that is for this connection only",
            request(
                "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
                &format!("{length:x}\r\n{INNER}\r\n{LAST_CHUNK}"),
            ),
        ),
        (
            "a GET with a body",
            request(&format!("Content-Length: {length}\r\n"), INNER).replace("POST", "GET"),
        ),
        (
            "a body that is waited for",
            request(
                &format!("Expect: 100-continue\r\nContent-Length: {length}\r\n"),
                INNER,
            ),
        ),
        (
            "a last chunk in another notation",
            after_chunks("0x0\r\n\r\n"),
        ),
        ("a last chunk with a sign", after_chunks("-0\r\n\r\n")),
        (
            "a chunk past all numbers",
            after_chunks("10000000000000000\r\n\r\n"),
        ),
        ("a chunk whose size is no number", after_chunks("g\r\n\r\n")),
        (
            "an extension with a line feed",
            after_chunks("0;\n\r\n\r\n"),
        ),
        (
            "chunk lines that end in a bare line feed",
            after_chunks("1\nx\n0\n\n"),
        ),
    ]
}

fn request(headers: &str, body: &str) -> String {
    let end = if headers.ends_with("\r\n") {
        ""
    } else {
        "\r\n"
    };
    format!("POST / HTTP/1.1\r\nHost: b\r\n{headers}{end}\r\n{body}")
}
