//! The log of a process: text for a terminal, JSON for a machine, on standard error. What is logged can
//! change while the process runs.

use std::{fmt, io};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text {
        /// Colour them; only where standard error is a terminal.
        colour: bool,
    },
    /// One JSON object on a line.
    Json,
}

/// How what is to be logged is written, for messages.
pub const LEVELS_FORM: &str =
    "a level such as info, or levels by module such as warn,clew_proxy=debug";
/// The longest way to say it, in bytes: it is looked at for every line that might be logged.
pub const MAX_LEVELS_BYTES: usize = 1024;

/// The log of this process cannot be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// What to log is not written as `info` or `warn,clew_proxy=debug`.
    #[error("{0:?} does not say what to log; expected {LEVELS_FORM}")]
    Filter(String),
    /// The process has a log already.
    #[error("the process has a log already")]
    Taken(#[source] TryInitError),
    /// The log is gone.
    #[error("the log is gone")]
    Gone(#[source] reload::Error),
}

/// Changes what is logged.
#[derive(Clone)]
pub struct LogControl {
    filter: reload::Handle<Targets, Registry>,
}

impl LogControl {
    /// Logs this from now on: a level (`info`), or levels by module (`warn,clew_proxy=debug`).
    ///
    /// # Errors
    /// It does not say what to log ([`LEVELS_FORM`]), or there is no log any more.
    pub fn set(&self, what: &str) -> Result<(), LoggingError> {
        self.filter
            .reload(parse_filter(what)?)
            .map_err(LoggingError::Gone)?;
        tracing::info!(levels = what, "what is logged has changed");
        Ok(())
    }

    /// What is logged, in the same form.
    pub fn current(&self) -> Result<String, LoggingError> {
        self.filter
            .with_current(ToString::to_string)
            .map_err(LoggingError::Gone)
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current().unwrap_or_else(|error| error.to_string());
        f.debug_tuple("LogControl").field(&current).finish()
    }
}

/// Whether this says what to log, as [`LogControl::set`] takes it.
///
/// # Errors
/// It does not.
pub fn check(what: &str) -> Result<(), LoggingError> {
    parse_filter(what).map(drop)
}

/// Sets up the log of this process, once. `what` is as for [`LogControl::set`].
pub fn init(format: LogFormat, what: &str) -> Result<LogControl, LoggingError> {
    let (filter, control) = filter(what)?;
    tracing_subscriber::registry()
        .with(lines(format, io::stderr).with_filter(filter))
        .try_init()
        .map_err(LoggingError::Taken)?;
    Ok(control)
}

type Filter = reload::Layer<Targets, Registry>;

fn filter(what: &str) -> Result<(Filter, LogControl), LoggingError> {
    let (filter, handle) = reload::Layer::new(parse_filter(what)?);
    Ok((filter, LogControl { filter: handle }))
}

fn parse_filter(what: &str) -> Result<Targets, LoggingError> {
    // A word alone would be taken for a module whose every line is wanted: it is a level misspelt.
    // Nothing at all would be taken for `error`.
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    let parts_are_right = what
        .split(',')
        .all(|part| is_level(part.rsplit('=').next().unwrap_or(part)));
    what.parse()
        .ok()
        .filter(|_| parts_are_right && what.len() <= MAX_LEVELS_BYTES)
        .ok_or_else(|| LoggingError::Filter(what.to_owned()))
}

fn lines<W>(format: LogFormat, to: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(to);
    match format {
        LogFormat::Text { colour } => layer.with_ansi(colour).with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests;
