//! `OTEL_RESOURCE_ATTRIBUTES`: what SDKs of OpenTelemetry put on all that they send. The form is that of W3C Baggage
//! without properties, `key=value,key=value`, with values percent-encoded (OpenTelemetry specification, Resource SDK,
//! "Specifying resource information via an environment variable").

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The variable.
pub(super) const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
/// The instance: unique, whatever its workload.
pub(super) const INSTANCE: &str = "service.instance.id";
/// The namespace of the workload.
pub(super) const NAMESPACE: &str = "service.namespace";
/// The workload. `OTEL_SERVICE_NAME` comes before it.
pub(super) const NAME: &str = "service.name";

/// What stands as it is. Baggage allows more, but not all who read it agree on what.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One attribute.
pub(super) fn attribute(key: &str, value: &str) -> String {
    format!("{key}={}", utf8_percent_encode(value, ESCAPED))
}

/// Whether an attribute is among them.
pub(super) fn has(attributes: &str, key: &str) -> bool {
    entries(attributes).any(|entry| key_of(entry) == key)
}

/// All attributes but one.
pub(super) fn without(attributes: &str, key: &str) -> String {
    let kept: Vec<&str> = entries(attributes)
        .filter(|entry| key_of(entry) != key)
        .collect();
    kept.join(",")
}

/// The first, as they are written, and of the second those that are not among the first.
pub(super) fn merged(first: &str, second: &str) -> String {
    let more = entries(second).filter(|entry| !has(first, key_of(entry)));
    let all: Vec<&str> = entries(first).chain(more).collect();
    all.join(",")
}

fn entries(attributes: &str) -> impl Iterator<Item = &str> {
    let entries = attributes.split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

fn key_of(entry: &str) -> &str {
    entry.split('=').next().unwrap_or_default().trim_end()
}
