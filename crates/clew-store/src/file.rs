//! The file: where it is, whose it is, and in which format.

mod schema;
mod temporary;

use crate::error::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a store lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePath {
    /// In this file; it is created when it does not exist, its directory too.
    File(PathBuf),
    /// In a file of its own that is deleted at the end.
    Temporary,
}

/// What holds the file for this process. Dropped after the last connection.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    _lock: File,
    _temporary: Option<tempfile::TempDir>,
}

impl Claim {
    /// Makes sure that the file can exist and that no other process writes to it: two writers would
    /// both book the same increases.
    pub(crate) fn take(place: StorePath) -> Result<Self, StoreError> {
        let (path, temporary) = match place {
            StorePath::File(path) => (path, None),
            StorePath::Temporary => {
                let parent = std::env::temp_dir();
                let directory =
                    temporary::create(&parent).map_err(|source| StoreError::Unreachable {
                        path: parent.clone(),
                        source,
                    })?;
                (directory.path().join(temporary::FILE), Some(directory))
            }
        };
        let unreachable = |source| StoreError::Unreachable {
            path: path.clone(),
            source,
        };
        if let Some(directory) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            std::fs::create_dir_all(directory).map_err(unreachable)?;
        }
        let lock = File::create(lock_path(&path)).map_err(unreachable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                _lock: lock,
                _temporary: temporary,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(StoreError::Unreachable { path, source }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The connection that writes, with the file in the newest format.
    pub(crate) fn open_for_writing(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&self.path, flags)
            .map_err(|error| self.explain("open", error))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(|error| self.explain("open", error))?;
        schema::prepare(&mut connection, &self.path)?;
        Ok(connection)
    }

    /// A connection that reads what is committed.
    pub(crate) fn open_for_reading(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)
            .map_err(|error| self.explain("open for reading", error))?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(|error| self.explain("open for reading", error))?;
        Ok(connection)
    }

    fn explain(&self, operation: &'static str, error: rusqlite::Error) -> StoreError {
        explain(&self.path, operation, error)
    }
}

/// SQLite's error in the words of someone who has to do something about it.
fn explain(path: &Path, operation: &'static str, source: rusqlite::Error) -> StoreError {
    let path = path.to_path_buf();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotAStore { path },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { path, source },
        _ => StoreError::Prepare {
            path,
            operation,
            source,
        },
    }
}

/// Beside the file, and not the file itself: SQLite's own locks on it must not be disturbed.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}
