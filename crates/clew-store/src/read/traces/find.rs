//! Finding traces by what their spans are, and summing them up.

use super::shared::settle_shared;
use super::{Dictionary, Sender, detail, get, query, span_id};
use crate::detail::Detail;
use crate::error::ReadError;
use crate::query::{FoundTraces, MAX_SEARCHED_SPANS, MAX_TRACES, TraceQuery, TraceSummary};
use crate::window::{at_millis, unix_millis};
use clew_trace::span::{SpanStatus, http_status_code};
use clew_trace::{SpanId, TraceId};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The traces that match, latest start first.
pub(crate) fn find(connection: &Connection, asked: &TraceQuery) -> Result<FoundTraces, ReadError> {
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
    let mut dictionary = Dictionary::new(connection);
    let mut seen = HashSet::new();
    let mut found = FoundTraces::default();
    let mut left = asked.searched_spans.min(MAX_SEARCHED_SPANS);
    while found.traces.len() < limit
        && let Some(row) = rows.next().map_err(query("search"))?
    {
        let trace: i64 = get(row, 0)?;
        if seen.contains(&trace) {
            continue;
        }
        if asked.looks_into_spans() {
            if left == 0 {
                let start: u64 = get::<i64>(row, 1)?.cast_unsigned();
                found.searched_back_to = Some(UNIX_EPOCH + Duration::from_nanos(start));
                break;
            }
            left -= 1;
            let (detail, sender) = detail(row, 2, &mut dictionary)?;
            if !fits(asked, &detail, &sender) {
                continue;
            }
        }
        seen.insert(trace);
        if let Some(summary) = summary(&mut dictionary, trace, settled)? {
            found.traces.push(summary);
        }
    }
    found
        .traces
        .sort_by_key(|trace| (Reverse(trace.start_unix_nano), trace.trace_id));
    Ok(found)
}

/// Whether a span has the status and the tags that are asked for.
fn fits(asked: &TraceQuery, detail: &Detail, sender: &Sender) -> bool {
    let has_status = asked.status.as_ref().is_none_or(|wanted| {
        http_status_code(&detail.attributes).is_some_and(|status| wanted.contains(&status))
    });
    let own = || detail.attributes.iter().chain(sender.resource.iter());
    let has = |name: &str, value: &str| match name {
        "service.namespace" => sender.namespace == value,
        "service.instance.id" => sender.instance == value,
        _ => own()
            .filter(|(own, _)| own == name)
            .any(|(_, own)| own.to_text().as_deref() == Some(value)),
    };
    has_status && asked.tags.iter().all(|(name, value)| has(name, value))
}

/// The statement that walks the spans that match, newest first, along the one index that fits.
fn matching_spans(asked: &TraceQuery) -> (String, Vec<Box<dyn ToSql>>) {
    let index = match (&asked.service, asked.errors_only) {
        (Some(_), _) => "spans_by_service",
        (None, true) => "failed_spans",
        (None, false) => "spans_by_start",
    };
    let columns = if asked.looks_into_spans() {
        "trace, start, detail, origin, namespace, instance, scope"
    } else {
        "trace"
    };
    let mut sql =
        format!("SELECT {columns} FROM spans INDEXED BY {index} WHERE start > ? AND start <= ?");
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
    if let Some(most) = asked.max_duration {
        sql.push_str(" AND duration <= ?");
        bindings.push(Box::new(i64::try_from(most.as_nanos()).unwrap_or(i64::MAX)));
    }
    if asked.errors_only {
        // The literal of the partial index.
        sql.push_str(" AND status = 2");
    }
    sql.push_str(" ORDER BY start DESC");
    (sql, bindings)
}

/// What a summary needs of a span.
pub(super) struct Slim {
    pub(super) id: SpanId,
    kind: i32,
    pub(super) parent: Option<SpanId>,
    pub(super) service: String,
    name: String,
    start: u64,
    end: u64,
    failed: bool,
    route: Option<String>,
}

/// The summary of a trace; `None` when something was added to it after `settled` (Unix milliseconds).
fn summary(
    dictionary: &mut Dictionary<'_>,
    trace: i64,
    settled: Option<i64>,
) -> Result<Option<TraceSummary>, ReadError> {
    let connection = dictionary.connection;
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
            "SELECT span_id, parent, service, name, start, end, status, kind, route FROM spans WHERE trace = ?1",
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
    let Some((mut summary, root)) = summarize((trace_id, changed), &spans) else {
        return Ok(None);
    };
    summary.root_status = status_of(dictionary, trace, root)?;
    Ok(Some(summary))
}

/// The HTTP status of a span.
fn status_of(
    dictionary: &mut Dictionary<'_>,
    trace: i64,
    span: &Slim,
) -> Result<Option<u16>, ReadError> {
    let mut statement = dictionary
        .connection
        .prepare_cached(
            "SELECT detail, origin, namespace, instance, scope FROM spans
             WHERE trace = ?1 AND span_id = ?2 AND kind = ?3 AND service = ?4",
        )
        .map_err(query("a span"))?;
    let key = params![trace, span.id.get().cast_signed(), span.kind, span.service];
    let mut rows = statement.query(key).map_err(query("a span"))?;
    let Some(row) = rows.next().map_err(query("a span"))? else {
        return Ok(None);
    };
    let (detail, _) = detail(row, 0, dictionary)?;
    Ok(http_status_code(&detail.attributes))
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
        kind: get(row, 7)?,
        route: get(row, 8)?,
    })
}

/// The summary without the root's status, and the span that is shown as the root.
fn summarize(
    (trace_id, changed_ms): (TraceId, i64),
    spans: &[Slim],
) -> Option<(TraceSummary, &Slim)> {
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
    let summary = TraceSummary {
        trace_id,
        root_name: shown.name.clone(),
        root_service: shown.service.clone(),
        root_route: shown.route.clone(),
        root_status: None,
        has_root: root.is_some(),
        start_unix_nano: first.start,
        duration: Duration::from_nanos(end.saturating_sub(first.start)),
        spans: count(spans, |_| true),
        errors: count(spans, |span| span.failed),
        missing_parents: count(spans, is_orphan),
        roots: count(spans, is_root),
        services,
        changed: at_millis(changed_ms),
    };
    Some((summary, shown))
}

fn count(spans: &[Slim], of: impl Fn(&Slim) -> bool) -> u32 {
    u32::try_from(spans.iter().filter(|span| of(span)).count()).unwrap_or(u32::MAX)
}
