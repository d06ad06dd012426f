//! How large a request is, found before it is decoded (see `otlp::Size`).

use crate::otlp::{Field, InvalidWire, Size, field};

/// Fields of a span that are messages: endpoints, annotations, tags.
const PARTS: [u64; 4] = [8, 9, 10, 11];

/// Of a request in protobuf.
///
/// # Errors
/// It cannot be decoded.
pub fn size_of_protobuf(mut list: &[u8]) -> Result<Size, InvalidWire> {
    let mut size = Size::default();
    while !list.is_empty() {
        let Field {
            number: 1,
            inside: Some(mut span),
        } = field(&mut list)?
        else {
            continue;
        };
        size.spans += 1;
        size.parts += 1;
        while !span.is_empty() {
            let part = field(&mut span)?;
            size.parts += usize::from(part.inside.is_some() && PARTS.contains(&part.number));
        }
    }
    Ok(size)
}

/// Of a request in JSON: a list, whose items are spans. Whether it is JSON is not looked at.
pub fn size_of_json(text: &[u8]) -> Size {
    let parts = Size::of_json(text).parts;
    let (mut spans, mut depth, mut in_text, mut escaped) = (0, 0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                spans += usize::from(depth == 1);
                depth += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Size { spans, parts }
}
