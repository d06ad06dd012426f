use super::*;
use proptest::prelude::*;

fn asked(text: &str) -> Result<RequestHead, HeadError> {
    request(&Bytes::copy_from_slice(text.as_bytes()))
}

fn answered(text: &str, asked: Asked) -> Result<ResponseHead, HeadError> {
    response(&Bytes::copy_from_slice(text.as_bytes()), asked)
}

fn length_of(headers: &str) -> Result<Length, HeadError> {
    asked(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).map(|head| head.length)
}

#[test]
fn a_request_says_how_long_it_is_and_whether_another_follows() {
    let head = asked("GET /a?b HTTP/1.1\r\nHost: b\r\nX-A: 1\r\nx-a: 2\r\n\r\n").unwrap();
    assert_eq!(head.request.uri(), "/a?b");
    assert_eq!(head.request.headers().get_all("x-a").iter().count(), 2);
    assert_eq!(head.length, Length::Exact(0));
    assert!(head.keep_alive && !head.expects_continue);
    for (text, keep_alive) in [
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nConnection: x, CLOSE\r\n\r\n", false),
        (
            "GET / HTTP/1.1\r\nConnection: x\r\nConnection: close\r\n\r\n",
            false,
        ),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ] {
        assert_eq!(asked(text).unwrap().keep_alive, keep_alive, "{text}");
    }
    let expects = "PUT / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n";
    assert!(asked(expects).unwrap().expects_continue);
    let too_old = expects.replace("HTTP/1.1", "HTTP/1.0");
    assert!(!asked(&too_old).unwrap().expects_continue);
}

#[test]
fn lengths_that_agree_are_one_length() {
    for headers in [
        "Content-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 05\r\n",
    ] {
        let head = asked(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).unwrap();
        assert_eq!(head.length, Length::Exact(5), "{headers}");
        let all = head.request.headers().get_all(CONTENT_LENGTH);
        assert_eq!(all.iter().collect::<Vec<_>>(), ["5"], "{headers}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for headers in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 2\r\n",
        "Content-Length: 1,\r\n",
        "Content-Length: \r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "A: b\r\n c: d\r\n",
    ] {
        assert_eq!(length_of(headers), Err(HeadError::Malformed), "{headers}");
    }
    assert_eq!(
        length_of("transfer-encoding: Chunked\r\n"),
        Ok(Length::Chunked)
    );
}

#[test]
fn a_length_beside_chunks_does_not_go_on_and_nothing_after_it_is_believed() {
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let head = asked(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).unwrap();
        assert_eq!(head.length, Length::Chunked);
        assert!(!head.keep_alive);
        assert!(!head.request.headers().contains_key(CONTENT_LENGTH));
    }
}

#[test]
fn a_target_has_the_form_that_its_method_asks_for() {
    for (line, is_right) in [
        ("GET /", true),
        ("GET http://books/a", true),
        ("OPTIONS *", true),
        ("CONNECT books:80", true),
        ("GET *", false),
        ("GET books", false),
        ("GET books:80", false),
        ("CONNECT /", false),
        ("CONNECT http://books/", false),
    ] {
        let text = format!("{line} HTTP/1.1\r\n\r\n");
        assert_eq!(asked(&text).is_ok(), is_right, "{line}");
    }
}

#[test]
fn a_response_says_how_it_ends() {
    let get = Asked::default();
    let head = Asked {
        is_head: true,
        ..get
    };
    let connect = Asked {
        is_connect: true,
        ..get
    };
    let upgrade = Asked {
        asks_upgrade: true,
        ..get
    };
    for (text, asked, length, keep_alive) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            get,
            Length::Exact(5),
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            head,
            Length::Exact(0),
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            get,
            Length::Chunked,
            true,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", get, Length::UntilClose, false),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
            get,
            Length::Exact(5),
            false,
        ),
        (
            "HTTP/1.1 204 \r\nContent-Length: 5\r\n\r\n",
            get,
            Length::Exact(0),
            true,
        ),
        (
            "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
            get,
            Length::Exact(0),
            true,
        ),
        ("HTTP/1.1 103 x\r\n\r\n", get, Length::Exact(0), true),
        ("HTTP/1.1 200 OK\r\n\r\n", connect, Length::Exact(0), true),
        ("HTTP/1.1 101 x\r\n\r\n", upgrade, Length::Exact(0), true),
    ] {
        let answer = answered(text, asked).unwrap();
        assert_eq!(
            (answer.length, answer.keep_alive),
            (length, keep_alive),
            "{text}"
        );
    }
    for wrong in [
        "HTTP/1.1 101 nobody asked\r\n\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        assert!(
            matches!(answered(wrong, get), Err(HeadError::Malformed)),
            "{wrong}"
        );
    }
}

#[test]
fn a_head_has_a_bound() {
    let mut input = BytesMut::from(&b"GET / HTTP/1.1\r\nA: b\r\n"[..]);
    let length = input.len() + 2;
    assert_eq!(HeadScan::default().take(&mut input, length), Ok(None));
    assert_eq!(
        HeadScan::default().take(&mut input, length - 3),
        Err(HeadError::TooLarge)
    );
    input.extend_from_slice(b"\r\n");
    assert!(
        HeadScan::default()
            .take(&mut input.clone(), length)
            .unwrap()
            .is_some()
    );
    let too_small = HeadScan::default().take(&mut input, length - 1);
    assert_eq!(too_small, Err(HeadError::TooLarge));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_LINES + 1));
    assert!(matches!(asked(&many), Err(HeadError::TooLarge)));
}

/// Of what speaks another protocol, more is not waited for.
#[test]
fn what_cannot_become_a_request_is_told_at_once() {
    for begun in ["GET", "GET / HTTP/1.1\r\nA: b", "PROPFIND /x"] {
        assert_eq!(refuse_early(begun.as_bytes()), Ok(()), "{begun}");
    }
    for other in [
        "\x16\x03\x01\x02\x00\x01",
        "GET / HTTP/9",
        "GET / HTTP/1.1\r\nA B: c",
    ] {
        let refused = refuse_early(other.as_bytes());
        assert_eq!(refused, Err(HeadError::Malformed), "{other}");
    }
}

proptest! {
    /// However the network cuts them, heads are found where they end.
    #[test]
    fn pieces_make_no_difference(cuts in prop::collection::vec(1_usize..9, 1..40)) {
        let heads = ["GET /1 HTTP/1.1\r\nA: b\r\n\r\n", "GET /2 HTTP/1.1\nA: b\n\n", "GET /3 HTTP/1.0\r\n\r\n"];
        let whole = format!("\r\n{}\r\n\r\n{}\n{}", heads[0], heads[1], heads[2]);
        let (mut input, mut scan) = (BytesMut::new(), HeadScan::default());
        let (mut rest, mut found) = (whole.as_bytes(), Vec::new());
        for cut in cuts.iter().cycle() {
            while let Some(head) = scan.take(&mut input, 100).unwrap() {
                found.push(String::from_utf8(head.to_vec()).unwrap());
            }
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            input.extend_from_slice(piece);
            rest = after;
        }
        prop_assert_eq!(found, heads);
    }

    /// Anything is read or refused, and nothing else happens.
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "(GET|POST|CONNECT) [ -~]{0,20} HTTP/1.[01]\r\n([ -~]{0,20}:[ -~\t]{0,20}\r\n){0,4}\r\n") {
        for bytes in [&bytes[..], text.as_bytes()] {
            let head = Bytes::copy_from_slice(bytes);
            let _ = (request(&head), response(&head, Asked::default()), trailers(&head), refuse_early(bytes));
        }
    }
}
