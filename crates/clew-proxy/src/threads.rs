//! The data-plane threads: started by name, watched, joined.

use crate::worker::{self, Start, ThreadError};
use clew_runtime::tasks::panic_message;
use std::future::Future;
use std::io;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Why the data plane did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ThreadsError {
    /// The system gave no thread.
    #[error("thread {name} cannot be started")]
    Spawn {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread failed.
    #[error("thread {name} failed")]
    Failed {
        /// Which.
        name: String,
        /// How.
        #[source]
        source: ThreadError,
    },
    /// A thread panicked.
    #[error("thread {name} panicked: {message}")]
    Panicked {
        /// Which.
        name: String,
        /// What the panic said.
        message: String,
    },
}

/// The data-plane threads of one proxy.
pub(crate) struct Threads {
    threads: Vec<(String, JoinHandle<Result<(), ThreadError>>)>,
    /// Number of threads that have ended.
    ended: watch::Receiver<usize>,
}

impl Threads {
    /// Starts one thread for each.
    pub(crate) fn start(starts: Vec<Start>) -> Result<Self, ThreadsError> {
        let (ending, ended) = watch::channel(0);
        let mut threads = Vec::with_capacity(starts.len());
        for (index, start) in starts.into_iter().enumerate() {
            let name = format!("clew-data-{index}");
            let ending = Ending(ending.clone());
            let spawned = std::thread::Builder::new()
                .name(name.clone())
                .spawn(move || {
                    let _ending = ending;
                    worker::run(start)
                });
            let thread = spawned.map_err(|source| ThreadsError::Spawn {
                name: name.clone(),
                source,
            })?;
            threads.push((name, thread));
        }
        Ok(Self { threads, ended })
    }

    /// Resolves when the first thread has ended, however it did.
    pub(crate) fn first_end(&self) -> impl Future<Output = ()> + use<> {
        let mut ended = self.ended.clone();
        async move {
            // An error says that all senders, and so all threads, are gone.
            drop(ended.wait_for(|ended| *ended > 0).await);
        }
    }

    /// Waits for all and gives the first failure.
    pub(crate) async fn join(self) -> Result<(), ThreadsError> {
        let mut ended = self.ended.clone();
        let all = self.threads.len();
        drop(ended.wait_for(|ended| *ended >= all).await);
        let results = self
            .threads
            .into_iter()
            .map(|(name, thread)| match thread.join() {
                Ok(Ok(())) => Ok(()),
                Ok(Err(source)) => Err(ThreadsError::Failed { name, source }),
                Err(panic) => Err(ThreadsError::Panicked {
                    name,
                    message: panic_message(&*panic),
                }),
            });
        // All are joined, also after one that failed.
        results.fold(Ok(()), Result::and)
    }
}

/// Counts a thread as ended when it ends, also by a panic.
struct Ending(watch::Sender<usize>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.send_modify(|ended| *ended += 1);
    }
}
