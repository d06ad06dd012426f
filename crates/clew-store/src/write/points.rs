//! Scrapes into the file: from cumulative values to increases.

use super::stretch::Stretch;
use crate::histogram::Histogram;
use crate::sample::{Sample, SampleValue, Scrape};
use crate::window::unix_millis;
use clew_model::name::InstanceId;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A series that is older when its instance is read for the first time was counted before anyone looked: that
/// is where its count begins, and no part of any window. What is younger counts in full: a mesh that has
/// just begun may take a while until its members can be read.
const YOUNG_MS: i64 = 60_000;
/// Families that are kept; samples of more are refused and counted. Our proxies have some thirty.
const MAX_FAMILIES: i64 = 1_000;
/// Series that one instance may have; what is past it is refused and counted.
const MAX_SERIES_PER_INSTANCE: usize = 50_000;
/// Instances whose series are remembered; the one that was scraped longest ago is forgotten first
/// and is read again from the file when it comes back.
const MAX_INSTANCES: usize = 1_024;

/// What the file knows of the series, so that a scrape reads nothing. Forgetting is always safe.
#[derive(Debug, Default)]
pub(super) struct Points {
    families: HashMap<Arc<str>, i64>,
    instances: HashMap<InstanceId, Instance>,
}

#[derive(Debug)]
struct Instance {
    id: i64,
    scraped_ms: i64,
    /// The scrape before the one that is being recorded; `None` in the first.
    before_ms: Option<i64>,
    /// Grows by one with each scrape: tells which series were in the last one.
    scrapes: u64,
    series: HashMap<(i64, Box<str>), Series>,
}

#[derive(Debug)]
struct Series {
    id: i64,
    created: Option<u64>,
    last: Last,
    /// The scrape that it was last seen in; `None` once it is marked as gone.
    seen: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Last {
    Number(f64),
    Histogram(Histogram),
}

impl Points {
    /// Reads everything from the file again, when it is next needed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Writes what came in addition since the instance's last scrape. Answers how many samples were refused.
    pub(super) fn record(
        &mut self,
        transaction: &Transaction<'_>,
        scrape: &Scrape,
    ) -> rusqlite::Result<usize> {
        let now = unix_millis(scrape.at);
        let before = scraped_before(transaction, &scrape.instance)?;
        if before.is_none() && scrape.samples.is_empty() {
            // The end of one that was never read; its first scrape has yet to come, if it ever does.
            return Ok(0);
        }
        let mut refused = 0;
        let mut families = std::mem::take(&mut self.families);
        let instance = self.instance(transaction, &scrape.instance, now)?;
        instance.scrapes += 1;
        instance.before_ms = before;
        for sample in &scrape.samples {
            let recorded = match family(&mut families, transaction, &sample.family)? {
                Some(family) => instance.record(transaction, family, sample, now)?,
                None => false,
            };
            refused += usize::from(!recorded);
        }
        instance.mark_gone(transaction, now)?;
        self.families = families;
        Ok(refused)
    }

    fn instance(
        &mut self,
        transaction: &Transaction<'_>,
        name: &InstanceId,
        now: i64,
    ) -> rusqlite::Result<&mut Instance> {
        if !self.instances.contains_key(name) && self.instances.len() >= MAX_INSTANCES {
            let oldest = self
                .instances
                .iter()
                .min_by_key(|(_, instance)| instance.scraped_ms);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.instances.remove(&oldest);
            }
        }
        let id = transaction
            .prepare_cached(
                "INSERT INTO instances (name, scraped_ms) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET scraped_ms = excluded.scraped_ms RETURNING id",
            )?
            .query_row(params![name.as_str(), now], |row| row.get(0))?;
        let instance = match self.instances.entry(name.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Instance::load(transaction, id)?),
        };
        instance.scraped_ms = now;
        Ok(instance)
    }
}

/// When the instance was scraped last; `None` when it never was.
fn scraped_before(
    transaction: &Transaction<'_>,
    name: &InstanceId,
) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached("SELECT scraped_ms FROM instances WHERE name = ?1")?
        .query_row([name.as_str()], |row| row.get(0))
        .optional()
}

/// The family's number; `None` when there are too many to take another one.
fn family(
    known: &mut HashMap<Arc<str>, i64>,
    transaction: &Transaction<'_>,
    name: &Arc<str>,
) -> rusqlite::Result<Option<i64>> {
    if let Some(id) = known.get(name) {
        return Ok(Some(*id));
    }
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO families (name) SELECT ?1 WHERE (SELECT count(*) FROM families) < ?2",
        )?
        .execute(params![name.as_ref(), MAX_FAMILIES])?;
    let id = transaction
        .prepare_cached("SELECT id FROM families WHERE name = ?1")?
        .query_row([name.as_ref()], |row| row.get(0))
        .optional()?;
    if let Some(id) = id {
        known.insert(Arc::clone(name), id);
    }
    Ok(id)
}

impl Instance {
    fn load(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<Self> {
        let mut statement = transaction.prepare_cached(
            "SELECT id, family, labels, created, value, histogram, gone_ms IS NULL FROM series WHERE instance = ?1",
        )?;
        let mut rows = statement.query([id])?;
        let mut series = HashMap::new();
        while let Some(row) = rows.next()? {
            let histogram = row
                .get_ref(5)?
                .as_blob_or_null()?
                .and_then(Histogram::decode);
            let last = match histogram {
                Some(histogram) => Last::Histogram(histogram),
                None => Last::Number(row.get::<_, Option<f64>>(4)?.unwrap_or(0.0)),
            };
            let known = Series {
                id: row.get(0)?,
                created: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                last,
                seen: row.get::<_, bool>(6)?.then_some(0),
            };
            series.insert(
                (row.get(1)?, row.get::<_, String>(2)?.into_boxed_str()),
                known,
            );
        }
        Ok(Self {
            id,
            scraped_ms: 0,
            before_ms: None,
            scrapes: 0,
            series,
        })
    }

    /// False when the sample is refused.
    fn record(
        &mut self,
        transaction: &Transaction<'_>,
        family: i64,
        sample: &Sample,
        now: i64,
    ) -> rusqlite::Result<bool> {
        let Some(value) = acceptable(&sample.value) else {
            return Ok(false);
        };
        let key = (family, canonical(sample)?);
        let full = self.series.len() >= MAX_SERIES_PER_INSTANCE;
        let created_ms = sample.created_unix_nano.map(millis_of_nanos);
        let is_baseline =
            self.before_ms.is_none() && created_ms.is_some_and(|at| at < now - YOUNG_MS);
        let stretch = Stretch {
            // It began when the instance was last looked at, or when the series began after that.
            from: self.before_ms.max(created_ms).unwrap_or(now).min(now),
            to: now,
        };
        let known = match self.series.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if full => return Ok(false),
            Entry::Vacant(new) => {
                let id = insert_series(transaction, self.id, new.key(), sample.created_unix_nano)?;
                let last = match is_baseline {
                    true => value.clone(),
                    false => zero_of(&value),
                };
                new.insert(Series {
                    id,
                    created: sample.created_unix_nano,
                    last,
                    seen: None,
                })
            }
        };
        if !matches!(sample.value, SampleValue::Gauge(_)) {
            match known.increase_to(&value, sample.created_unix_nano) {
                Last::Number(increase) => {
                    for (end, part) in stretch.split_number(increase) {
                        write_counter(transaction, (family, end, known.id), part)?;
                    }
                }
                Last::Histogram(increase) => {
                    for (end, part) in stretch.split_histogram(&increase) {
                        write_histogram(transaction, (family, end, known.id), &part)?;
                    }
                }
            }
        }
        known.advance(transaction, value, sample.created_unix_nano)?;
        known.seen = Some(self.scrapes);
        Ok(true)
    }

    /// Series that were there before and are missing from this scrape have ended. They may come back.
    fn mark_gone(&mut self, transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
        let mut statement =
            transaction.prepare_cached("UPDATE series SET gone_ms = ?2 WHERE id = ?1")?;
        for series in self.series.values_mut() {
            if series.seen.is_some_and(|seen| seen != self.scrapes) {
                statement.execute(params![series.id, now])?;
                series.seen = None;
            }
        }
        Ok(())
    }
}

impl Series {
    /// What was counted since the last scrape. After a reset everything was.
    fn increase_to(&self, value: &Last, created: Option<u64>) -> Last {
        let created_anew =
            matches!((self.created, created), (Some(before), Some(now)) if now > before);
        match (value, &self.last) {
            (Last::Number(now), Last::Number(before)) if !created_anew && now >= before => {
                Last::Number(now - before)
            }
            (Last::Histogram(now), Last::Histogram(before)) if !created_anew => {
                Last::Histogram(now.increase_since(before).unwrap_or_else(|| now.clone()))
            }
            _ => value.clone(),
        }
    }

    /// Remembers the value, in the file too when it or the series' state changed.
    fn advance(
        &mut self,
        transaction: &Transaction<'_>,
        value: Last,
        created: Option<u64>,
    ) -> rusqlite::Result<()> {
        if self.last == value && self.created == created && self.seen.is_some() {
            return Ok(());
        }
        let (number, histogram) = match &value {
            Last::Number(number) => (Some(*number), None),
            Last::Histogram(histogram) => (None, Some(histogram.encode())),
        };
        transaction
            .prepare_cached("UPDATE series SET value = ?2, histogram = ?3, created = ?4, gone_ms = NULL WHERE id = ?1")?
            .execute(params![self.id, number, histogram, created.map(u64::cast_signed)])?;
        self.last = value;
        self.created = created;
        Ok(())
    }
}

/// The value, unless no sum could be made of it.
fn acceptable(value: &SampleValue) -> Option<Last> {
    match value {
        SampleValue::Counter(number) => {
            (number.is_finite() && *number >= 0.0).then_some(Last::Number(*number))
        }
        SampleValue::Gauge(number) => number.is_finite().then_some(Last::Number(*number)),
        SampleValue::Histogram(histogram) => histogram
            .sum()
            .is_finite()
            .then(|| Last::Histogram(histogram.clone())),
    }
}

fn millis_of_nanos(nanos: u64) -> i64 {
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

fn zero_of(value: &Last) -> Last {
    match value {
        Last::Number(_) => Last::Number(0.0),
        Last::Histogram(histogram) => Last::Histogram(Histogram::new(histogram.schema())),
    }
}

/// The labels as a JSON object, keys in order, empty values left out: equal labels are equal text.
fn canonical(sample: &Sample) -> rusqlite::Result<Box<str>> {
    let labels: BTreeMap<&str, &str> = sample
        .labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    serde_json::to_string(&labels)
        .map(String::into_boxed_str)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn insert_series(
    transaction: &Transaction<'_>,
    instance: i64,
    (family, labels): &(i64, Box<str>),
    created: Option<u64>,
) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("INSERT INTO series (instance, family, labels, created) VALUES (?1, ?2, ?3, ?4) RETURNING id")?
        .query_row(params![instance, family, labels, created.map(u64::cast_signed)], |row| row.get(0))
}

/// Where a point lies: family, Unix milliseconds, series.
type PointKey = (i64, i64, i64);

fn write_counter(
    transaction: &Transaction<'_>,
    key: PointKey,
    increase: f64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO counter_points (family, t, series, increase) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET increase = increase + excluded.increase",
        )?
        .execute(params![key.0, key.1, key.2, increase])?;
    Ok(())
}

fn write_histogram(
    transaction: &Transaction<'_>,
    key: PointKey,
    increase: &Histogram,
) -> rusqlite::Result<()> {
    // Two scrapes within one millisecond share a point.
    let there: Option<Vec<u8>> = transaction
        .prepare_cached(
            "SELECT increase FROM histogram_points WHERE family = ?1 AND t = ?2 AND series = ?3",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    let mut sum = there
        .and_then(|bytes| Histogram::decode(&bytes))
        .unwrap_or_default();
    sum.merge(increase);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO histogram_points (family, t, series, increase) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![key.0, key.1, key.2, sum.encode()])?;
    Ok(())
}
