//! The format of the file, and the way from older formats to it.
//!
//! - A trace gets a number by the order of its first arrival, and a span's row is keyed by it: spans
//!   of one trace lie together, new ones are appended, and retention deletes from the front.
//! - Who sent a span is kept once for all its spans, and goes with the last trace that has one of them.
//! - A point's row is keyed by family and time: a window of a family is one range.
//! - The last cumulative value of a series lies with the series, and changes in the same transaction in which
//!   the increase is written: whatever happens between, an increase is counted once.

use crate::error::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// "CLEW": tells our files from those of other programs.
const APPLICATION_ID: i64 = 0x434c_4557;

/// Each takes the file from the format of its index to the next one.
const MIGRATIONS: &[&str] = &[FORMAT_1, FORMAT_2];

/// Number of the format that this program writes.
const NEWEST: i64 = MIGRATIONS.len() as i64;

const FORMAT_1: &str = "
CREATE TABLE traces (
    id INTEGER PRIMARY KEY,
    trace_id BLOB NOT NULL UNIQUE,
    begun_ms INTEGER NOT NULL,   -- first arrival
    changed_ms INTEGER NOT NULL, -- last arrival
    spans INTEGER NOT NULL
);
CREATE TABLE spans (
    trace INTEGER NOT NULL,
    span_id INTEGER NOT NULL,    -- ids and times: the 64 bits of the unsigned value
    kind INTEGER NOT NULL,
    service TEXT NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    parent INTEGER,
    status INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    route TEXT,
    name TEXT NOT NULL,
    namespace TEXT NOT NULL,
    instance TEXT NOT NULL,
    scope TEXT NOT NULL,
    status_message TEXT NOT NULL,
    detail TEXT NOT NULL,        -- attributes, resource, events, links as JSON
    PRIMARY KEY (trace, span_id, kind, service)
) WITHOUT ROWID;
CREATE INDEX spans_by_start ON spans (start, duration, status, route);
CREATE INDEX spans_by_service ON spans (service, start, duration, status, route);
CREATE INDEX failed_spans ON spans (start, duration, route) WHERE status = 2;

CREATE TABLE families (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    scraped_ms INTEGER NOT NULL
);
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    instance INTEGER NOT NULL,
    family INTEGER NOT NULL,
    labels TEXT NOT NULL,        -- JSON object, keys in order
    created INTEGER,             -- Unix nanoseconds
    value REAL,                  -- last cumulative value, or the gauge
    histogram BLOB,              -- last cumulative histogram
    gone_ms INTEGER,             -- when it was missing from a scrape
    UNIQUE (instance, family, labels)
);
CREATE INDEX series_by_family ON series (family);
CREATE TABLE counter_points (
    family INTEGER NOT NULL,
    t INTEGER NOT NULL,          -- Unix milliseconds, end of what the point covers
    series INTEGER NOT NULL,
    increase REAL NOT NULL,
    PRIMARY KEY (family, t, series)
) WITHOUT ROWID;
CREATE TABLE histogram_points (
    family INTEGER NOT NULL,
    t INTEGER NOT NULL,
    series INTEGER NOT NULL,
    increase BLOB NOT NULL,
    PRIMARY KEY (family, t, series)
) WITHOUT ROWID;
CREATE TABLE compacted (
    resolution_ms INTEGER PRIMARY KEY,
    until_ms INTEGER NOT NULL
);
";

/// Spans are a third as large: what those of one sender have in common is kept once, and names of attributes are
/// numbers. Spans of format 1 stay as they are until they expire: their `origin` is NULL, and `detail` is text.
const FORMAT_2: &str = "
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    origin BLOB NOT NULL UNIQUE, -- namespace, instance, scope and resource
    last_trace INTEGER NOT NULL  -- the greatest number of a trace that has a span of it
);
ALTER TABLE spans ADD COLUMN origin INTEGER;
";

/// Sets the connection up and brings the file to the newest format.
///
/// # Errors
/// The file belongs to another program, to a newer Clew, or is damaged.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |operation: &'static str| move |error| super::explain(path, operation, error);
    let found = check_owner(connection, path)?;
    if found == 0 {
        // Only an empty file takes these. 8 KiB: most spans fit in a page without an overflow page.
        connection
            .pragma_update(None, "page_size", 8192)
            .map_err(fail("set page size"))?;
        connection
            .pragma_update(None, "auto_vacuum", "INCREMENTAL")
            .map_err(fail("set auto_vacuum"))?;
    }
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(fail("set journal mode"))?;
    // Without a sync at each commit: what is committed survives the end of the process, however it
    // ends; the end of the machine may cost the last seconds, and never the file.
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(fail("set synchronous"))?;
    connection
        .pragma_update(None, "journal_size_limit", 64 << 20)
        .map_err(fail("set journal size"))?;
    connection
        .pragma_update(None, "cache_size", -16_384)
        .map_err(fail("set cache size"))?;
    let known = usize::try_from(found).unwrap_or(0);
    for (format, migration) in (1i64..).zip(MIGRATIONS).skip(known) {
        let transaction = connection.transaction().map_err(fail("migrate"))?;
        transaction
            .execute_batch(migration)
            .map_err(fail("migrate"))?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(fail("migrate"))?;
        transaction
            .pragma_update(None, "user_version", format)
            .map_err(fail("migrate"))?;
        transaction.commit().map_err(fail("migrate"))?;
    }
    Ok(())
}

/// The format of the file; 0 for one that is empty.
fn check_owner(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let read = |pragma: &str| {
        number(pragma).map_err(|error| super::explain(path, "read its format", error))
    };
    let objects: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| super::explain(path, "read its format", error))?;
    let (owner, found) = (read("application_id")?, read("user_version")?);
    match (owner, objects) {
        (0, 0) if found == 0 => Ok(0),
        (APPLICATION_ID, _) if found > NEWEST => Err(StoreError::Newer {
            path: path.to_path_buf(),
            found,
            known: NEWEST,
        }),
        (APPLICATION_ID, _) => Ok(found),
        _ => Err(StoreError::NotAStore {
            path: path.to_path_buf(),
        }),
    }
}
