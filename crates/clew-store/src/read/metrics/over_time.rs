//! Sums over steps: one walk over the points of each family, however many steps there are.

use super::{LATENCY, RESPONSES, Selection, SeriesLabels, query, whole};
use crate::error::ReadError;
use crate::histogram::{Histogram, Latency};
use crate::label::Label;
use crate::query::{
    Ended, GoldenSteps, GoldenStepsQuery, GroupSteps, Labels, MAX_SERIES, MAX_SERIES_STEPS,
    SeriesQuery,
};
use crate::steps::Steps;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Golden metrics step by step, of the groups that had most requests.
pub(crate) fn golden_steps(
    connection: &Connection,
    asked: &GoldenStepsQuery,
) -> Result<GoldenSteps, ReadError> {
    let series = series(asked);
    let selection = Selection {
        connection,
        asked: &series,
        any_of: &asked.any_of,
    };
    let steps = asked.steps;
    let (chosen, truncated) = choose(&selection, steps)?;
    let mut groups: Vec<GroupSteps> = vec![GroupSteps::default(); chosen.len()];
    for (labels, position) in &chosen {
        groups[*position] = GroupSteps {
            labels: labels.clone(),
            steps: vec![Ended::default(); steps.count()],
        };
    }
    let position = |group: &Labels| chosen.get(group).copied();
    let classes = |labels: &SeriesLabels, group: &Labels| {
        Some((
            position(group)?,
            labels.get(Label::Classification).to_owned(),
        ))
    };
    selection.for_each_step(
        ("counter_points", RESPONSES),
        steps,
        classes,
        |(at, class), step, value| {
            groups[*at].steps[step].count(class, whole(value.as_f64().ok()?));
            Some(())
        },
    )?;
    let sums = selection.sums_by_step(LATENCY, steps, &chosen)?;
    for (group, sums) in groups.iter_mut().zip(sums) {
        for (step, sum) in group.steps.iter_mut().zip(sums) {
            step.latency = Latency::from_millis(sum);
        }
    }
    Ok(GoldenSteps { groups, truncated })
}

/// Histograms of one family step by step, for each of these groups.
pub(crate) fn histogram_steps(
    connection: &Connection,
    family: &str,
    (asked, groups): (&GoldenStepsQuery, Vec<Labels>),
) -> Result<Vec<Vec<Histogram>>, ReadError> {
    let series = series(asked);
    let selection = Selection {
        connection,
        asked: &series,
        any_of: &asked.any_of,
    };
    let places = groups.into_iter().zip(0..).collect();
    selection.sums_by_step(family, asked.steps, &places)
}

fn series(asked: &GoldenStepsQuery) -> SeriesQuery {
    let mut series = asked.golden.series.clone();
    series.window = asked.steps.window();
    if let Some(direction) = asked.golden.direction {
        let direction = direction.as_str().to_owned();
        series.filters.push((Label::Direction, direction));
    }
    series
}

fn most_groups(steps: Steps) -> usize {
    (MAX_SERIES_STEPS / steps.count().max(1)).clamp(1, MAX_SERIES)
}

/// The groups to answer with, each with its place, and whether there are others.
fn choose(
    selection: &Selection<'_>,
    steps: Steps,
) -> Result<(HashMap<Labels, usize>, bool), ReadError> {
    let mut requests: BTreeMap<Labels, f64> = BTreeMap::new();
    selection.for_each_counter(RESPONSES, |_, group, increase| {
        *requests.entry(group).or_default() += increase;
    })?;
    let mut groups: Vec<(Labels, u64)> = requests
        .into_iter()
        .map(|(labels, requests)| (labels, whole(requests)))
        .collect();
    // Stable: equal ones stay in the order of their labels.
    groups.sort_by_key(|(_, requests)| Reverse(*requests));
    let most = most_groups(steps);
    let truncated = groups.len() > most;
    groups.truncate(most);
    let labels = groups.into_iter().map(|(labels, _)| labels);
    Ok((labels.zip(0..).collect(), truncated))
}

impl Selection<'_> {
    /// Of each group, at its place, a sum for each step. Other groups are left out.
    fn sums_by_step(
        &self,
        family: &str,
        steps: Steps,
        places: &HashMap<Labels, usize>,
    ) -> Result<Vec<Vec<Histogram>>, ReadError> {
        let mut sums = vec![vec![Histogram::default(); steps.count()]; places.len()];
        let place = |_: &SeriesLabels, group: &Labels| places.get(group).copied();
        self.for_each_step(
            ("histogram_points", family),
            steps,
            place,
            |at, step, value| sums[*at][step].merge_encoded(value.as_blob().ok()?),
        )?;
        Ok(sums)
    }

    /// Visits the points of a family with the step that they lie in. `place` says once of each series that passes the
    /// filters where it belongs, `None`: nowhere. `add` says whether it understood the value.
    fn for_each_step<P>(
        &self,
        (table, family): (&str, &str),
        steps: Steps,
        place: impl Fn(&SeriesLabels, &Labels) -> Option<P>,
        mut add: impl FnMut(&P, usize, ValueRef<'_>) -> Option<()>,
    ) -> Result<(), ReadError> {
        let mut places: HashMap<i64, Option<P>> = HashMap::new();
        let mut failed = None;
        let sql = format!(
            "SELECT series, t, increase FROM {table} WHERE family = ?1 AND t > ?2 AND t <= ?3"
        );
        self.for_each_point(&sql, family, |row: &Row<'_>| {
            let series: i64 = row.get(0)?;
            let place = places.entry(series).or_insert_with(|| {
                let found = self.place_of(series, &place);
                found.unwrap_or_else(|error| {
                    failed.get_or_insert(error);
                    None
                })
            });
            match (place, steps.position(row.get(1)?)) {
                (Some(place), Some(step)) => Ok(add(place, step, row.get_ref(2)?).is_some()),
                _ => Ok(true),
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn place_of<P>(
        &self,
        series: i64,
        place: impl Fn(&SeriesLabels, &Labels) -> Option<P>,
    ) -> Result<Option<P>, ReadError> {
        let Some(labels) = self.labels(series)? else {
            return Ok(None);
        };
        Ok(self.group(&labels).and_then(|group| place(&labels, &group)))
    }

    /// Labels of a series; `None` of one whose row has expired.
    pub(super) fn labels(&self, series: i64) -> Result<Option<SeriesLabels>, ReadError> {
        let found = self
            .connection
            .prepare_cached("SELECT s.labels, i.name FROM series s JOIN instances i ON i.id = s.instance WHERE s.id = ?1")
            .and_then(|mut statement| {
                let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?));
                statement.query_row([series], read).optional()
            })
            .map_err(query("series"))?;
        found
            .map(|(labels, instance)| SeriesLabels::parse(&labels, instance))
            .transpose()
    }
}
