//! What programs wrote, kept in files: one of each instance in a folder beside the store, of bounded size, so
//! that `clew logs` can show it later and elsewhere.
//!
//! A line of a file is `TIME STREAM TEXT`: when it was read (RFC 3339, UTC), `o` for standard output or `e` for
//! standard error, and what was written. A file that is full becomes `.old`, in the place of the last one.

pub(crate) mod read;

use super::record::file_of;
use jiff::Timestamp;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file that is larger is put aside. With the one that is aside, an instance has twice as much.
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;
/// Files in a folder; the ones written to least lately go first. Many a `clew run` may come and go.
const MAX_FILES: usize = 64;
/// End of the names of files.
const CURRENT: &str = "log";
/// End of the names of files that are aside.
const ASIDE: &str = "old";

/// The folder of the mesh whose API is at this address.
pub(crate) fn folder_of(state: &Path, api: SocketAddr) -> PathBuf {
    file_of(state, api, "logs")
}

/// Takes away what an earlier mesh at this address has left.
pub(crate) fn begin_anew(folder: &Path) {
    // Where there is none there is nothing to take away; what cannot be taken away is only old.
    let _ = std::fs::remove_dir_all(folder);
}

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// The file of one instance, made with its first line.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    path: PathBuf,
    open: Option<(File, u64)>,
    /// It could not be written to, which was told.
    has_failed: bool,
}

impl Journal {
    /// Of an instance of a service; the name of a service has no dot.
    pub(crate) fn new(folder: &Path, service: &str, instance: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            path: folder.join(format!("{service}.{instance}.{CURRENT}")),
            open: None,
            has_failed: false,
        }
    }

    /// Adds a line. When that fails the program it is of goes on without; that is told once.
    pub(crate) fn append(&mut self, stream: Stream, line: &[u8]) {
        if self.has_failed {
            return;
        }
        if let Err(error) = self.try_append(stream, line) {
            self.has_failed = true;
            let path = self.path.display();
            tracing::warn!("cannot write {path}: {error}; what follows is not in the log");
        }
    }

    fn try_append(&mut self, stream: Stream, line: &[u8]) -> io::Result<()> {
        let sign = match stream {
            Stream::Output => 'o',
            Stream::Error => 'e',
        };
        let mut text = format!("{:.6} {sign} ", Timestamp::now()).into_bytes();
        text.extend_from_slice(line);
        text.push(b'\n');
        let (mut file, length) = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        // One write: who reads at the same time sees whole lines.
        file.write_all(&text)?;
        let length = length + text.len() as u64;
        if length < MAX_FILE_BYTES {
            self.open = Some((file, length));
            return Ok(());
        }
        std::fs::rename(&self.path, self.path.with_extension(ASIDE))
    }

    fn open(&self) -> io::Result<(File, u64)> {
        // What programs write is their user's alone.
        let mut folder = DirBuilder::new();
        folder.recursive(true).mode(0o700).create(&self.folder)?;
        make_room(&self.folder)?;
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600);
        let file = file.open(&self.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }
}

/// Removes files until one more fits.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    let surplus = (files.len() + 1).saturating_sub(MAX_FILES);
    for (_, path) in files.into_iter().take(surplus) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
