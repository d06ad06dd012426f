//! The local mesh that `clew run` joins: found, or started.

use super::record::{Record, RecordError, file_of};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::Instant;

/// How long a mesh may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// How long another one may need from where it kept us from starting to where it is ready: it has the port, or
/// the store, which may be large and not have been closed.
const OTHER_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two looks for a mesh that somebody else is starting.
const LOOK_INTERVAL: Duration = Duration::from_millis(25);
/// A log that is larger is begun anew.
const MAX_LOG_BYTES: u64 = 1 << 20;

/// There is no local mesh, and none could be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// The record of a mesh cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The log cannot be written.
    #[error("cannot write the log {}", log.display())]
    Log {
        /// The log.
        log: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// This program cannot be started once more.
    #[error("cannot start the local mesh")]
    Spawn(#[source] io::Error),
    /// The roles ended before they were ready.
    #[error("the local mesh did not start; its log is {}\n{said}", log.display())]
    Ended {
        /// The log.
        log: PathBuf,
        /// What was written to it.
        said: String,
    },
    /// The roles take too long.
    #[error("the local mesh is not ready after {} s; its log is {}", START_TIMEOUT.as_secs(), log.display())]
    TooLate {
        /// The log.
        log: PathBuf,
    },
}

/// The mesh, and whether it had to be started.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where its roles answer.
    pub(crate) record: Record,
    /// It was not there.
    pub(crate) is_new: bool,
}

/// Finds the mesh whose API is at this address, or starts its roles in a process of their own that goes
/// on when this one ends.
///
/// Several that start it at the same moment are told apart by the port of the API: only one can have
/// it. The others see their own attempt fail, and wait for the one that won.
pub(crate) async fn find_or_start(dir: &Path, api: SocketAddr) -> Result<Found, FindError> {
    if let Some(record) = Record::find(dir, api)? {
        return Ok(Found {
            record,
            is_new: false,
        });
    }
    let log = file_of(dir, api, "log");
    let starting = async {
        let failure = match start(dir, api, &log).await {
            Ok(record) => {
                return Ok(Found {
                    record,
                    is_new: true,
                });
            }
            Err(failure) => failure,
        };
        wait_for_other(dir, api, failure).await
    };
    let too_late = FindError::TooLate { log: log.clone() };
    tokio::time::timeout(START_TIMEOUT, starting)
        .await
        .unwrap_or(Err(too_late))
}

/// Another one may have won the race, and be a moment from ready.
async fn wait_for_other(
    dir: &Path,
    api: SocketAddr,
    failure: FindError,
) -> Result<Found, FindError> {
    let until = Instant::now() + OTHER_TIMEOUT;
    while Instant::now() < until {
        if let Some(record) = Record::find(dir, api)? {
            return Ok(Found {
                record,
                is_new: false,
            });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Err(failure)
}

/// Starts the roles, and waits for the line by which they say that they are ready.
async fn start(dir: &Path, api: SocketAddr, log: &Path) -> Result<Record, FindError> {
    let failed = |source| FindError::Log {
        log: log.to_owned(),
        source,
    };
    let (log_file, begin) = open_log(dir, log).map_err(failed)?;
    let program = std::env::current_exe().map_err(FindError::Spawn)?;
    // A port that is another one each time is no name for a store.
    let store = (api.port() != 0).then(|| file_of(dir, api, "db"));
    let mut roles = Command::new(program)
        .args(["roles", "--detach", "--api", &format!("http://{api}")])
        .args(
            store
                .iter()
                .flat_map(|store| [OsStr::new("--store"), store.as_os_str()]),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .current_dir("/")
        .spawn()
        .map_err(FindError::Spawn)?;
    let mut line = String::new();
    if let Some(output) = roles.stdout.take() {
        // An error of the pipe is its end, as when the roles ended.
        let _ = BufReader::new(output).read_line(&mut line).await;
    }
    serde_json::from_str(&line).map_err(|_| FindError::Ended {
        log: log.to_owned(),
        said: read_from(log, begin).unwrap_or_default(),
    })
}

/// Opens the log to be written at its end, and says where that is.
fn open_log(dir: &Path, log: &Path) -> io::Result<(File, u64)> {
    std::fs::create_dir_all(dir)?;
    let file = OpenOptions::new().create(true).append(true).open(log)?;
    let mut length = file.metadata()?.len();
    if length > MAX_LOG_BYTES {
        file.set_len(0)?;
        length = 0;
    }
    Ok((file, length))
}

fn read_from(log: &Path, begin: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut text = String::new();
    file.take(4 * 1024).read_to_string(&mut text)?;
    Ok(text.trim_end().to_owned())
}
