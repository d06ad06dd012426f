//! `GET propagation`: what workloads make of the trace context that they are given, by the evidence of all requests.

mod advice;
mod examples;

use super::clock::{bounds, rfc3339};
use super::described::{Always, FromStore};
use super::golden::{Selection, label};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::problem::Problem;
use clew_api::rest::propagation::{
    MemberExample, Propagation, PropagationExample, RoutePropagation, WorkloadPropagation,
};
use clew_store::query::{Direction, ValueRow};
use clew_store::{Label, ReadError, Window};
use clew_trace::audit::{Evidence, RouteEvidence};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::IntoParams;

/// Parameters of `GET propagation`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PropagationParameters {
    #[param(ignore)]
    window: Window,
    /// Only this namespace
    namespace: Option<String>,
    /// Only this workload
    workload: Option<String>,
}

impl Parameters for PropagationParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            namespace: query.name("namespace")?,
            workload: query.name("workload")?,
        })
    }
}

/// What workloads make of the trace context that they are given
#[utoipa::path(
    get,
    path = "/api/v1/propagation",
    tag = "metrics",
    params(WindowParameters, PropagationParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Propagation),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn propagation(
    State(api): State<Api>,
    Asked(asked): Asked<PropagationParameters>,
) -> Result<Json<Propagation>, Refusal> {
    let store = &api.sources.store;
    let window = store.measured(asked.window).await?;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let selection = Selection::of(window, Some(Direction::Outbound))
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    let judged = judge(&api, &selection, has_examples).await?;
    Ok(Json(Propagation {
        window: bounds(&window),
        workloads: judged
            .iter()
            .map(|(name, judged)| shown(name, &judged.routes, &judged.examples))
            .collect(),
    }))
}

/// The scores of workloads, by namespace and name; those that have one.
pub(super) async fn scores(
    api: &Api,
    selection: &Selection,
) -> Result<BTreeMap<Name, f64>, ReadError> {
    let outbound = Selection {
        direction: Some(Direction::Outbound),
        ..selection.clone()
    };
    let begin_traces = |routes: &Routes| routes.values().any(RouteEvidence::may_begin_traces);
    let judged = judge(api, &outbound, begin_traces).await?;
    let scores = judged
        .into_iter()
        .filter_map(|(name, judged)| Some((name, score(judged.routes.values())?)));
    Ok(scores.collect())
}

/// A workload, with all that is known of it.
struct Judged {
    routes: Routes,
    examples: Vec<MemberExample>,
}

/// The evidence of workloads; where it is wanted with examples of their members, by which traces that began there are
/// told from those that came from elsewhere.
async fn judge(
    api: &Api,
    selection: &Selection,
    wants_examples: impl Fn(&Routes) -> bool,
) -> Result<BTreeMap<Name, Judged>, ReadError> {
    let store = &api.sources.store;
    let series = selection.series_of_side(&GROUPS);
    let rows = store.counters("clew_propagation_total", series).await?;
    let mut workloads = by_workload(&rows);
    let times = selection.series_of_workload(&[Label::Namespace, Label::Workload, Label::State]);
    let times = store
        .counters("clew_application_seconds_total", times)
        .await?;
    note_times(&mut workloads, &times);
    let wanted = workloads
        .iter()
        .filter(|(_, routes)| wants_examples(routes));
    let wanted: BTreeSet<Name> = wanted.map(|(name, _)| name.clone()).collect();
    let mut examples = examples::load(names::members(api), &wanted).await;
    let window = selection.window;
    let (from, to) = (rfc3339(window.from), rfc3339(window.to));
    let mut judged = BTreeMap::new();
    for (name, mut routes) in workloads {
        let mut examples = examples.remove(&name).unwrap_or_default();
        // What came in while this was asked counts as well.
        examples.retain(|example| {
            let at = &example.example.sent.at;
            is_since(at, &from) && (window.ends_lately() || is_since(&to, at))
        });
        for (route, evidence) in &mut routes {
            let of_route = examples.iter().filter(|example| is_of(example, route));
            if evidence.may_begin_traces() && examples::begin_here(store, &name, of_route).await? {
                evidence.begins_traces();
            }
        }
        judged.insert(name, Judged { routes, examples });
    }
    Ok(judged)
}

const GROUPS: [Label; 5] = [
    Label::Namespace,
    Label::Workload,
    Label::DstService,
    Label::Route,
    Label::Evidence,
];

/// Namespace and name of a workload.
pub(super) type Name = (String, String);
/// Service and route.
type RouteKey = (Option<String>, String);
type Routes = BTreeMap<RouteKey, RouteEvidence>;

fn by_workload(rows: &[ValueRow]) -> BTreeMap<Name, Routes> {
    let mut workloads: BTreeMap<Name, Routes> = BTreeMap::new();
    for row in rows {
        let text = |wanted| label(&row.labels, wanted).map(str::to_owned);
        // A newer proxy may know of more than this version.
        let evidence = label(&row.labels, Label::Evidence).and_then(Evidence::from_name);
        let Some(evidence) = evidence.filter(|_| row.value > 0.0) else {
            continue;
        };
        let namespace = text(Label::Namespace).unwrap_or_default();
        let workload = text(Label::Workload).unwrap_or_default();
        let without_route = match evidence {
            Evidence::Opaque => CONNECTIONS,
            _ => UNKNOWN_ROUTE,
        };
        let route = text(Label::Route).unwrap_or_else(|| without_route.to_owned());
        let routes = workloads.entry((namespace, workload)).or_default();
        let counts = routes.entry((text(Label::DstService), route)).or_default();
        counts.add(evidence, row.value);
    }
    workloads
}

/// Notes for how long the workloads were busy, and for how long idle.
fn note_times(workloads: &mut BTreeMap<Name, Routes>, rows: &[ValueRow]) {
    let mut seconds = BTreeMap::<Name, (f64, f64)>::new();
    for row in rows {
        let text = |wanted| label(&row.labels, wanted).unwrap_or_default().to_owned();
        let (busy, idle) = seconds
            .entry((text(Label::Namespace), text(Label::Workload)))
            .or_default();
        match label(&row.labels, Label::State) {
            Some("busy") => *busy += row.value,
            Some("idle") => *idle += row.value,
            _ => {}
        }
    }
    for (name, routes) in workloads {
        let (busy, idle) = seconds.get(name).copied().unwrap_or_default();
        for route in routes.values_mut() {
            route.was_busy(busy, idle);
        }
    }
}

/// What stands for a route where bytes are not read.
const CONNECTIONS: &str = "(connections)";

/// Whether there is a call that examples could show.
fn has_examples(routes: &Routes) -> bool {
    let mut routes = routes.values();
    routes.any(|route| {
        let shown = [
            Evidence::AbsentBusy,
            Evidence::OtherBusy,
            Evidence::Unusable,
        ];
        shown.iter().any(|evidence| route.get(*evidence) > 0.0)
    })
}

fn is_of(example: &MemberExample, (service, route): &RouteKey) -> bool {
    example.service == *service && example.route == *route
}

/// Whether the first is not before the second, both RFC 3339 in UTC, to the second.
fn is_since(at: &str, from: &str) -> bool {
    const TO_THE_SECOND: usize = "2026-01-01T00:00:00".len();
    at.get(..TO_THE_SECOND) >= from.get(..TO_THE_SECOND)
}

fn shown(
    (namespace, name): &Name,
    routes: &Routes,
    examples: &[MemberExample],
) -> WorkloadPropagation {
    let shown = routes
        .iter()
        .map(|(key, counts)| route(key, counts, examples));
    let shown: Vec<RoutePropagation> = shown.collect();
    WorkloadPropagation {
        name: name.clone(),
        namespace: namespace.clone(),
        score: score(routes.values()),
        advice: advice::advice(&shown),
        routes: shown,
    }
}

fn route(key: &RouteKey, counts: &RouteEvidence, examples: &[MemberExample]) -> RoutePropagation {
    let verdicts = counts.verdicts().into_iter();
    let evidence = Evidence::ALL.map(|evidence| (evidence, counts.get(evidence)));
    let shown = evidence.into_iter().filter(|(_, requests)| *requests > 0.0);
    let (service, route) = key.clone();
    RoutePropagation {
        service,
        route,
        score: score([counts]),
        verdicts: verdicts
            .map(|(verdict, requests)| (verdict.as_str().to_owned(), whole(requests)))
            .collect(),
        evidence: shown
            .map(|(evidence, requests)| (evidence.as_str().to_owned(), whole(requests)))
            .collect(),
        example: example(key, counts, examples),
    }
}

/// Of the calls that speak against the workload the last one, else of those that may.
fn example(
    key: &RouteKey,
    counts: &RouteEvidence,
    examples: &[MemberExample],
) -> Option<PropagationExample> {
    let of_route = examples.iter().filter(|example| is_of(example, key));
    let weight = |example: &&MemberExample| {
        let evidence = Evidence::from_name(&example.example.evidence)?;
        // In the window it may have been counted already or not.
        Some(counts.verdict(evidence).speaks_for() == Some(false))
    };
    let judged = of_route.filter_map(|example| Some((weight(&example)?, example)));
    let chosen = judged
        .max_by(|(a, one), (b, other)| (a, &one.example.sent.at).cmp(&(b, &other.example.sent.at)));
    chosen.map(|(_, chosen)| chosen.example.clone())
}

/// The share that speaks for the workload, where anything says something of it.
fn score<'a>(routes: impl IntoIterator<Item = &'a RouteEvidence>) -> Option<f64> {
    let (mut speaks_for, mut speaks) = (0.0, 0.0);
    for route in routes {
        let (of_route_for, of_route) = route.score();
        speaks_for += of_route_for;
        speaks += of_route;
    }
    (speaks > 0.0).then(|| speaks_for / speaks)
}

/// Counts of a window may be fractions; what happened, happened at least once.
fn whole(requests: f64) -> u64 {
    requests.round().max(1.0) as u64
}
