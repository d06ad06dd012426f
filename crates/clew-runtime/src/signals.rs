//! Signals of a process. Those that end it start the drain, and a second one forces it.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use tokio::signal::unix::{self, SignalKind};

use crate::drain::Drain;

/// A signal that a process takes in its own hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: from whoever supervises the process.
    Terminate,
    /// SIGINT: from the terminal (Ctrl-C).
    Interrupt,
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGQUIT: from the terminal (Ctrl-\).
    Quit,
    /// SIGUSR1: means what the program says.
    User1,
    /// SIGUSR2: means what the program says.
    User2,
}

impl Signal {
    /// The signals that ask a process to end.
    pub const ENDING: &[Signal] = &[
        Signal::Terminate,
        Signal::Interrupt,
        Signal::Hangup,
        Signal::Quit,
    ];
    /// All of them, for a process that stands in front of another one.
    pub const ALL: &[Signal] = &[
        Signal::Terminate,
        Signal::Interrupt,
        Signal::Hangup,
        Signal::Quit,
        Signal::User1,
        Signal::User2,
    ];

    /// Its number, as exit codes (128 + number) and kill(2) use it.
    pub fn number(self) -> i32 {
        self.kind().as_raw_value()
    }

    /// Its name, such as `SIGTERM`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Terminate => "SIGTERM",
            Signal::Interrupt => "SIGINT",
            Signal::Hangup => "SIGHUP",
            Signal::Quit => "SIGQUIT",
            Signal::User1 => "SIGUSR1",
            Signal::User2 => "SIGUSR2",
        }
    }

    fn kind(self) -> SignalKind {
        match self {
            Signal::Terminate => SignalKind::terminate(),
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Hangup => SignalKind::hangup(),
            Signal::Quit => SignalKind::quit(),
            Signal::User1 => SignalKind::user_defined1(),
            Signal::User2 => SignalKind::user_defined2(),
        }
    }
}

/// The system refused to hand over a signal.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for {name}")]
pub struct SignalError {
    name: &'static str,
    source: io::Error,
}

/// The signals of this process. From [`Signals::install`] on they no longer end it by themselves, until
/// the process ends.
#[derive(Debug)]
pub struct Signals {
    sources: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    /// Takes over the signals that ask a process to end ([`Signal::ENDING`]).
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O.
    pub fn install() -> Result<Self, SignalError> {
        Self::install_these(Signal::ENDING)
    }

    /// Takes over these signals. SIGHUP stays ignored where it was: `nohup` asks for that, and a process
    /// that is started from here inherits it.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O.
    pub fn install_these(signals: &[Signal]) -> Result<Self, SignalError> {
        let mut sources = Vec::with_capacity(signals.len());
        for signal in signals {
            if *signal == Signal::Hangup && is_ignored(*signal) {
                continue;
            }
            let source = unix::signal(signal.kind()).map_err(|source| SignalError {
                name: signal.name(),
                source,
            })?;
            sources.push((*signal, source));
        }
        Ok(Self { sources })
    }

    /// The next signal. Safe to cancel.
    pub async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, source) in &mut self.sources {
                // A stream of a runtime that is shutting down ends; nothing will come from it.
                if let Poll::Ready(Some(())) = source.poll_recv(context) {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Turns the first signal into the start of the drain and the second into force; resolves after
    /// that. Run it beside what the drain ends.
    pub async fn drive(&mut self, drain: &Drain) {
        let first = self.next().await;
        tracing::info!(
            "{}: open work may finish; once more ends it now",
            first.name()
        );
        drain.start();
        let second = self.next().await;
        tracing::warn!("{}: ending open work now", second.name());
        drain.force();
    }
}

/// Whether this process ignores a signal, which it can only have inherited (proc(5)).
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.number() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests;
