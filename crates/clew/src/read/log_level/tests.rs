#![allow(clippy::unwrap_used)]

use super::{explain, is_shared, render};
use anstream::adapter::strip_str;
use clew_api::rest::log_level::{LogLevels, ProcessLog};

fn process(pid: u32, members: &[&str], level: Result<&str, &str>) -> ProcessLog {
    ProcessLog {
        pid,
        members: members.iter().map(ToString::to_string).collect(),
        level: level.ok().map(str::to_owned),
        error: level.err().map(str::to_owned),
    }
}

#[test]
fn each_process_has_its_level_or_why_there_is_none() {
    let levels = LogLevels {
        processes: vec![
            process(41, &["books-1"], Ok("clew_proxy=debug,warn")),
            process(7, &["webapp-1"], Err("it has no admin server")),
            process(100, &["control", "observe"], Ok("info")),
        ],
    };
    let expected = "PID  LEVEL                   OF\n \
        41  clew_proxy=debug,warn   books-1\n  \
         7  it has no admin server  webapp-1\n\
        100  info                    control observe\n";
    assert_eq!(strip_str(&render(&levels)).to_string(), expected);
}

#[test]
fn that_a_log_is_shared_is_said_where_it_is_a_surprise() {
    assert!(!is_shared(&process(1, &["books-1"], Ok("info"))));
    assert!(!is_shared(&process(1, &["control", "observe"], Ok("info"))));
    assert!(is_shared(&process(1, &["a-1", "b-1"], Ok("info"))));
    let up = process(1, &["a-1", "control", "observe"], Ok("info"));
    assert!(is_shared(&up));
    assert!(
        explain(&up).contains("a-1 control observe"),
        "{}",
        explain(&up)
    );
}
