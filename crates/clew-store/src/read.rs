//! Questions: a few read-only connections, each used on a blocking thread by one question at a time.

mod exemplars;
mod metrics;
mod size;
#[cfg(test)]
mod tests;
mod traces;

pub(crate) use exemplars::exemplars;
pub(crate) use metrics::{
    counters, first_point_ms, gauges, golden, golden_steps, histogram_steps, histograms,
};
pub(crate) use size::size;
pub(crate) use traces::{find, ids, load, sample};

use crate::error::{ReadError, StoreError};
use crate::file::Claim;
use rusqlite::{Connection, ErrorCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions that are answered at the same time.
const CONNECTIONS: usize = 3;
/// How long a question may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// The deadline is looked at after so many of SQLite's steps.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The connections. Their number bounds the work; who comes when all are busy waits.
#[derive(Debug)]
pub(crate) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    deadline: Duration,
}

impl Readers {
    pub(crate) fn open(claim: &Claim) -> Result<Self, StoreError> {
        let connections = (0..CONNECTIONS)
            .map(|_| claim.open_for_reading())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            idle: Arc::new(Mutex::new(connections)),
            deadline: DEADLINE,
        })
    }

    /// Answers a question from one state of the store: what is written meanwhile is not seen.
    ///
    /// When the caller goes away the question still runs to its end or deadline, on its own thread.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| ReadError::Closed)?;
        let (idle, deadline) = (Arc::clone(&self.idle), self.deadline);
        let task = tokio::task::spawn_blocking(move || {
            let connection = lock(&idle).pop();
            let mut borrowed = Borrowed {
                connection,
                idle,
                _permit: permit,
            };
            let connection = borrowed.connection.as_mut().ok_or(ReadError::Closed)?;
            answer(connection, deadline, question)
        });
        task.await.unwrap_or(Err(ReadError::Closed))
    }

    /// Takes no more questions and closes the connections that are idle.
    pub(crate) fn close(&self) {
        self.permits.close();
        lock(&self.idle).clear();
    }
}

/// A connection that goes back to the idle ones when it is dropped, be it by a panic.
struct Borrowed {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            lock(&self.idle).push(connection);
        }
    }
}

fn answer<T>(
    connection: &mut Connection,
    deadline: Duration,
    question: impl FnOnce(&Connection) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let asked = Instant::now();
    let late = move || asked.elapsed() > deadline;
    connection
        .progress_handler(STEPS_BETWEEN_LOOKS, Some(late))
        .map_err(query("limit its time"))?;
    let snapshot = connection.unchecked_transaction().map_err(query("begin"))?;
    match question(&snapshot) {
        Err(ReadError::Query { source, .. })
            if source.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
        {
            Err(ReadError::TimedOut(deadline))
        }
        answer => answer,
    }
}

fn query(operation: &'static str) -> impl Fn(rusqlite::Error) -> ReadError {
    move |source| ReadError::Query { operation, source }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    // A panic while the list was held cannot have left it half changed.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
