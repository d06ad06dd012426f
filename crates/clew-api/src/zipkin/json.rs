//! Zipkin's span in JSON (openzipkin/zipkin-api, zipkin2-api.yaml), made the one in protobuf.

use super::message::{Annotation, Endpoint, Kind, ListOfSpans, Span};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The text is not a list of Zipkin's spans.
#[derive(Debug, thiserror::Error)]
#[error("the request is not a list of Zipkin v2 spans")]
pub struct InvalidJson(#[source] serde_json::Error);

/// The spans of a text. Ids that are none come out empty, so that
/// [`spans_from_zipkin`](super::spans_from_zipkin) refuses those spans and no others.
pub fn list_from_json(text: &[u8]) -> Result<ListOfSpans, InvalidJson> {
    let spans: Vec<JsonSpan> = serde_json::from_slice(text).map_err(InvalidJson)?;
    Ok(ListOfSpans {
        spans: spans.into_iter().map(JsonSpan::message).collect(),
    })
}

/// Everything may be missing or null: what is needed is looked for afterwards, span by span.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonSpan {
    trace_id: Option<String>,
    id: Option<String>,
    parent_id: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    timestamp: Option<u64>,
    duration: Option<u64>,
    local_endpoint: Option<JsonEndpoint>,
    remote_endpoint: Option<JsonEndpoint>,
    annotations: Option<Vec<JsonAnnotation>>,
    tags: Option<BTreeMap<String, Value>>,
    debug: Option<bool>,
    shared: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonEndpoint {
    service_name: Option<String>,
    ipv4: Option<String>,
    ipv6: Option<String>,
    port: Option<i32>,
}

#[derive(Deserialize)]
struct JsonAnnotation {
    timestamp: Option<u64>,
    value: Option<String>,
}

impl JsonSpan {
    fn message(self) -> Span {
        let is_root = self.parent_id.as_deref().unwrap_or_default().is_empty();
        let parent_id = match self.parent_id {
            Some(digits) if !is_root => span_id(&digits).unwrap_or_else(|| vec![0]),
            _ => Vec::new(),
        };
        Span {
            trace_id: self
                .trace_id
                .and_then(|id| trace_id(&id))
                .unwrap_or_default(),
            parent_id,
            id: self.id.and_then(|id| span_id(&id)).unwrap_or_default(),
            kind: kind(self.kind.as_deref()).into(),
            name: self.name.unwrap_or_default(),
            timestamp: self.timestamp.unwrap_or_default(),
            duration: self.duration.unwrap_or_default(),
            local_endpoint: self.local_endpoint.map(endpoint),
            remote_endpoint: self.remote_endpoint.map(endpoint),
            annotations: self
                .annotations
                .into_iter()
                .flatten()
                .map(annotation)
                .collect(),
            tags: self.tags.into_iter().flatten().filter_map(tag).collect(),
            debug: self.debug.unwrap_or_default(),
            shared: self.shared.unwrap_or_default(),
        }
    }
}

/// 16 or 32 digits; what is shorter lacks zeros at its beginning, as Zipkin's own server reads it.
fn trace_id(digits: &str) -> Option<Vec<u8>> {
    match digits.len() {
        1..=16 => span_id(digits),
        17..=32 => Some(parse(digits)?.to_be_bytes().to_vec()),
        _ => None,
    }
}

fn span_id(digits: &str) -> Option<Vec<u8>> {
    let value = u64::try_from(parse(digits)?).ok()?;
    (digits.len() <= 16).then(|| value.to_be_bytes().to_vec())
}

fn parse(digits: &str) -> Option<u128> {
    // A sign is no digit, although Rust reads one.
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(digits, 16).ok())?
}

fn kind(name: Option<&str>) -> Kind {
    match name {
        Some("CLIENT") => Kind::Client,
        Some("SERVER") => Kind::Server,
        Some("PRODUCER") => Kind::Producer,
        Some("CONSUMER") => Kind::Consumer,
        _ => Kind::Unspecified,
    }
}

/// An address that is none is left out, and the endpoint kept.
fn endpoint(given: JsonEndpoint) -> Endpoint {
    let ipv4 = given.ipv4.and_then(|text| text.parse::<Ipv4Addr>().ok());
    let ipv6 = given.ipv6.and_then(|text| text.parse::<Ipv6Addr>().ok());
    Endpoint {
        service_name: given.service_name.unwrap_or_default(),
        ipv4: ipv4
            .map(|address| address.octets().to_vec())
            .unwrap_or_default(),
        ipv6: ipv6
            .map(|address| address.octets().to_vec())
            .unwrap_or_default(),
        port: given.port.unwrap_or_default(),
    }
}

fn annotation(given: JsonAnnotation) -> Annotation {
    Annotation {
        timestamp: given.timestamp.unwrap_or_default(),
        value: given.value.unwrap_or_default(),
    }
}

/// Tags are text. Libraries that write numbers are met, and Zipkin's server takes them.
fn tag((key, value): (String, Value)) -> Option<(String, String)> {
    Some(match value {
        Value::String(text) => (key, text),
        Value::Null => return None,
        other => (key, other.to_string()),
    })
}
