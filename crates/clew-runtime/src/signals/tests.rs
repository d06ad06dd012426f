#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::process::Command;
use std::time::Duration;

/// Signals of the test's own process: this is the only test that touches them.
#[tokio::test]
async fn each_of_them_drains_first_and_a_second_one_forces() {
    let mut signals = Signals::install().unwrap();
    for (first, second) in [("TERM", "INT"), ("HUP", "QUIT")] {
        let (drain, watch) = Drain::new(Duration::MAX);
        let sender = tokio::spawn(async move {
            send(first);
            watch.started().await;
            send(second);
            watch.forced().await;
        });
        signals.drive(&drain).await;
        sender.await.unwrap();
    }
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
