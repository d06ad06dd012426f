#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use clew_runtime::drain::Drain;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn any() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

#[tokio::test]
async fn a_wanted_port_that_is_taken_becomes_another() {
    let taken = Port::Required(any()).bind().await.unwrap();
    let other = Port::Wanted(taken.address()).bind().await.unwrap();
    assert_ne!(other.address(), taken.address());
    assert_eq!(other.address().ip(), taken.address().ip());
    let free = other.address();
    drop(other);
    assert_eq!(Port::Wanted(free).bind().await.unwrap().address(), free);
}

#[tokio::test]
async fn a_required_port_that_is_taken_is_an_error_with_its_address() {
    let taken = Port::Required(any()).bind().await.unwrap();
    let (address, error) = Port::Required(taken.address()).bind().await.unwrap_err();
    assert_eq!(
        (address, error.kind()),
        (taken.address(), io::ErrorKind::AddrInUse)
    );
}

/// 1. A request is being answered when the drain begins.
/// 2. No new connection is taken, and the open request is answered.
/// 3. The server ends.
#[tokio::test]
async fn drain_lets_open_requests_finish() {
    let port = Port::Required(any()).bind().await.unwrap();
    let address = port.address();
    let (reached, mut was_reached) = tokio::sync::mpsc::channel::<()>(1);
    let (go, may_go) = tokio::sync::watch::channel(false);
    let slow = move || {
        let (reached, mut may_go) = (reached.clone(), may_go.clone());
        async move {
            reached.send(()).await.unwrap();
            may_go.wait_for(|go| *go).await.unwrap();
            "done"
        }
    };
    let (drain, watch) = Drain::new(Duration::from_secs(60));
    let server = tokio::spawn(port.serve(
        axum::Router::new().route("/", axum::routing::get(slow)),
        watch,
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    was_reached.recv().await.unwrap();

    drain.start();
    go.send(true).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
        "{answer}"
    );
    server.await.unwrap();
}

#[tokio::test]
async fn force_ends_what_does_not_finish() {
    let port = Port::Required(any()).bind().await.unwrap();
    let address = port.address();
    let (reached, mut was_reached) = tokio::sync::mpsc::channel::<()>(1);
    let stuck = move || {
        let reached = reached.clone();
        async move {
            reached.send(()).await.unwrap();
            std::future::pending::<&'static str>().await
        }
    };
    let (drain, watch) = Drain::new(Duration::from_secs(3_600));
    let server = tokio::spawn(port.serve(
        axum::Router::new().route("/", axum::routing::get(stuck)),
        watch,
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    was_reached.recv().await.unwrap();
    drain.force();
    server.await.unwrap();
}

/// The clock is paused: the wait is over when nothing else can happen.
///
/// 1. As many connections as a port may have say nothing, or begin to say something and then stop.
/// 2. Without a bound in time nobody else is served until the restart.
#[tokio::test(start_paused = true)]
async fn silent_connections_are_ended() {
    let port = Port::Required(any()).bind().await.unwrap();
    let address = port.address();
    let (drain, watch) = Drain::new(Duration::from_secs(60));
    let server = tokio::spawn(port.serve(axum::Router::new(), watch));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let beginnings: [&[u8]; 5] = [
        b"",
        b"PRI * HTTP",
        preface,
        b"GET / HTTP/1.1\r\nhost: a-name-that-is-long-enough\r\n",
        b"GET / HTTP/1.1\r\nhost: a-name-that-is-long-enough\r\n\r\n",
    ];
    for beginning in beginnings {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(beginning).await.unwrap();
        let mut answer = Vec::new();
        // How it ends does not matter.
        let _ = client.read_to_end(&mut answer).await;
    }
    drain.start();
    server.await.unwrap();
}

/// A tap is a request whose answer lasts as long as somebody looks: it is not a silent connection.
#[tokio::test(start_paused = true)]
async fn an_answer_may_last() {
    let port = Port::Required(any()).bind().await.unwrap();
    let address = port.address();
    let (drain, watch) = Drain::new(Duration::from_secs(60));
    let lines = || async {
        let lines = futures_util::stream::unfold(0, |n| async move {
            tokio::time::sleep(3 * HEAD_TIMEOUT).await;
            (n < 3).then_some((Ok::<_, std::convert::Infallible>("line\n"), n + 1))
        });
        axum::body::Body::from_stream(lines)
    };
    let router = axum::Router::new().route("/", axum::routing::get(lines));
    let server = tokio::spawn(port.serve(router, watch));
    let mut client = TcpStream::connect(address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("line").count(), 3, "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
    drain.start();
    server.await.unwrap();
}
