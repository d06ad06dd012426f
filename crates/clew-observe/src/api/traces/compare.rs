//! `GET traces/compare`: what tells some traces from others.

use super::super::Api;
use super::super::clock::{bounds, rfc3339};
use super::super::described::{Always, FromStore};
use super::super::query::{Asked, Parameters, Query, WindowParameters};
use super::super::refusal::Refusal;
use super::facts::Tally;
use super::search::SearchParameters;
use axum::Json;
use axum::extract::State;
use clew_api::rest::compare::TraceComparison;
use clew_store::query::TraceSummary;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use utoipa::IntoParams;

/// The most traces that are compared, fewer than the store finds at most.
const MAX_TRACES: usize = 1_000;
/// Spans that are read for one answer, unless the first trace alone has more.
const MAX_SPANS: u64 = 100_000;

/// Parameters of `GET traces/compare`: which traces of those found are selected. One at least of those that begin with
/// `selected_` is needed, and all that are given must hold.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CompareParameters {
    #[param(ignore)]
    search: SearchParameters,
    /// Selected are traces that start no earlier, RFC 3339
    #[param(value_type = Option<String>, example = "2026-01-31T12:00:00Z")]
    selected_from: Option<SystemTime>,
    /// Selected are traces that start no later, RFC 3339
    #[param(value_type = Option<String>, example = "2026-01-31T12:00:10Z")]
    selected_until: Option<SystemTime>,
    /// Selected are traces that took at least this long, from the start of the first span to the end of the last
    #[param(value_type = Option<String>, example = "200ms")]
    selected_min_duration: Option<Duration>,
    /// Selected are traces that took at most this long
    #[param(value_type = Option<String>, example = "2s")]
    selected_max_duration: Option<Duration>,
    /// Compare at most this many traces, the newest, 1 to 1000. Default: 1000
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl Parameters for CompareParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let asked = Self {
            search: SearchParameters::take(query)?,
            selected_from: query.moment("selected_from")?,
            selected_until: query.moment("selected_until")?,
            selected_min_duration: query.time("selected_min_duration")?,
            selected_max_duration: query.time("selected_max_duration")?,
            limit: query.number("limit", 1..=MAX_TRACES)?.unwrap_or(MAX_TRACES),
        };
        let times = asked.selected_from.or(asked.selected_until);
        let durations = asked.selected_min_duration.or(asked.selected_max_duration);
        if times.is_none() && durations.is_none() {
            return Err(Refusal::missing(
                "selected_from",
                "one at least of selected_from, selected_until, selected_min_duration and selected_max_duration",
            ));
        }
        Ok(asked)
    }
}

/// Which traces are selected.
struct Selected {
    from: Option<SystemTime>,
    until: Option<SystemTime>,
    min_duration: Option<Duration>,
    max_duration: Option<Duration>,
}

impl Selected {
    fn holds(&self, trace: &TraceSummary) -> bool {
        let start = UNIX_EPOCH + Duration::from_nanos(trace.start_unix_nano);
        let duration = trace.duration;
        self.from.is_none_or(|from| from <= start)
            && self.until.is_none_or(|until| start <= until)
            && self.min_duration.is_none_or(|least| least <= duration)
            && self.max_duration.is_none_or(|most| duration <= most)
    }
}

/// What tells some traces from others
#[utoipa::path(
    get,
    path = "/api/v1/traces/compare",
    tag = "traces",
    params(WindowParameters, SearchParameters, CompareParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = TraceComparison),
    )
)]
pub(in crate::api) async fn compare(
    State(api): State<Api>,
    Asked(asked): Asked<CompareParameters>,
) -> Result<Json<TraceComparison>, Refusal> {
    let store = &api.sources.store;
    let window = asked.search.window;
    let selected = Selected {
        from: asked.selected_from,
        until: asked.selected_until,
        min_duration: asked.selected_min_duration,
        max_duration: asked.selected_max_duration,
    };
    let query = asked.search.query(asked.limit + 1);
    let found = store.find_traces(query).await?;
    let mut truncated = found.traces.len() > asked.limit || found.searched_back_to.is_some();
    let (mut tally, mut spans) = (Tally::default(), 0);
    for trace in found.traces.iter().take(asked.limit) {
        if spans > 0 && spans + u64::from(trace.spans) > MAX_SPANS {
            truncated = true;
            break;
        }
        // It may have expired meanwhile.
        let Some(read) = store.load_trace(trace.trace_id).await? else {
            continue;
        };
        spans += read.spans.len() as u64;
        let is_selected = selected.holds(trace);
        // A trace may have thousands of spans, which other requests should not wait for.
        let added = tokio::task::spawn_blocking(move || {
            tally.add(&read.spans, is_selected);
            tally
        });
        tally = added
            .await
            .map_err(|_| Refusal::failed("the traces cannot be compared".to_owned()))?;
    }
    let (selected, rest) = tally.traces();
    Ok(Json(TraceComparison {
        window: bounds(&window),
        selected,
        rest,
        attributes: tally.differences(),
        spans,
        truncated,
        searched_back_to: found.searched_back_to.map(rfc3339),
    }))
}
