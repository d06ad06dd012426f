//! How much there is.

use super::query;
use crate::error::ReadError;
use rusqlite::Connection;

/// Bytes in use, traces and series.
pub(crate) fn size(connection: &Connection) -> Result<(u64, u64, u64), ReadError> {
    let number = |sql: &str| {
        let number = connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(query("size"))?;
        Ok::<_, ReadError>(u64::try_from(number).unwrap_or(0))
    };
    let pages =
        number("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")?;
    let page_size = number("SELECT page_size FROM pragma_page_size")?;
    // Traces are numbered without gaps: new ones at the end, expired ones from the front.
    let traces = number("SELECT coalesce(max(id) - min(id) + 1, 0) FROM traces")?;
    let series = number("SELECT count(*) FROM series")?;
    Ok((pages * page_size, traces, series))
}
