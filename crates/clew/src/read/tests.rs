#![allow(clippy::unwrap_used)]

use super::*;
use clew_api::rest::problem::Problem;

fn refused(status: u16) -> ReadError {
    ReadError::Api(ApiError::Refused(Box::new(Problem {
        kind: "urn:clew:problem:x".to_owned(),
        title: String::new(),
        status,
        detail: String::new(),
        parameter: None,
        given: None,
        expected: None,
        known: Vec::new(),
    })))
}

#[test]
fn scripts_can_tell_wrong_usage_from_nothing_found_from_no_mesh() {
    for (status, exit) in [
        (400, Exit::Usage),
        (404, Exit::Empty),
        (409, Exit::Usage),
        (500, Exit::Failed),
        (504, Exit::Failed),
    ] {
        assert_eq!(refused(status).exit(), exit, "{status}");
    }
    let elsewhere = ReadError::Api(ApiError::NotClew {
        api: "http://a".to_owned(),
        status: 200,
    });
    assert_eq!(elsewhere.exit(), Exit::Unreachable);
    assert_eq!(ReadError::StreamEnded.exit(), Exit::Unreachable);
}

/// `clew stat | head -1` has done what it was asked.
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let closed = ReadError::Write(io::ErrorKind::BrokenPipe.into());
    assert_eq!(exit_of(&closed.into()), Exit::Ok);
    let full = ReadError::Write(io::ErrorKind::StorageFull.into());
    assert_eq!(exit_of(&full.into()), Exit::Failed);
}

#[test]
fn json_is_the_answer_as_it_came() -> Result<(), ReadError> {
    assert_eq!(
        pretty(b"{\"b\":[1],\"new\":null}")?,
        "{\n  \"b\": [\n    1\n  ],\n  \"new\": null\n}\n"
    );
    Ok(())
}

#[test]
fn a_window_may_end_in_the_past() {
    let window = WindowArgs {
        window: clew_api::rest::window::TimeSpan::from_secs(300),
        until: Some("2026-01-31T13:00:00+01:00".parse().unwrap()),
        namespace: None,
    };
    assert_eq!(
        about("/stat", &window).path(),
        "/stat?window=5m&until=2026-01-31T12%3A00%3A00Z"
    );
}
