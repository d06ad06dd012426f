//! Finding traces, and reading one whole.

mod shared;

use super::query;
use crate::detail;
use crate::error::ReadError;
use crate::query::{MAX_SAMPLED_SPANS, MAX_TRACES, Sample, SampleQuery, TraceQuery, TraceSummary};
use crate::window::unix_millis;
use clew_trace::span::{AttributeValue, SpanKind, SpanStatus};
use clew_trace::{Span, SpanId, TraceId};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use shared::settle_shared;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The traces that match, latest start first.
pub(crate) fn find(
    connection: &Connection,
    asked: &TraceQuery,
) -> Result<Vec<TraceSummary>, ReadError> {
    let limit = asked.limit.min(MAX_TRACES);
    let settled = asked.settled_for.map(|quiet| {
        SystemTime::now()
            .checked_sub(quiet)
            .map_or(i64::MIN, unix_millis)
    });
    let (sql, bindings) = matching_spans(asked);
    let mut statement = connection.prepare_cached(&sql).map_err(query("search"))?;
    let bindings: Vec<&dyn ToSql> = bindings.iter().map(AsRef::as_ref).collect();
    let mut rows = statement
        .query(bindings.as_slice())
        .map_err(query("search"))?;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next().map_err(query("search"))?
    {
        let trace: i64 = row.get(0).map_err(query("search"))?;
        if seen.insert(trace)
            && let Some(summary) = summary(connection, trace, settled)?
        {
            found.push(summary);
        }
    }
    found.sort_by_key(|trace| (std::cmp::Reverse(trace.start_unix_nano), trace.trace_id));
    Ok(found)
}

/// The statement that walks the spans that match, newest first, along the one index that fits.
fn matching_spans(asked: &TraceQuery) -> (String, Vec<Box<dyn ToSql>>) {
    let index = match (&asked.service, asked.errors_only) {
        (Some(_), _) => "spans_by_service",
        (None, true) => "failed_spans",
        (None, false) => "spans_by_start",
    };
    let mut sql =
        format!("SELECT trace FROM spans INDEXED BY {index} WHERE start > ? AND start <= ?");
    let (from, to) = asked.window.nanos();
    let mut bindings: Vec<Box<dyn ToSql>> = vec![Box::new(from), Box::new(to)];
    if let Some(service) = &asked.service {
        sql.push_str(" AND service = ?");
        bindings.push(Box::new(service.clone()));
    }
    if let Some(route) = &asked.route {
        sql.push_str(" AND route = ?");
        bindings.push(Box::new(route.clone()));
    }
    if let Some(least) = asked.min_duration {
        sql.push_str(" AND duration >= ?");
        bindings.push(Box::new(
            i64::try_from(least.as_nanos()).unwrap_or(i64::MAX),
        ));
    }
    if asked.errors_only {
        // The literal of the partial index.
        sql.push_str(" AND status = 2");
    }
    sql.push_str(" ORDER BY start DESC");
    (sql, bindings)
}

/// What a summary needs of a span.
struct Slim {
    id: SpanId,
    parent: Option<SpanId>,
    service: String,
    name: String,
    start: u64,
    end: u64,
    failed: bool,
}

/// The summary of a trace; `None` when something was added to it after `settled` (Unix milliseconds).
fn summary(
    connection: &Connection,
    trace: i64,
    settled: Option<i64>,
) -> Result<Option<TraceSummary>, ReadError> {
    let head = connection
        .prepare_cached("SELECT trace_id, changed_ms FROM traces WHERE id = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([trace], |row| {
                    Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?))
                })
                .optional()
        })
        .map_err(query("traces"))?;
    let Some((id, changed)) = head else {
        return Ok(None);
    };
    if settled.is_some_and(|settled| changed > settled) {
        return Ok(None);
    }
    let trace_id = TraceId::from_bytes(id).ok_or(ReadError::Malformed { what: "a trace id" })?;
    let mut statement = connection
        .prepare_cached(
            "SELECT span_id, parent, service, name, start, end, status FROM spans WHERE trace = ?1",
        )
        .map_err(query("spans of a trace"))?;
    let mut rows = statement
        .query([trace])
        .map_err(query("spans of a trace"))?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next().map_err(query("spans of a trace"))? {
        spans.push(slim(row)?);
    }
    settle_shared(&mut spans);
    Ok(summarize(trace_id, &spans))
}

fn slim(row: &Row<'_>) -> Result<Slim, ReadError> {
    Ok(Slim {
        id: span_id(get(row, 0)?)?,
        parent: get::<Option<i64>>(row, 1)?.map(span_id).transpose()?,
        service: get(row, 2)?,
        name: get(row, 3)?,
        start: get::<i64>(row, 4)?.cast_unsigned(),
        end: get::<i64>(row, 5)?.cast_unsigned(),
        failed: get::<i32>(row, 6)? == SpanStatus::Error.number(),
    })
}

fn span_id(value: i64) -> Result<SpanId, ReadError> {
    SpanId::new(value.cast_unsigned()).ok_or(ReadError::Malformed { what: "a span" })
}

fn summarize(trace_id: TraceId, spans: &[Slim]) -> Option<TraceSummary> {
    let ids: HashSet<SpanId> = spans.iter().map(|span| span.id).collect();
    let is_orphan = |span: &Slim| span.parent.is_some_and(|parent| !ids.contains(&parent));
    let earliest = |of: &dyn Fn(&Slim) -> bool| {
        spans
            .iter()
            .filter(|span| of(span))
            .min_by_key(|span| span.start)
    };
    let is_root = |span: &Slim| span.parent.is_none();
    let first = earliest(&|_| true)?;
    let root = earliest(&is_root);
    let shown = root.or_else(|| earliest(&is_orphan)).unwrap_or(first);
    let end = spans.iter().map(|span| span.end).max().unwrap_or(first.end);
    let mut services = BTreeMap::new();
    for span in spans {
        *services.entry(span.service.clone()).or_default() += 1;
    }
    Some(TraceSummary {
        trace_id,
        root_name: shown.name.clone(),
        root_service: shown.service.clone(),
        has_root: root.is_some(),
        start_unix_nano: first.start,
        duration: Duration::from_nanos(end.saturating_sub(first.start)),
        spans: count(spans, |_| true),
        errors: count(spans, |span| span.failed),
        missing_parents: count(spans, is_orphan),
        roots: count(spans, is_root),
        services,
    })
}

fn count(spans: &[Slim], of: impl Fn(&Slim) -> bool) -> u32 {
    u32::try_from(spans.iter().filter(|span| of(span)).count()).unwrap_or(u32::MAX)
}

/// Traces that have a span of this service and route in the window: all of them, or as many as `limit`, evenly picked.
/// Nothing was added to any of them for `settled_for`.
pub(crate) fn sample(connection: &Connection, asked: &SampleQuery) -> Result<Sample, ReadError> {
    let (from, to) = asked.window.nanos();
    let quiet = SystemTime::now().checked_sub(asked.settled_for);
    let quiet = quiet.map_or(i64::MIN, unix_millis);
    let failed = query("spans of a route");
    let matching: Vec<[u8; 16]> = connection
        .prepare_cached(
            "SELECT trace_id FROM traces WHERE changed_ms <= ?5 AND id IN (
                 SELECT trace FROM spans INDEXED BY spans_by_service
                 WHERE service = ?1 AND start > ?2 AND start <= ?3 AND route = ?4
             ) ORDER BY id",
        )
        .and_then(|mut statement| {
            let bindings = params![asked.service, from, to, asked.route, quiet];
            statement.query_map(bindings, |row| row.get(0))?.collect()
        })
        .map_err(failed)?;
    let found = matching.len();
    let mut spans = 0;
    let mut traces = Vec::new();
    for picked in 0..found.min(asked.limit) {
        // Rounded down, no two are the same.
        let bytes = matching[picked * found / found.min(asked.limit)];
        let id = TraceId::from_bytes(bytes).ok_or(ReadError::Malformed { what: "a trace id" })?;
        // It may have expired meanwhile.
        if let Some(trace) = load(connection, id)? {
            spans += trace.len();
            traces.push(trace);
        }
        if spans >= MAX_SAMPLED_SPANS {
            break;
        }
    }
    Ok(Sample { found, traces })
}

/// Ids in the range, in their order; at most `limit`.
pub(crate) fn ids(
    connection: &Connection,
    range: &RangeInclusive<u128>,
    limit: usize,
) -> Result<Vec<TraceId>, ReadError> {
    let (first, last) = (range.start().to_be_bytes(), range.end().to_be_bytes());
    let ids: Vec<[u8; 16]> = connection
        .prepare_cached("SELECT trace_id FROM traces WHERE trace_id BETWEEN ?1 AND ?2 ORDER BY trace_id LIMIT ?3")
        .and_then(|mut statement| {
            let limit = i64::try_from(limit.min(MAX_TRACES)).unwrap_or(i64::MAX);
            statement.query_map(params![first, last, limit], |row| row.get(0))?.collect()
        })
        .map_err(query("traces"))?;
    let id = |bytes| TraceId::from_bytes(bytes).ok_or(ReadError::Malformed { what: "a trace id" });
    ids.into_iter().map(id).collect()
}

/// All spans of a trace, by start; `None` when the store has none of it.
pub(crate) fn load(
    connection: &Connection,
    trace_id: TraceId,
) -> Result<Option<Vec<Span>>, ReadError> {
    let trace: Option<i64> = connection
        .prepare_cached("SELECT id FROM traces WHERE trace_id = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([trace_id.to_bytes()], |row| row.get(0))
                .optional()
        })
        .map_err(query("traces"))?;
    let Some(trace) = trace else { return Ok(None) };
    let mut statement = connection
        .prepare_cached(
            "SELECT span_id, kind, service, start, end, parent, status, name, namespace, instance, scope,
             status_message, detail, origin FROM spans WHERE trace = ?1 ORDER BY start, span_id",
        )
        .map_err(query("spans of a trace"))?;
    let mut rows = statement
        .query([trace])
        .map_err(query("spans of a trace"))?;
    let mut spans = Vec::new();
    let mut dictionary = Dictionary::new(connection);
    while let Some(row) = rows.next().map_err(query("spans of a trace"))? {
        spans.push(span(trace_id, row, &mut dictionary)?);
    }
    settle_shared(&mut spans);
    Ok(Some(spans))
}

fn span(
    trace_id: TraceId,
    row: &Row<'_>,
    dictionary: &mut Dictionary<'_>,
) -> Result<Span, ReadError> {
    let malformed = || ReadError::Malformed { what: "a span" };
    let (detail, sender) = match get::<Option<i64>>(row, 13)? {
        Some(origin) => {
            let bytes = get::<Vec<u8>>(row, 12)?;
            let detail = detail::read(&bytes, &mut |number| dictionary.name(number));
            (
                detail.ok_or_else(malformed)?,
                dictionary.sender(origin).ok_or_else(malformed)?,
            )
        }
        None => {
            let mut detail =
                detail::read_json(&get::<String>(row, 12)?).map_err(|_| malformed())?;
            let sender = Sender {
                namespace: get(row, 8)?,
                instance: get(row, 9)?,
                scope: get(row, 10)?,
                resource: std::mem::take(&mut detail.resource).into(),
            };
            (detail, sender)
        }
    };
    Ok(Span {
        trace_id,
        span_id: span_id(get(row, 0)?)?,
        parent_span_id: get::<Option<i64>>(row, 5)?.map(span_id).transpose()?,
        kind: SpanKind::from_number(get(row, 1)?),
        name: get(row, 7)?,
        service: get(row, 2)?,
        namespace: sender.namespace,
        instance: sender.instance,
        scope: sender.scope,
        start_unix_nano: get::<i64>(row, 3)?.cast_unsigned(),
        end_unix_nano: get::<i64>(row, 4)?.cast_unsigned(),
        status: SpanStatus::from_number(get(row, 6)?),
        status_message: get(row, 11)?,
        trace_state: detail.trace_state,
        attributes: detail.attributes,
        resource: sender.resource,
        events: detail.events,
        links: detail.links,
    })
}

/// Who sent a span.
#[derive(Clone)]
struct Sender {
    namespace: String,
    instance: String,
    scope: String,
    resource: Arc<[(String, AttributeValue)]>,
}

/// What spans refer to, as far as one trace needed it. What is not there, or cannot be read, is `None`: only a
/// damaged file is so.
struct Dictionary<'c> {
    connection: &'c Connection,
    names: HashMap<i64, String>,
    senders: HashMap<i64, Sender>,
}

impl<'c> Dictionary<'c> {
    fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            names: HashMap::new(),
            senders: HashMap::new(),
        }
    }

    fn name(&mut self, number: i64) -> Option<String> {
        if let Some(name) = self.names.get(&number) {
            return Some(name.clone());
        }
        let name: String = self.load("SELECT name FROM names WHERE id = ?1", number)?;
        self.names.insert(number, name.clone());
        Some(name)
    }

    fn sender(&mut self, number: i64) -> Option<Sender> {
        if let Some(sender) = self.senders.get(&number) {
            return Some(sender.clone());
        }
        let bytes: Vec<u8> = self.load("SELECT origin FROM origins WHERE id = ?1", number)?;
        let origin = detail::read_origin(&bytes, &mut |number| self.name(number))?;
        let sender = Sender {
            namespace: origin.namespace,
            instance: origin.instance,
            scope: origin.scope,
            resource: origin.resource.into(),
        };
        self.senders.insert(number, sender.clone());
        Some(sender)
    }

    fn load<T: FromSql>(&self, sql: &str, number: i64) -> Option<T> {
        let mut statement = self.connection.prepare_cached(sql).ok()?;
        statement.query_row([number], |row| row.get(0)).ok()
    }
}

fn get<T: FromSql>(row: &Row<'_>, column: usize) -> Result<T, ReadError> {
    row.get(column).map_err(query("a span"))
}
