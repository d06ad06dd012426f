#![allow(clippy::unwrap_used)]

use super::*;
use axum::body::Body;

fn get(path: &str, headers: &[(HeaderName, &str)]) -> Option<Response> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    respond(&request.body(Body::empty()).unwrap())
}

#[test]
fn whatever_is_answered_is_for_our_own_page_alone() {
    for path in ["/", "/topology", "/workloads/shop/a.b"] {
        let response = get(path, &[]).unwrap();
        let policy = response.headers().get(CONTENT_SECURITY_POLICY).unwrap();
        assert_eq!(policy, POLICY, "{path}");
    }
}

#[test]
fn a_file_that_there_is_not_is_not_a_page() {
    assert!(get("/assets/gone.js", &[]).is_none());
    assert!(get("/assets/index.js.gz", &[]).is_none());
}

#[test]
fn a_tag_is_known_however_it_came_back() {
    let known = |value: &str| {
        let value = HeaderValue::from_str(value).unwrap();
        is_known_by(&HeaderMap::from_iter([(IF_NONE_MATCH, value)]), "W/\"ab\"")
    };
    assert!(known("W/\"ab\"") && known("\"ab\"") && known("\"x\", W/\"ab\"") && known("*"));
    assert!(!known("\"abc\"") && !known("W/\"x\""));
    assert!(!is_known_by(&HeaderMap::new(), "W/\"ab\""));
}

#[test]
fn gzip_is_sent_to_whoever_takes_it() {
    let takes = |value: &str| {
        let value = HeaderValue::from_str(value).unwrap();
        takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
    };
    assert!(takes("gzip, deflate, br"));
    assert!(takes("br;q=1.0, gzip;q=0.5"));
    assert!(!takes("br, gzip;q=0"));
    assert!(!takes("identity"));
    assert!(!takes_gzip(&HeaderMap::new()));
}
