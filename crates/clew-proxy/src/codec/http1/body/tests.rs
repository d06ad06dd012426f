use super::*;
use http::HeaderMap;
use proptest::prelude::*;

/// What a decoder makes of bytes that come in these pieces: the data, the trailers, and what is left over.
fn decoded(length: Length, pieces: &[&[u8]]) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), DecodeError> {
    let (mut decoder, mut input) = (Decoder::new(length), BytesMut::new());
    let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
    let mut pieces = pieces.iter();
    let mut ended = false;
    loop {
        match decoder.decode(&mut input, ended)? {
            Decoded::Data(piece) => {
                assert!(!piece.is_empty(), "a piece of data holds some");
                data.extend_from_slice(&piece);
            }
            Decoded::Trailers(last) => trailers = last,
            Decoded::End => {
                pieces.for_each(|piece| input.extend_from_slice(piece));
                return Ok((data, trailers, input.to_vec()));
            }
            Decoded::More => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => ended = true,
            },
        }
    }
}

fn chunked(bytes: &str) -> Result<(Vec<u8>, HeaderMap, Vec<u8>), DecodeError> {
    decoded(Length::Chunked, &[bytes.as_bytes()])
}

#[test]
fn a_body_of_known_length_takes_no_more_than_that() {
    let (data, _, rest) = decoded(Length::Exact(3), &[b"a", b"bcd"]).unwrap();
    assert_eq!((&data[..], &rest[..]), (&b"abc"[..], &b"d"[..]));
    assert_eq!(
        decoded(Length::Exact(3), &[b"ab"]),
        Err(DecodeError::Closed)
    );
    assert!(Decoder::new(Length::Exact(0)).is_done());
}

#[test]
fn without_a_length_the_end_of_the_connection_is_the_end() {
    let (data, _, _) = decoded(Length::UntilClose, &[b"ab", b"c"]).unwrap();
    assert_eq!(data, b"abc");
}

#[test]
fn chunks_are_put_together() {
    let (data, trailers, rest) =
        chunked("3\r\nabc\r\n00A ;x=\"y\"\r\n0123456789\r\n0\r\n\r\nGET").unwrap();
    assert_eq!(data, b"abc0123456789");
    assert!(trailers.is_empty());
    assert_eq!(rest, b"GET");
}

#[test]
fn trailers_come_without_those_that_belong_in_a_head() {
    let (_, trailers, rest) =
        chunked("0\r\nX-Sum: 1\r\nContent-Length: 5\r\nHost: b\r\nX-Sum: 2\r\n\r\nnext").unwrap();
    let all: Vec<_> = trailers.get_all("x-sum").iter().collect();
    assert_eq!(all, ["1", "2"]);
    assert_eq!(trailers.len(), 2);
    assert_eq!(rest, b"next");
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for wrong in [
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        "1\n",
        "1\r\rx\n",
        "1;a\x01b\r\n",
        "1;a\nb\r\n",
        "1 a\r\n",
        "1\r\nab",
        "1\r\na\n",
        "1\r\na\rb",
        "00000000000000001\r\n",
        "ffffffffffffffffff\r\n",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\nno colon\r\n\r\n",
        "0\r\nA: b\r\n folded\r\n\r\n",
    ] {
        let padded = format!("{wrong}{}", "x".repeat(8));
        assert_eq!(chunked(&padded), Err(DecodeError::Malformed), "{wrong:?}");
    }
}

#[test]
fn a_body_that_breaks_off_is_not_complete() {
    for begun in [
        "",
        "1",
        "1\r",
        "1\r\n",
        "1\r\na",
        "1\r\na\r\n0",
        "0\r\n",
        "0\r\n\r",
        "0\r\nA: b\r\n",
    ] {
        assert_eq!(chunked(begun), Err(DecodeError::Closed), "{begun:?}");
    }
}

#[test]
fn what_nobody_reads_has_a_bound() {
    let long_line = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(MAX_SIZE_LINE));
    assert_eq!(chunked(&long_line), Err(DecodeError::Malformed));
    let one = format!("1;{}\r\na\r\n", "x".repeat(1000));
    assert!(chunked(&format!("{}0\r\n\r\n", one.repeat(16))).is_ok());
    assert_eq!(chunked(&one.repeat(17)), Err(DecodeError::Malformed));
    let trailers = format!("0\r\nA: {}\r\n\r\n", "x".repeat(MAX_TRAILERS));
    assert_eq!(chunked(&trailers), Err(DecodeError::Malformed));
}

/// A body of chunks, some with extensions, and trailers.
fn body() -> impl Strategy<Value = (String, String)> {
    let chunk = (
        "[a-z\\r\\n]{1,40}",
        prop_oneof![Just(""), Just(";q"), Just(" ;q=\"1\"")],
    );
    let trailers = prop_oneof![Just(""), Just("X-Sum: 1\r\n"), Just("A: b\r\nC: d\r\n")];
    (prop::collection::vec(chunk, 0..6), trailers).prop_map(|(chunks, trailers)| {
        let wire: String = chunks
            .iter()
            .map(|(data, extension)| format!("{:x}{extension}\r\n{data}\r\n", data.len()))
            .collect();
        let data = chunks.into_iter().map(|(data, _)| data).collect();
        (format!("{wire}0\r\n{trailers}\r\n"), data)
    })
}

proptest! {
    /// However the network cuts the bytes, the body is the same, and what follows it is left alone.
    #[test]
    fn pieces_make_no_difference((wire, data) in body(), cuts in prop::collection::vec(1_usize..7, 1..40)) {
        let whole = format!("{wire}GET / HTTP/1.1\r\n");
        let mut rest = whole.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let (read, trailers, left) = decoded(Length::Chunked, &pieces).unwrap();
        prop_assert_eq!(String::from_utf8(read).unwrap(), data);
        prop_assert_eq!(left, b"GET / HTTP/1.1\r\n");
        prop_assert_eq!(trailers.len(), wire.matches(": ").count());
    }

    /// Anything else is refused or asked to go on, and nothing else happens.
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'1'), Just(b';'), any::<u8>()], 0..60)) {
        for length in [Length::Exact(5), Length::Chunked, Length::UntilClose] {
            let _ = decoded(length, &[&bytes]);
        }
    }
}
