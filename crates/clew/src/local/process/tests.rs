#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{ProcessGroup, describe, exit_code};
use clew_runtime::drain::Drain;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

fn shell(script: &str) -> ProcessGroup {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    ProcessGroup::start("sh", command).unwrap()
}

#[tokio::test]
async fn the_end_of_a_process_is_told_as_a_shell_tells_it() {
    for (script, code, words) in [
        ("exit 0", 0, "ended"),
        ("exit 7", 7, "ended with code 7"),
        ("kill -TERM $$", 143, "was ended by SIGTERM"),
        ("kill -KILL $$", 137, "was ended by SIGKILL"),
    ] {
        let status = shell(script).ended().await.unwrap();
        assert_eq!(
            (exit_code(status), describe(status).as_str()),
            (code, words),
            "{script}"
        );
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_127_and_one_that_cannot_run_is_126() {
    for (program, code) in [("./no-such-program", 127), ("/", 126)] {
        let error = ProcessGroup::start(program, Command::new(program)).unwrap_err();
        assert_eq!(error.exit_code(), code, "{error}");
        assert!(error.to_string().contains(program));
    }
}

#[tokio::test]
async fn a_process_that_does_not_listen_is_killed_after_the_grace() {
    let mut group = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    let mut lines = BufReader::new(group.take_output().0.unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("ready"));
    let (_drain, watch) = Drain::new(Duration::ZERO);
    _drain.start();
    let status = group.end(&watch).await.unwrap();
    assert_eq!(exit_code(status), 137);
}

/// 1. The shell starts a process in the background, which holds the pipe of the output open.
/// 2. The shell ends.
/// 3. The output ends too, because the rest of the group does.
#[tokio::test]
async fn what_a_process_leaves_behind_ends_with_it() {
    let mut group = shell("sleep 1000 & echo started");
    let mut output = group.take_output().0.unwrap();
    group.ended().await.unwrap();
    let mut text = String::new();
    output.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "started\n");
}

#[tokio::test]
async fn input_stays_open_until_the_group_is_dropped() {
    let mut group = shell("cat; echo closed");
    let mut output = group.take_output().0.unwrap();
    drop(group._stdin.take());
    let mut text = String::new();
    output.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "closed\n");
}
