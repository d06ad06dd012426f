//! From what the store measured to golden metrics.

use super::clock::millis;
use clew_api::rest::golden::{Golden, Quantiles, Tcp};
use clew_store::query::{Direction, GoldenQuery, GoldenRow, Labels, SeriesQuery};
use clew_store::{Label, ReadError, Store, Window};
use std::collections::BTreeMap;
use std::time::Duration;

/// Which series to look at.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// Time.
    pub(super) window: Window,
    /// Side; both when it is not given.
    pub(super) direction: Option<Direction>,
    /// All must hold; an empty value holds where there is none.
    pub(super) filters: Vec<(Label, String)>,
}

impl Selection {
    pub(super) fn of(window: Window, direction: Option<Direction>) -> Self {
        Self {
            window,
            direction,
            filters: Vec::new(),
        }
    }

    /// Only series whose label has this value.
    pub(super) fn only(mut self, label: Label, value: Option<&str>) -> Self {
        self.filters
            .extend(value.map(|value| (label, value.to_owned())));
        self
    }

    fn series(&self, group_by: &[Label]) -> SeriesQuery {
        SeriesQuery {
            window: self.window,
            filters: self.filters.clone(),
            group_by: group_by.to_vec(),
        }
    }

    /// The same for families that have no direction.
    pub(super) fn series_of_workload(&self, group_by: &[Label]) -> SeriesQuery {
        self.series(group_by)
    }

    /// The same for families that are not asked for by direction.
    pub(super) fn series_of_side(&self, group_by: &[Label]) -> SeriesQuery {
        let mut series = self.series(group_by);
        series.filters.extend(
            self.direction
                .map(|side| (Label::Direction, side.as_str().to_owned())),
        );
        series
    }
}

/// Golden metrics by group; groups in which nothing happened are left out.
pub(super) async fn load_golden(
    store: &Store,
    selection: &Selection,
    group_by: &[Label],
) -> Result<Vec<GoldenRow>, ReadError> {
    let query = GoldenQuery {
        series: selection.series(group_by),
        direction: selection.direction,
    };
    let mut rows = store.golden(query).await?;
    rows.retain(|row| row.requests > 0 || row.ended.responses() > 0 || row.open_streams > 0);
    Ok(rows)
}

/// Connections by group; groups in which nothing happened are left out.
pub(super) async fn load_tcp(
    store: &Store,
    selection: &Selection,
    group_by: &[Label],
) -> Result<BTreeMap<Labels, Tcp>, ReadError> {
    let series = || selection.series_of_side(group_by);
    let mut groups: BTreeMap<Labels, Tcp> = BTreeMap::new();
    let open = store.gauges("tcp_open_connections", series()).await?;
    let mut add = |rows: Vec<clew_store::query::ValueRow>, set: fn(&mut Tcp, u64)| {
        for row in rows {
            set(
                groups.entry(row.labels).or_default(),
                row.value.max(0.0).round() as u64,
            );
        }
    };
    add(open, |tcp, value| {
        tcp.open = Some(value).filter(|open| *open > 0)
    });
    add(
        store.counters("tcp_open_total", series()).await?,
        |tcp, value| tcp.opened = value,
    );
    add(
        store.counters("tcp_close_total", series()).await?,
        |tcp, value| tcp.closed = value,
    );
    add(
        store.counters("tcp_read_bytes_total", series()).await?,
        |tcp, value| tcp.read_bytes = value,
    );
    add(
        store.counters("tcp_write_bytes_total", series()).await?,
        |tcp, value| tcp.written_bytes = value,
    );
    groups.retain(|_, tcp| *tcp != Tcp::default());
    let is_known = selection.window.ends_lately();
    for tcp in groups.values_mut() {
        tcp.open = is_known.then_some(tcp.open.unwrap_or_default());
    }
    Ok(groups)
}

/// Adds another group's requests.
pub(super) fn absorb(row: &mut GoldenRow, other: &GoldenRow) {
    row.requests += other.requests;
    row.ended.absorb(&other.ended);
    for (error, count) in &other.by_error {
        *row.by_error.entry(error.clone()).or_default() += count;
    }
    for (status, count) in &other.by_status {
        *row.by_status.entry(status.clone()).or_default() += count;
    }
    row.open_streams += other.open_streams;
}

/// Adds another group's connections.
pub(super) fn absorb_tcp(tcp: &mut Tcp, other: &Tcp) {
    tcp.opened += other.opened;
    tcp.closed += other.closed;
    tcp.open = match (tcp.open, other.open) {
        (Some(open), Some(others)) => Some(open + others),
        (one, other) => one.or(other),
    };
    tcp.read_bytes += other.read_bytes;
    tcp.written_bytes += other.written_bytes;
}

/// As the answer shows it.
pub(super) fn golden(row: &GoldenRow, window: &Window) -> Golden {
    let seconds = window.length().as_secs_f64();
    let quantile = |q: f64| row.ended.latency.quantile(q);
    let latency_ms = match (quantile(0.5), quantile(0.95), quantile(0.99)) {
        (Some(p50), Some(p95), Some(p99)) => Some(quantiles(p50, p95, p99)),
        _ => None,
    };
    Golden {
        requests: row.ended.responses(),
        started: row.requests,
        rps: if seconds > 0.0 {
            row.ended.responses() as f64 / seconds
        } else {
            0.0
        },
        successes: row.ended.success,
        failures: row.ended.failure,
        cancelled: row.ended.cancelled,
        success_rate: row.ended.success_rate(),
        latency_ms,
        open_streams: row.open_streams,
        errors: row.by_error.clone(),
        statuses: row.by_status.clone(),
    }
}

fn quantiles(p50: Duration, p95: Duration, p99: Duration) -> Quantiles {
    Quantiles {
        p50: millis(p50),
        p95: millis(p95),
        p99: millis(p99),
    }
}

/// The value of a label; `None` where the series do not carry it.
pub(super) fn label(labels: &Labels, label: Label) -> Option<&str> {
    labels
        .get(&label)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}
