//! Numbers, texts and attributes as bytes, and back.

use super::{Attributes, NameOf, NumberOf};
use crate::varint::{read_varint, unzigzag, write_varint, zigzag};
use clew_trace::span::AttributeValue;

/// Nesting of values that is read; what comes in is bounded below it.
const MAX_DEPTH: u32 = 128;

const TEXT: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const DOUBLE: u8 = 4;
const BYTES: u8 = 5;
const ARRAY: u8 = 6;
const MAP: u8 = 7;

pub(super) struct Writer<'a, 'f> {
    bytes: Vec<u8>,
    number_of: &'a mut NumberOf<'f>,
}

impl<'a, 'f> Writer<'a, 'f> {
    pub(super) fn new(number_of: &'a mut NumberOf<'f>) -> Self {
        Self {
            bytes: Vec::with_capacity(512),
            number_of,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn number(&mut self, number: u64) {
        write_varint(&mut self.bytes, number);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn attributes(
        &mut self,
        attributes: &[(String, AttributeValue)],
    ) -> rusqlite::Result<()> {
        self.number(attributes.len() as u64);
        for (name, value) in attributes {
            match (self.number_of)(name)? {
                Some(number) => self.number(number.unsigned_abs()),
                None => {
                    self.number(0);
                    self.text(name);
                }
            }
            self.value(value)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &AttributeValue) -> rusqlite::Result<()> {
        match value {
            AttributeValue::String(text) => {
                self.bytes.push(TEXT);
                self.text(text);
            }
            AttributeValue::Bool(false) => self.bytes.push(FALSE),
            AttributeValue::Bool(true) => self.bytes.push(TRUE),
            AttributeValue::Int(number) => {
                self.bytes.push(INT);
                self.number(zigzag(*number));
            }
            AttributeValue::Double(number) => {
                self.bytes.push(DOUBLE);
                self.bytes.extend_from_slice(&number.to_le_bytes());
            }
            AttributeValue::Bytes(bytes) => {
                self.bytes.push(BYTES);
                self.bytes(bytes);
            }
            AttributeValue::Array(values) => {
                self.bytes.push(ARRAY);
                self.number(values.len() as u64);
                for value in values {
                    self.value(value)?;
                }
            }
            AttributeValue::Map(attributes) => {
                self.bytes.push(MAP);
                self.attributes(attributes)?;
            }
        }
        Ok(())
    }
}

pub(super) struct Reader<'a, 'f> {
    rest: &'a [u8],
    name_of: &'a mut NameOf<'f>,
    depth: u32,
}

impl<'a, 'f> Reader<'a, 'f> {
    pub(super) fn new(bytes: &'a [u8], name_of: &'a mut NameOf<'f>) -> Self {
        Self {
            rest: bytes,
            name_of,
            depth: 0,
        }
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        read_varint(&mut self.rest)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        // Each is a byte at least: what is claimed beyond is not there.
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len()).then(|| (0..count).map(|_| read(self)).collect())?
    }

    pub(super) fn attributes(&mut self) -> Option<Attributes> {
        self.list(|reader| {
            let name = match reader.number()? {
                0 => reader.text()?,
                number => (reader.name_of)(i64::try_from(number).ok()?)?,
            };
            Some((name, reader.value()?))
        })
    }

    fn value(&mut self) -> Option<AttributeValue> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = match self.take(1)?[0] {
            TEXT => AttributeValue::String(self.text()?),
            FALSE => AttributeValue::Bool(false),
            TRUE => AttributeValue::Bool(true),
            INT => AttributeValue::Int(unzigzag(self.number()?)),
            DOUBLE => AttributeValue::Double(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            BYTES => AttributeValue::Bytes(self.bytes()?.to_vec()),
            ARRAY => AttributeValue::Array(self.list(Self::value)?),
            MAP => AttributeValue::Map(self.attributes()?),
            _ => return None,
        };
        self.depth -= 1;
        Some(value)
    }
}
