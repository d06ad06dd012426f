//! What a running mesh tells the commands of this machine: where its roles answer, and which process
//! they are in. One small file per mesh, in the user's state directory, named by the API's address.
//!
//! The process of the roles holds a lock on the file for as long as it lives, so that a file that was
//! left behind is never mistaken for a mesh, and the process id in a locked file is the mesh's.

use clew_runtime::buildinfo::VERSION;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where the roles of a mesh answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The API.
    pub(crate) api: SocketAddr,
    /// Control (gRPC).
    pub(crate) control: SocketAddr,
    /// Spans over OTLP/gRPC.
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// Spans over OTLP/HTTP.
    pub(crate) otlp_http: Option<SocketAddr>,
    /// Zipkin's spans; absent in what an older Clew wrote.
    #[serde(default)]
    pub(crate) zipkin: Option<SocketAddr>,
    /// The process that the roles are in.
    pub(crate) pid: i32,
    /// The command that started them: `roles`, `up` or `demo`.
    pub(crate) command: String,
    /// Version of that process.
    pub(crate) version: String,
}

/// Where spans come in, by the way that they come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpanPorts {
    /// OTLP/gRPC.
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// OTLP/HTTP.
    pub(crate) otlp_http: Option<SocketAddr>,
    /// Zipkin.
    pub(crate) zipkin: Option<SocketAddr>,
}

/// A record could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}", path.display())]
pub(crate) struct RecordError {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The state directory of Clew: `$XDG_STATE_HOME/clew`, else `~/.local/state/clew` (XDG Base Directory
/// Specification), else one in the system's temporary directory.
pub(crate) fn state_dir(lookup: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let absolute = |name| lookup(name).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    let fallback = || {
        let user = rustix::process::getuid().as_raw();
        std::env::temp_dir().join(format!("state-{user}"))
    };
    absolute("XDG_STATE_HOME")
        .or_else(home)
        .unwrap_or_else(fallback)
        .join("clew")
}

/// The state directory of this process's user.
pub(crate) fn own_state_dir() -> PathBuf {
    state_dir(|name| std::env::var_os(name).map(PathBuf::from))
}

/// The file of a mesh in the state directory; `what` tells its files apart.
pub(crate) fn file_of(dir: &Path, api: SocketAddr, what: &str) -> PathBuf {
    // A colon is no character for file names that are to be copied anywhere.
    let address = api.to_string().replace([':', '[', ']'], "_");
    dir.join(format!("{address}.{what}"))
}

/// A record that others can find, until this is dropped or the process ends. The file stays: it tells
/// the next mesh at that address which ports the members of the last one know.
#[derive(Debug)]
pub(crate) struct Published {
    path: PathBuf,
    /// The file does not stay.
    is_for_once: bool,
    _lock: File,
}

impl Published {
    /// The same, and the file goes at the end: for an address that the system has chosen, which no other
    /// mesh will be looked for at.
    pub(crate) fn for_once(mut self) -> Self {
        self.is_for_once = true;
        self
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if self.is_for_once {
            // Left behind they are harmless.
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(self.path.with_extension("keys"));
            let _ = std::fs::remove_dir_all(self.path.with_extension("logs"));
        }
    }
}

impl Record {
    /// The record of roles in this process.
    pub(crate) fn of_this_process(
        command: &str,
        api: SocketAddr,
        control: SocketAddr,
        spans: SpanPorts,
    ) -> Self {
        Self {
            api,
            control,
            otlp_grpc: spans.otlp_grpc,
            otlp_http: spans.otlp_http,
            zipkin: spans.zipkin,
            pid: std::process::id().cast_signed(),
            command: command.to_owned(),
            version: VERSION.to_owned(),
        }
    }

    /// Lets others find the mesh. The file appears whole and locked.
    pub(crate) fn publish(&self, dir: &Path) -> Result<Published, RecordError> {
        let path = file_of(dir, self.api, "json");
        let failed = |operation| {
            let path = path.clone();
            move |source| RecordError {
                operation,
                path,
                source,
            }
        };
        std::fs::create_dir_all(dir).map_err(failed("create the directory of"))?;
        let draft = path.with_extension(format!("{}.new", self.pid));
        let mut file = File::create(&draft).map_err(failed("write"))?;
        let json = serde_json::to_string(self).map_err(|error| failed("write")(error.into()))?;
        file.lock().map_err(failed("lock"))?;
        writeln!(file, "{json}").map_err(failed("write"))?;
        std::fs::rename(&draft, &path).map_err(failed("write"))?;
        Ok(Published {
            path,
            is_for_once: false,
            _lock: file,
        })
    }

    /// The mesh whose API is at this address, if it is running.
    pub(crate) fn find(dir: &Path, api: SocketAddr) -> Result<Option<Self>, RecordError> {
        let path = file_of(dir, api, "json");
        let failed = |source| RecordError {
            operation: "read",
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        match file.try_lock_shared() {
            // Nobody holds it: whoever wrote it is gone.
            Ok(()) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let record = serde_json::from_reader(&file);
                record.map(Some).map_err(|error| failed(error.into()))
            }
        }
    }

    /// The last mesh whose API was at this address, whether or not it is running.
    pub(crate) fn last(dir: &Path, api: SocketAddr) -> Option<Self> {
        let file = File::open(file_of(dir, api, "json")).ok()?;
        serde_json::from_reader(file).ok()
    }

    /// Waits, and blocks the thread, until the mesh has ended.
    pub(crate) fn wait_for_end(&self, dir: &Path) -> Result<(), RecordError> {
        let path = file_of(dir, self.api, "json");
        let failed = |source| RecordError {
            operation: "wait for",
            path: path.clone(),
            source,
        };
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => opened.and_then(|file| file.lock_shared()).map_err(failed),
        }
    }
}

#[cfg(test)]
mod tests;
