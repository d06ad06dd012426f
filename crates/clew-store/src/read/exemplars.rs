//! Spans to look at beside golden metrics over time.
//!
//! Candidates come from an index alone, which has time, service, route and status. Whether one is a proxy's, and of the
//! client that is asked for, is in its row: rows are read from the slowest candidate on, until one fits.

use super::query;
use super::traces::{Dictionary, Sender, detail};
use crate::detail::Detail;
use crate::error::ReadError;
use crate::label::Label;
use crate::query::{
    Direction, Exemplar, Exemplars, GoldenStepsQuery, MAX_READ_SPANS, MAX_WALKED_SPANS,
};
use crate::window::{Window, unix_nanos};
use clew_trace::span::{SpanKind, SpanStatus};
use clew_trace::{SpanId, TraceId};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Row, params, params_from_iter};
use std::cmp::Reverse;
use std::time::{Duration, UNIX_EPOCH};

/// A request that ended in the first step may have begun so long before it.
const LOOK_BACK: Duration = Duration::from_secs(60);

/// Scope of the spans that golden metrics are of.
const PROXY_SCOPE: &str = "clew.proxy";

/// Spans of the requests that these golden metrics are of, a few for each step.
pub(crate) fn exemplars(
    connection: &Connection,
    asked: &GoldenStepsQuery,
) -> Result<Exemplars, ReadError> {
    let (mut steps, mut truncated) = candidates(connection, asked)?;
    let mut reading = Reading {
        dictionary: Dictionary::new(connection),
        asked,
        left: 0,
    };
    let mut left = MAX_READ_SPANS;
    let mut answer = Vec::new();
    for step in 0..steps.len() {
        reading.left = left / (steps.len() - step);
        let share = reading.left;
        let (chosen, is_cut) = reading.choose(std::mem::take(&mut steps[step]))?;
        left -= share - reading.left;
        truncated |= is_cut;
        answer.push(chosen);
    }
    Ok(Exemplars {
        steps: answer,
        truncated,
    })
}

/// What the index tells of a span.
struct Candidate {
    trace: i64,
    span_id: i64,
    kind: i32,
    service: String,
    start: u64,
    duration: u64,
    failed: bool,
}

impl Candidate {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.duration)
    }
}

/// Spans of the route by the step that they ended in, and whether some were not looked at.
fn candidates(
    connection: &Connection,
    asked: &GoldenStepsQuery,
) -> Result<(Vec<Vec<Candidate>>, bool), ReadError> {
    let filter = |wanted| {
        let mut filters = asked.golden.series.filters.iter();
        filters.find_map(|(label, value)| (*label == wanted).then_some(value.as_str()))
    };
    let (service, route) = (filter(Label::Workload), filter(Label::Route));
    let kind = match asked.golden.direction {
        Some(Direction::Inbound) => Some(SpanKind::Server),
        Some(Direction::Outbound) => Some(SpanKind::Client),
        None => None,
    };
    let failed = query("spans of steps");
    let mut statement = connection
        .prepare_cached(statement(service.is_some()))
        .map_err(&failed)?;
    let mut steps: Vec<Vec<Candidate>> = Vec::new();
    steps.resize_with(asked.steps.count(), Vec::new);
    let stretches = stretches(asked);
    let mut truncated = false;
    let mut left = MAX_WALKED_SPANS;
    for (place, stretch) in stretches.iter().enumerate() {
        // What quiet steps do not use is for the others.
        let share = left / (stretches.len() - place);
        // One more tells whether there are more.
        let limit = i64::try_from(share + 1).unwrap_or(i64::MAX);
        let (from, to) = (unix_nanos(stretch.from), unix_nanos(stretch.to));
        let mut bindings: Vec<Value> = vec![from.into(), to.into(), limit.into()];
        bindings.extend(service.map(|service| service.to_owned().into()));
        let mut rows = statement
            .query(params_from_iter(bindings))
            .map_err(&failed)?;
        let mut walked = 0;
        while let Some(row) = rows.next().map_err(&failed)? {
            if walked == share {
                truncated = true;
                break;
            }
            walked += 1;
            let is_of_route = match route {
                Some(route) => row.get_ref(6).is_ok_and(|own| own.as_str() == Ok(route)),
                None => true,
            };
            let is_of_kind = match kind {
                Some(kind) => get::<i32>(row, 2)? == kind.number(),
                None => true,
            };
            if is_of_route && is_of_kind {
                let candidate = candidate(row)?;
                let end_ms = candidate.end().div_ceil(1_000_000);
                let step = i64::try_from(end_ms).ok();
                if let Some(step) = step.and_then(|end_ms| asked.steps.position(end_ms)) {
                    steps[step].push(candidate);
                }
            }
        }
        left -= walked;
    }
    Ok((steps, truncated))
}

/// One stretch of the index, newest first. Nothing else is read: all columns are part of either index.
pub(super) fn statement(is_of_service: bool) -> &'static str {
    if is_of_service {
        "SELECT trace, span_id, kind, service, start, duration, route, status
         FROM spans INDEXED BY spans_by_service
         WHERE start > ?1 AND start <= ?2 AND service = ?4 ORDER BY start DESC LIMIT ?3"
    } else {
        "SELECT trace, span_id, kind, service, start, duration, route, status
         FROM spans INDEXED BY spans_by_start
         WHERE start > ?1 AND start <= ?2 ORDER BY start DESC LIMIT ?3"
    }
}

/// The steps, the newest first, and what lies before them.
fn stretches(asked: &GoldenStepsQuery) -> Vec<Window> {
    let begin = asked.steps.window().from;
    let ends = asked.steps.ends_ms();
    let mut stretches: Vec<Window> = ends
        .map(|ms| Window::ending(UNIX_EPOCH + Duration::from_millis(ms), asked.steps.length()))
        .collect();
    stretches.insert(0, Window::ending(begin, LOOK_BACK));
    stretches.reverse();
    stretches
}

fn candidate(row: &Row<'_>) -> Result<Candidate, ReadError> {
    Ok(Candidate {
        trace: get(row, 0)?,
        span_id: get(row, 1)?,
        kind: get(row, 2)?,
        service: get(row, 3)?,
        start: get::<i64>(row, 4)?.cast_unsigned(),
        duration: get::<i64>(row, 5)?.cast_unsigned(),
        failed: get::<i32>(row, 7)? == SpanStatus::Error.number(),
    })
}

/// Reads the rows of candidates.
struct Reading<'q> {
    dictionary: Dictionary<'q>,
    asked: &'q GoldenStepsQuery,
    /// Rows that may be read yet.
    left: usize,
}

impl Reading<'_> {
    /// The slowest that fits, and when that did not fail, the slowest that did; and whether it ended early.
    fn choose(&mut self, mut of_step: Vec<Candidate>) -> Result<(Vec<Exemplar>, bool), ReadError> {
        of_step.sort_by_key(|candidate| Reverse(candidate.duration));
        let mut chosen: Vec<Exemplar> = Vec::new();
        for candidate in &of_step {
            let is_wanted = chosen.is_empty() || candidate.failed;
            if !is_wanted {
                continue;
            }
            if self.left == 0 {
                return Ok((chosen, true));
            }
            self.left -= 1;
            chosen.extend(self.exemplar(candidate)?);
            if chosen.len() == 2 || chosen.iter().any(|one| one.failed) {
                break;
            }
        }
        Ok((chosen, false))
    }

    /// The span, if it is of the requests that are asked for.
    fn exemplar(&mut self, of: &Candidate) -> Result<Option<Exemplar>, ReadError> {
        let failed = query("a span of a step");
        let mut statement = self
            .dictionary
            .connection
            .prepare_cached(
                "SELECT detail, origin, namespace, instance, scope, (SELECT trace_id FROM traces WHERE id = ?1)
                 FROM spans WHERE trace = ?1 AND span_id = ?2 AND kind = ?3 AND service = ?4",
            )
            .map_err(&failed)?;
        let mut rows = statement
            .query(params![of.trace, of.span_id, of.kind, of.service])
            .map_err(&failed)?;
        let Some(row) = rows.next().map_err(&failed)? else {
            return Ok(None);
        };
        let (detail, sender) = detail(row, 0, &mut self.dictionary)?;
        if !self.fits(&of.service, &detail, &sender) {
            return Ok(None);
        }
        let malformed = || ReadError::Malformed { what: "a span" };
        Ok(Some(Exemplar {
            trace_id: TraceId::from_bytes(get(row, 5)?).ok_or_else(malformed)?,
            span_id: SpanId::new(of.span_id.cast_unsigned()).ok_or_else(malformed)?,
            start_unix_nano: of.start,
            duration: Duration::from_nanos(of.duration),
            failed: of.failed,
        }))
    }

    fn fits(&self, service: &str, detail: &Detail, sender: &Sender) -> bool {
        let own = |name: &str| {
            let mut attributes = detail.attributes.iter();
            attributes.find_map(|(own, value)| if own == name { value.as_str() } else { None })
        };
        let holds = |(label, value): &(Label, String)| {
            let own = match label {
                Label::Workload => Some(service),
                Label::Namespace => Some(sender.namespace.as_str()),
                Label::Instance => Some(sender.instance.as_str()),
                Label::Route => own("clew.route"),
                Label::ClientWorkload | Label::DstWorkload => own("clew.peer.workload"),
                Label::ClientNamespace | Label::DstNamespace => own("clew.peer.namespace"),
                Label::DstService => own("clew.dst_service"),
                // Spans do not tell the others as metrics do.
                _ => return false,
            };
            own.unwrap_or_default() == value
        };
        // The latency has no long streams in it.
        let is_measured = sender.scope == PROXY_SCOPE && own("clew.exchange").is_none();
        let any_of = &self.asked.any_of;
        is_measured
            && self.asked.golden.series.filters.iter().all(holds)
            && (any_of.is_empty() || any_of.iter().any(|all| all.iter().all(holds)))
    }
}

fn get<T: FromSql>(row: &Row<'_>, column: usize) -> Result<T, ReadError> {
    row.get(column).map_err(query("a span of a step"))
}
