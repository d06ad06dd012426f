//! Sums over windows.

mod over_time;

pub(crate) use over_time::{golden_steps, histogram_steps};

use super::query;
use crate::error::ReadError;
use crate::histogram::{Histogram, Latency};
use crate::label::Label;
use crate::query::{GoldenQuery, GoldenRow, HistogramRow, Labels, SeriesQuery, ValueRow};
use crate::window::{GAUGE_LIFE, unix_millis};
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

const REQUESTS: &str = "request_total";
const RESPONSES: &str = "response_total";
const LATENCY: &str = "response_latency_ms";
const OPEN_STREAMS: &str = "clew_open_streams";

/// Golden metrics by group, in the order of their labels.
pub(crate) fn golden(
    connection: &Connection,
    asked: &GoldenQuery,
) -> Result<Vec<GoldenRow>, ReadError> {
    let mut series = asked.series.clone();
    if let Some(direction) = asked.direction {
        series
            .filters
            .push((Label::Direction, direction.as_str().to_owned()));
    }
    let selection = Selection::new(connection, &series);
    let mut rows: BTreeMap<Labels, GoldenRow> = BTreeMap::new();
    selection.for_each_counter(REQUESTS, |_, group, increase| {
        rows.entry(group).or_default().requests += whole(increase);
    })?;
    selection.for_each_counter(RESPONSES, |labels, group, increase| {
        add_responses(rows.entry(group).or_default(), labels, whole(increase));
    })?;
    selection.for_each_histogram(LATENCY, |group, increase| {
        rows.entry(group)
            .or_default()
            .ended
            .latency
            .merge(&Latency::from_millis(increase));
    })?;
    for open in gauges(connection, OPEN_STREAMS, &series)? {
        rows.entry(open.labels).or_default().open_streams = whole(open.value);
    }
    Ok(rows
        .into_iter()
        .map(|(labels, row)| GoldenRow { labels, ..row })
        .collect())
}

/// Where the first point of requests ends, Unix time in milliseconds.
pub(crate) fn first_point_ms(connection: &Connection) -> Result<Option<i64>, ReadError> {
    connection
        .query_row(
            "SELECT min(t) FROM counter_points WHERE family = (SELECT id FROM families WHERE name = ?1)",
            [REQUESTS],
            |row| row.get(0),
        )
        .map_err(query("first point"))
}

fn add_responses(row: &mut GoldenRow, labels: &SeriesLabels, count: u64) {
    row.ended.count(labels.get(Label::Classification), count);
    for (label, counts) in [
        (Label::Error, &mut row.by_error),
        (Label::StatusCode, &mut row.by_status),
    ] {
        match labels.get(label) {
            "" => {}
            value => *counts.entry(value.to_owned()).or_default() += count,
        }
    }
}

/// Sums of one counter family by group.
pub(crate) fn counters(
    connection: &Connection,
    family: &str,
    asked: &SeriesQuery,
) -> Result<Vec<ValueRow>, ReadError> {
    let mut sums: BTreeMap<Labels, f64> = BTreeMap::new();
    Selection::new(connection, asked).for_each_counter(family, |_, group, increase| {
        *sums.entry(group).or_default() += increase;
    })?;
    Ok(value_rows(sums))
}

/// Sums of one histogram family by group.
pub(crate) fn histograms(
    connection: &Connection,
    family: &str,
    asked: &SeriesQuery,
) -> Result<Vec<HistogramRow>, ReadError> {
    let mut sums: BTreeMap<Labels, Histogram> = BTreeMap::new();
    Selection::new(connection, asked).for_each_histogram(family, |group, increase| {
        sums.entry(group).or_default().merge(&increase);
    })?;
    Ok(sums
        .into_iter()
        .map(|(labels, histogram)| HistogramRow { labels, histogram })
        .collect())
}

/// Sums of one gauge family by group: the last values of the series that live, on instances that were read
/// since the window began and in the half minute before its end. The last value may be younger than the window's
/// end, which was chosen before the question was asked. Nothing where somebody was read much later than the end: what
/// the values were there is not kept.
pub(crate) fn gauges(
    connection: &Connection,
    family: &str,
    asked: &SeriesQuery,
) -> Result<Vec<ValueRow>, ReadError> {
    let selection = Selection::new(connection, asked);
    let Some(family) = selection.family(family)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT s.labels, i.name, s.value FROM series s JOIN instances i ON i.id = s.instance
             WHERE s.family = ?1 AND s.gone_ms IS NULL AND s.value IS NOT NULL
             AND i.scraped_ms > ?2",
        )
        .map_err(query("gauges"))?;
    let (from, to) = asked.window.millis();
    let life = i64::try_from(GAUGE_LIFE.as_millis()).unwrap_or(i64::MAX);
    if last_scrape_ms(connection)?.is_some_and(|last| last.saturating_sub(life) > to) {
        return Ok(Vec::new());
    }
    let since = from.max(to.min(unix_millis(SystemTime::now())).saturating_sub(life));
    let rows = statement
        .query_map([family, since], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, f64>(2)?))
        })
        .map_err(query("gauges"))?;
    let mut sums: BTreeMap<Labels, f64> = BTreeMap::new();
    for row in rows {
        let (labels, instance, value) = row.map_err(query("gauges"))?;
        let labels = SeriesLabels::parse(&labels, instance)?;
        if let Some(group) = selection.group(&labels) {
            *sums.entry(group).or_default() += value;
        }
    }
    Ok(value_rows(sums))
}

/// When an instance was read last, Unix time in milliseconds.
fn last_scrape_ms(connection: &Connection) -> Result<Option<i64>, ReadError> {
    connection
        .prepare_cached("SELECT max(scraped_ms) FROM instances")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(query("instances"))
}

fn value_rows(sums: BTreeMap<Labels, f64>) -> Vec<ValueRow> {
    sums.into_iter()
        .map(|(labels, value)| ValueRow { labels, value })
        .collect()
}

/// Requests are counted in ones; the sum of whole numbers is exact up to 2^53.
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// All labels of a series, the instance's included.
struct SeriesLabels(BTreeMap<String, String>);

impl SeriesLabels {
    fn parse(json: &str, instance: String) -> Result<Self, ReadError> {
        let mut labels: BTreeMap<String, String> =
            serde_json::from_str(json).map_err(|_| ReadError::Malformed {
                what: "labels of a series",
            })?;
        labels.insert(Label::Instance.as_str().to_owned(), instance);
        Ok(Self(labels))
    }

    /// Value of a label; empty when it is absent.
    fn get(&self, label: Label) -> &str {
        self.0.get(label.as_str()).map_or("", String::as_str)
    }
}

/// What a question selects, and from where.
struct Selection<'a> {
    connection: &'a Connection,
    asked: &'a SeriesQuery,
    /// All labels of one of these must hold too, if there is one.
    any_of: &'a [Vec<(Label, String)>],
}

impl<'a> Selection<'a> {
    fn new(connection: &'a Connection, asked: &'a SeriesQuery) -> Self {
        Self {
            connection,
            asked,
            any_of: &[],
        }
    }

    /// The row that a series belongs to; `None` when a filter excludes it.
    fn group(&self, labels: &SeriesLabels) -> Option<Labels> {
        let holds = |filters: &Vec<(Label, String)>| {
            let mut filters = filters.iter();
            filters.all(|(label, value)| labels.get(*label) == value)
        };
        if !holds(&self.asked.filters) || !(self.any_of.is_empty() || self.any_of.iter().any(holds))
        {
            return None;
        }
        let values = self
            .asked
            .group_by
            .iter()
            .map(|label| (*label, labels.get(*label).to_owned()));
        Some(values.filter(|(_, value)| !value.is_empty()).collect())
    }

    fn family(&self, name: &str) -> Result<Option<i64>, ReadError> {
        self.connection
            .prepare_cached("SELECT id FROM families WHERE name = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
            .map_err(query("families"))
    }

    fn for_each_counter(
        &self,
        family: &str,
        mut add: impl FnMut(&SeriesLabels, Labels, f64),
    ) -> Result<(), ReadError> {
        let mut sums: HashMap<i64, f64> = HashMap::new();
        let sql =
            "SELECT series, increase FROM counter_points WHERE family = ?1 AND t > ?2 AND t <= ?3";
        self.for_each_point(sql, family, |row| {
            *sums.entry(row.get(0)?).or_default() += row.get::<_, f64>(1)?;
            Ok(true)
        })?;
        self.for_each_series(sums, |labels, group, increase| add(labels, group, increase))
    }

    fn for_each_histogram(
        &self,
        family: &str,
        mut add: impl FnMut(Labels, Histogram),
    ) -> Result<(), ReadError> {
        let mut sums: HashMap<i64, Histogram> = HashMap::new();
        let sql = "SELECT series, increase FROM histogram_points WHERE family = ?1 AND t > ?2 AND t <= ?3";
        self.for_each_point(sql, family, |row| {
            let sum = sums.entry(row.get(0)?).or_default();
            Ok(sum.merge_encoded(row.get_ref(1)?.as_blob()?).is_some())
        })?;
        self.for_each_series(sums, |_, group, increase| add(group, increase))
    }

    /// Visits the points of a family in the window. The visitor says whether it understood the row.
    fn for_each_point(
        &self,
        sql: &str,
        family: &str,
        mut visit: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), ReadError> {
        let Some(family) = self.family(family)? else {
            return Ok(());
        };
        let (from, to) = self.asked.window.millis();
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(query("points"))?;
        let mut rows = statement
            .query([family, from, to])
            .map_err(query("points"))?;
        while let Some(row) = rows.next().map_err(query("points"))? {
            if !visit(row).map_err(query("points"))? {
                return Err(ReadError::Malformed {
                    what: "a histogram",
                });
            }
        }
        Ok(())
    }

    /// Visits the series that pass the filters, with their labels and their group. One whose row has
    /// expired has only points that expire in the same round.
    fn for_each_series<V>(
        &self,
        sums: HashMap<i64, V>,
        mut add: impl FnMut(&SeriesLabels, Labels, V),
    ) -> Result<(), ReadError> {
        for (series, sum) in sums {
            let Some(labels) = self.labels(series)? else {
                continue;
            };
            if let Some(group) = self.group(&labels) {
                add(&labels, group, sum);
            }
        }
        Ok(())
    }
}
