//! What can go wrong at the store's border: opening it, writing to it, reading from it.

use std::path::PathBuf;
use std::time::Duration;

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or the file cannot be created or opened.
    #[error("cannot open the store {}: check that the directory exists and can be written", path.display())]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("the store {} is in use by another process: stop that one, or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a Clew store: name another file; it was left as it is", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer Clew.
    #[error(
        "the store {} has format {found}, and this Clew knows formats up to {known}: use a newer Clew, or move the file away",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: i64,
        /// Newest format that is known.
        known: i64,
    },
    /// The file is damaged.
    #[error("the store {} is damaged: move it away (with its -wal and -shm files) and a new one is begun", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite refused for another reason.
    #[error("cannot prepare the store {} ({operation})", path.display())]
    Prepare {
        /// The file.
        path: PathBuf,
        /// What was being done.
        operation: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The writer's thread could not be started.
    #[error("cannot start the store's writer")]
    Thread(#[source] std::io::Error),
}

/// The store did not take something. Nobody waits: the caller counts it and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// As much waits to be written as may wait. Trying again later is right.
    #[error("the store's queue is full")]
    Full,
    /// Something that was accepted could not be written, a full disk for one. The log says why.
    #[error("the store could not write")]
    Failed,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// A question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It took longer than a question may take, and was given up.
    #[error("the store did not answer within {0:?}: ask about a shorter window")]
    TimedOut(Duration),
    /// SQLite refused.
    #[error("cannot read the store ({operation})")]
    Query {
        /// What was being read.
        operation: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A row cannot be understood.
    #[error("the store holds {what} that cannot be understood")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}
