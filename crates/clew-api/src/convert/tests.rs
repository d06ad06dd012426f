#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod foreign;
mod round_trip;

use super::*;

#[test]
fn a_caller_is_read_as_ours_and_as_linkerds() {
    let ours = Caller::token(&Workload::new("books", "shop"));
    let read =
        |token: &str| Caller::parse(token).map(|c| (c.namespace.to_string(), c.name.to_string()));
    let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
    assert_eq!(read(&ours), pair("shop", "books"));
    assert_eq!(
        read(r#"{"ns":"shop","pod":"books-7f3a"}"#),
        pair("shop", "books-7f3a")
    );
    assert_eq!(
        read(r#"{"ns":"shop","external_workload":"vm-1"}"#),
        pair("shop", "vm-1")
    );
    for token in ["", "books", ":books", "shop:", "{", r#"{"ns":"shop"}"#] {
        assert!(
            matches!(
                read(token),
                Err(ConversionError::Invalid {
                    field: "workload",
                    ..
                })
            ),
            "{token}"
        );
    }
}
