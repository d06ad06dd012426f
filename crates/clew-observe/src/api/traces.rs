//! `GET traces`, `GET traces/{id}` and what else is asked about traces.

pub(super) mod compare;
pub(super) mod export;
mod facts;
mod scope;
mod search;
#[cfg(test)]
mod tests;
mod whole;

use super::Api;
use super::answer::build_json;
use super::clock::{bounds, millis, rfc3339, rfc3339_nanos};
use super::described::{Always, FromStore};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use clew_api::rest::problem::Problem;
use clew_api::rest::traces::{Root, Trace, TraceState, TraceSummary, Traces};
use clew_store::Store;
use clew_store::query::{StoredTrace, TraceSummary as Found};
use clew_trace::TraceId;
use search::SearchParameters;
use std::time::{Duration, SystemTime};
use utoipa::IntoParams;

/// The most traces in one answer, fewer than the store finds at most, so that it can be told that there are more.
const MAX_LIMIT: usize = 500;
const DEFAULT_LIMIT: usize = 20;
/// Ids that are named when several begin as was asked.
const MAX_CANDIDATES: usize = 10;
/// Spans of a trace come from several proxies, and not at once. When nothing was added for this long, it is probably whole.
pub(super) const SETTLED: Duration = Duration::from_secs(2);
/// Hexadecimal digits of a trace id, and of the shorter ids that B3 allows.
const ID_DIGITS: usize = 32;
const SHORT_ID_DIGITS: usize = 16;
const ID_FORM: &str = "1 to 32 hexadecimal digits";

/// Parameters of `GET traces`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TracesParameters {
    #[param(ignore)]
    search: SearchParameters,
    /// At most this many, 1 to 500. Default: 20
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: usize,
}

impl Parameters for TracesParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            search: SearchParameters::take(query)?,
            limit: query
                .number("limit", 1..=MAX_LIMIT)?
                .unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// Traces, newest first
#[utoipa::path(
    get,
    path = "/api/v1/traces",
    tag = "traces",
    params(WindowParameters, SearchParameters, TracesParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Traces),
    )
)]
pub(super) async fn traces(
    State(api): State<Api>,
    Asked(asked): Asked<TracesParameters>,
) -> Result<Json<Traces>, Refusal> {
    let window = asked.search.window;
    let query = asked.search.query(asked.limit + 1);
    let settled = settled();
    let mut found = api.sources.store.find_traces(query).await?;
    let is_more = found.traces.len() > asked.limit;
    found.traces.truncate(asked.limit);
    Ok(Json(Traces {
        window: bounds(&window),
        traces: found
            .traces
            .into_iter()
            .map(|trace| summary(trace, settled))
            .collect(),
        truncated: is_more || found.searched_back_to.is_some(),
        searched_back_to: found.searched_back_to.map(rfc3339),
    }))
}

/// A trace that changed later may be still arriving. To be asked before the store is: what comes while that answers is
/// not in its answer.
fn settled() -> SystemTime {
    SystemTime::now() - SETTLED
}

/// `is_whole`: one span has no parent, and every parent is there.
fn state(changed: SystemTime, is_whole: bool, settled: SystemTime) -> TraceState {
    if changed > settled {
        TraceState::Arriving
    } else if is_whole {
        TraceState::Whole
    } else {
        TraceState::Broken
    }
}

fn summary(found: Found, settled: SystemTime) -> TraceSummary {
    let is_whole = found.roots == 1 && found.missing_parents == 0;
    TraceSummary {
        state: state(found.changed, is_whole, settled),
        trace_id: found.trace_id.to_string(),
        start: rfc3339_nanos(found.start_unix_nano),
        duration_ms: millis(found.duration),
        root: Root {
            service: found.root_service,
            name: found.root_name,
            route: found.root_route,
            http_status: found.root_status,
            is_root: found.has_root,
        },
        roots: found.roots.into(),
        spans: found.spans.into(),
        services: found
            .services
            .into_iter()
            .map(|(service, spans)| (service, spans.into()))
            .collect(),
        errors: found.errors.into(),
        missing_parents: found.missing_parents.into(),
    }
}

/// Parameters of `GET traces/{id}`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TraceParameters {
    /// Only spans of this instrumentation scope, each below the nearest of them that is above it: `clew.proxy` is what
    /// the proxies saw
    #[param(example = "clew.proxy")]
    scope: Option<String>,
}

impl Parameters for TraceParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            scope: query.name("scope")?,
        })
    }
}

/// One trace, whole, or what one instrumentation scope has of it
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}",
    tag = "traces",
    params(("id" = String, Path, description = "Its id, or as many hexadecimal digits of its beginning as make it the only one"), TraceParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Trace),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "That is no id"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such trace"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Several ids begin so"),
    )
)]
pub(super) async fn trace(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    Asked(asked): Asked<TraceParameters>,
) -> Result<Response, Refusal> {
    let settled = settled();
    let (trace_id, trace) = load_trace(&api, id).await?;
    // Twenty thousand spans are tens of megabytes of JSON.
    build_json(&format!("trace {trace_id}"), move || {
        let state = state(trace.changed, whole::is_whole(&trace.spans), settled);
        whole::trace((trace_id, state), trace.spans, asked.scope.as_deref())
    })
    .await
}

/// The one trace whose id begins so.
async fn load_trace(
    api: &Api,
    id: Result<Path<String>, PathRejection>,
) -> Result<(TraceId, StoredTrace), Refusal> {
    let Path(id) =
        id.map_err(|rejection| Refusal::bad_value("id", &rejection.body_text(), ID_FORM))?;
    let store = &api.sources.store;
    let trace_id = find_id(store, &id).await?;
    match store.load_trace(trace_id).await? {
        Some(trace) => Ok((trace_id, trace)),
        None => Err(Refusal::unknown_trace(&id)),
    }
}

/// The one trace whose id begins so.
async fn find_id(store: &Store, given: &str) -> Result<TraceId, Refusal> {
    let is_hex = !given.is_empty()
        && given.len() <= ID_DIGITS
        && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return Err(Refusal::bad_value("id", given, ID_FORM));
    }
    let mut found = ids_that_begin(store, given).await?;
    if given.len() == SHORT_ID_DIGITS {
        // An id of 64 bits is kept with zeros before it.
        found.extend(ids_that_begin(store, &format!("{given:0>ID_DIGITS$}")).await?);
    }
    match found.as_slice() {
        [] => Err(Refusal::unknown_trace(given)),
        [one] => Ok(*one),
        several => Err(Refusal::ambiguous_trace(
            given,
            several.iter().map(ToString::to_string).collect(),
        )),
    }
}

async fn ids_that_begin(store: &Store, digits: &str) -> Result<Vec<TraceId>, Refusal> {
    let bound = |fill: char| {
        let padded: String = digits
            .chars()
            .chain(std::iter::repeat(fill))
            .take(ID_DIGITS)
            .collect();
        u128::from_str_radix(&padded, 16).unwrap_or_default()
    };
    Ok(store
        .trace_ids(bound('0')..=bound('f'), MAX_CANDIDATES)
        .await?)
}
