#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::drain::Drain;
use std::process::Command;

const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

#[test]
fn a_taken_port_is_named_with_its_purpose() {
    let holder = bind_tcp("the holder", ANY.into()).unwrap();
    let address = holder.local_addr().unwrap();
    let error = bind_tcp("observe's API", address).unwrap_err();
    assert!(error.is_taken());
    assert_eq!(
        error.to_string(),
        format!("observe's API cannot listen on {address}: address already in use")
    );
    assert!(
        bind_tcp_shared("the gateway", address, 2)
            .unwrap_err()
            .is_taken()
    );
}

#[test]
fn an_address_of_another_machine_is_said_so() {
    // TEST-NET-1 (RFC 5737): no machine has it.
    let error = bind_tcp("tap", ([192, 0, 2, 1], 0).into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tap cannot listen on 192.0.2.1:0: no such address on this machine"
    );
}

#[test]
fn a_port_that_others_share_is_taken_too() {
    let shared = bind_tcp_shared("the first mesh", ANY.into(), 2).unwrap();
    let address = shared[0].local_addr().unwrap();
    let error = bind_tcp_shared("the second mesh", address, 2).unwrap_err();
    assert!(error.is_taken(), "{error}");
}

#[tokio::test]
async fn connections_to_one_port_are_spread_over_its_listeners() {
    let listeners = bind_tcp_shared("workers", ANY.into(), 2).unwrap();
    let address = listeners[0].local_addr().unwrap();
    assert_eq!(address, listeners[1].local_addr().unwrap());
    let mut acceptors: Vec<Acceptor> = listeners
        .into_iter()
        .map(|listener| Acceptor::new("workers", listener).unwrap())
        .collect();
    let (second, first) = (acceptors.pop().unwrap(), acceptors.pop().unwrap());
    let counts = [first, second].map(|mut acceptor| {
        let (count, seen) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            loop {
                let _ = acceptor.accept().await;
                count.send_modify(|n| *n += 1);
            }
        });
        seen
    });
    // The system hashes the client's port: 64 connections all on one side is as good as impossible.
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    for mut seen in counts {
        seen.wait_for(|n| *n > 0).await.unwrap();
    }
}

#[tokio::test]
async fn accepting_ends_when_the_drain_begins() {
    let listener = bind_tcp("a test", ANY.into()).unwrap();
    let mut acceptor = Acceptor::new("a test", listener).unwrap();
    let address = acceptor.local_addr().unwrap();
    let (drain, watch) = Drain::new(Duration::from_secs(1));
    let client = TcpStream::connect(address).await.unwrap();
    let (accepted, peer) = acceptor.accept_until(&watch).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    assert!(accepted.nodelay().unwrap());
    drain.start();
    let _waits = TcpStream::connect(address).await.unwrap();
    assert!(acceptor.accept_until(&watch).await.is_none());
}

/// 1. A process under load runs out of file descriptors.
/// 2. accept(2) says EMFILE, and the connection stays in the backlog, so that the listener is readable
///    at once again.
/// 3. A loop that just goes on burns the core, and one that gives up never serves again.
///
/// So: pause, and serve when there is room.
///
/// The limit is of a process: the test runs itself again in one whose limit is low.
#[test]
fn accepting_waits_out_a_lack_of_file_descriptors() {
    const CHILD: &str = "CLEW_TEST_FEW_DESCRIPTORS";
    if std::env::var_os(CHILD).is_some() {
        return without_descriptors();
    }
    let test = "listen::tests::accepting_waits_out_a_lack_of_file_descriptors";
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

fn without_descriptors() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = bind_tcp("a test", ANY.into()).unwrap();
        let mut acceptor = Acceptor::new("a test", listener).unwrap();
        let address = acceptor.local_addr().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let mut taken = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            taken.push(file);
        }
        // Accept is cancelled at every turn, until it has failed three times: a cancelled accept must
        // neither lose the connection nor skip its pause.
        let begun = Instant::now();
        while acceptor.failures < 3 {
            tokio::select! {
                biased;
                _ = acceptor.accept() => panic!("accepted without a descriptor"),
                () = tokio::task::yield_now() => {}
            }
        }
        // The pauses between three failures.
        assert!(begun.elapsed() >= PAUSE.0 + PAUSE.0 * 2);
        drop(taken);
        acceptor.accept().await;
        assert_eq!(acceptor.pause, PAUSE.0);
    });
}

#[tokio::test(start_paused = true)]
async fn failures_pause_longer_each_time_and_are_logged_once_in_a_while() {
    let listener = bind_tcp("a test", ANY.into()).unwrap();
    let mut acceptor = Acceptor::new("a test", listener).unwrap();
    let lack = io::Error::from_raw_os_error(24);
    assert!(!is_of_one_connection(&lack));
    assert!(is_of_one_connection(
        &io::ErrorKind::ConnectionAborted.into()
    ));
    for _ in 0..20 {
        acceptor.pause_after(&lack);
    }
    assert_eq!(acceptor.pause, PAUSE.1);
    assert_eq!((acceptor.failures, acceptor.failures_logged), (20, 1));
    tokio::time::advance(LOG_EVERY).await;
    acceptor.pause_after(&lack);
    assert_eq!(acceptor.failures_logged, 21);
}
