//! `clew run`: signals, exit codes, and instances that die.

use clew_testkit::programs::{
    HEARS_HANGUP, LocalMesh, Program, Shell, clew, command, eventually, finish, kill, peer, stderr,
    stdout, under,
};
use rustix::process::Signal;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use tokio::net::TcpSocket;

fn words(words: &[&str]) -> Vec<std::ffi::OsString> {
    words.iter().map(Into::into).collect()
}

#[tokio::test]
async fn signals_reach_the_process_and_its_exit_code_comes_back() {
    let mesh = LocalMesh::start().await;
    let mut job = mesh.clew(&["run", "--name", "job", "--"]);
    job.args(peer("signals.py", &[]));
    let mut job = Program::start("job", under(&HEARS_HANGUP, &job));
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
    // The application outlives a sidecar that is killed, and holds its output.
    assert_eq!(books.ended_alone().await.signal(), Some(9));
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
    // Control knows it; observe hears of it from there.
    eventually("the other to be shown", async || {
        let stat = finish(in_state(&["stat", "-o", "json", "--api", api])).await;
        stdout(&stat).contains("\"other\"").then_some(())
    })
    .await;

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

/// Bound and not listening: nobody else gets the port, and the roles can listen on it.
fn kept_port() -> TcpSocket {
    let kept = TcpSocket::new_v4().unwrap();
    kept.set_reuseaddr(true).unwrap();
    kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    kept
}

/// 1. The first `clew run` starts the roles, and what they report is changed.
/// 2. The roles are killed, which nobody can prepare for, and the next `clew run` starts others.
/// 3. These begin with the change.
#[tokio::test]
async fn settings_that_were_changed_outlive_the_roles() {
    let state = tempfile::tempdir().unwrap();
    let kept = kept_port();
    let api = kept.local_addr().unwrap().to_string();
    let on_mesh = |words: &[&str]| {
        let mut command = command(clew());
        command.args(words).env("CLEW_API", &api);
        command.env("XDG_STATE_HOME", state.path());
        command
    };
    let _roles = EndsRoles(on_mesh(&["down"]).into_std());
    let run = ["run", "--name", "job", "--", "true"];
    let first = finish(on_mesh(&run)).await;
    assert!(stderr(&first).contains("started a local mesh"), "{first:?}");
    let set = finish(on_mesh(&["settings", "--sample", "0.25"])).await;
    assert!(set.status.success(), "{set:?}");

    let record = format!("clew/127.0.0.1_{}.json", kept.local_addr().unwrap().port());
    let record = std::fs::read_to_string(state.path().join(record)).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    kill(record["pid"].as_u64().unwrap().try_into().unwrap());
    eventually("the roles to be gone", async || {
        let answer = finish(on_mesh(&["stat"])).await;
        (answer.status.code() == Some(69)).then_some(())
    })
    .await;

    // What a process had open is closed one after the other; the next mesh needs the lock as well.
    let rest = finish(on_mesh(&["down"])).await;
    assert!(matches!(rest.status.code(), Some(0 | 69)), "{rest:?}");

    let second = finish(on_mesh(&run)).await;
    assert!(
        stderr(&second).contains("started a local mesh"),
        "{second:?}"
    );
    let settings = finish(on_mesh(&["settings", "-o", "json"])).await;
    assert!(settings.status.success(), "{settings:?}");
    let settings: serde_json::Value = serde_json::from_str(stdout(&settings)).unwrap();
    assert_eq!(settings["sampling_ratio"], 0.25);
}

/// Each of the two finds no mesh, and starts roles. One pair gets the port.
#[tokio::test]
async fn two_runs_at_once_start_one_mesh_and_both_are_in_it() {
    let state = tempfile::tempdir().unwrap();
    let kept = kept_port();
    let api = kept.local_addr().unwrap().to_string();
    let on_mesh = |words: &[&str]| {
        let mut command = command(clew());
        command.args(words).env("CLEW_API", &api);
        command.env("XDG_STATE_HOME", state.path());
        command
    };
    let _roles = EndsRoles(on_mesh(&["down"]).into_std());

    let mut runs = ["one", "two"]
        .map(|name| Program::start(name, on_mesh(&["run", "--name", name, "--", "cat"])));
    let mut started = 0;
    for run in &mut runs {
        run.tell("joined").await;
        run.says("joined").await;
        let is_start = |line: &&String| line.contains("started a local mesh");
        started += run.written().iter().filter(is_start).count();
    }

    assert_eq!(started, 1);
    // Control knows both; observe hears of them from there.
    eventually("both to be shown", async || {
        let stat = finish(on_mesh(&["stat", "-o", "json"])).await;
        let names = ["\"one\"", "\"two\""];
        let shown = names.iter().all(|name| stdout(&stat).contains(name));
        shown.then_some(())
    })
    .await;
    for run in &mut runs {
        run.hang_up();
        assert_eq!(run.exit_code().await, 0);
    }
    let down = finish(on_mesh(&["down"])).await;
    assert_eq!(down.status.code(), Some(0), "{}", stderr(&down));
}

/// 1. The port of the API is taken by a stranger, so that `clew run` waits for a mesh that does not come.
/// 2. It has opened the log of the roles, and is told to end. 3. It ends as a process would that was ended by
///    the signal, and has not started its own.
#[tokio::test]
async fn a_run_that_is_interrupted_before_its_process_starts_never_starts_it() {
    let state = tempfile::tempdir().unwrap();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = stranger.local_addr().unwrap();
    let mut run = command(clew());
    run.args(["run", "--name", "job", "--api", &api.to_string()]);
    run.args(["--", "echo", "it has started"]);
    run.env("XDG_STATE_HOME", state.path());
    let mut run = Program::start("job", run);
    let log = state
        .path()
        .join(format!("clew/127.0.0.1_{}.log", api.port()));
    eventually("the log of the roles", async || log.exists().then_some(())).await;

    run.signal(Signal::INT);

    assert_eq!(run.exit_code().await, 128 + 2);
    assert_eq!(run.written(), [""; 0]);
}

#[tokio::test]
async fn a_workload_is_named_by_what_runs_unless_it_is_told_its_name() {
    let mesh = LocalMesh::start().await;
    let mut run = mesh.clew(&["run", "--"]);
    run.args(peer("signals.py", &[]));
    let run = Program::start("signals", run);
    run.says("the workload is named signals").await;
    assert_eq!(mesh.joined(&run).await.workload, "signals");
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
