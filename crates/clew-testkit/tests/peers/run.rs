//! `clew run`: signals, exit codes, and instances that die.

use clew_testkit::programs::{
    LocalMesh, Program, Shell, clew, command, eventually, finish, kill, peer, stderr, stdout,
};
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

fn words(words: &[&str]) -> Vec<std::ffi::OsString> {
    words.iter().map(Into::into).collect()
}

#[tokio::test]
async fn signals_reach_the_process_and_its_exit_code_comes_back() {
    let mesh = LocalMesh::start().await;
    let mut job = mesh.run("job", &[], &peer("signals.py", &[]));
    job.says("ready").await;
    for (signal, name) in [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::TERM, "SIGTERM"),
    ] {
        job.signal(signal);
        job.says(name).await;
    }
    assert_eq!(job.exit_code().await, 42);
}

#[tokio::test]
async fn the_exit_code_says_how_the_process_ended() {
    let mesh = LocalMesh::start().await;
    for (process, code) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -KILL $$"], 128 + 9),
        (&["no-such-program-anywhere"], 127),
        (&["/etc/passwd"], 126),
    ] {
        let mut run = mesh.run("job", &[], &words(process));
        assert_eq!(run.exit_code().await, code, "{process:?}");
    }
}

#[tokio::test]
async fn what_the_process_writes_and_reads_is_not_touched() {
    let mesh = LocalMesh::start().await;
    let mut job = mesh.run("job", &[], &words(&["cat"]));
    job.tell("a line").await;
    job.says("a line").await;
    job.hang_up();
    assert_eq!(job.exit_code().await, 0);
    assert_eq!(job.written(), ["a line"]);
}

#[tokio::test]
async fn an_instance_whose_process_dies_leaves_at_once() {
    let mesh = LocalMesh::start().await;
    let mut books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let shell = mesh.shell("shell", &["--to", "books"]).await;
    let url = format!("{}/books/1", shell.variable("CLEW_BOOKS_URL"));
    shell.output(&["curl", "--silent", "--fail", &url]).await;

    kill(books.child("books.py"));

    mesh.has_left("books").await;
    assert_eq!(books.exit_code().await, 128 + 9);
    is_refused(&shell, &url).await;
}

#[tokio::test]
async fn an_instance_leaves_at_once_also_when_its_sidecar_is_killed() {
    let mesh = LocalMesh::start().await;
    let mut books = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let shell = mesh.shell("shell", &["--to", "books"]).await;
    let url = format!("{}/books/1", shell.variable("CLEW_BOOKS_URL"));
    shell.output(&["curl", "--silent", "--fail", &url]).await;

    books.signal(Signal::KILL);

    mesh.has_left("books").await;
    assert_eq!(books.ended().await.signal(), Some(9));
    is_refused(&shell, &url).await;
    // One that comes back is found.
    let _again = mesh.serve("books", &[], &peer("books.py", &[])).await;
    shell.output(&["curl", "--silent", "--fail", &url]).await;
}

#[tokio::test]
async fn the_first_run_starts_the_roles_and_down_ends_them() {
    let state = tempfile::tempdir().unwrap();
    let in_state = |words: &[&str]| {
        let mut command = command(clew());
        command.args(words).env("XDG_STATE_HOME", state.path());
        command
    };
    let run = ["run", "--name", "job", "--api", "127.0.0.1:0", "--", "cat"];
    let mut job = Program::start("job", in_state(&run));
    // clew: started a local mesh, API http://127.0.0.1:40001; it ends with ...
    let line = job.says("started a local mesh").await;
    let mut words = line.split([' ', ';']);
    let api = words.find(|word| word.starts_with("http://")).unwrap();
    // Whatever becomes of the test, the roles do not outlive it.
    let _roles = EndsRoles(in_state(&["down", "--api", api]).into_std());

    let second = ["run", "--name", "other", "--api", api, "--", "cat"];
    let mut other = Program::start("other", in_state(&second));
    other.tell("joined").await;
    other.says("joined").await;
    let stat = finish(in_state(&["stat", "-o", "json", "--api", api])).await;
    assert!(stdout(&stat).contains("\"other\""), "{stat:?}");

    job.hang_up();
    assert_eq!(job.exit_code().await, 0);
    assert!(
        !other
            .written()
            .iter()
            .any(|line| line.contains("started a local mesh"))
    );
    other.hang_up();
    assert_eq!(other.exit_code().await, 0);

    let down = finish(in_state(&["down", "--api", api])).await;
    assert_eq!(down.status.code(), Some(0), "{}", stderr(&down));
    let gone = finish(in_state(&["stat", "--api", api])).await;
    assert_eq!(gone.status.code(), Some(69), "{}", stderr(&gone));
}

/// Ends roles that `clew run` has left in the background.
struct EndsRoles(std::process::Command);

impl Drop for EndsRoles {
    fn drop(&mut self) {
        // Fails where the test itself has ended them.
        let _ = self.0.output();
    }
}

/// Waits until the caller's sidecar knows that nobody is there, and refuses in the mesh's own name.
async fn is_refused(shell: &Shell, url: &str) {
    let format = "%{http_code} %header{clew-error}";
    let ask = [
        "curl",
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        format,
        url,
    ];
    eventually("503, no endpoints", async || {
        let shown = shell.output(&ask).await;
        (shown == "503 no_endpoints").then_some(())
    })
    .await;
}
