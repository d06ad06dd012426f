//! Spans into the file.

use crate::detail;
use crate::window::unix_millis;
use clew_trace::{Span, TraceId};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::SystemTime;

/// A trace takes no more spans than this: reading it whole has to stay possible.
const MAX_SPANS_PER_TRACE: u32 = 20_000;

/// Names of attributes that get a number, in one store. Those of more, and long ones, are written out.
const MAX_NAMES: i64 = 4_096;
const MAX_NAME_BYTES: usize = 64;

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
    let mut dictionary = Dictionary::new(transaction);
    let now = unix_millis(SystemTime::now());
    for span in spans {
        let trace = match traces.entry(span.trace_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(touch(transaction, span.trace_id, now)?),
        };
        if trace.spans >= MAX_SPANS_PER_TRACE {
            outcome.refused += 1;
        } else if insert_one(&mut dictionary, trace.id, span)? {
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

/// What spans of a batch have in common and is in the file already, or is put there. It knows only what one
/// transaction has seen: what that changes is undone with it, and retention deletes between two.
struct Dictionary<'t> {
    transaction: &'t Transaction<'t>,
    names: HashMap<String, Option<i64>>,
    /// Number, and the last trace that the file knows it of.
    origins: HashMap<Vec<u8>, (i64, i64)>,
}

impl<'t> Dictionary<'t> {
    fn new(transaction: &'t Transaction<'t>) -> Self {
        Self {
            transaction,
            names: HashMap::new(),
            origins: HashMap::new(),
        }
    }

    fn detail(&mut self, span: &Span) -> rusqlite::Result<Vec<u8>> {
        detail::write(span, &mut |name| self.number_of(name))
    }

    /// The number of who sent a span of this trace.
    fn origin(&mut self, span: &Span, trace: i64) -> rusqlite::Result<i64> {
        let origin = detail::write_origin(span, &mut |name| self.number_of(name))?;
        if let Some((id, last_trace)) = self.origins.get(&origin)
            && *last_trace >= trace
        {
            return Ok(*id);
        }
        let (id, last_trace) = self
            .transaction
            .prepare_cached(
                "INSERT INTO origins (origin, last_trace) VALUES (?1, ?2) ON CONFLICT (origin)
                 DO UPDATE SET last_trace = max(last_trace, excluded.last_trace) RETURNING id, last_trace",
            )?
            .query_row(params![origin, trace], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.origins.insert(origin, (id, last_trace));
        Ok(id)
    }

    fn number_of(&mut self, name: &str) -> rusqlite::Result<Option<i64>> {
        if name.len() > MAX_NAME_BYTES {
            return Ok(None);
        }
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        let number = self.load_number(name)?;
        self.names.insert(name.to_owned(), number);
        Ok(number)
    }

    fn load_number(&self, name: &str) -> rusqlite::Result<Option<i64>> {
        let known: Option<i64> = self
            .transaction
            .prepare_cached("SELECT id FROM names WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        if known.is_some() {
            return Ok(known);
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO names (name) SELECT ?1 WHERE (SELECT count(*) FROM names) < ?2 RETURNING id",
            )?
            .query_row(params![name, MAX_NAMES], |row| row.get(0))
            .optional()
    }
}

/// False when the span was there already.
fn insert_one(dictionary: &mut Dictionary<'_>, trace: i64, span: &Span) -> rusqlite::Result<bool> {
    let detail = dictionary.detail(span)?;
    let origin = dictionary.origin(span, trace)?;
    let inserted = dictionary
        .transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO spans (trace, span_id, kind, service, start, end, parent, status, duration, route,
             name, namespace, instance, scope, status_message, detail, origin)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', '', '', ?12, ?13, ?14)",
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
            span.status_message,
            detail,
            origin,
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
