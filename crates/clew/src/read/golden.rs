//! Golden metrics as fields of a table; `stat`, `routes` and `edges` share them.

use crate::output::table::{Cell, Table};
use crate::output::{BAD, DOUBTFUL, units};
use anstyle::Style;
use clew_api::rest::golden::Golden;

/// Below this share of successes a row is marked as doubtful, and below the next as bad.
const DOUBTFUL_BELOW: f64 = 0.99;
const BAD_BELOW: f64 = 0.95;

/// Which columns there are besides the ones that are always there.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    is_wide: bool,
    /// Some stream is open, or all is wanted.
    streams: bool,
}

impl Columns {
    /// Those that these rows need.
    pub(super) fn of<'a>(
        is_wide: bool,
        rows: impl IntoIterator<Item = Option<&'a Golden>>,
    ) -> Self {
        let mut rows = rows.into_iter().flatten();
        Self {
            is_wide,
            streams: is_wide || rows.any(|golden| golden.open_streams > 0),
        }
    }

    /// Adds the columns that [`Self::cells`] fills.
    pub(super) fn headings(self, table: Table) -> Table {
        let mut table = table.numbers(&[
            "SUCCESS",
            "RPS",
            "LATENCY_P50",
            "LATENCY_P95",
            "LATENCY_P99",
        ]);
        if self.streams {
            table = table.number("STREAMS");
        }
        if self.is_wide {
            table = table.numbers(&["REQUESTS", "FAILURES", "CANCELLED"]);
        }
        table
    }

    /// The fields of one row.
    pub(super) fn cells(self, golden: Option<&Golden>) -> Vec<Cell> {
        let latency = golden.and_then(|golden| golden.latency_ms);
        let time = |ms: Option<f64>| Cell::or_none(ms.map(units::millis));
        let mut cells = vec![
            success(golden),
            Cell::or_none(golden.map(|golden| units::rate(golden.rps))),
            time(latency.map(|latency| latency.p50)),
            time(latency.map(|latency| latency.p95)),
            time(latency.map(|latency| latency.p99)),
        ];
        let count = |count: Option<u64>| Cell::or_none(count.map(|count| count.to_string()));
        if self.streams {
            cells.push(count(golden.map(|golden| golden.open_streams)));
        }
        if self.is_wide {
            cells.push(count(golden.map(|golden| golden.requests)));
            cells.push(count(golden.map(|golden| golden.failures)));
            cells.push(count(golden.map(|golden| golden.cancelled)));
        }
        cells
    }
}

/// Failures by reason and by status, the most frequent first: `no_endpoints=12 503=3`.
pub(super) fn errors(golden: Option<&Golden>) -> Cell {
    let Some(golden) = golden else {
        return Cell::none();
    };
    let is_server_error = |status: &str| status.len() == 3 && status.starts_with('5');
    let statuses = golden
        .statuses
        .iter()
        .filter(|(status, _)| is_server_error(status));
    let mut counts: Vec<(&String, &u64)> = golden.errors.iter().chain(statuses).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    if counts.is_empty() {
        return Cell::none();
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    Cell::new(parts.join(" "))
}

/// The share of successes, in its colour.
pub(super) fn success(golden: Option<&Golden>) -> Cell {
    let Some(rate) = golden.and_then(|golden| golden.success_rate) else {
        return Cell::none();
    };
    let style = if rate < BAD_BELOW {
        BAD
    } else if rate < DOUBTFUL_BELOW {
        DOUBTFUL
    } else {
        Style::new()
    };
    Cell::styled(units::share(rate), style)
}

#[cfg(test)]
pub(super) mod tests;
