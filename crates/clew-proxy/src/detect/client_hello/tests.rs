use super::*;
use proptest::prelude::*;

fn vector8(content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len()).unwrap()], content].concat()
}

fn vector16(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&length.to_be_bytes(), content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector16(content)].concat()
}

fn name_extension(name: &[u8]) -> Vec<u8> {
    let entry = [&[HOST_NAME][..], &vector16(name)].concat();
    extension(SERVER_NAME, &vector16(&entry))
}

/// A handshake message with these extensions.
fn hello_with(extensions: &[u8]) -> Vec<u8> {
    let body = [
        &[3, 3][..],
        &[7; 32],
        &vector8(&[9; 32]),
        &vector16(&[0x13, 1, 0x13, 2]),
        &vector8(&[0]),
        &vector16(extensions),
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[CLIENT_HELLO], &length[1..], &body].concat()
}

/// A handshake message for this server, with an extension before the name and one behind it.
fn hello(name: &[u8]) -> Vec<u8> {
    let extensions = [
        extension(0x0a0a, b""),
        name_extension(name),
        extension(43, &[2, 3, 4]),
    ];
    hello_with(&extensions.concat())
}

/// The message in records of these lengths at most, the last of which repeats.
fn records(mut message: &[u8], lengths: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let last = lengths.last().copied().unwrap_or(MAX_FRAGMENT);
    let mut lengths = lengths.iter().copied().chain(std::iter::repeat(last));
    while !message.is_empty() {
        let length = lengths.next().unwrap().min(message.len());
        let (fragment, rest) = message.split_at(length);
        bytes.extend_from_slice(&[HANDSHAKE, MAJOR_VERSION, 1]);
        bytes.extend(vector16(fragment));
        message = rest;
    }
    bytes
}

/// One record, as most clients send it.
pub(in crate::detect) fn plain(name: &str) -> Vec<u8> {
    records(&hello(name.as_bytes()), &[])
}

fn named(name: &str) -> Hello {
    Hello::For(name.to_owned())
}

#[test]
fn the_name_is_found_and_each_prefix_is_incomplete() {
    let bytes = plain("Shop.Example.com");
    for cut in 0..bytes.len() {
        assert_eq!(inspect(&bytes[..cut]), Hello::Incomplete, "{cut} bytes");
    }
    assert_eq!(inspect(&bytes), named("shop.example.com"));
    let more = [&bytes[..], b"and what comes behind it"].concat();
    assert_eq!(inspect(&more), named("shop.example.com"));
}

#[test]
fn a_hello_without_a_usable_name_is_unnamed() {
    let no_extensions = hello_with(b"");
    let other = hello_with(&extension(43, &[2, 3, 4]));
    for message in [no_extensions, other] {
        assert_eq!(inspect(&records(&message, &[])), Hello::Unnamed);
    }
    let long = [&[b'a'; 64][..], b".example"].concat();
    for name in [
        &b""[..],
        b"192.0.2.1",
        b"2001:db8::1",
        b"a..b",
        b"trailing.",
        b"with space",
        b"quote\"",
        b"line\nbreak",
        "\u{e9}.example".as_bytes(),
        &long,
        &[b'a'; 254],
    ] {
        let hello = records(&hello(name), &[]);
        assert_eq!(inspect(&hello), Hello::Unnamed, "{name:?}");
    }
    assert_eq!(
        inspect(&plain("xn--bcher-kva.example")),
        named("xn--bcher-kva.example")
    );
    assert_eq!(inspect(&plain("localhost")), named("localhost"));
}

#[test]
fn what_is_no_hello_is_known_at_its_first_different_byte() {
    for bytes in [
        &b"SSH-2.0-x"[..],
        &[0x16, 2],
        // An alert; records without content, and with too much; a ServerHello.
        &[0x15, 3],
        &[0x16, 3, 1, 0, 0],
        &[0x16, 3, 1, 0x40, 1],
        &[0x16, 3, 1, 0, 4, 2],
        // Larger than any.
        &[0x16, 3, 1, 0, 4, 1, 0, 0x40, 0],
    ] {
        assert_eq!(inspect(bytes), Hello::Unnamed, "{bytes:?}");
    }
    assert_eq!(inspect(&[0x16, 3, 1, 0x40, 0, 1]), Hello::Incomplete);
}

proptest! {
    /// However it is cut into records.
    #[test]
    fn records_of_any_length_are_one_message(
        lengths in prop::collection::vec(1usize..80, 1..12),
        name in "[a-z]{1,20}(\\.[a-z0-9-]{1,20}){0,3}\\.[a-z]{2,8}",
    ) {
        let bytes = records(&hello(name.as_bytes()), &lengths);
        for cut in 0..bytes.len() {
            prop_assert_eq!(inspect(&bytes[..cut]), Hello::Incomplete, "{} bytes", cut);
        }
        prop_assert_eq!(inspect(&bytes), Hello::For(name));
    }

    /// A byte anywhere that is another one: it never panics, and what is known by then stays.
    #[test]
    fn what_is_found_never_changes_with_more_bytes(at in 0usize..120, byte: u8, length in 1usize..60) {
        let mut bytes = records(&hello(b"shop.example.com"), &[length]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let seen: Vec<Hello> = (0..=bytes.len()).map(|cut| inspect(&bytes[..cut])).collect();
        if let Some(first) = seen.iter().position(|hello| *hello != Hello::Incomplete) {
            prop_assert!(seen[first..].iter().all(|hello| *hello == seen[first]));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(rest in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..12) {
        let begin = &plain("a.example")[..cut];
        inspect(&[begin, &rest].concat());
    }
}
