//! `GET critical-path`: where the time of a route's requests went, over all of them.

use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, label, load_golden};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::traces::SETTLED;
use super::{Api, names};
use crate::blame::{Blame, Owner, Tree, is_proxys, route};
use axum::Json;
use axum::extract::State;
use clew_api::rest::critical_path::{CriticalPath, PathPart};
use clew_api::rest::problem::Problem;
use clew_store::query::{Direction, GoldenRow, Sample, SampleQuery};
use clew_store::{Label, Window};
use clew_trace::Span;
use clew_trace::sampling::weight;
use clew_trace::span::SpanKind;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};
use utoipa::IntoParams;

/// Traces that are read for one answer.
const MAX_TRACES: usize = 2_000;
/// Requests of one trace that are read: a route that asks for itself has many in one, each with all that is below it.
const MAX_REQUESTS_OF_TRACE: usize = 100;
/// The slowest of all requests.
const SLOWEST: f64 = 0.01;

/// Parameters of `GET critical-path`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CriticalPathParameters {
    #[param(ignore)]
    window: Window,
    /// Workload that serves the requests. Needed without a route, and where several serve it
    workload: Option<String>,
    /// Namespace of the workload
    namespace: Option<String>,
    /// Route. Default: the one of the workload whose requests take longest
    #[param(example = "GET /books/{id}")]
    route: Option<String>,
    /// Only traces that nothing was added to for this long: those that are probably whole. Default: 2s
    #[param(value_type = Option<String>, example = "2s")]
    settled: Duration,
}

impl Parameters for CriticalPathParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            workload: query.name("workload")?,
            namespace: query.name("namespace")?,
            route: query.name("route")?,
            settled: query.time("settled")?.unwrap_or(SETTLED),
        })
    }
}

/// Where the time of a route's requests went
#[utoipa::path(
    get,
    path = "/api/v1/critical-path",
    tag = "traces",
    params(WindowParameters, CriticalPathParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = CriticalPath),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload, or nobody asked for that route"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Several workloads serve the route"),
    )
)]
pub(super) async fn critical_path(
    State(api): State<Api>,
    Asked(asked): Asked<CriticalPathParameters>,
) -> Result<Json<CriticalPath>, Refusal> {
    let store = &api.sources.store;
    if asked.workload.is_none() && asked.route.is_none() {
        return Err(Refusal::missing("route", "a route, or a workload"));
    }
    // Nothing is divided by its length.
    let window = asked.window;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let of_all = Selection::of(window, Some(Direction::Inbound))
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    let served = load_golden(store, &of_all, &GROUPS).await?;
    let served = choose(served, asked.route.as_deref())?;
    let sample = store
        .sample(SampleQuery {
            service: served.workload.clone(),
            route: served.route.clone(),
            window,
            settled_for: asked.settled,
            limit: MAX_TRACES,
        })
        .await?;
    // Thousands of traces take a moment, which other requests should not wait for.
    let answer = tokio::task::spawn_blocking(move || answer(served, &sample, window));
    let answer = answer.await;
    answer
        .map(Json)
        .map_err(|_| Refusal::failed("the critical path cannot be shown".to_owned()))
}

const GROUPS: [Label; 3] = [Label::Namespace, Label::Workload, Label::Route];

/// A route of a workload.
struct Served {
    namespace: String,
    workload: String,
    route: String,
    requests: u64,
}

impl Served {
    fn of(row: &GoldenRow) -> Self {
        let text = |wanted| label(&row.labels, wanted).unwrap_or_default().to_owned();
        Self {
            namespace: text(Label::Namespace),
            workload: text(Label::Workload),
            route: text(Label::Route),
            requests: row.ended.responses(),
        }
    }
}

/// The one that is asked about; without a route the one whose requests take longest on average.
fn choose(rows: Vec<GoldenRow>, route: Option<&str>) -> Result<Served, Refusal> {
    let Some(route) = route else {
        let mean = |row: &GoldenRow| row.ended.latency.mean().unwrap_or_default();
        let slowest = rows.iter().max_by_key(|row| mean(row)).map(Served::of);
        return slowest.ok_or_else(|| Refusal::unknown_name("route", "", Vec::new()));
    };
    let all: Vec<Served> = rows.iter().map(Served::of).collect();
    let fits = |served: &&Served| served.route == route;
    match all.iter().filter(fits).count() {
        0 => {
            let mut known: Vec<String> = all.into_iter().map(|served| served.route).collect();
            known.sort();
            known.dedup();
            Err(Refusal::unknown_name("route", route, known))
        }
        1 => {
            let mut all = all.into_iter();
            let one = all.find(|served| served.route == route);
            one.ok_or_else(|| Refusal::unknown_name("route", route, Vec::new()))
        }
        _ => {
            let several = all.iter().filter(fits);
            let workloads = several.map(|served| served.workload.clone()).collect();
            Err(Refusal::ambiguous_route(route, workloads))
        }
    }
}

/// A request, and whose its time is.
struct Request {
    weight: f64,
    nanos: u64,
    blame: Blame,
}

fn answer(served: Served, sample: &Sample, window: Window) -> CriticalPath {
    let traces = sample.traces.iter();
    let mut requests: Vec<Request> = traces
        .flat_map(|spans| requests(spans, &served, &window))
        .collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.nanos));
    let stands_for: f64 = requests.iter().map(|request| request.weight).sum();
    let mut slow = 0.0;
    let slowest = requests.iter().take_while(|request| {
        let is_slow = slow < SLOWEST * stands_for;
        slow += request.weight;
        is_slow
    });
    let slowest = slowest.count();
    let (all, slowest) = (Sums::of(&requests), Sums::of(&requests[..slowest]));
    let p99_ms = requests.get(slowest.requests.saturating_sub(1));
    CriticalPath {
        window: bounds(&window),
        parts: parts(&all, &slowest),
        workload: served.workload,
        namespace: served.namespace,
        route: served.route,
        requests: requests.len() as u64,
        stands_for,
        of: served.requests,
        traces_found: sample.found as u64,
        traces_read: sample.traces.len() as u64,
        mean_ms: all.mean_ms(all.nanos),
        p99_ms: p99_ms.map_or(0.0, |request| request.nanos as f64 / 1e6),
        slowest_ms: slowest.mean_ms(slowest.nanos),
    }
}

/// The requests of the route in a trace; where there are many an even selection, of which each counts for more.
fn requests(spans: &[Span], served: &Served, window: &Window) -> Vec<Request> {
    let tree = Tree::new(spans);
    // All spans of a trace were kept by one decision, and not all may tell of it.
    let weights = spans.iter().map(|span| weight(&span.trace_state));
    let weight = weights.fold(1.0, f64::max);
    let is_one = |span: &Span| {
        is_proxys(span, SpanKind::Server)
            && span.service == served.workload
            && route(span) == Some(&served.route)
            && (span.namespace.is_empty() || span.namespace == served.namespace)
            && is_in(window, span)
            // Long streams are in no latency.
            && !span.attributes.iter().any(|(name, _)| name == "clew.exchange")
    };
    let entries: Vec<usize> = (0..tree.len())
        .filter(|index| is_one(&spans[*index]))
        .collect();
    let read = entries.len().min(MAX_REQUESTS_OF_TRACE);
    (0..read)
        .map(|picked| entries[picked * entries.len() / read])
        .map(|index| Request {
            weight: weight * entries.len() as f64 / read as f64,
            nanos: tree.time(index).length(),
            blame: tree.blame(index),
        })
        .collect()
}

fn is_in(window: &Window, span: &Span) -> bool {
    let start = UNIX_EPOCH + Duration::from_nanos(span.start_unix_nano);
    window.from < start && start <= window.to
}

/// Weighted sums over requests.
#[derive(Default)]
struct Sums {
    requests: usize,
    weight: f64,
    nanos: f64,
    by_owner: BTreeMap<Owner, f64>,
}

impl Sums {
    fn of(requests: &[Request]) -> Self {
        let mut sums = Self {
            requests: requests.len(),
            ..Self::default()
        };
        for request in requests {
            sums.weight += request.weight;
            sums.nanos += request.weight * request.nanos as f64;
            for (owner, nanos) in &request.blame {
                let sum = sums.by_owner.entry(owner.clone()).or_default();
                *sum += request.weight * *nanos as f64;
            }
        }
        sums
    }

    /// A sum as the mean of the requests, in milliseconds.
    fn mean_ms(&self, sum: f64) -> f64 {
        match self.requests {
            0 => 0.0,
            _ => sum / self.weight / 1e6,
        }
    }

    fn share(&self, sum: f64) -> f64 {
        if self.nanos > 0.0 {
            sum / self.nanos
        } else {
            0.0
        }
    }
}

fn parts(all: &Sums, slowest: &Sums) -> Vec<PathPart> {
    let part = |(owner, mean): (&Owner, &f64)| {
        let slow = slowest.by_owner.get(owner).copied().unwrap_or_default();
        PathPart {
            part: owner.part.as_str().to_owned(),
            of: owner.of.clone(),
            to: owner.to.clone(),
            side: owner.side.map(str::to_owned),
            mean_ms: all.mean_ms(*mean),
            mean_share: all.share(*mean),
            slowest_ms: slowest.mean_ms(slow),
            slowest_share: slowest.share(slow),
        }
    };
    let mut parts: Vec<PathPart> = all.by_owner.iter().map(part).collect();
    parts.sort_by(|a, b| b.mean_ms.total_cmp(&a.mean_ms));
    parts
}
