#![allow(clippy::unwrap_used)]

use super::super::golden::tests::plain;
use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;

fn parsed(flags: &[&str]) -> SettingsArgs {
    let line = ["clew", "settings"].iter().chain(flags);
    match Cli::try_parse_from(line).unwrap().command {
        Command::Settings(args) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_is_named_is_changed() {
    assert!(change(&parsed(&[])).unwrap().is_empty());
    let change_of = |flags: &[&str]| change(&parsed(flags)).unwrap();
    assert_eq!(
        change_of(&["--sample", "0"]),
        TelemetryChange {
            sampling_ratio: Some(0.0),
            ..TelemetryChange::default()
        }
    );
    let all = change_of(&[
        "--tracing",
        "off",
        "--write",
        "b3",
        "--write",
        "b3multi",
        "--show-header",
        "X-Id",
    ]);
    assert_eq!((all.tracing, all.audit), (Some(false), None));
    assert_eq!(change_of(&["--audit", "off"]).audit, Some(false));
    assert_eq!(all.write_formats.unwrap(), ["b3", "b3multi"]);
    assert_eq!(all.show_headers.unwrap(), ["x-id"]);
    let none = change_of(&["--write", "none", "--show-header", "none"]);
    assert_eq!(
        (none.write_formats, none.show_headers),
        (Some(Vec::new()), Some(Vec::new()))
    );
}

#[test]
fn none_beside_something_is_wrong() {
    assert!(change(&parsed(&["--write", "none", "--write", "b3"])).is_err());
    assert!(change(&parsed(&["--show-header", "none", "--show-header", "a"])).is_err());
}

#[test]
fn settings_are_a_table() {
    let settings = TelemetrySettings {
        tracing: true,
        sampling_ratio: 0.25,
        sampling_max_per_second: None,
        write_formats: vec!["b3".to_owned()],
        access_log: "errors".to_owned(),
        show_headers: Vec::new(),
        audit: false,
    };
    insta::assert_snapshot!(plain(&render(&settings)), @r"
    SETTING                            VALUE
    tracing                            on
    propagation audit                  off
    sampling ratio                     0.25
    new traces a second, each proxy    no limit
    trace-context families beside W3C  b3
    access log                         errors
    headers shown                      none
    ");
}
