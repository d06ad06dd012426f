use super::*;
use proptest::prelude::*;

const HTTP1: Verdict = Verdict::Is(Detected::Http(HttpVersion::Http1));
const HTTP2: Verdict = Verdict::Is(Detected::Http(HttpVersion::Http2));
const OPAQUE: Verdict = Verdict::Is(Detected::Opaque);

#[test]
fn known_methods_are_http1_at_once() {
    assert_eq!(inspect(b"GET "), HTTP1);
    assert_eq!(inspect(b"POST /books HTTP/1.1\r\n"), HTTP1);
}

#[test]
fn unknown_methods_are_http1_when_their_line_says_so() {
    assert_eq!(inspect(b"PROPFIND /dav HTTP/1"), Verdict::Open);
    assert_eq!(inspect(b"PROPFIND /dav HTTP/1.1\r\n"), HTTP1);
}

#[test]
fn the_preface_is_http2_and_each_prefix_of_it_is_open() {
    for n in 0..PREFACE.len() {
        assert_eq!(inspect(&PREFACE[..n]), Verdict::Open, "{n} bytes");
    }
    assert_eq!(inspect(PREFACE), HTTP2);
}

#[test]
fn other_protocols_are_opaque() {
    let tls_client_hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01];
    assert_eq!(inspect(&tls_client_hello), OPAQUE);
    assert_eq!(inspect(b"*1\r\n$4\r\nPING\r\n"), OPAQUE, "RESP");
    assert_eq!(inspect(b"get key\r\n"), OPAQUE, "memcached");
    assert_eq!(inspect(b"EHLO example.com\r\n"), OPAQUE, "SMTP");
    assert_eq!(
        inspect(b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
        OPAQUE,
        "PostgreSQL"
    );
}

#[test]
fn a_line_without_end_is_not_http() {
    let line = [b"X ".as_slice(), &[b'a'; MAX_FIRST_LINE]].concat();
    assert_eq!(inspect(&line), OPAQUE);
}

/// 1. A method of 33 letters was HTTP when its line came at once, and bytes when it came letter by letter.
/// 2. Random bytes never were such a line; a fuzzer's corpus had one.
#[test]
fn a_method_that_is_too_long_is_none_however_it_comes() {
    let line = |length| [&vec![b'M'; length][..], b" / HTTP/1.1\r\n"].concat();
    assert_eq!(inspect(&line(MAX_METHOD)), HTTP1);
    assert_eq!(inspect(&line(MAX_METHOD + 1)), OPAQUE);
    assert_eq!(inspect(&line(MAX_METHOD + 1)[..MAX_METHOD + 1]), OPAQUE);
}

proptest! {
    #[test]
    fn a_verdict_never_changes_with_more_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let verdicts: Vec<_> = (0..=bytes.len()).map(|n| inspect(&bytes[..n])).collect();
        let first = verdicts.iter().position(|verdict| *verdict != Verdict::Open);
        if let Some(first) = first {
            prop_assert!(verdicts[first..].iter().all(|verdict| *verdict == verdicts[first]));
        }
    }
}
