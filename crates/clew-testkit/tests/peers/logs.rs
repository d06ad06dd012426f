//! `clew logs`: what the programs of a mesh wrote, shown from elsewhere.

use clew_testkit::programs::{LocalMesh, Program, finish, stderr, stdout};

/// Writes to both streams, and goes on until it is told to end.
const FILE: &str = "\
mesh: a
services:
  books: { run: [sh, -c, 'echo one; echo two >&2; while ! [ -e more ]; do sleep 0.02; done; echo three; exec cat'] }
  web: { run: [sh, -c, 'echo of the web; exec cat'] }
";

async fn mesh(folder: &tempfile::TempDir) -> LocalMesh {
    let file = folder.path().join("mesh.yaml");
    std::fs::write(&file, FILE).unwrap();
    let mesh = LocalMesh::up(&file).await;
    for line in ["books | one", "books | two", "web   | of the web"] {
        mesh.roles.says(line).await;
    }
    mesh
}

#[tokio::test]
async fn the_log_of_a_running_mesh_is_shown_by_service() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = mesh(&folder).await;

    let all = finish(mesh.clew(&["logs"])).await;
    for line in ["books | one\n", "books | two\n", "web   | of the web\n"] {
        assert!(stdout(&all).contains(line), "{all:?}");
    }
    let of_web = finish(mesh.clew(&["logs", "web"])).await;
    assert_eq!(stdout(&of_web), "web | of the web\n");
    let last = finish(mesh.clew(&["logs", "books", "--lines", "1", "--since", "1h"])).await;
    assert_eq!(stdout(&last).lines().count(), 1);

    let unknown = finish(mesh.clew(&["logs", "bookz"])).await;
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(stderr(&unknown).contains("nothing of bookz"), "{unknown:?}");
}

#[tokio::test]
async fn the_log_is_followed_until_the_mesh_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = mesh(&folder).await;
    let mut logs = Program::start("logs", mesh.clew(&["logs", "books", "-f"]));
    logs.says("books | one").await;

    std::fs::write(folder.path().join("more"), "").unwrap();

    logs.says("books | three").await;
    assert_eq!(mesh.roles.end().await.code(), Some(0));
    assert_eq!(logs.exit_code().await, 0);
}

#[tokio::test]
async fn what_clew_run_keeps_comes_through_unchanged_and_with_its_exit_code() {
    let mesh = LocalMesh::start().await;
    let script = "echo out; echo err >&2; printf 'no end'; exit 3";
    let run = ["run", "--name", "talker", "--log", "--", "sh", "-c", script];

    let output = finish(mesh.clew(&run)).await;

    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(stdout(&output), "out\nno end");
    assert!(stderr(&output).contains("err\n"), "{output:?}");
    let logs = finish(mesh.clew(&["logs", "talker"])).await;
    for line in ["| out\n", "| err\n", "| no end\n"] {
        assert!(stdout(&logs).contains(line), "{logs:?}");
    }
}
