//! Deleting, always from the oldest on, in slices.

use super::compact::{earliest_after, families};
use crate::window::unix_millis;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::{Duration, SystemTime};

/// Traces deleted in one step,
const TRACES_PER_STEP: i64 = 200;
/// as long as they have no more spans than this, or there is only one: what comes in waits meanwhile.
const SPANS_PER_STEP: i64 = 2_000;
/// Stretch of time whose points are deleted in one step.
const POINTS_PER_STEP_MS: i64 = 10_000;
/// Series deleted in one step.
const SERIES_PER_STEP: u32 = 2_000;
/// Pages given back to the file system in one step.
const PAGES_PER_STEP: i64 = 256;
/// What the limit in bytes leaves alone, as long as there is something else to delete.
const PROTECTED: Duration = Duration::from_secs(10 * 60);

/// Deletes the oldest traces that began before `cutoff`; answers how many. Traces are numbered by
/// arrival, and only a run from the front goes: a newer one is never deleted before an older one.
pub(super) fn traces(connection: &mut Connection, cutoff: SystemTime) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let deleted = traces_before(&transaction, unix_millis(cutoff))?;
    transaction.commit()?;
    Ok(deleted)
}

fn traces_before(transaction: &Transaction<'_>, cutoff: i64) -> rusqlite::Result<usize> {
    let mut last = None;
    let mut spans = 0;
    let mut statement = transaction
        .prepare_cached("SELECT id, begun_ms, spans FROM traces ORDER BY id LIMIT ?1")?;
    let mut rows = statement.query([TRACES_PER_STEP])?;
    while let Some(row) = rows.next()? {
        spans += row.get::<_, i64>(2)?;
        let is_enough = last.is_some() && spans > SPANS_PER_STEP;
        if is_enough || row.get::<_, i64>(1)? >= cutoff {
            break;
        }
        last = Some(row.get::<_, i64>(0)?);
    }
    let Some(last) = last else { return Ok(0) };
    transaction
        .prepare_cached("DELETE FROM spans WHERE trace <= ?1")?
        .execute([last])?;
    transaction
        .prepare_cached("DELETE FROM traces WHERE id <= ?1")?
        .execute([last])
}

/// About how many traces began before `cutoff`: as many as there are numbers up to the last of them. Traces are
/// numbered by arrival, so that it is found by halves, without reading them all.
pub(super) fn count_traces(connection: &Connection, cutoff: SystemTime) -> rusqlite::Result<u64> {
    let cutoff = unix_millis(cutoff);
    let edge = |sql: &str| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| row.get::<_, Option<i64>>(0))
    };
    let first = edge("SELECT min(id) FROM traces")?;
    let last = edge("SELECT max(id) FROM traces")?;
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(0);
    };
    let mut begun = connection
        .prepare_cached("SELECT begun_ms FROM traces WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let (mut low, mut high) = (first, last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if begun.query_row([middle], |row| row.get::<_, i64>(0))? < cutoff {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok((low - first).unsigned_abs())
}

/// The stretch of time whose points lie before `cutoff`.
pub(super) fn points_due(
    connection: &Connection,
    cutoff: SystemTime,
) -> rusqlite::Result<Duration> {
    let earliest = earliest_after(connection, &families(connection)?, i64::MIN)?;
    let due = earliest.map_or(0, |earliest| unix_millis(cutoff) - earliest);
    Ok(Duration::from_millis(u64::try_from(due).unwrap_or(0)))
}

/// Deletes senders that no span is left of.
pub(super) fn origins(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM origins WHERE last_trace < coalesce((SELECT min(id) FROM traces), last_trace + 1)",
        )?
        .execute([])?;
    Ok(())
}

/// Deletes the oldest slice of points that lie at or before `cutoff`; false when there are none.
pub(super) fn points(connection: &mut Connection, cutoff: SystemTime) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let deleted = points_before(&transaction, unix_millis(cutoff))?;
    transaction.commit()?;
    Ok(deleted)
}

fn points_before(transaction: &Transaction<'_>, cutoff: i64) -> rusqlite::Result<bool> {
    let families = families(transaction)?;
    let Some(earliest) = earliest_after(transaction, &families, i64::MIN)?.filter(|t| *t <= cutoff)
    else {
        return Ok(false);
    };
    let until = earliest.saturating_add(POINTS_PER_STEP_MS).min(cutoff);
    for table in ["counter_points", "histogram_points"] {
        let sql = format!("DELETE FROM {table} WHERE family = ?1 AND t <= ?2");
        let mut statement = transaction.prepare_cached(&sql)?;
        for family in &families {
            statement.execute([*family, until])?;
        }
    }
    Ok(true)
}

/// Deletes one slice of what is oldest, to save space. Answers how many traces went, and whether anything did.
pub(super) fn oldest(
    connection: &mut Connection,
    now: SystemTime,
) -> rusqlite::Result<(usize, bool)> {
    let transaction = connection.transaction()?;
    let trace: Option<i64> = transaction
        .prepare_cached("SELECT begun_ms FROM traces ORDER BY id LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let point = earliest_after(&transaction, &families(&transaction)?, i64::MIN)?;
    let protected = unix_millis(now.checked_sub(PROTECTED).unwrap_or(SystemTime::UNIX_EPOCH));
    let traces_go = match (trace, point) {
        (Some(trace), Some(point)) if trace >= protected => point >= protected && trace <= point,
        (trace, _) => trace.is_some(),
    };
    let (mut traces, mut freed) = (0, false);
    if traces_go {
        traces = traces_before(&transaction, i64::MAX)?;
        freed = traces > 0;
    } else if let Some(point) = point {
        freed = points_before(&transaction, point.saturating_add(POINTS_PER_STEP_MS))?;
    }
    transaction.commit()?;
    Ok((traces, freed))
}

/// Deletes one slice of the series that ended before `cutoff`, or before the earliest point that is kept: in both
/// cases their points are gone. Instances that have none left go too.
pub(super) fn series(
    connection: &mut Connection,
    cutoff: SystemTime,
    now: SystemTime,
) -> rusqlite::Result<SeriesDeleted> {
    let transaction = connection.transaction()?;
    let earliest = earliest_after(&transaction, &families(&transaction)?, i64::MIN)?;
    let protected = unix_millis(now.checked_sub(PROTECTED).unwrap_or(SystemTime::UNIX_EPOCH));
    let cutoff = unix_millis(cutoff).max(earliest.unwrap_or(protected).min(protected));
    let deleted = transaction
        .prepare_cached(
            "DELETE FROM series WHERE id IN (SELECT s.id FROM series s JOIN instances i ON i.id = s.instance
             WHERE s.gone_ms < ?1 OR i.scraped_ms < ?1 LIMIT ?2)",
        )?
        .execute(params![cutoff, SERIES_PER_STEP])?;
    transaction
        .prepare_cached(
            "DELETE FROM instances WHERE scraped_ms < ?1 AND NOT EXISTS
             (SELECT 1 FROM series WHERE series.instance = instances.id)",
        )?
        .execute(params![cutoff])?;
    transaction.commit()?;
    Ok(SeriesDeleted {
        any: deleted > 0,
        more: deleted >= SERIES_PER_STEP as usize,
    })
}

/// What became of a slice of series.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeriesDeleted {
    pub(super) any: bool,
    /// The slice was full: there may be more of them.
    pub(super) more: bool,
}

/// Size of the pages in use.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    Ok(u64::try_from(pages * number("page_size")?).unwrap_or(0))
}

/// Size of the free pages that are to be given back to the file system.
pub(super) fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = free_pages(connection)?;
    let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(u64::try_from(pages * size).unwrap_or(0))
}

/// So many that a quarter of the file is free after it; 0 when less is.
fn free_pages(connection: &Connection) -> rusqlite::Result<i64> {
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (free, all) = (number("freelist_count")?, number("page_count")?);
    if free < PAGES_PER_STEP || free * 4 < all {
        return Ok(0);
    }
    // Of n pages given back, n are less free, and n less in the file.
    Ok(((4 * free - all) / 3).max(1))
}

/// Gives free pages back, when a quarter of the file is free; false when it is not.
pub(super) fn shrink(connection: &Connection) -> rusqlite::Result<bool> {
    if free_pages(connection)? == 0 {
        return Ok(false);
    }
    // Each row that this pragma returns is one page given back: it has to be read to its end.
    let mut statement =
        connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_PER_STEP})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(true)
}
