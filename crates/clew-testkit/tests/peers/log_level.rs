//! `clew log-level`: what processes log, changed while they run.

use clew_api::rest::log_level::LogLevels;
use clew_testkit::programs::{LocalMesh, eventually, finish, stderr, stdout};
use std::net::SocketAddr;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

/// What a sidecar says at `debug` of a connection that it cannot pass on.
const NEWS: &str = "could not be passed on";

/// Resolves when the sidecar is done with the connection: it logs first, and breaks it off then.
async fn knock(sidecar: SocketAddr) {
    // It may be broken off before we have seen that it was there.
    if let Ok(mut connection) = TcpStream::connect(sidecar).await {
        let _ = connection.read(&mut [0]).await;
    }
}

/// 1. The application of a sidecar does not listen: whoever connects is cut off, which is a line at `debug`.
/// 2. At the level of the start (`warn`) there is no such line.
/// 3. The level changes, and there is one.
/// 4. It changes back, and there is none more.
#[tokio::test]
async fn a_sidecar_logs_more_from_the_change_on_and_less_again() {
    let kept = TcpSocket::new_v4().unwrap();
    kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = format!("{}/opaque", kept.local_addr().unwrap());
    let mesh = LocalMesh::start().await;
    let mut job = mesh.run("job", &["--port", &port], &["cat".into()]);
    let member = mesh.joined(&job).await;
    let sidecar = member.ports[0].endpoint_address.parse().unwrap();

    knock(sidecar).await;
    let change = mesh.clew(&["log-level", "job", "--level", "warn,clew_proxy=debug"]);
    let output = finish(change).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        stdout(&output).contains("clew_proxy=debug,warn"),
        "{output:?}"
    );
    knock(sidecar).await;
    job.says(NEWS).await;
    let other: LogLevels = mesh.ask(&["log-level", "control"]).await;
    assert_eq!(other.processes[0].level.as_deref(), Some("info"));

    let back: LogLevels = mesh
        .ask(&["log-level", &member.id, "--level", "warn"])
        .await;
    assert_eq!(back.processes.len(), 1);
    knock(sidecar).await;
    job.hang_up();
    assert_eq!(job.exit_code().await, 0);
    let said = job
        .written()
        .iter()
        .filter(|line| line.contains(NEWS))
        .count();
    assert_eq!(said, 1, "{:?}", job.written());
}

/// All of it is one process, and has one log: that is said.
#[tokio::test]
async fn that_an_application_has_one_log_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mesh.yaml");
    let text = "mesh: pair\nservices:\n  one: {run: [cat]}\n  two: {run: [cat]}\n";
    std::fs::write(&file, text).unwrap();
    let mesh = LocalMesh::up(&file).await;
    // That all are in it is told before observe has heard of them.
    eventually("observe to know both", async || {
        (mesh.members().await.len() == 2).then_some(())
    })
    .await;

    let output = finish(mesh.clew(&["log-level", "one", "--level", "info"])).await;

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stderr(&output).contains("has one log"), "{output:?}");
    let levels: LogLevels = mesh.ask(&["log-level"]).await;
    let [process] = &levels.processes[..] else {
        panic!("{levels:?}");
    };
    assert_eq!(process.level.as_deref(), Some("info"));
    for member in ["one-", "two-", "control", "observe"] {
        let is_in = process.members.iter().any(|name| name.starts_with(member));
        assert!(is_in, "{process:?}");
    }
    let wrong = finish(mesh.clew(&["log-level", "--level", "loud"])).await;
    assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
    assert!(stderr(&wrong).contains("a level such as info"), "{wrong:?}");
}
