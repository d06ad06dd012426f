//! Tasks with names, and an owner who joins them.
//!
//! A task that nobody joins can panic unheard, or outlive what it works for. A [`TaskSet`] gives
//! every task a name, tells its owner how each ended, and ends those that are left when it is dropped.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

/// Tasks of one owner. Dropping it aborts those that still run.
#[derive(Debug, Default)]
pub struct TaskSet {
    tasks: JoinSet<()>,
    /// As many as there are tasks in the set.
    names: HashMap<Id, Cow<'static, str>>,
}

/// A task that did not end by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It panicked.
    #[error("task {name} panicked: {message}")]
    Panicked {
        /// The task's name.
        name: Cow<'static, str>,
        /// What the panic said.
        message: String,
    },
    /// It was aborted, or its runtime was shut down.
    #[error("task {name} was cancelled")]
    Cancelled {
        /// The task's name.
        name: Cow<'static, str>,
    },
}

impl TaskSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a future as a task of the current runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> AbortHandle {
        let handle = self.tasks.spawn(future);
        self.names.insert(handle.id(), name.into());
        handle
    }

    /// The same for a future that must stay on its thread.
    ///
    /// # Panics
    /// Outside of a [`tokio::task::LocalSet`] or a local runtime.
    pub fn spawn_local(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        future: impl Future<Output = ()> + 'static,
    ) -> AbortHandle {
        let handle = self.tasks.spawn_local(future);
        self.names.insert(handle.id(), name.into());
        handle
    }

    /// Tasks that have not been joined.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the next task to end, and says which and how; `None` when the set is empty. Safe to
    /// cancel. For an owner that must act when a task ends early.
    pub async fn join_next(&mut self) -> Option<(Cow<'static, str>, Result<(), TaskError>)> {
        let ended = self.tasks.join_next_with_id().await?;
        Some(self.ended(ended))
    }

    /// Takes out those that have ended, without waiting, and gives the failures. An owner that goes on
    /// spawning calls it now and then, so that the set does not grow.
    pub fn reap(&mut self) -> Vec<TaskError> {
        let mut failures = Vec::new();
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            failures.extend(self.ended(ended).1.err());
        }
        failures
    }

    /// Waits for all to end, and gives the failures. Safe to cancel, but failures of tasks that were
    /// joined before are then only in the log.
    pub async fn join_all(&mut self) -> Vec<TaskError> {
        let mut failures = Vec::new();
        while let Some((_, ended)) = self.join_next().await {
            failures.extend(ended.err());
        }
        failures
    }

    /// Aborts all; join them afterwards.
    pub fn abort_all(&mut self) {
        self.tasks.abort_all();
    }

    fn ended(
        &mut self,
        ended: Result<(Id, ()), JoinError>,
    ) -> (Cow<'static, str>, Result<(), TaskError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or_default();
        let Err(error) = ended else {
            return (name, Ok(()));
        };
        let failure = match error.try_into_panic() {
            Ok(panic) => TaskError::Panicked {
                name: name.clone(),
                message: panic_message(&*panic),
            },
            Err(_) => TaskError::Cancelled { name: name.clone() },
        };
        if matches!(failure, TaskError::Panicked { .. }) {
            tracing::error!("{failure}");
        }
        (name, Err(failure))
    }
}

/// What a panic said, for panics with a text.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}

#[cfg(test)]
mod tests;
