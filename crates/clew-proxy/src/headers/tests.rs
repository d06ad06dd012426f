#![allow(clippy::unwrap_used)]

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect()
}

#[test]
fn connection_takes_what_it_names_with_it() {
    let mut map = headers(&[
        ("connection", "close, X-Secret"),
        ("x-secret", "1"),
        ("x-kept", "2"),
        ("keep-alive", "timeout=5"),
    ]);
    strip_hop_by_hop(&mut map, false);
    assert_eq!(map, headers(&[("x-kept", "2")]));
}

#[test]
fn connection_cannot_take_the_host_away() {
    let mut map = headers(&[("connection", "host"), ("host", "books")]);
    strip_hop_by_hop(&mut map, false);
    assert_eq!(map, headers(&[("host", "books")]));
}

#[test]
fn te_stays_for_trailers_only() {
    let mut map = headers(&[("te", "trailers")]);
    strip_hop_by_hop(&mut map, false);
    assert_eq!(map, headers(&[("te", "trailers")]));
    let mut map = headers(&[("te", "gzip, trailers")]);
    strip_hop_by_hop(&mut map, false);
    assert!(map.is_empty());
}

#[test]
fn an_upgrade_is_passed_on_and_h2c_is_not() {
    let mut map = headers(&[
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
    ]);
    assert!(asks_upgrade(&map));
    strip_hop_by_hop(&mut map, true);
    assert_eq!(
        map,
        headers(&[("connection", "upgrade"), ("upgrade", "websocket")])
    );
    assert!(!asks_upgrade(&headers(&[
        ("connection", "upgrade, http2-settings"),
        ("upgrade", "h2c")
    ])));
    assert!(
        !asks_upgrade(&headers(&[("upgrade", "websocket")])),
        "not named in Connection"
    );
}

#[test]
fn a_client_is_read_as_it_was_written() {
    let (workload, instance) = (
        Workload::new("webapp", "default"),
        InstanceId::new("webapp-1"),
    );
    let value = client_value(&workload, &instance).unwrap();
    assert_eq!(parse_client(&value), Some((workload, instance)));
    for bad in ["", "a", "a/b", "a//b", "//"] {
        assert_eq!(
            parse_client(&HeaderValue::from_static(bad)),
            None,
            "{bad:?}"
        );
    }
}

#[test]
fn grpc_is_told_by_its_content_type() {
    for kind in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
    ] {
        assert!(is_grpc(&headers(&[("content-type", kind)])), "{kind}");
    }
    for kind in ["application/json", "application/grpc-web"] {
        assert!(!is_grpc(&headers(&[("content-type", kind)])), "{kind}");
    }
}

#[test]
fn a_request_names_one_host_and_http_1_1_has_to() {
    let named = |version, hosts: &[&str]| {
        let mut request = Request::new(());
        *request.version_mut() = version;
        for host in hosts {
            request.headers_mut().append(HOST, host.parse().unwrap());
        }
        names_one_host(&request)
    };
    for host in ["books", "books:7002", "127.0.0.1:80", "[::1]:80", ""] {
        assert!(named(Version::HTTP_11, &[host]), "{host:?}");
    }
    for host in ["a b", "a/b", "user@books", "books#x", "a\tb"] {
        assert!(!named(Version::HTTP_11, &[host]), "{host:?}");
    }
    assert!(!named(Version::HTTP_11, &["books", "books"]));
    assert!(!named(Version::HTTP_11, &[]));
    assert!(named(Version::HTTP_10, &[]));
    assert!(named(Version::HTTP_2, &[]));
}
