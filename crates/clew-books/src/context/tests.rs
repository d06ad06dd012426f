use super::copy_context;
use axum::http::{HeaderMap, HeaderValue};

#[test]
fn every_context_header_is_copied_and_nothing_else() {
    let mut served = HeaderMap::new();
    served.insert("traceparent", HeaderValue::from_static("00-1-2-01"));
    served.append("tracestate", HeaderValue::from_static("a=1"));
    served.append("tracestate", HeaderValue::from_static("b=2"));
    served.insert("x-b3-traceid", HeaderValue::from_static("1"));
    served.insert("authorization", HeaderValue::from_static("secret"));
    let mut made = HeaderMap::new();
    copy_context(&served, &mut made);
    assert_eq!(made.len(), 4);
    assert_eq!(made.get_all("tracestate").iter().count(), 2);
    assert!(!made.contains_key("authorization"));
}
