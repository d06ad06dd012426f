//! Keeping the file small: old points are compacted, old rows deleted, free pages given back.
//!
//! The writer calls a round between batches. A round does small steps, each a transaction of its own,
//! until nothing is to be done or its time is over, so that what waits to be written waits for milliseconds.

mod compact;
mod expire;
mod progress;

use crate::query::UpkeepProgress;
use progress::Progress;
use rusqlite::Connection;
use std::time::{Duration, Instant, SystemTime};

/// The longest that a round takes, but for the one step that it is in.
const ROUND: Duration = Duration::from_millis(25);
/// Series and senders are looked through, one and all, so not in each round.
const SERIES_INTERVAL: Duration = Duration::from_secs(60);

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Spans and points that are older go. Of a trace, the arrival of its first span counts.
    pub age: Duration,
    /// When the pages in use are more bytes than this, the oldest traces go, down to those of the last ten
    /// minutes; then the oldest points, as far; then whatever is older. The file and SQLite's log beside
    /// it can be larger for a while, by up to 64 MiB.
    pub bytes: u64,
}

impl Default for Retention {
    /// A day, in at most a gibibyte.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(24 * 3600),
            bytes: 1 << 30,
        }
    }
}

impl Retention {
    /// What is from before this is too old.
    fn cutoff(&self, now: SystemTime) -> SystemTime {
        now.checked_sub(self.age).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    /// Its time was over before its work was.
    pub(super) more: bool,
    pub(super) traces_deleted: usize,
    pub(super) series_deleted: bool,
    /// Something went before its time, because of the limit in bytes.
    pub(super) crowded: bool,
    /// How far upkeep is, when it has gone on for some time.
    pub(super) progress: Option<UpkeepProgress>,
}

/// The work, and when it was last done.
#[derive(Debug)]
pub(super) struct Upkeep {
    retention: Retention,
    series_looked_at: Option<Instant>,
    progress: Progress,
    /// The longest that a round takes.
    time: Duration,
}

impl Upkeep {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            retention,
            series_looked_at: None,
            progress: Progress::default(),
            time: ROUND,
        }
    }

    /// Does what is due, for a bounded time.
    pub(super) fn round(&mut self, connection: &mut Connection) -> rusqlite::Result<Round> {
        self.round_at(connection, SystemTime::now())
    }

    fn round_at(
        &mut self,
        connection: &mut Connection,
        now: SystemTime,
    ) -> rusqlite::Result<Round> {
        match self.work(connection, now) {
            Ok(mut round) => {
                let progress = &mut self.progress;
                round.progress = progress.after(&round, connection, self.retention, now)?;
                Ok(round)
            }
            Err(error) => {
                self.progress.give_up();
                Err(error)
            }
        }
    }

    fn work(&mut self, connection: &mut Connection, now: SystemTime) -> rusqlite::Result<Round> {
        let started = Instant::now();
        let mut round = Round::default();
        while self.step(connection, now, &mut round)? {
            if started.elapsed() >= self.time {
                round.more = true;
                return Ok(round);
            }
        }
        let is_due = |last: &Instant| last.elapsed() >= SERIES_INTERVAL;
        while self.series_looked_at.as_ref().is_none_or(is_due) {
            expire::origins(connection)?;
            let deleted = expire::series(connection, self.retention.cutoff(now), now)?;
            round.series_deleted |= deleted.any;
            self.series_looked_at = (!deleted.more).then(Instant::now);
            if deleted.more && started.elapsed() >= self.time {
                round.more = true;
                break;
            }
        }
        Ok(round)
    }

    /// One small step; false when nothing is to be done.
    fn step(
        &self,
        connection: &mut Connection,
        now: SystemTime,
        round: &mut Round,
    ) -> rusqlite::Result<bool> {
        let cutoff = self.retention.cutoff(now);
        let traces = expire::traces(connection, cutoff)?;
        round.traces_deleted += traces;
        if traces > 0 || expire::points(connection, cutoff)? {
            return Ok(true);
        }
        if expire::used_bytes(connection)? > self.retention.bytes {
            let (traces, freed) = expire::oldest(connection, now)?;
            round.traces_deleted += traces;
            if freed {
                round.crowded = true;
                return Ok(true);
            }
        }
        if expire::shrink(connection)? {
            return Ok(true);
        }
        compact::step(connection, now)
    }
}

#[cfg(test)]
mod tests;
