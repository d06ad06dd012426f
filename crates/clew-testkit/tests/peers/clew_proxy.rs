//! The program `clew-proxy`, as it stands beside one instance: its flags, its end, and what it says when it
//! cannot begin.

use super::golden::{Counts, inbound, outbound};
use clew_testkit::programs::{
    LocalMesh, Program, clew_proxy, command, finish, peer, stderr, stdout,
};
use std::net::{SocketAddr, TcpListener};
use tokio::process::Command;

/// A proxy in a mesh, on ports that the system gives.
fn proxy(mesh: &LocalMesh, workload: &str, listeners: &[&str]) -> Command {
    let roles = mesh.whereabouts();
    let mut proxy = command(clew_proxy());
    proxy.args(["run", "--workload", workload]);
    proxy.args(["--control", &format!("http://{}", roles.control)]);
    proxy.args(["--otlp", &format!("http://{}", roles.otlp_grpc.unwrap())]);
    proxy.args(["--admin", "127.0.0.1:0", "--tap", "127.0.0.1:0"]);
    proxy.args(listeners);
    proxy
}

/// A proxy that has joined, and where it listens.
async fn start(mesh: &LocalMesh, workload: &str, listeners: &[&str]) -> (Program, Vec<SocketAddr>) {
    let mut command = proxy(mesh, workload, listeners);
    command
        .arg("--token-file")
        .arg(mesh.token_file(workload).await);
    let proxy = Program::start(workload, command);
    // ... listening listeners=[127.0.0.1:40001, 127.0.0.1:40002] admin=... tap=...
    let line = proxy.says("listening").await;
    let list = line.split(['[', ']']).nth(1).unwrap();
    let addresses = list.split(", ").map(|address| address.parse().unwrap());
    mesh.joined(&proxy).await;
    (proxy, addresses.collect())
}

fn curl(words: &[&str]) -> Command {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail"])
        .args(words);
    curl
}

/// The application that `clew-proxy` stands beside, and its address.
async fn books() -> (Program, SocketAddr) {
    let words = peer("books.py", &[]);
    let mut books = command(&words[0]);
    books.args(&words[1..]).env("PORT", "0");
    let books = Program::start("application", books);
    let line = books.says("Running on").await;
    let address = line.rsplit("http://").next().unwrap().parse().unwrap();
    (books, address)
}

#[tokio::test]
async fn two_proxies_and_nothing_else_of_clew_carry_requests() {
    let mesh = LocalMesh::start().await;
    let (_application, address) = books().await;
    let inbound_flag = format!("127.0.0.1:0={address},books");
    let (server, _) = start(&mesh, "books", &["--inbound", &inbound_flag]).await;
    let to = ["--to", "books=127.0.0.1:0", "--http-proxy", "127.0.0.1:0"];
    let (client, listeners) = start(&mesh, "client", &to).await;
    // In the order of their documentation: the HTTP proxy, then the dependencies.
    let [http_proxy, dependency] = listeners[..] else {
        panic!("{listeners:?}");
    };

    let directly = format!("http://{dependency}/books/1");
    let http_proxy = format!("http://{http_proxy}");
    let by_address = format!("http://{address}/books/1");
    for words in [
        &[directly.as_str()][..],
        &["--proxy", &http_proxy, "http://books/books/1"],
        &["--proxy", &http_proxy, &by_address],
        // A client that sends everything through the proxy, the dependency's listener included.
        &["--proxy", &http_proxy, &directly],
        &["--proxy", &http_proxy, "--proxytunnel", &directly],
    ] {
        let output = finish(curl(words)).await;
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    let stat = mesh.stat().await;
    assert_eq!(outbound(&stat["client"]), Counts::successes(5));
    assert_eq!(inbound(&stat["books"]), Counts::successes(5));
    for proxy in [client, server] {
        assert_eq!(proxy.end().await.code(), Some(0));
    }
}

/// 1. A stream is open. 2. The proxy is told to end. 3. It has left the mesh, and the stream goes on. 4. The
///    application finishes, and so does the proxy, with success.
#[tokio::test]
async fn a_proxy_that_is_told_to_end_lets_open_requests_finish() {
    let mesh = LocalMesh::start().await;
    let (_application, address) = books().await;
    let flag = format!("127.0.0.1:0={address},books");
    let (mut proxy, listeners) = start(&mesh, "books", &["--inbound", &flag]).await;
    let events = curl(&["--no-buffer", &format!("http://{}/events", listeners[0])]);
    let mut events = Program::start("curl", events);
    events.says("data: first").await;

    proxy.signal(rustix::process::Signal::TERM);
    mesh.has_left("books").await;
    finish(curl(&[&format!("http://{address}/continue")])).await;

    events.says("data: second").await;
    assert_eq!(events.exit_code().await, 0);
    assert_eq!(proxy.exit_code().await, 0);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_purpose() {
    let mesh = LocalMesh::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let (dependency, inbound) = (
        format!("books={taken}"),
        format!("{taken}=127.0.0.1:9,books"),
    );
    for (flags, purpose) in [
        (&["--http-proxy", taken.as_str()][..], "outbound"),
        (&["--to", &dependency], "dependency"),
        (&["--inbound", &inbound], "inbound"),
        (&["--gateway", &taken, "--route", "/=books"], "gateway"),
    ] {
        let output = finish(proxy(&mesh, "books", flags)).await;
        assert_eq!(output.status.code(), Some(1), "{flags:?}: {output:?}");
        let said = stderr(&output);
        assert!(
            said.contains(purpose) && said.contains(&taken),
            "{flags:?}: {said}"
        );
        assert!(said.contains("in use"), "{flags:?}: {said}");
    }
}

#[tokio::test]
async fn wrong_flags_are_wrong_usage_and_say_what_was_expected() {
    let mesh = LocalMesh::start().await;
    for (flags, expected) in [
        (["--to", "books"], "SERVICE=LISTEN"),
        (["--inbound", "127.0.0.1:0=books"], "ADDRESS,SERVICE"),
        (["--port", "80,books"], "an address such as"),
        (
            ["--port", "127.0.0.1:80,books,spdy"],
            "http1, http2, grpc or opaque",
        ),
        (["--route", "webapp"], "[HOST]/PATH=SERVICE"),
        (["--trusted", "10.0.0.0/40"], "a network such as"),
    ] {
        let output = finish(proxy(&mesh, "books", &flags)).await;
        assert_eq!(output.status.code(), Some(64), "{flags:?}: {output:?}");
        assert!(stderr(&output).contains(expected), "{flags:?}: {output:?}");
        assert_eq!(stdout(&output), "");
    }
}
