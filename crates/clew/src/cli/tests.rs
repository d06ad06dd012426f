#![allow(clippy::unwrap_used)]

mod reference;

use super::*;
use clap::CommandFactory;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn an_api_address_is_an_authority_with_its_scheme_or_without() {
    assert_eq!(
        parse_api("127.0.0.1:8084"),
        parse_api("http://127.0.0.1:8084")
    );
    for right in [
        "http://127.0.0.1:8084",
        "mesh.example",
        "localhost:8084",
        "http://localhost:1/",
        "http://[::1]:8084",
    ] {
        parse_api(right).unwrap();
    }
    for wrong in [
        "127.0.0.1:8084/api",
        "https://127.0.0.1:8084",
        "http://127.0.0.1:8084/api",
        "http://a?b=c",
        "",
        "http://",
    ] {
        parse_api(wrong).unwrap_err();
    }
}

#[test]
fn a_window_ends_at_a_time_of_rfc_3339() {
    let parse = |time| Cli::try_parse_from(["clew", "stat", "--until", time]);
    for right in ["2026-01-31T12:00:00.123Z", "2026-01-31T13:00:00+01:00"] {
        parse(right).unwrap();
    }
    for wrong in ["yesterday", "12:00", "2026-01-31"] {
        parse(wrong).unwrap_err();
    }
}
