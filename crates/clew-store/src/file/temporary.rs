//! Temporary stores: a directory each, and the end of those that a killed process left behind.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Of the name of each directory.
const PREFIX: &str = "clew-store-";
/// Name of the file in it.
pub(super) const FILE: &str = "clew.db";
/// A directory may be new, and its owner about to lock it.
const SETTLING: Duration = Duration::from_secs(60);

/// A directory for a new temporary store in `parent`. Deletes those there whose owner has ended.
pub(super) fn create(parent: &Path) -> io::Result<TempDir> {
    remove_abandoned(parent);
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)
}

/// Best effort: what cannot be looked at or deleted stays.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && is_abandoned(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Nobody holds its lock, and it is not new.
fn is_abandoned(directory: &Path) -> bool {
    let lock = super::lock_path(&directory.join(FILE));
    let age = std::fs::metadata(&lock)
        .and_then(|lock| lock.modified())
        .ok()
        .and_then(|made| made.elapsed().ok());
    age.is_some_and(|age| age > SETTLING)
        && File::open(&lock).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests;
