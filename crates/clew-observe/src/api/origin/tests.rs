#![allow(clippy::unwrap_used)]

use super::*;
use axum::http::HeaderValue;

fn admitted(host: Option<&str>, origin: Option<&str>) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in [(HOST, host), (ORIGIN, origin)] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
    }
    admit(&Uri::from_static("/api/v1/stat"), &headers).is_ok()
}

#[test]
fn addresses_and_localhost_are_answered() {
    for host in [
        "127.0.0.1:8084",
        "127.0.0.1",
        "[::1]:8084",
        "localhost:8084",
        "LOCALHOST",
        "10.0.0.7:8084",
        "a.localhost:1",
    ] {
        assert!(admitted(Some(host), None), "{host}");
    }
}

#[test]
fn names_that_a_stranger_can_own_are_not() {
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8084",
        "127.0.0.1@evil.example",
        "",
        "a b",
    ] {
        assert!(!admitted(Some(host), None), "{host}");
    }
    assert!(!admitted(None, None));
}

#[test]
fn another_site_cannot_ask_in_the_name_of_its_reader() {
    assert!(admitted(
        Some("127.0.0.1:8084"),
        Some("http://127.0.0.1:8084")
    ));
    for origin in [
        "https://evil.example",
        "http://127.0.0.1:9999",
        "null",
        "http://127.0.0.1:8084.evil.example",
    ] {
        assert!(!admitted(Some("127.0.0.1:8084"), Some(origin)), "{origin}");
    }
}

#[test]
fn the_authority_of_http2_counts_as_host() {
    let headers = HeaderMap::new();
    assert!(
        admit(
            &Uri::from_static("http://127.0.0.1:8084/api/v1/stat"),
            &headers
        )
        .is_ok()
    );
    assert!(
        admit(
            &Uri::from_static("http://evil.example/api/v1/stat"),
            &headers
        )
        .is_err()
    );
}
