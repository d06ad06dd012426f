//! Signals that end a process: the first starts the drain, the second forces it.

use std::io;

use tokio::signal::unix::{self, SignalKind};

use crate::drain::Drain;

/// A signal that asks the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: from whoever supervises the process.
    Terminate,
    /// SIGINT: from the terminal.
    Interrupt,
}

impl Signal {
    /// Its number, as exit codes (128 + number) and kill(2) use it.
    pub fn number(self) -> i32 {
        match self {
            Signal::Terminate => SignalKind::terminate().as_raw_value(),
            Signal::Interrupt => SignalKind::interrupt().as_raw_value(),
        }
    }

    /// Its name, such as `SIGTERM`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Terminate => "SIGTERM",
            Signal::Interrupt => "SIGINT",
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
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Takes over SIGTERM and SIGINT.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O.
    pub fn install() -> Result<Self, SignalError> {
        let listen = |kind, signal: Signal| {
            unix::signal(kind).map_err(|source| SignalError {
                name: signal.name(),
                source,
            })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate(), Signal::Terminate)?,
            interrupt: listen(SignalKind::interrupt(), Signal::Interrupt)?,
        })
    }

    /// The next signal. Safe to cancel.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            // The streams of a runtime that is shutting down end; nothing will come.
            else => std::future::pending().await,
        }
    }

    /// Turns the first signal into the start of the drain and the second into force; resolves after
    /// that. Run it beside [`Drain::finished`].
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

#[cfg(test)]
mod tests;
