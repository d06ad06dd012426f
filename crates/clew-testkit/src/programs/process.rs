//! One process.

use crate::within;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

/// What decides where programs send requests and spans; a test decides that itself.
const SURROUNDINGS: [&str; 14] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "CLEW_API",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_SERVICE_NAME",
    "OTEL_PROPAGATORS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "PORT",
];

/// A command that is not influenced by where the test runs.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in SURROUNDINGS {
        command.env_remove(name);
    }
    command.env("PYTHONUNBUFFERED", "1");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// For [`under`]: SIGHUP has its effect, also where the tests run under nohup.
pub const HEARS_HANGUP: [&str; 2] = ["env", "--default-signal=HUP"];

/// The same command, started by another program that becomes it, such as `nohup`.
pub fn under(words: &[&str], inner: &Command) -> Command {
    let mut outer = command(words[0]);
    let inner = inner.as_std();
    outer.args(&words[1..]).arg(inner.get_program());
    outer.args(inner.get_args());
    let set = inner.get_envs();
    outer.envs(set.filter_map(|(name, value)| Some((name, value?))));
    outer
}

/// Runs a command to its end.
///
/// # Panics
/// It does not end.
pub async fn finish(mut command: Command) -> Output {
    let what = format!("the end of {:?}", command.as_std());
    command.stdin(Stdio::null()).kill_on_drop(true);
    within(&what, command.output()).await.unwrap()
}

/// A process that runs beside the test, in a process group of its own. The group is killed when this is
/// dropped; what the process wrote is shown when the test has failed.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    group: Pid,
    input: Option<ChildStdin>,
    written: watch::Receiver<Written>,
}

/// Lines of a process, in the order in which they came.
#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    /// Standard output and standard error, while they are open.
    open: usize,
}

impl Program {
    /// Starts it.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {:?}: {error}", command.as_std()),
        };
        let group = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
        let (sender, written) = watch::channel(Written {
            lines: Vec::new(),
            open: 2,
        });
        tokio::spawn(listen(child.stdout.take().unwrap(), sender.clone()));
        tokio::spawn(listen(child.stderr.take().unwrap(), sender));
        Self {
            name: name.to_owned(),
            input: child.stdin.take(),
            child,
            group,
            written,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().cast_unsigned()
    }

    /// Waits for a line with this text, on standard output or standard error, and gives it.
    ///
    /// # Panics
    /// It does not come.
    pub async fn says(&self, text: &str) -> String {
        let mut written = self.written.clone();
        let is_it = |line: &&String| line.contains(text);
        let waiting = written
            .wait_for(|written| written.open == 0 || written.lines.iter().any(|line| is_it(&line)));
        let awaited = format!("{} to write {text:?}", self.name);
        let written = within(&awaited, waiting).await.unwrap();
        match written.lines.iter().find(is_it) {
            Some(line) => line.clone(),
            None => panic!(
                "{} has closed its output and never wrote {text:?}",
                self.name
            ),
        }
    }

    /// The one child of its own whose command line holds these words.
    ///
    /// # Panics
    /// There is none, or more than one.
    pub fn child(&self, words: &str) -> u32 {
        let mut children = children(self.pid());
        children.retain(|(_, command)| command.contains(words));
        match children[..] {
            [(pid, _)] => pid,
            _ => panic!(
                "not one child of {} with {words:?}: {children:?}",
                self.name
            ),
        }
    }

    /// All lines that it has written so far.
    pub fn written(&self) -> Vec<String> {
        self.written.borrow().lines.clone()
    }

    /// Writes a line to its standard input.
    pub async fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        let line = format!("{line}\n");
        within("a line to be taken", input.write_all(line.as_bytes()))
            .await
            .unwrap();
    }

    /// Closes its standard input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Sends it a signal; not to its children.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.group, signal).unwrap();
    }

    /// Waits for its end, and until it has said its last word.
    ///
    /// # Panics
    /// It does not end, or something that it has started goes on and holds its output open.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = self.ended_alone().await;
        let mut written = self.written.clone();
        let awaited = format!("the output of {} to end", self.name);
        let closed = written.wait_for(|written| written.open == 0);
        within(&awaited, closed).await.unwrap();
        status
    }

    /// Waits for its end, though something that it has started may go on.
    pub async fn ended_alone(&mut self) -> ExitStatus {
        let awaited = format!("{} to end", self.name);
        within(&awaited, self.child.wait()).await.unwrap()
    }

    /// Waits for its end, and gives its exit code.
    ///
    /// # Panics
    /// A signal has ended it.
    pub async fn exit_code(&mut self) -> i32 {
        let status = self.ended().await;
        match status.code() {
            Some(code) => code,
            None => panic!("{} was ended by a signal: {status}", self.name),
        }
    }

    /// Asks it to end, as a user does, and waits until it has.
    pub async fn end(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }
}

impl Program {
    /// Whether its group is still its own, or nobody's.
    ///
    /// 1. The process has ended and was waited for, and nothing that it started is left: its id is free.
    /// 2. The system gives ids out in a circle, which is short where many processes begin: somebody else has it.
    /// 3. That one may lead a group of its own, as a test under nextest does, and the roles that another test has started.
    ///
    /// While something is left in the group, the id is given to nobody.
    fn has_group(&self) -> bool {
        self.child.id().is_some() || !Path::new(&format!("/proc/{}", self.pid())).exists()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What it has started may be in groups of its own, and it gets no chance to end it.
        let descendants = self.child.id().map(descendants).unwrap_or_default();
        if self.has_group() {
            // Fails when nobody is left.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        for pid in descendants.into_iter().rev() {
            let _ = Pid::from_raw(pid.cast_signed()).map(|pid| kill_process(pid, Signal::KILL));
        }
        if std::thread::panicking() {
            let mut shown = String::new();
            for line in &self.written.borrow().lines {
                let _ = writeln!(shown, "  {} | {line}", self.name);
            }
            eprintln!("What {} wrote:\n{shown}", self.name);
        }
    }
}

/// Kills a process that a program under test has started.
pub fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// Everything below a process, parents before their children.
fn descendants(pid: u32) -> Vec<u32> {
    let mut all: Vec<u32> = children(pid).into_iter().map(|(pid, _)| pid).collect();
    let mut at = 0;
    while let Some(&pid) = all.get(at) {
        all.extend(children(pid).into_iter().map(|(pid, _)| pid));
        at += 1;
    }
    all
}

/// The children of a process, whichever of its threads has started them, with their command lines (proc(5)).
fn children(pid: u32) -> Vec<(u32, String)> {
    // There are none when it has ended meanwhile.
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let threads = threads.into_iter().flatten().filter_map(Result::ok);
    let of_thread = |thread: std::fs::DirEntry| {
        std::fs::read_to_string(thread.path().join("children")).unwrap_or_default()
    };
    let children: Vec<String> = threads.map(of_thread).collect();
    let pids = children.iter().flat_map(|line| line.split_whitespace());
    let described = pids.map(|pid| {
        let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
        (
            pid.parse().unwrap(),
            words.unwrap_or_default().replace('\0', " "),
        )
    });
    described.collect()
}

/// Takes lines until there are no more.
async fn listen(output: impl AsyncRead + Unpin, written: watch::Sender<Written>) {
    let mut lines = BufReader::new(output).lines();
    // What is no text ends the listening, as the end does.
    while let Ok(Some(line)) = lines.next_line().await {
        written.send_modify(|written| written.lines.push(line));
    }
    written.send_modify(|written| written.open -= 1);
}
