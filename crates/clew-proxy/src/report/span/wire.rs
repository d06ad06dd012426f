//! A writer of protobuf for messages whose shape is known: fields are appended to a buffer, and a nested
//! message gets its length when it is complete.
//!
//! `prost` would need the whole span as a tree of strings first, which costs more than everything else
//! that a request's report costs together.

use std::io::Write as _;
use std::net::IpAddr;

/// Wire types (Protocol Buffers encoding, "Message Structure").
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const FIXED32: u8 = 5;

/// Writes the fields of one message.
pub(in crate::report) struct Message<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Message<'a> {
    pub(in crate::report) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes }
    }

    #[inline]
    fn key(&mut self, field: u8, wire_type: u8) {
        // Field numbers above 15 take two bytes; none above 127 is used here.
        self.varint(u64::from(field) << 3 | u64::from(wire_type));
    }

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Fields that are encoded already.
    pub(in crate::report) fn raw(&mut self, fields: &[u8]) {
        self.bytes.extend_from_slice(fields);
    }

    pub(in crate::report) fn bytes(&mut self, field: u8, value: &[u8]) {
        self.key(field, LENGTH);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub(in crate::report) fn text(&mut self, field: u8, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    pub(in crate::report) fn text_of_parts(&mut self, field: u8, parts: &[&str]) {
        self.key(field, LENGTH);
        self.varint(length_of(parts) as u64);
        self.parts(parts);
    }

    fn parts(&mut self, parts: &[&str]) {
        for part in parts {
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }

    pub(in crate::report) fn number(&mut self, field: u8, value: u64) {
        self.key(field, VARINT);
        self.varint(value);
    }

    pub(in crate::report) fn fixed64(&mut self, field: u8, value: u64) {
        self.key(field, FIXED64);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(in crate::report) fn fixed32(&mut self, field: u8, value: u32) {
        self.key(field, FIXED32);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A message in a field, most likely of 128 to 16,383 bytes.
    pub(in crate::report) fn nested(&mut self, field: u8, write: impl FnOnce(&mut Message<'_>)) {
        self.nested_with::<2>(field, write);
    }

    /// A message in a field, most likely shorter than 128 bytes.
    pub(in crate::report) fn nested_short(
        &mut self,
        field: u8,
        write: impl FnOnce(&mut Message<'_>),
    ) {
        self.nested_with::<1>(field, write);
    }

    /// The length is not known before the message is written: `N` bytes are left for it, and a message whose
    /// length takes more or fewer is moved.
    fn nested_with<const N: usize>(&mut self, field: u8, write: impl FnOnce(&mut Message<'_>)) {
        self.key(field, LENGTH);
        let length_at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; N]);
        let start = self.bytes.len();
        write(&mut Message { bytes: self.bytes });
        let mut length = self.bytes.len() - start;
        let bytes_of_length = varint_len(length);
        if bytes_of_length != N {
            self.bytes
                .splice(length_at..start, std::iter::repeat_n(0, bytes_of_length));
        }
        for byte in &mut self.bytes[length_at..length_at + bytes_of_length] {
            let more = if length >= 0x80 { 0x80 } else { 0 };
            *byte = (length & 0x7f) as u8 | more;
            length >>= 7;
        }
    }

    /// `KeyValue { key, value: AnyValue { string_value } }`.
    #[inline]
    pub(in crate::report) fn text_attribute<const N: usize>(
        &mut self,
        field: u8,
        name: &Name<N>,
        value: &str,
    ) {
        self.text_attribute_of_parts(field, name, &[value]);
    }

    #[inline]
    pub(in crate::report) fn text_attribute_of_parts<const N: usize>(
        &mut self,
        field: u8,
        name: &Name<N>,
        parts: &[&str],
    ) {
        const STRING_VALUE: u8 = 1;
        let length = length_of(parts);
        self.attribute_head(field, name, 1 + varint_len(length) + length);
        self.text_of_parts(STRING_VALUE, parts);
    }

    /// `KeyValue { key, value: AnyValue { int_value } }`. An int64; what is above its range does not occur.
    #[inline]
    pub(in crate::report) fn number_attribute<const N: usize>(
        &mut self,
        field: u8,
        name: &Name<N>,
        value: u64,
    ) {
        const INT_VALUE: u8 = 3;
        self.attribute_head(field, name, 1 + varint_len(value as usize));
        self.number(INT_VALUE, value);
    }

    /// All of an attribute up to its `AnyValue`, which will have this length.
    #[inline]
    fn attribute_head<const N: usize>(&mut self, field: u8, name: &Name<N>, value_length: usize) {
        self.key(field, LENGTH);
        self.varint((N + varint_len(value_length) + value_length) as u64);
        self.bytes.extend_from_slice(&name.0);
        self.varint(value_length as u64);
    }
}

/// Name of an attribute, encoded when the program is compiled: the field `key` of a `KeyValue`, and the
/// tag of its field `value`. Written by [`super::name`].
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Name<const N: usize>([u8; N]);

impl<const N: usize> Name<N> {
    /// `N` is three more than the name has bytes, of which there are fewer than 128.
    pub(in crate::report) const fn new(name: &str) -> Self {
        assert!(name.len() + 3 == N && name.len() < 128);
        const KEY: u8 = 1 << 3 | LENGTH;
        const VALUE: u8 = 2 << 3 | LENGTH;
        let mut bytes = [0; N];
        (bytes[0], bytes[1], bytes[N - 1]) = (KEY, name.len() as u8, VALUE);
        let mut at = 0;
        while at < name.len() {
            bytes[at + 2] = name.as_bytes()[at];
            at += 1;
        }
        Self(bytes)
    }
}

/// The [`Name`] of an attribute.
macro_rules! name {
    ($text:literal) => {
        const { &$crate::report::span::wire::Name::<{ $text.len() + 3 }>::new($text) }
    };
}
pub(in crate::report) use name;

fn length_of(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

/// Bytes of a number as a varint.
#[inline]
pub(in crate::report) fn varint_len(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// An address as text, without allocation and, for IPv4, without the formatting machinery.
pub(super) struct Ip {
    /// The longest is an IPv6 address.
    text: [u8; 39],
    length: usize,
}

impl Ip {
    /// An IPv4 address that is mapped into IPv6 is written as IPv4.
    pub(super) fn new(address: IpAddr) -> Self {
        let mut ip = Self {
            text: [0; 39],
            length: 0,
        };
        match address.to_canonical() {
            IpAddr::V4(address) => ip.write_v4(address.octets()),
            IpAddr::V6(address) => {
                let mut rest = &mut ip.text[..];
                // Cannot fail: the buffer holds any address.
                let _ = write!(rest, "{address}");
                ip.length = 39 - rest.len();
            }
        }
        ip
    }

    fn write_v4(&mut self, octets: [u8; 4]) {
        for (index, octet) in octets.into_iter().enumerate() {
            if index > 0 {
                self.push(b'.');
            }
            if octet >= 100 {
                self.push(b'0' + octet / 100);
            }
            if octet >= 10 {
                self.push(b'0' + octet / 10 % 10);
            }
            self.push(b'0' + octet % 10);
        }
    }

    fn push(&mut self, byte: u8) {
        self.text[self.length] = byte;
        self.length += 1;
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or("")
    }
}
