//! Fewer points the older they are: all points of a series within a coarser step become one, at the
//! step's end. The sum of a window whose edges are steps does not change.

use crate::histogram::Histogram;
use crate::window::{TIERS, unix_millis};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Points older than `after` are kept one per `step_ms`.
struct Tier {
    after: Duration,
    step_ms: i64,
}

fn tiers() -> impl Iterator<Item = Tier> {
    TIERS.into_iter().map(|(after, resolution)| Tier {
        after,
        step_ms: i64::try_from(resolution.as_millis()).unwrap_or(i64::MAX),
    })
}

/// Compacts the earliest step that is due; false when none is.
pub(super) fn step(connection: &mut Connection, now: SystemTime) -> rusqlite::Result<bool> {
    for tier in tiers() {
        let transaction = connection.transaction()?;
        let compacted = tier.step(&transaction, now)?;
        transaction.commit()?;
        if compacted {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Tier {
    /// Points up to this are due.
    fn horizon(&self, now: SystemTime) -> i64 {
        let horizon = unix_millis(
            now.checked_sub(self.after)
                .unwrap_or(SystemTime::UNIX_EPOCH),
        );
        horizon - horizon % self.step_ms
    }

    /// Points up to this are compacted.
    fn done(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let done = connection
            .prepare_cached("SELECT until_ms FROM compacted WHERE resolution_ms = ?1")?
            .query_row([self.step_ms], |row| row.get(0))
            .optional()?;
        Ok(done.unwrap_or(0))
    }

    fn step(&self, transaction: &Transaction<'_>, now: SystemTime) -> rusqlite::Result<bool> {
        let (horizon, done) = (self.horizon(now), self.done(transaction)?);
        if done >= horizon {
            return Ok(false);
        }
        let families = families(transaction)?;
        let next = earliest_after(transaction, &families, done)?;
        // The end of the step that the next point lies in, or, when there is none, all that is due.
        let end = next
            .map_or(horizon, |t| {
                t + (self.step_ms - t % self.step_ms) % self.step_ms
            })
            .min(horizon);
        for family in &families {
            counters(transaction, *family, (end - self.step_ms, end))?;
            histograms(transaction, *family, (end - self.step_ms, end))?;
        }
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO compacted (resolution_ms, until_ms) VALUES (?1, ?2)",
            )?
            .execute([self.step_ms, end])?;
        Ok(true)
    }
}

/// The longest stretch of time whose points a tier has to compact still.
pub(super) fn due(connection: &Connection, now: SystemTime) -> rusqlite::Result<Duration> {
    let families = families(connection)?;
    let mut longest = 0;
    for tier in tiers() {
        let (horizon, done) = (tier.horizon(now), tier.done(connection)?);
        let next = earliest_after(connection, &families, done)?;
        longest = longest.max(next.map_or(0, |next| horizon - next));
    }
    Ok(Duration::from_millis(u64::try_from(longest).unwrap_or(0)))
}

/// The ids of all families; they are few.
pub(super) fn families(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT id FROM families")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Time of the earliest point of any family after `t`.
pub(super) fn earliest_after(
    connection: &Connection,
    families: &[i64],
    t: i64,
) -> rusqlite::Result<Option<i64>> {
    let mut earliest: Option<i64> = None;
    for table in ["counter_points", "histogram_points"] {
        let sql = format!("SELECT min(t) FROM {table} WHERE family = ?1 AND t > ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        for family in families {
            let found: Option<i64> = statement.query_row([*family, t], |row| row.get(0))?;
            earliest = match (earliest, found) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    Ok(earliest)
}

fn counters(
    transaction: &Transaction<'_>,
    family: i64,
    (from, to): (i64, i64),
) -> rusqlite::Result<()> {
    let sums: Vec<(i64, f64)> = transaction
        .prepare_cached(
            "SELECT series, sum(increase) FROM counter_points WHERE family = ?1 AND t > ?2 AND t <= ?3 GROUP BY series",
        )?
        .query_map([family, from, to], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    transaction
        .prepare_cached("DELETE FROM counter_points WHERE family = ?1 AND t > ?2 AND t <= ?3")?
        .execute([family, from, to])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO counter_points (family, t, series, increase) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (series, increase) in sums {
        insert.execute(params![family, to, series, increase])?;
    }
    Ok(())
}

fn histograms(
    transaction: &Transaction<'_>,
    family: i64,
    (from, to): (i64, i64),
) -> rusqlite::Result<()> {
    let mut sums: BTreeMap<i64, Histogram> = BTreeMap::new();
    let mut statement = transaction.prepare_cached(
        "SELECT series, increase FROM histogram_points WHERE family = ?1 AND t > ?2 AND t <= ?3",
    )?;
    let mut rows = statement.query([family, from, to])?;
    while let Some(row) = rows.next()? {
        if let Some(increase) = Histogram::decode(row.get_ref(1)?.as_blob()?) {
            sums.entry(row.get(0)?).or_default().merge(&increase);
        }
    }
    transaction
        .prepare_cached("DELETE FROM histogram_points WHERE family = ?1 AND t > ?2 AND t <= ?3")?
        .execute([family, from, to])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO histogram_points (family, t, series, increase) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (series, increase) in sums {
        insert.execute(params![family, to, series, increase.encode()])?;
    }
    Ok(())
}
