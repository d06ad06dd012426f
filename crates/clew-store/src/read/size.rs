//! How much there is.

use super::query;
use crate::error::ReadError;
use crate::query::StoreStats;
use rusqlite::Connection;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Each is a look at the end of an index, for every family; the smallest of all is the answer.
const OLDEST_POINT: &str = "SELECT min(t) FROM (
    SELECT (SELECT min(t) FROM counter_points WHERE family = families.id) AS t FROM families
    UNION ALL
    SELECT (SELECT min(t) FROM histogram_points WHERE family = families.id) AS t FROM families)";

/// What is kept: bytes in use, traces, series, and the age of the oldest.
pub(crate) fn size(connection: &Connection) -> Result<StoreStats, ReadError> {
    let number = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
            .map_err(query("size"))
    };
    let count = |sql: &str| {
        let number = number(sql)?.unwrap_or(0);
        Ok::<_, ReadError>(u64::try_from(number).unwrap_or(0))
    };
    let time = |sql: &str| Ok::<_, ReadError>(number(sql)?.and_then(at));
    let pages =
        count("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")?;
    let page_size = count("SELECT page_size FROM pragma_page_size")?;
    Ok(StoreStats {
        bytes: pages * page_size,
        // Traces are numbered without gaps: new ones at the end, expired ones from the front. Both in one
        // SELECT would look at each of them.
        traces: count("SELECT (SELECT max(id) FROM traces) - (SELECT min(id) FROM traces) + 1")?,
        series: count("SELECT count(*) FROM series")?,
        oldest_trace: time(
            "SELECT begun_ms FROM traces WHERE id = (SELECT min(id) FROM traces)
             UNION ALL SELECT NULL LIMIT 1",
        )?,
        oldest_point: time(OLDEST_POINT)?,
        ..StoreStats::default()
    })
}

fn at(millis: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}
