//! How far upkeep is, where it does not fit into one round: after a long pause, or when less is to be kept than
//! before, it goes on for many, and whoever looks at the store or at its log is told. What a round does is
//! nothing to talk about.

use super::expire::{free_bytes, used_bytes};
use super::{Retention, Round, compact, expire};
use crate::query::UpkeepProgress;
use rusqlite::Connection;
use std::time::{Duration, Instant, SystemTime};

/// Upkeep that goes on for this long is told of, and again each time it has gone on for as long.
const SHOWN_EVERY: Duration = Duration::from_secs(1);
/// Between two lines in the log.
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// What one round after another has come to.
#[derive(Debug)]
pub(super) struct Progress {
    every: Duration,
    stretch: Option<Stretch>,
}

/// Rounds without a pause.
#[derive(Debug)]
struct Stretch {
    since: SystemTime,
    begun: Instant,
    used_bytes_before: u64,
    traces_deleted: u64,
    shown: Option<(Instant, UpkeepProgress)>,
    logged: Option<Instant>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::shown_every(SHOWN_EVERY)
    }
}

impl Progress {
    pub(super) fn shown_every(every: Duration) -> Self {
        Self {
            every,
            stretch: None,
        }
    }

    /// A round has failed: it is not known how far it is.
    pub(super) fn give_up(&mut self) {
        self.stretch = None;
    }

    /// What is to be told after a round.
    pub(super) fn after(
        &mut self,
        round: &Round,
        connection: &Connection,
        retention: Retention,
        now: SystemTime,
    ) -> rusqlite::Result<Option<UpkeepProgress>> {
        let (every, traces) = (self.every, round.traces_deleted as u64);
        if !round.more {
            if let Some(stretch) = self.stretch.take() {
                stretch.end(traces);
            }
            return Ok(None);
        }
        if self.stretch.is_none() {
            self.stretch = Some(Stretch {
                since: SystemTime::now(),
                begun: Instant::now(),
                used_bytes_before: used_bytes(connection)?,
                traces_deleted: 0,
                shown: None,
                logged: None,
            });
        }
        match &mut self.stretch {
            Some(stretch) => stretch.go_on(traces, every, || left(connection, retention, now)),
            None => Ok(None),
        }
    }
}

impl Stretch {
    fn go_on(
        &mut self,
        traces: u64,
        every: Duration,
        left: impl FnOnce() -> rusqlite::Result<Left>,
    ) -> rusqlite::Result<Option<UpkeepProgress>> {
        self.traces_deleted += traces;
        let last = self.shown.as_ref().map_or(self.begun, |(at, _)| *at);
        if last.elapsed() >= every {
            let left = left()?;
            let progress = UpkeepProgress {
                since: self.since,
                traces_deleted: self.traces_deleted,
                bytes_freed: self.used_bytes_before.saturating_sub(left.used_bytes),
                traces_left: left.traces,
                bytes_left: left.bytes,
                points_left: left.points,
            };
            self.shown = Some((Instant::now(), progress));
            if self.logged.is_none_or(|at| at.elapsed() >= LOGGED_EVERY) {
                self.logged = Some(Instant::now());
                tracing::info!("upkeep of the store is at work: {progress}");
            }
        }
        Ok(self.shown.map(|(_, progress)| progress))
    }

    fn end(self, traces: u64) {
        if self.shown.is_some() {
            tracing::info!(
                "upkeep of the store is done, after {:.1} s: {} traces deleted",
                self.begun.elapsed().as_secs_f64(),
                self.traces_deleted + traces,
            );
        }
    }
}

/// What is to be done still.
struct Left {
    used_bytes: u64,
    traces: u64,
    bytes: u64,
    points: Duration,
}

fn left(connection: &Connection, retention: Retention, now: SystemTime) -> rusqlite::Result<Left> {
    let cutoff = retention.cutoff(now);
    let used = used_bytes(connection)?;
    Ok(Left {
        used_bytes: used,
        traces: expire::count_traces(connection, cutoff)?,
        bytes: used.saturating_sub(retention.bytes) + free_bytes(connection)?,
        points: compact::due(connection, now)?.max(expire::points_due(connection, cutoff)?),
    })
}

#[cfg(test)]
mod tests;
