//! What decoding a request would make of it, found without decoding it.
//!
//! Two bytes can be an empty span or attribute, of which the decoder makes a hundred times as much. So who
//! takes requests from anyone counts first, which costs one pass and no memory.

use super::ExportTraceServiceRequest;

/// Nesting that the decoder follows; what is deeper it refuses too.
const MAX_DEPTH: u32 = 100;

/// How many things a request is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Spans, and the groups that they come in.
    pub spans: usize,
    /// Everything that has a size of its own in memory: spans, attributes, values, events, links. In JSON,
    /// members and list items.
    pub parts: usize,
}

/// The bytes are no protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not protobuf, or nested too deeply")]
pub struct InvalidWire;

impl Size {
    /// Of a request in protobuf.
    ///
    /// # Errors
    /// It cannot be decoded.
    pub fn of_protobuf(bytes: &[u8]) -> Result<Self, InvalidWire> {
        let mut size = Self::default();
        size.walk(Message::Request, bytes, 0)?;
        Ok(size)
    }

    /// Of a request in JSON, where spans are told from other objects only by parsing it.
    pub fn of_json(text: &[u8]) -> Self {
        let (mut parts, mut in_text, mut escaped) = (0, false, false);
        for byte in text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' | b',' if !in_text => parts += 1,
                _ => {}
            }
        }
        Self { spans: 0, parts }
    }

    /// Of a request that is decoded already: its spans and groups.
    pub fn of_decoded(request: &ExportTraceServiceRequest) -> Self {
        let groups = request.resource_spans.iter();
        let scopes = groups.clone().flat_map(|group| &group.scope_spans);
        let spans: usize = scopes.clone().map(|scope| scope.spans.len()).sum();
        let spans = spans + groups.count() + scopes.count();
        Self {
            spans,
            parts: spans,
        }
    }

    fn walk(&mut self, message: Message, mut bytes: &[u8], depth: u32) -> Result<(), InvalidWire> {
        if depth > MAX_DEPTH {
            return Err(InvalidWire);
        }
        while !bytes.is_empty() {
            let Field { number, inside } = field(&mut bytes)?;
            if let Some(inside) = inside
                && let Some(child) = message.child(number)
            {
                self.parts += 1;
                self.spans += usize::from(child.is_span_or_group());
                self.walk(child, inside, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// One field of a message.
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u64,
    /// What is in it, where its length stands before it: a message, text or bytes.
    pub(crate) inside: Option<&'a [u8]>,
}

/// The next field. Source: "Encoding" (protobuf), "Message Structure".
pub(crate) fn field<'a>(bytes: &mut &'a [u8]) -> Result<Field<'a>, InvalidWire> {
    let key = varint(bytes)?;
    let mut inside = None;
    match key & 7 {
        0 => {
            varint(bytes)?;
        }
        1 => {
            take(bytes, 8)?;
        }
        5 => {
            take(bytes, 4)?;
        }
        2 => {
            let length = varint(bytes)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            inside = Some(take(bytes, length)?);
        }
        // Groups, which no version of OTLP or of Zipkin has.
        _ => return Err(InvalidWire),
    }
    let number = key >> 3;
    Ok(Field { number, inside })
}

/// The messages of OTLP that repeat, or that hold some that do.
#[derive(Clone, Copy, Debug)]
enum Message {
    Request,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Link,
    Resource,
    Scope,
    Entity,
    KeyValue,
    AnyValue,
    Array,
    KeyValueList,
}

impl Message {
    /// What a field holds, by its number in opentelemetry-proto; `None` for what does not repeat and is as long
    /// in memory as on the wire, and for fields that the decoder skips.
    fn child(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Request, 1) => Self::ResourceSpans,
            (Self::ResourceSpans, 1) => Self::Resource,
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::ScopeSpans, 1) => Self::Scope,
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Resource, 3) => Self::Entity,
            (Self::Resource, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::Span, 9)
            | (Self::KeyValueList, 1) => Self::KeyValue,
            (Self::KeyValue, 2) | (Self::Array, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::Array,
            (Self::AnyValue, 6) => Self::KeyValueList,
            _ => return None,
        })
    }

    fn is_span_or_group(self) -> bool {
        matches!(
            self,
            Self::Span | Self::ScopeSpans | Self::ResourceSpans | Self::Entity
        )
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, InvalidWire> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(InvalidWire)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(InvalidWire)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], InvalidWire> {
    let (inside, rest) = bytes.split_at_checked(length).ok_or(InvalidWire)?;
    *bytes = rest;
    Ok(inside)
}
