//! Finding traces, and reading one whole.

mod find;
mod shared;

pub(crate) use find::find;

use super::query;
use crate::detail::{self, Detail};
use crate::error::ReadError;
use crate::query::{MAX_SAMPLED_SPANS, MAX_TRACES, Sample, SampleQuery, StoredTrace};
use crate::window::{at_millis, unix_millis};
use clew_trace::span::{AttributeValue, SpanKind, SpanStatus};
use clew_trace::{Span, SpanId, TraceId};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared::settle_shared;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

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
            spans += trace.spans.len();
            traces.push(trace.spans);
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

/// All of a trace; `None` when the store has none of it.
pub(crate) fn load(
    connection: &Connection,
    trace_id: TraceId,
) -> Result<Option<StoredTrace>, ReadError> {
    let trace: Option<(i64, i64)> = connection
        .prepare_cached("SELECT id, changed_ms FROM traces WHERE trace_id = ?1")
        .and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            statement.query_row([trace_id.to_bytes()], read).optional()
        })
        .map_err(query("traces"))?;
    let Some((trace, changed_ms)) = trace else {
        return Ok(None);
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT span_id, kind, service, start, end, parent, status, name, status_message, detail, origin,
             namespace, instance, scope FROM spans WHERE trace = ?1 ORDER BY start, span_id",
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
    Ok(Some(StoredTrace {
        spans,
        changed: at_millis(changed_ms),
    }))
}

fn span_id(value: i64) -> Result<SpanId, ReadError> {
    SpanId::new(value.cast_unsigned()).ok_or(ReadError::Malformed { what: "a span" })
}

fn span(
    trace_id: TraceId,
    row: &Row<'_>,
    dictionary: &mut Dictionary<'_>,
) -> Result<Span, ReadError> {
    let (detail, sender) = detail(row, 9, dictionary)?;
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
        status_message: get(row, 8)?,
        trace_state: detail.trace_state,
        attributes: detail.attributes,
        resource: sender.resource,
        events: detail.events,
        links: detail.links,
    })
}

/// What nothing is searched by, and who sent the span: the columns detail, origin, namespace, instance and scope, from
/// the one of this number on.
pub(super) fn detail(
    row: &Row<'_>,
    first: usize,
    dictionary: &mut Dictionary<'_>,
) -> Result<(Detail, Sender), ReadError> {
    let malformed = || ReadError::Malformed { what: "a span" };
    if let Some(origin) = get::<Option<i64>>(row, first + 1)? {
        let bytes = get::<Vec<u8>>(row, first)?;
        let detail = detail::read(&bytes, &mut |number| dictionary.name(number));
        let sender = dictionary.sender(origin).ok_or_else(malformed)?;
        return Ok((detail.ok_or_else(malformed)?, sender));
    }
    let mut detail = detail::read_json(&get::<String>(row, first)?).map_err(|_| malformed())?;
    let sender = Sender {
        namespace: get(row, first + 2)?,
        instance: get(row, first + 3)?,
        scope: get(row, first + 4)?,
        resource: std::mem::take(&mut detail.resource).into(),
    };
    Ok((detail, sender))
}

/// Who sent a span.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) namespace: String,
    pub(super) instance: String,
    pub(super) scope: String,
    resource: Arc<[(String, AttributeValue)]>,
}

/// What spans refer to, as far as one trace needed it. What is not there, or cannot be read, is `None`: only a
/// damaged file is so.
pub(super) struct Dictionary<'c> {
    pub(super) connection: &'c Connection,
    names: HashMap<i64, String>,
    senders: HashMap<i64, Sender>,
}

impl<'c> Dictionary<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
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
