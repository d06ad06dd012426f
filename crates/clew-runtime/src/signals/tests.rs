#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::drain::Finished;
use std::process::Command;
use std::time::Duration;

/// Signals of the test's own process: this is the only test that touches them.
#[tokio::test]
async fn the_first_signal_drains_and_the_second_forces() {
    let mut signals = Signals::install().unwrap();
    let (drain, watch) = Drain::new(Duration::MAX);
    let _open = watch.guard();
    let sender = tokio::spawn(async move {
        send("TERM");
        watch.started().await;
        send("INT");
        watch.forced().await;
    });
    signals.drive(&drain).await;
    assert_eq!(drain.finished().await, Finished::Forced { open: 1 });
    sender.await.unwrap();
}

fn send(signal: &str) {
    let to = std::process::id().to_string();
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal, &to])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn exit_codes_can_be_made_of_the_numbers() {
    assert_eq!(128 + Signal::Interrupt.number(), 130);
    assert_eq!(128 + Signal::Terminate.number(), 143);
}
