//! Child processes: started in a group of their own where we supervise them, ended by their id, and
//! their end told as an exit code.

use clew_runtime::drain::DrainWatch;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{self, SignalKind, signal};

/// A program could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpawnError {
    /// There is no such file.
    #[error("there is no program {program}, or no working directory for it")]
    NotFound {
        /// The program.
        program: String,
    },
    /// It may not be run, or cannot be.
    #[error("{program} cannot be run")]
    NotRun {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

impl SpawnError {
    /// A program that the system refused to start.
    pub(crate) fn new(program: &str, source: io::Error) -> Self {
        let program = program.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { program },
            _ => Self::NotRun { program, source },
        }
    }

    /// The code that a shell ends with: 127 when there is no such program, else 126.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotRun { .. } => 126,
        }
    }
}

/// The exit code that tells how a process ended: its own, or 128 and the signal's number.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// How a process ended, in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "ended".to_owned(),
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => {
            let name = Signal::from_named_raw(signal).map(signal_name);
            format!(
                "was ended by {}",
                name.unwrap_or_else(|| format!("signal {signal}"))
            )
        }
        (None, None) => status.to_string(),
    }
}

fn signal_name(signal: Signal) -> String {
    let name = match signal {
        Signal::HUP => "SIGHUP",
        Signal::INT => "SIGINT",
        Signal::QUIT => "SIGQUIT",
        Signal::ILL => "SIGILL",
        Signal::ABORT => "SIGABRT",
        Signal::BUS => "SIGBUS",
        Signal::FPE => "SIGFPE",
        Signal::KILL => "SIGKILL",
        Signal::SEGV => "SIGSEGV",
        Signal::PIPE => "SIGPIPE",
        Signal::TERM => "SIGTERM",
        other => return format!("signal {}", other.as_raw()),
    };
    name.to_owned()
}

/// A supervised process and what it started: a process group. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    child: Child,
    /// The group's id, which is the first process's; `None` once that was waited for, when the system
    /// may give the number to another.
    group: Option<Pid>,
    /// Says that some child of ours has ended.
    children: unix::Signal,
    /// Never written to. It closes when we end, however we end: who reads it knows.
    _stdin: Option<ChildStdin>,
}

impl ProcessGroup {
    /// Starts a process in a group of its own, its output in pipes, its input a pipe in which nothing
    /// ever comes. Not `/dev/null`: watchers of sources end with their input, and the books application
    /// ends with it on purpose.
    pub(crate) fn start(program: &str, mut command: Command) -> Result<Self, SpawnError> {
        let failed = |source| SpawnError::new(program, source);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Before the process can end, so that its end is not missed.
        let children = signal(SignalKind::child()).map_err(failed)?;
        let mut child = command
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let stdin = child.stdin.take();
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self {
            child,
            group,
            children,
            _stdin: stdin,
        })
    }

    /// Its output, once.
    pub(crate) fn take_output(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for the end of the first process of the group; what it leaves behind is killed, because
    /// nobody else would end it. Safe to cancel.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        while let Some(group) = self.group {
            if has_ended(group)? {
                self.signal(Signal::KILL);
                self.group = None;
            } else {
                self.children.recv().await;
            }
        }
        self.child.wait().await
    }

    /// Asks the group to end, and kills what is left of it when the drain is forced, by its deadline or by
    /// someone who will not wait.
    pub(crate) async fn end(&mut self, drain: &DrainWatch) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        tokio::select! {
            ended = self.ended() => return ended,
            () = drain.forced() => self.signal(Signal::KILL),
        }
        self.ended().await
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It fails when all of the group have ended, which is what was asked for.
            let _ = kill_process_group(group, signal);
        }
    }
}

/// Whether a child has ended; leaves it to be waited for.
fn has_ended(child: Pid) -> io::Result<bool> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(child), look)?.is_some())
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests;
