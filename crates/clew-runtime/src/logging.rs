//! The log of a process: text for a terminal, JSON for a machine, on standard error. What is logged can
//! change while the process runs.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt};

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

/// The log of this process cannot be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// What to log is not written as `info` or `warn,clew_proxy=debug`.
    #[error(
        "{0:?} does not say what to log; expected a level such as info, \
         or levels by module such as warn,clew_proxy=debug"
    )]
    Filter(String),
    /// The process has a log already.
    #[error("the process has a log already")]
    Taken(#[source] TryInitError),
    /// The log is gone.
    #[error("the log is gone")]
    Gone(#[source] reload::Error),
}

/// Changes what is logged.
#[derive(Clone, Debug)]
pub struct LogControl {
    filter: reload::Handle<Targets, Registry>,
}

impl LogControl {
    /// Logs this from now on: a level (`info`), or levels by module (`warn,clew_proxy=debug`).
    pub fn set(&self, what: &str) -> Result<(), LoggingError> {
        self.filter
            .reload(parse_filter(what)?)
            .map_err(LoggingError::Gone)
    }

    /// What is logged, in the same form.
    pub fn current(&self) -> Result<String, LoggingError> {
        self.filter
            .with_current(ToString::to_string)
            .map_err(LoggingError::Gone)
    }
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
        .filter(|_| parts_are_right)
        .ok_or_else(|| LoggingError::Filter(what.to_owned()))
}

fn lines<W>(format: LogFormat, to: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(to);
    match format {
        LogFormat::Text { colour } => layer.with_ansi(colour).with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests;
