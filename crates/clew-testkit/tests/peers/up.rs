//! `clew up`: what it refuses, how it ends, and what is left when it has ended.

use clew_testkit::programs::{
    HEARS_HANGUP, LocalMesh, Program, clew, command, eventually, finish, kill, stderr, under,
};
use rustix::process::Signal;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::Command;

/// Writes `NAME ends` when it is asked to end, and does.
const ENDS: &str = "trap 'echo $0 ends; exit 0' TERM; echo $0 runs; while :; do sleep 0.02; done";

/// A file for `clew up`, in a folder of its own, where the programs run.
struct Folder(TempDir);

impl Folder {
    fn of(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mesh.yaml"), file).unwrap();
        Self(folder)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// `clew up`, with the API at a port of the system's.
    fn up(&self) -> Command {
        self.up_at("127.0.0.1:0")
    }

    fn up_at(&self, api: &str) -> Command {
        let mut up = command(clew());
        up.arg("up").arg("-f").arg(self.path("mesh.yaml"));
        up.env("CLEW_API", api);
        up.env("XDG_STATE_HOME", self.path("state"));
        up
    }

    async fn refused(&self, api: &str) -> Output {
        finish(self.up_at(api)).await
    }
}

/// A service of a file that runs a shell script.
fn shell(name: &str, script: &str, to: &str) -> String {
    let script = script.replace('"', "\\\"");
    format!("  {name}: {{ to: [{to}], run: [sh, -c, \"{script}\", {name}] }}\n")
}

#[tokio::test]
async fn a_wrong_file_is_wrong_usage_and_all_its_mistakes_are_told_at_once() {
    let folder = Folder::of("mesh: a\nservices:\n  b:\n    port: seven\n    to: [c]\n");
    let output = folder.refused("127.0.0.1:0").await;
    assert_eq!(output.status.code(), Some(64), "{output:?}");
    let said: Vec<&str> = stderr(&output).lines().collect();
    let [port, to] = said[..] else {
        panic!("{said:#?}");
    };
    let file = folder.path("mesh.yaml");
    let file = file.display();
    assert!(
        port.starts_with(&format!("{file}:4: services.b.port: given \"seven\"")),
        "{port}"
    );
    assert!(
        to.starts_with(&format!("{file}:5: services.b.to[0]: given \"c\"")),
        "{to}"
    );

    let missing = finish(Folder::of("").up_at("127.0.0.1:0")).await;
    assert_eq!(missing.status.code(), Some(64), "{missing:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_no_program_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let service = shell("books", "touch started", "");
    let alone = format!("mesh: a\nservices:\n{service}");
    let routes = "routes: [ { to: books } ]";
    let with_gateway = format!("gateway: {{ listen: '{taken}', {routes} }}\n{alone}");
    for (file, api, expected) in [
        (
            alone,
            taken.to_string(),
            format!("port {} of the API is taken", taken.port()),
        ),
        (
            with_gateway,
            "127.0.0.1:0".to_owned(),
            format!("gateway cannot listen on {taken}"),
        ),
    ] {
        let folder = Folder::of(&file);
        let output = folder.refused(&api).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr(&output).contains(&expected), "{output:?}");
        assert!(!folder.path("started").exists());
    }
}

#[tokio::test]
async fn it_ends_with_its_last_program_and_with_1_when_one_of_them_failed() {
    for (second, code) in [("exit 0", 0), ("exit 7", 1)] {
        let two = shell("two", second, "").replace("to:", "restart: never, to:");
        let services = shell("one", "exit 0", "") + &two;
        let folder = Folder::of(&format!("mesh: a\nservices:\n{services}"));
        let mut up = Program::start("up", folder.up());
        assert_eq!(up.exit_code().await, code, "{second}");
    }
}

#[tokio::test]
async fn a_program_that_fails_is_started_again_and_it_ends_well_when_that_ended_well() {
    let script = "[ -e lived ] && exit 0; touch lived; echo lives; exit 7";
    let folder = Folder::of(&format!("mesh: a\nservices:\n{}", shell("one", script, "")));
    let mut up = Program::start("up", folder.up());

    up.says("one  | lives").await;
    up.says("one  | ended with code 7; starts again in 1 s")
        .await;

    up.says("one  | ended").await;
    assert_eq!(up.exit_code().await, 0);
}

/// A program whose mesh has forgotten it would be a program that nobody can reach.
#[tokio::test]
async fn an_instance_leaves_the_mesh_with_its_program_and_joins_anew_with_the_next() {
    let script = "while ! [ -e fail ]; do sleep 0.02; done; rm fail; exit 7";
    let folder = Folder::of(&format!("mesh: a\nservices:\n{}", shell("one", script, "")));
    let mesh = LocalMesh::up(&folder.path("mesh.yaml")).await;
    let active = async || {
        let members = mesh.members().await.into_iter();
        let ids = members.filter(|member| !member.leaving);
        ids.map(|member| member.id).collect::<Vec<_>>()
    };
    let [first] = <[String; 1]>::try_from(active().await).unwrap();

    std::fs::write(folder.path("fail"), "").unwrap();

    let second = eventually("a new instance", async || {
        let [id] = <[String; 1]>::try_from(active().await).ok()?;
        (id != first).then_some(id)
    })
    .await;
    // Where it is now is told as where it was: the second life has a sidecar of its own.
    mesh.roles.says(&second).await;
    assert_eq!(mesh.roles.end().await.code(), Some(0));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_and_what_runs_already_is_ended() {
    let services = shell("one", "echo $$ > pid; exec sleep 1000", "");
    let two = "  two: { run: ./no-such-program }\n";
    let folder = Folder::of(&format!("mesh: a\nservices:\n{services}{two}"));
    let output = folder.refused("127.0.0.1:0").await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("cannot start two"), "{output:?}");
    // It may have been ended before it had written anything.
    if let Ok(pid) = std::fs::read_to_string(folder.path("pid")) {
        let pid = pid.trim();
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "{pid}");
    }
}

#[tokio::test]
async fn every_signal_that_ends_it_ends_callers_before_those_they_call() {
    let services = shell("authors", ENDS, "")
        + &shell("books", ENDS, "authors")
        + &shell("webapp", ENDS, "books, authors");
    let folder = Folder::of(&format!("mesh: a\nservices:\n{services}"));
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let mut up = Program::start("up", under(&HEARS_HANGUP, &folder.up()));
        for name in ["webapp", "books", "authors"] {
            up.says(&format!("{name} runs")).await;
        }

        up.signal(signal);

        assert_eq!(up.exit_code().await, 0, "{signal:?}");
        let written = up.written();
        let ends = written.iter().filter_map(|line| line.split("| ").nth(1));
        let ends: Vec<&str> = ends.filter(|line| line.ends_with(" ends")).collect();
        assert_eq!(
            ends,
            ["webapp ends", "books ends", "authors ends"],
            "{signal:?}"
        );
    }
}

#[tokio::test]
async fn under_nohup_it_outlives_its_terminal() {
    let folder = Folder::of(&format!("mesh: a\nservices:\n{}", shell("one", ENDS, "")));
    let mut up = Program::start("up", under(&["nohup"], &folder.up()));
    up.says("one runs").await;

    up.signal(Signal::HUP);
    up.signal(Signal::TERM);

    assert_eq!(up.exit_code().await, 0);
    // The second of two would have killed it.
    up.says("one ends").await;
}

/// The bound is half of what a program is given to end after the first signal.
#[tokio::test]
async fn a_second_signal_kills_what_does_not_end() {
    let script = "trap 'echo asked' TERM; echo runs; while :; do sleep 0.02; done";
    let folder = Folder::of(&format!(
        "mesh: a\nservices:\n{}",
        shell("deaf", script, "")
    ));
    let mut up = Program::start("up", folder.up());
    up.says("runs").await;
    let begin = Instant::now();
    up.signal(Signal::INT);
    up.says("asked").await;

    up.signal(Signal::INT);

    up.says("had not ended, and was killed").await;
    assert_eq!(up.exit_code().await, 0);
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

/// 1. A program starts another one, which leaves its group and keeps its output. 2. The program ends. 3. So does
///    `clew up`, and says what it does not show any more.
#[tokio::test]
async fn an_output_that_a_stranger_holds_open_is_let_go() {
    let stranger = "echo $$ > pid.new; mv pid.new pid; exec sleep 60";
    let script = format!("setsid sh -c '{stranger}' & while ! [ -e pid ]; do sleep 0.02; done");
    let folder = Folder::of(&format!(
        "mesh: a\nservices:\n{}",
        shell("parent", &script, "")
    ));
    let mut up = Program::start("up", folder.up());

    up.says("its output is held open").await;

    assert_eq!(up.exit_code().await, 0);
    let pid = std::fs::read_to_string(folder.path("pid")).unwrap();
    kill(pid.trim().parse().unwrap());
}

/// Two meshes may have one name: each keeps its numbers by the address of its API.
#[tokio::test]
async fn two_meshes_of_one_name_run_at_two_addresses() {
    let folder = Folder::of(&format!("mesh: a\nservices:\n{}", shell("one", ENDS, "")));
    let mut meshes = Vec::new();
    for _ in 0..2 {
        // Bound and not listening: nobody else gets the port, and the roles can listen on it.
        let kept = tokio::net::TcpSocket::new_v4().unwrap();
        kept.set_reuseaddr(true).unwrap();
        kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let api = kept.local_addr().unwrap();
        let up = Program::start("up", folder.up_at(&api.to_string()));
        up.says("one runs").await;
        meshes.push((up, kept, api));
    }
    for (up, _, api) in meshes {
        assert_eq!(up.end().await.code(), Some(0));
        let store = format!("state/clew/127.0.0.1_{}.a.db", api.port());
        assert!(folder.path(&store).exists(), "{store}");
    }
}
