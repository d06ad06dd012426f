use super::client_hello::tests::plain;
use super::*;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

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

/// A connection: the client's end, and ours.
async fn connection() -> (TcpStream, Io) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    (client.unwrap(), Io::tcp(accepted.unwrap().0))
}

const LONG: Duration = Duration::from_secs(60);

/// The name, and all bytes until the client's end.
async fn named(io: Io) -> (Option<String>, Vec<u8>) {
    let (detected, io) = detect(io, LONG, std::future::pending()).await;
    assert_eq!(detected, Detected::Opaque);
    let (name, mut io) = server_name(io, LONG).await;
    let mut rest = Vec::new();
    io.read_to_end(&mut rest).await.unwrap();
    (name, rest)
}

/// Each byte is a segment: the next one is written when the last one was read.
#[tokio::test]
async fn a_hello_in_many_segments_is_read_whole_and_passed_on_as_it_was() {
    let (mut client, io) = connection().await;
    client.set_nodelay(true).unwrap();
    let hello = [&plain("shop.example")[..], b"early data"].concat();
    let sent = hello.clone();
    tokio::spawn(async move {
        for byte in sent {
            client.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(named(io).await, (Some("shop.example".to_owned()), hello));
}

#[tokio::test]
async fn half_a_hello_and_an_end_are_passed_on_without_a_name() {
    let (mut client, io) = connection().await;
    let hello = plain("shop.example");
    client.write_all(&hello[..40]).await.unwrap();
    drop(client);
    assert_eq!(named(io).await, (None, hello[..40].to_vec()));
}

/// The clock is paused: the wait is over when nothing else can happen.
#[tokio::test]
async fn half_a_hello_and_silence_are_passed_on_in_time() {
    let (mut client, io) = connection().await;
    let hello = plain("shop.example");
    client.write_all(&hello[..40]).await.unwrap();
    let (_, io) = detect(io, LONG, std::future::pending()).await;
    tokio::time::pause();
    let (name, mut io) = server_name(io, LONG).await;
    assert_eq!(name, None);
    let mut passed = [0; 40];
    io.read_exact(&mut passed).await.unwrap();
    assert_eq!(passed, hello[..40]);
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
