//! Attributes that differ between traces and tell a reader nothing.

use clew_trace::span::AttributeValue;

/// Last words of names of ids that are one request's, message's, process's or thread's. Of instances and hosts they are
/// kept: one of several may be the slow one.
const IDS: &[&str] = &[
    "request_id",
    "request.id",
    "request-id",
    "message.id",
    "message_id",
    "correlation_id",
    "conversation_id",
    "trace_id",
    "span_id",
    "thread.id",
    "process.pid",
    "process.parent_pid",
];

/// Ports of who connected: another one with each connection.
const PORTS_OF_CLIENTS: &[&str] = &["network.peer.port", "client.port", "net.peer.port"];

/// Linux gives ports from here on to sockets that ask for none.
const FIRST_EPHEMERAL_PORT: i64 = 32_768;

/// Whether an attribute is left out: ports that mean nothing by their number, ids, and measured times, which are compared as
/// durations and not value by value.
pub(super) fn is_noise(name: &str, value: &AttributeValue) -> bool {
    PORTS_OF_CLIENTS.contains(&name)
        || is_ephemeral_port(name, value)
        || IDS.iter().any(|id| ends_with_word(name, id))
        || is_measured_time(name, value)
}

/// A well-known port says which protocol or which server it is.
fn is_ephemeral_port(name: &str, value: &AttributeValue) -> bool {
    let number = match value {
        AttributeValue::Int(number) => Some(*number),
        AttributeValue::String(text) => text.parse().ok(),
        _ => None,
    };
    name.ends_with(".port") && number.is_some_and(|port| port >= FIRST_EPHEMERAL_PORT)
}

fn is_measured_time(name: &str, value: &AttributeValue) -> bool {
    let is_number = matches!(value, AttributeValue::Int(_) | AttributeValue::Double(_));
    let of_proxy = name.starts_with("clew.proxy.") && name.ends_with("_us");
    let units = [
        "_us", "_ms", "_ns", "_seconds", ".us", ".ms", ".ns", ".seconds",
    ];
    let what = units
        .iter()
        .find_map(|unit| name.strip_suffix(unit))
        .unwrap_or(name);
    let words = ["duration", "elapsed", "latency"];
    is_number && (of_proxy || words.iter().any(|word| ends_with_word(what, word)))
}

/// The name is this, or ends with it after a `.`, `_` or `-`.
fn ends_with_word(name: &str, word: &str) -> bool {
    name.strip_suffix(word)
        .is_some_and(|before| before.is_empty() || before.ends_with(['.', '_', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_ids_and_measured_times_are_noise() {
        let number = AttributeValue::Int(40_123);
        for name in [
            "network.peer.port",
            "server.port",
            "http.request_id",
            "thread.id",
            "clew.proxy.connect_us",
            "db.duration",
            "cache_latency_ms",
        ] {
            assert!(is_noise(name, &number), "{name}");
        }
        assert!(is_noise("messaging.message.id", &"a1".into()));
        assert!(is_noise("server.port", &"40123".into()));
    }

    #[test]
    fn what_may_be_the_reason_is_not() {
        for (name, value) in [
            ("server.port", AttributeValue::Int(5432)),
            ("timeout_ms", AttributeValue::Int(500)),
            ("duration", "long".into()),
            ("service.instance.id", "web-1".into()),
            ("user.id", AttributeValue::Int(7)),
            ("http.response.body.size", AttributeValue::Int(40_123)),
            ("covid", AttributeValue::Int(1)),
        ] {
            assert!(!is_noise(name, &value), "{name}");
        }
    }
}
