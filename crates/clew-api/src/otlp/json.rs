//! OTLP/JSON (OTLP specification, "JSON Protobuf Encoding").
//!
//! The generated types read most of it, and refuse the whole request for one bad id, for a `null`, and for
//! a list that is left out because it is empty. All three are met in the wild, so they are put right first.

use super::ExportTraceServiceRequest;
use serde_json::{Map, Value};

/// Members that hold ids as hexadecimal digits.
const IDS: [&str; 3] = ["traceId", "spanId", "parentSpanId"];
/// Members whose object has a list named `values`.
const LISTS: [&str; 2] = ["arrayValue", "kvlistValue"];

/// The text is not an OTLP request.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJson {
    /// It is not JSON.
    #[error("the request is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// It is JSON of another shape.
    #[error("the request is not an ExportTraceServiceRequest")]
    Shape(#[source] serde_json::Error),
}

/// The request in a text. Ids that are no hexadecimal digits come out empty, so that
/// [`spans_from_otlp`](super::spans_from_otlp) refuses those spans and no others.
pub fn request_from_json(text: &[u8]) -> Result<ExportTraceServiceRequest, InvalidJson> {
    let mut value: Value = serde_json::from_slice(text).map_err(InvalidJson::Syntax)?;
    mend(&mut value);
    serde_json::from_value(value).map_err(InvalidJson::Shape)
}

fn mend(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Object(members) => mend_object(members),
        _ => {}
    }
}

fn mend_object(members: &mut Map<String, Value>) {
    // In the JSON encoding of protobuf, null is a field that is not set.
    members.retain(|_, value| !value.is_null());
    for (name, value) in members.iter_mut() {
        let is_id = IDS.contains(&name.as_str());
        if is_id && !value.as_str().is_some_and(is_hex) {
            *value = Value::String(String::new());
        }
        if LISTS.contains(&name.as_str())
            && let Value::Object(list) = value
        {
            list.entry("values")
                .or_insert_with(|| Value::Array(Vec::new()));
        }
        mend(value);
    }
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
