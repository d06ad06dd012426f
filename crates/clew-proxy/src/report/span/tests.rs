#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::error::Reason;
use crate::hop::End;
use crate::report::fixture::{SECRET, START_UNIX_NANO, hop, trace};
use clew_trace::{SpanId, TraceId};
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{
    ScopeSpans, Span, span::SpanKind as Kind, status::StatusCode as Status,
};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The span of a hop, as a collector reads it. The bytes hold no secret.
fn span(record: &HopRecord) -> Span {
    let mut bytes = Vec::new();
    let trace = record.trace.clone().unwrap();
    append(&mut bytes, &mut Template::new(&record.key), record, &trace);
    assert!(
        !String::from_utf8_lossy(&bytes).contains(SECRET),
        "a secret is in the span"
    );
    let mut spans = ScopeSpans::decode(bytes.as_slice())
        .expect("the span can be read")
        .spans;
    assert_eq!(spans.len(), 1);
    // What we write is what everyone else would write: shortest lengths, no field twice.
    let span = spans.remove(0);
    let again = ScopeSpans {
        spans: vec![span.clone()],
        ..ScopeSpans::default()
    }
    .encode_to_vec();
    assert_eq!(again.len(), bytes.len());
    span
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.clone())
    {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let map: BTreeMap<_, _> = attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(&pair.value)))
        .collect();
    assert_eq!(map.len(), attributes.len(), "two attributes have one name");
    map
}

fn expect(given: &[KeyValue], expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    assert_eq!(attributes(given), expected);
}

fn outbound(record: &mut HopRecord) {
    record.key.direction = Direction::Outbound;
}

fn grpc(record: &mut HopRecord) {
    record.is_grpc = true;
    record.method = Method::POST;
    record.version = Version::HTTP_2;
    record.path = "/shop.Catalog/Find".parse().unwrap();
    record.key.route = "shop.Catalog/Find".into();
    record.grpc_status = Some(0);
}

#[test]
fn a_server_span_says_what_the_conventions_ask_for() {
    let span = span(&hop(|_| {}));
    assert_eq!(span.trace_id, trace().trace_id.to_bytes());
    assert_eq!(span.span_id, trace().span_id.to_bytes());
    assert_eq!(span.parent_span_id, trace().parent.unwrap().to_bytes());
    assert_eq!(span.name, "GET /books/{id}");
    assert_eq!(span.kind(), Kind::Server);
    assert_eq!(span.flags, 0x301, "sampled, and the parent is remote");
    assert_eq!(span.start_time_unix_nano, START_UNIX_NANO);
    assert_eq!(span.end_time_unix_nano, START_UNIX_NANO + 12_000_000);
    assert_eq!(span.status, None);
    expect(
        &span.attributes,
        &[
            ("clew.direction", "inbound"),
            ("clew.tls", "mtls"),
            ("clew.peer.workload", "webapp"),
            ("clew.peer.namespace", "shop"),
            ("clew.peer.instance", "webapp-1"),
            (
                "clew.peer.identity",
                "spiffe://cluster.local/ns/shop/sa/webapp",
            ),
            ("http.request.method", "GET"),
            ("http.request.body.size", "0"),
            ("http.response.body.size", "512"),
            ("clew.route", "GET /books/{id}"),
            ("url.path", "/books/7"),
            ("url.scheme", "http"),
            ("network.protocol.version", "1.1"),
            ("server.address", "books"),
            ("server.port", "7002"),
            ("network.peer.address", "10.1.2.3"),
            ("network.peer.port", "40000"),
            ("http.response.status_code", "200"),
            ("clew.proxy.route_us", "2"),
            ("clew.proxy.request_us", "20"),
        ],
    );
    let events: Vec<_> = span
        .events
        .iter()
        .map(|event| (event.name.as_str(), event.time_unix_nano))
        .collect();
    assert_eq!(
        events,
        [
            ("clew.response.headers", START_UNIX_NANO + 10_000_000),
            ("clew.response.first_byte", START_UNIX_NANO + 11_000_000)
        ]
    );
}

#[test]
fn a_client_span_has_the_whole_url_without_its_query() {
    let span = span(&hop(outbound));
    assert_eq!(span.kind(), Kind::Client);
    let attributes = attributes(&span.attributes);
    assert_eq!(attributes["url.full"], "http://books:7002/books/7?REDACTED");
    assert_eq!(attributes["clew.dst_service"], "webapp");
    assert_eq!(attributes["clew.direction"], "outbound");
}

#[test]
fn a_grpc_span_speaks_of_the_call() {
    let span = span(&hop(|record| {
        grpc(record);
        record.grpc_status = Some(5);
    }));
    assert_eq!(span.name, "shop.Catalog/Find");
    let attributes = attributes(&span.attributes);
    for (name, value) in [
        ("rpc.system", "grpc"),
        ("rpc.service", "shop.Catalog"),
        ("rpc.method", "Find"),
        ("rpc.grpc.status_code", "5"),
        ("network.protocol.version", "2"),
    ] {
        assert_eq!(attributes[name], value);
    }
    assert!(!attributes.contains_key("http.request.method"));
    assert_eq!(span.status, None, "NOT_FOUND is no failure of the server");
}

#[test]
fn names_follow_the_route() {
    let brew = || Method::from_bytes(b"BREW").unwrap();
    let template = Some("/books/{id}");
    for (route, path, method, name) in [
        ("GET /books/{id}", None, Method::GET, "GET /books/{id}"),
        ("GET /books/{id}", template, Method::GET, "GET /books/{id}"),
        ("get-book", template, Method::GET, "GET /books/{id}"),
        ("edit-book", None, Method::PUT, "PUT edit-book"),
        ("(other)", None, Method::POST, "POST (other)"),
        ("_OTHER /pots", None, brew(), "HTTP /pots"),
        ("pots", template, brew(), "HTTP /books/{id}"),
    ] {
        let hop = |direction| {
            hop(|record| {
                record.key.route = route.into();
                record.key.direction = direction;
                record.route_is_configured = path.is_some();
                record.route_path = path.map(Arc::from);
                record.method = method.clone();
            })
        };
        let [server, client] =
            [Direction::Inbound, Direction::Outbound].map(|side| span(&hop(side)));
        assert_eq!((&*server.name, &*client.name), (name, name));
        let attribute = |span: &Span, name| attributes(&span.attributes).get(name).cloned();
        assert_eq!(attribute(&server, "clew.route").as_deref(), Some(route));
        assert_eq!(attribute(&server, "http.route").as_deref(), path);
        assert_eq!(attribute(&client, "clew.route").as_deref(), Some(route));
        assert_eq!(attribute(&client, "http.route"), None, "only servers route");
    }
}

#[test]
fn an_unknown_method_is_other_and_kept_beside() {
    let span = span(&hop(|record| {
        record.method = Method::from_bytes(b"BREW").unwrap()
    }));
    let attributes = attributes(&span.attributes);
    assert_eq!(attributes["http.request.method"], "_OTHER");
    assert_eq!(attributes["http.request.method_original"], "BREW");
}

/// Status and error type by side and outcome, as the table of the design has them.
#[test]
fn errors_are_those_of_the_conventions() {
    type Change = fn(&mut HopRecord);
    // Outcome; error type as SERVER and as CLIENT, None where the status is left unset.
    let cases: [(&str, Change, Option<&str>, Option<&str>); 14] = [
        ("200", |_| {}, None, None),
        (
            "302",
            |record| record.status = Some(StatusCode::FOUND),
            None,
            None,
        ),
        (
            "404",
            |record| record.status = Some(StatusCode::NOT_FOUND),
            None,
            Some("404"),
        ),
        (
            "500",
            |record| record.status = Some(StatusCode::INTERNAL_SERVER_ERROR),
            Some("500"),
            Some("500"),
        ),
        ("grpc 0", grpc, None, None),
        (
            "grpc 3",
            |record| {
                grpc(record);
                record.grpc_status = Some(3);
            },
            None,
            Some("INVALID_ARGUMENT"),
        ),
        (
            "grpc 2",
            |record| {
                grpc(record);
                record.grpc_status = Some(2);
            },
            Some("UNKNOWN"),
            Some("UNKNOWN"),
        ),
        (
            "grpc 14",
            |record| {
                grpc(record);
                record.grpc_status = Some(14);
            },
            Some("UNAVAILABLE"),
            Some("UNAVAILABLE"),
        ),
        (
            "grpc 99",
            |record| {
                grpc(record);
                record.grpc_status = Some(99);
            },
            None,
            Some("UNKNOWN"),
        ),
        (
            "refused connection",
            |record| {
                record.status = Some(StatusCode::BAD_GATEWAY);
                record.outcome = End::Failed(Reason::ConnectRefused);
            },
            Some("connect_refused"),
            Some("connect_refused"),
        ),
        (
            "reset",
            |record| record.outcome = End::Failed(Reason::ServerReset),
            Some("server_reset"),
            Some("server_reset"),
        ),
        (
            "grpc timeout",
            |record| {
                grpc(record);
                record.grpc_status = Some(4);
                record.outcome = End::Failed(Reason::ConnectTimeout);
            },
            Some("connect_timeout"),
            Some("connect_timeout"),
        ),
        (
            "cancelled",
            |record| record.outcome = End::CancelledByClient,
            None,
            None,
        ),
        (
            "cancelled after 500",
            |record| {
                record.status = Some(StatusCode::INTERNAL_SERVER_ERROR);
                record.outcome = End::CancelledByClient;
            },
            None,
            None,
        ),
    ];
    for (case, change, server, client) in cases {
        for (direction, expected) in [(Direction::Inbound, server), (Direction::Outbound, client)] {
            let span = span(&hop(|record| {
                change(record);
                record.key.direction = direction;
            }));
            let attributes = attributes(&span.attributes);
            assert_eq!(
                attributes.get("error.type").map(String::as_str),
                expected,
                "{case}, {direction:?}"
            );
            let code = span.status.as_ref().map(|status| status.code());
            assert_eq!(
                code,
                expected.map(|_| Status::Error),
                "{case}, {direction:?}"
            );
            let outcome = case.starts_with("cancelled").then_some("cancelled");
            assert_eq!(
                attributes.get("clew.outcome").map(String::as_str),
                outcome,
                "{case}, {direction:?}"
            );
        }
    }
}

#[test]
fn what_the_client_did_wrong_is_no_error_of_the_server() {
    let change = |record: &mut HopRecord| {
        record.status = Some(StatusCode::NOT_FOUND);
        record.outcome = End::Failed(Reason::NoRoute);
    };
    let at_the_gateway = span(&hop(change));
    assert_eq!(at_the_gateway.status, None);
    assert_eq!(
        attributes(&at_the_gateway.attributes)["error.type"],
        "no_route"
    );
}

#[test]
fn an_untrusted_context_is_a_link_and_no_parent() {
    let (trace_id, span_id) = (TraceId::new(5).unwrap(), SpanId::new(6).unwrap());
    let span = span(&hop(|record| {
        let trace = record.trace.as_mut().unwrap();
        trace.parent = None;
        trace.link = Some((trace_id, span_id));
    }));
    assert!(span.parent_span_id.is_empty());
    assert_eq!(span.flags, 0x01);
    let [link] = span.links.as_slice() else {
        panic!("{:?}", span.links)
    };
    assert_eq!(
        (link.trace_id.as_slice(), link.span_id.as_slice()),
        (&trace_id.to_bytes()[..], &span_id.to_bytes()[..])
    );
    expect(&link.attributes, &[("clew.link", "untrusted_context")]);
}

#[test]
fn what_is_absent_is_left_out() {
    let span = span(&hop(|record| {
        record.key.peer = Arc::default();
        record.authority = Arc::from("");
        record.peer_address = None;
        record.status = None;
        record.response_start = None;
        record.first_body = None;
        record.phases = crate::hop::PhaseTimes::default();
        record.outcome = End::Failed(Reason::ServerClosed);
    }));
    expect(
        &span.attributes,
        &[
            ("clew.direction", "inbound"),
            ("clew.tls", "none"),
            ("http.request.method", "GET"),
            ("http.request.body.size", "0"),
            ("http.response.body.size", "512"),
            ("clew.route", "GET /books/{id}"),
            ("url.path", "/books/7"),
            ("url.scheme", "http"),
            ("network.protocol.version", "1.1"),
            ("error.type", "server_closed"),
        ],
    );
    assert!(span.events.is_empty());
}

#[test]
fn long_values_are_cut_and_long_spans_are_whole() {
    let long = format!("/{}", "x".repeat(60_000));
    let span = span(&hop(|record| {
        outbound(record);
        record.path = long.parse().unwrap();
    }));
    let attributes = attributes(&span.attributes);
    assert_eq!(attributes["url.path"].len(), MAX_VALUE_BYTES);
    // Longer than two bytes of length can say: the route is bounded elsewhere.
    let span_of_long_route = self::span(&hop(|record| record.key.route = long.as_str().into()));
    assert_eq!(span_of_long_route.name.len(), "GET ".len() + long.len());
}

#[test]
fn authorities_are_split_into_host_and_port() {
    let cases = [
        ("books:7002", "http", Some(("books", 7002))),
        ("books", "http", Some(("books", 80))),
        ("books", "https", Some(("books", 443))),
        ("[::1]:8080", "http", Some(("::1", 8080))),
        ("[::1]", "http", Some(("::1", 80))),
        ("10.0.0.1", "http", Some(("10.0.0.1", 80))),
        ("", "http", None),
        (":80", "http", None),
    ];
    for (authority, scheme, expected) in cases {
        assert_eq!(
            conventions::server_address(authority, scheme),
            expected,
            "{authority}"
        );
    }
}

#[test]
fn addresses_are_written_as_the_standard_library_does() {
    for address in ["1.2.3.4", "::1", "2001:db8:1234:5678:9abc:def0:1234:5678"] {
        assert_eq!(wire::Ip::new(address.parse().unwrap()).as_str(), address);
    }
    assert_eq!(
        wire::Ip::new("::ffff:10.1.2.3".parse().unwrap()).as_str(),
        "10.1.2.3"
    );
}

#[test]
fn a_template_follows_what_hops_have_in_common() {
    type Change = fn(&mut HopRecord);
    let changes: [Change; 9] = [
        |_| {},
        |record| record.method = Method::HEAD,
        |record| record.scheme = "https",
        |record| record.version = Version::HTTP_2,
        |record| record.authority = Arc::from("other:1"),
        |record| record.route_is_configured = true,
        |record| record.route_path = Some(Arc::from("/books/{id}")),
        |record| (record.is_grpc, record.path) = (true, "/shop.Catalog/Find".parse().unwrap()),
        |record| (record.is_grpc, record.path) = (true, "/shop.Catalog/List".parse().unwrap()),
    ];
    let mut used = Template::new(&hop(|_| {}).key);
    for change in changes.iter().chain(&changes) {
        for _ in 0..2 {
            let record = hop(change);
            let [with_used, with_new] =
                [&mut used, &mut Template::new(&record.key)].map(|template| {
                    let mut bytes = Vec::new();
                    append(&mut bytes, template, &record, &trace());
                    bytes
                });
            assert!(with_used == with_new, "{record:?}");
        }
    }
}

#[test]
fn the_state_and_flags_of_the_trace_are_on_the_span() {
    let mut headers = http::HeaderMap::new();
    let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";
    headers.insert("traceparent", value.parse().unwrap());
    headers.insert("tracestate", "ot=th:c,vendor=1".parse().unwrap());
    let context = clew_trace::extract(&headers).context.unwrap();
    let span = span(&hop(|record| {
        let trace = record.trace.as_mut().unwrap();
        (trace.flags, trace.state) = (context.flags(), context.state.clone());
    }));
    assert_eq!(span.trace_state, "ot=th:c,vendor=1");
    assert_eq!(span.flags & 0xff, 0x03);
}
