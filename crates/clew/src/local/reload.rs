//! `clew reload`: the file of a running `clew up` is read again, and what can be changed is changed.
//!
//! Between the two is a Unix socket beside the record of the mesh: a line with the file, if one is named, and a
//! line with what came of it, both JSON. It is the user's alone, as the folder's other files are.

pub(crate) mod apply;

use super::record::{file_of, own_state_dir};
use crate::cli::local::ReloadArgs;
use crate::exit::Exit;
use crate::output::{self, announce};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Who has connected has this long to say what they want.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest line either side reads.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
/// Time between two tries to take a connection, after one that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Asks the running `clew up`, and shows what came of it.
pub(crate) async fn reload(args: ReloadArgs) -> anyhow::Result<Exit> {
    let api = args.api.address;
    let file = args.file.as_deref().map(std::path::absolute).transpose()?;
    let Ok(stream) = UnixStream::connect(socket_of(&own_state_dir(), api)).await else {
        announce(&format!(
            "no `clew up` of yours has its API at http://{api}"
        ));
        return Ok(Exit::Unreachable);
    };
    let (from, mut to) = stream.into_split();
    let asked = serde_json::to_string(&Asked { file })? + "\n";
    to.write_all(asked.as_bytes()).await?;
    let line = read_line(from).await?;
    let reply: Reply = serde_json::from_str(&line).context("`clew up` gave no answer")?;
    if let Some(mistakes) = reply.refused {
        anstream::eprintln!("{mistakes}");
        return Ok(Exit::Usage);
    }
    let text: String = reply
        .changes
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    output::print(&text).context("cannot write what has changed")?;
    for key in &reply.later {
        announce(&format!("{key} changes when `clew up` is started again"));
    }
    for failure in &reply.failed {
        announce(failure);
    }
    if reply.changes.is_empty() && reply.later.is_empty() {
        announce("nothing has changed");
    }
    Ok(match reply.failed.is_empty() {
        true => Exit::Ok,
        false => Exit::Failed,
    })
}

#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    /// Another file than the one that is running.
    file: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// The mistakes of the file; then nothing was changed.
    refused: Option<String>,
    /// What was changed.
    changes: Vec<String>,
    /// What changes with the next start only.
    later: Vec<String>,
    /// What could not be changed, and why.
    failed: Vec<String>,
}

impl Reply {
    /// For the log of `clew up`.
    pub(crate) fn in_words(&self) -> Vec<String> {
        if self.refused.is_some() {
            return vec!["the file was read again and has mistakes; nothing is changed".to_owned()];
        }
        let changes = self.changes.iter().cloned();
        let later = self.later.iter();
        let later = later.map(|key| format!("{key} changes when `clew up` is started again"));
        changes
            .chain(later)
            .chain(self.failed.iter().cloned())
            .collect()
    }
}

fn socket_of(state: &Path, api: SocketAddr) -> PathBuf {
    file_of(state, api, "sock")
}

/// Requests to read the file again. Dropping it takes the socket away.
#[derive(Debug)]
pub(crate) struct Requests {
    requests: mpsc::Receiver<Request>,
    socket: PathBuf,
    listening: JoinHandle<()>,
}

/// One of them, to be answered.
#[derive(Debug)]
pub(crate) struct Request {
    /// Another file than the one that is running.
    pub(crate) file: Option<PathBuf>,
    /// Whoever asked may be gone.
    pub(crate) answer: oneshot::Sender<Reply>,
}

impl Requests {
    /// Listens for the mesh whose API is at this address, which is ours: what lies there was left behind.
    pub(crate) fn listen(api: SocketAddr) -> io::Result<Self> {
        let socket = socket_of(&own_state_dir(), api);
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&socket)?;
        std::fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
        // One at a time.
        let (sender, requests) = mpsc::channel(1);
        let listening = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    // Whoever goes away in the middle has heard enough.
                    Ok((stream, _)) => drop(attend(stream, &sender).await),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
            }
        });
        Ok(Self {
            requests,
            socket,
            listening,
        })
    }

    /// The next one. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.listening.abort();
        // Left behind it is harmless: the next mesh at this address takes its place.
        let _ = std::fs::remove_file(&self.socket);
    }
}

async fn attend(stream: UnixStream, requests: &mpsc::Sender<Request>) -> anyhow::Result<()> {
    let (from, mut to) = stream.into_split();
    let line = tokio::time::timeout(ASK_TIMEOUT, read_line(from)).await??;
    let Asked { file } = serde_json::from_str(&line)?;
    let (answer, answered) = oneshot::channel();
    requests.send(Request { file, answer }).await?;
    let reply = serde_json::to_string(&answered.await?)? + "\n";
    Ok(to.write_all(reply.as_bytes()).await?)
}

async fn read_line(from: impl tokio::io::AsyncRead + Unpin) -> io::Result<String> {
    let mut line = String::new();
    let from = from.take(MAX_LINE_BYTES);
    BufReader::new(from).read_line(&mut line).await?;
    Ok(line)
}
