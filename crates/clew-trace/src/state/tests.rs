#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use http::{HeaderMap, HeaderName};
use proptest::prelude::*;

static NAME: HeaderName = HeaderName::from_static("tracestate");

fn read(values: &[&str]) -> TraceState {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(&NAME, HeaderValue::from_str(value).unwrap());
    }
    TraceState::from_headers(&headers.get_all(&NAME))
}

#[test]
fn one_header_is_kept_as_it_is() {
    let list = "congo=t61rcWkgMzE , rojo=00f067aa0ba902b7";
    assert_eq!(read(&[list]).as_str(), list);
    assert_eq!(
        read(&["tenant@system=1,0a/b-c*d_e=x y"]).as_str(),
        "tenant@system=1,0a/b-c*d_e=x y"
    );
}

#[test]
fn several_headers_become_one_in_their_order() {
    assert_eq!(read(&["a=1", "b=2,c=3", "d=4"]).as_str(), "a=1,b=2,c=3,d=4");
}

#[test]
fn none_and_empty_are_the_same() {
    assert!(read(&[]).is_empty());
    assert!(read(&[""]).is_empty());
    assert!(read(&[" ,", ""]).is_empty());
    assert_eq!(read(&[]), TraceState::default());
}

#[test]
fn a_malformed_member_discards_the_list() {
    for bad in [
        "a", "=1", "a=", "A=1", "-a=1", "a b=1", "a=1,b", "a=x=y", "a=\u{e9}", "a=x\ty",
    ] {
        assert!(read(&[bad]).is_empty(), "{bad:?}");
    }
}

#[test]
fn keys_and_values_may_have_256_bytes() {
    let long = "k".repeat(256);
    assert!(!read(&[&format!("{long}=v")]).is_empty());
    assert!(read(&[&format!("{long}k=v")]).is_empty());
    assert!(!read(&[&format!("k={long}")]).is_empty());
    assert!(read(&[&format!("k={long}k")]).is_empty());
}

#[test]
fn more_than_32_members_discard_the_list() {
    let list = |n: usize| {
        (0..n)
            .map(|i| format!("k{i}=v"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(read(&[&list(32)]).as_str(), list(32));
    assert!(read(&[&list(33)]).is_empty());
    assert!(read(&[&list(20), &list(13)]).is_empty());
}

#[test]
fn a_list_that_is_too_long_loses_long_members_first_and_then_the_last() {
    let long = format!("long={}", "x".repeat(200));
    let short = |i: usize| format!("s{i}={}", "y".repeat(90));
    let list = [short(0), long.clone(), short(1), short(2), short(3)].join(",");
    assert_eq!(
        read(&[&list]).as_str(),
        [short(0), short(1), short(2), short(3)].join(",")
    );
    let list = (0..7).map(short).collect::<Vec<_>>().join(",");
    assert_eq!(
        read(&[&list]).as_str(),
        (0..5).map(short).collect::<Vec<_>>().join(",")
    );
}

#[test]
fn a_flood_of_headers_is_not_read() {
    let value = format!("a={}", "x".repeat(250));
    assert!(read(&vec![value.as_str(); 100]).is_empty());
}

proptest! {
    #[test]
    fn what_is_kept_is_within_the_limits_and_reads_the_same(
        values in proptest::collection::vec("[ -~]{0,40}|([a-z]{1,200}=[!-+]{1,200},?){0,8}", 0..6)
    ) {
        let state = read(&values.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert!(state.as_str().len() <= MAX_BYTES);
        prop_assert!(members(state.as_str().as_bytes()).count() <= MAX_MEMBERS);
        prop_assert_eq!(read(&[state.as_str()]), state);
    }
}
