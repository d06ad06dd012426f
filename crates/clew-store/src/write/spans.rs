//! Spans into the file.

use crate::detail;
use crate::window::unix_millis;
use clew_trace::{Span, TraceId};
use rusqlite::{Transaction, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::SystemTime;

/// A trace takes no more spans than this: reading it whole has to stay possible.
const MAX_SPANS_PER_TRACE: u32 = 20_000;

/// What became of the spans of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) written: usize,
    pub(super) repeated: usize,
    pub(super) refused: usize,
}

/// A trace as the file knows it.
struct TraceRow {
    id: i64,
    spans: u32,
}

/// Writes spans, and the traces that they belong to.
pub(super) fn insert(transaction: &Transaction<'_>, spans: &[Span]) -> rusqlite::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut traces: HashMap<TraceId, TraceRow> = HashMap::new();
    let now = unix_millis(SystemTime::now());
    for span in spans {
        let trace = match traces.entry(span.trace_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(touch(transaction, span.trace_id, now)?),
        };
        if trace.spans >= MAX_SPANS_PER_TRACE {
            outcome.refused += 1;
        } else if insert_one(transaction, trace.id, span)? {
            trace.spans += 1;
            outcome.written += 1;
        } else {
            outcome.repeated += 1;
        }
    }
    let mut update = transaction.prepare_cached("UPDATE traces SET spans = ?2 WHERE id = ?1")?;
    for trace in traces.values() {
        update.execute(params![trace.id, trace.spans])?;
    }
    Ok(outcome)
}

/// The trace's row, which now has changed.
fn touch(transaction: &Transaction<'_>, trace: TraceId, now: i64) -> rusqlite::Result<TraceRow> {
    transaction
        .prepare_cached(
            "INSERT INTO traces (trace_id, begun_ms, changed_ms, spans) VALUES (?1, ?2, ?2, 0)
             ON CONFLICT (trace_id) DO UPDATE SET changed_ms = excluded.changed_ms RETURNING id, spans",
        )?
        .query_row(params![trace.to_bytes(), now], |row| Ok(TraceRow { id: row.get(0)?, spans: row.get(1)? }))
}

/// False when the span was there already.
fn insert_one(transaction: &Transaction<'_>, trace: i64, span: &Span) -> rusqlite::Result<bool> {
    let detail = detail::write(span)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let inserted = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO spans (trace, span_id, kind, service, start, end, parent, status, duration, route,
             name, namespace, instance, scope, status_message, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            trace,
            span.span_id.get().cast_signed(),
            span.kind.number(),
            span.service,
            span.start_unix_nano.cast_signed(),
            span.end_unix_nano.cast_signed(),
            span.parent_span_id.map(|parent| parent.get().cast_signed()),
            span.status.number(),
            i64::try_from(span.duration_nano()).unwrap_or(i64::MAX),
            route(span),
            span.name,
            span.namespace,
            span.instance,
            span.scope,
            span.status_message,
            detail,
        ])?;
    Ok(inserted > 0)
}

/// What `--route` means: the name that the metrics have for the route; where there is none, as in the spans of
/// applications, the route of their framework, else the gRPC method. `http.route` comes second: it has no method, by
/// OpenTelemetry's conventions, so that a name out of the list of routes would not be found by it.
fn route(span: &Span) -> Option<String> {
    let text = |key: &str| span.attribute(key).and_then(|value| value.as_str());
    text("clew.route")
        .or_else(|| text("http.route"))
        .map(str::to_owned)
        .or_else(|| {
            let (service, method) = (text("rpc.service")?, text("rpc.method")?);
            Some(format!("{service}/{method}"))
        })
}
