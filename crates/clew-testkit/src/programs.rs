//! Programs: Clew's own as they are built, and the peers that they work with (`tests/peers/`), each a process
//! of its own.
//!
//! [`Program`] is a process that a test starts, listens to and ends. [`LocalMesh`] is a mesh on this machine
//! as a user has it: `clew roles`, `clew run`, `clew up`, read with the commands that users read it with.
//! [`WholeTrace`] is a trace of which nothing is missing.

mod local_mesh;
mod process;
mod shell;
mod whole_trace;

pub use local_mesh::{LocalMesh, Whereabouts};
pub use process::{HEARS_HANGUP, Program, command, finish, kill, under};
pub use shell::Shell;
pub use whole_trace::WholeTrace;

use crate::within;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

/// Time between two questions of [`eventually`].
const PAUSE: Duration = Duration::from_millis(10);

/// The program `clew`, built beside the test.
pub fn clew() -> PathBuf {
    built("clew")
}

/// The program `clew-proxy`, built beside the test.
pub fn clew_proxy() -> PathBuf {
    built("clew-proxy")
}

/// The Python interpreter that the peers run with. `CLEW_TEST_PYTHON` names it; without that it is the one
/// that `make test` sets up.
pub fn python() -> PathBuf {
    let python = std::env::var_os("CLEW_TEST_PYTHON").map_or_else(
        || target().join("peers/bin/python"),
        |python| workspace().join(PathBuf::from(python)),
    );
    assert!(
        python.exists(),
        "there is no {}: `make test` sets it up, with the packages of tests/peers/requirements.txt",
        python.display()
    );
    python
}

/// A program of `tests/peers/`, as words of a command.
pub fn peer(file: &str, arguments: &[&str]) -> Vec<OsString> {
    let script = workspace().join("tests/peers").join(file);
    let words = [python().into_os_string(), script.into_os_string()];
    let arguments = arguments.iter().map(OsString::from);
    words.into_iter().chain(arguments).collect()
}

/// A program of `tests/peers/node/`, as words of a command: arguments of Node, names of files among them.
pub fn node_peer(arguments: &[&str]) -> Vec<OsString> {
    let folder = workspace().join("tests/peers/node");
    let word = |word: &&str| match word.ends_with(".js") {
        true => folder.join(word).into_os_string(),
        false => OsString::from(word),
    };
    let node = std::iter::once(OsString::from("node"));
    node.chain(arguments.iter().map(word)).collect()
}

/// The packages of `tests/peers/node/package-lock.json`, for `NODE_PATH`.
pub fn node_modules() -> PathBuf {
    set_up("node/node_modules", "tests/peers/node/package-lock.json")
}

/// Envoy, of `tests/peers/envoy.txt`.
pub fn envoy() -> PathBuf {
    set_up("envoy/bin/envoy", "tests/peers/envoy.txt")
}

/// Prometheus, of the system's packages.
pub fn prometheus() -> PathBuf {
    set_up(
        "prometheus/usr/bin/prometheus",
        "Debian's package prometheus",
    )
}

/// What `make test` puts under the target directory.
fn set_up(path: &str, origin: &str) -> PathBuf {
    let path = target().join(path);
    assert!(
        path.exists(),
        "there is no {}: `make test` sets it up, from {origin}",
        path.display()
    );
    path
}

/// Asks again and again, until there is an answer: for what nobody tells.
///
/// # Panics
/// There was none, within [`crate::DEADLINE`].
pub async fn eventually<T>(awaited: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    within(awaited, asking).await
}

/// What a program wrote to its standard output.
pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// What a program wrote to its standard error.
pub fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn built(program: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/peers-0123456789abcdef
    let path = test.ancestors().nth(2).unwrap().join(program);
    assert!(
        path.exists(),
        "there is no {}: `cargo build --workspace` makes it",
        path.display()
    );
    path
}

fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
