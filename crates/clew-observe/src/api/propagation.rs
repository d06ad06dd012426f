//! `GET propagation`: what workloads make of the trace context that they are given, by the evidence of all requests.

use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, label};
use super::query::{Asked, Parameters, Query};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::problem::Problem;
use clew_api::rest::propagation::{Propagation, RoutePropagation, WorkloadPropagation};
use clew_store::query::{Direction, ValueRow};
use clew_store::{Label, Window};
use clew_trace::audit::{Evidence, RouteEvidence};
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::IntoParams;

/// Parameters of `GET propagation`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PropagationParameters {
    /// How far to look back: a whole number and a unit (ms, s, m, h, d). Default: 1m
    #[param(value_type = Option<String>, example = "1m")]
    window: Duration,
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
    params(PropagationParameters),
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
    let window = store.measured(Window::last(asked.window)).await?;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let selection = Selection::of(window, Some(Direction::Outbound))
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    let series = selection.series_of_side(&GROUPS);
    let rows = store.counters("clew_propagation_total", series).await?;
    Ok(Json(Propagation {
        window: bounds(&window),
        workloads: by_workload(&rows),
    }))
}

const GROUPS: [Label; 5] = [
    Label::Namespace,
    Label::Workload,
    Label::DstService,
    Label::Route,
    Label::Evidence,
];

type Routes = BTreeMap<(Option<String>, String), RouteEvidence>;

fn by_workload(rows: &[ValueRow]) -> Vec<WorkloadPropagation> {
    let mut workloads: BTreeMap<(String, String), Routes> = BTreeMap::new();
    for row in rows {
        let text = |wanted| label(&row.labels, wanted).map(str::to_owned);
        // A newer proxy may know of more than this version.
        let evidence = label(&row.labels, Label::Evidence).and_then(Evidence::from_name);
        let Some(evidence) = evidence.filter(|_| row.value > 0.0) else {
            continue;
        };
        let namespace = text(Label::Namespace).unwrap_or_default();
        let workload = text(Label::Workload).unwrap_or_default();
        let route = text(Label::Route).unwrap_or_else(|| UNKNOWN_ROUTE.to_owned());
        let routes = workloads.entry((namespace, workload)).or_default();
        let counts = routes.entry((text(Label::DstService), route)).or_default();
        counts.add(evidence, row.value);
    }
    let whole = |((namespace, name), routes): ((String, String), Routes)| WorkloadPropagation {
        name,
        namespace,
        score: score(routes.values()),
        routes: routes.into_iter().map(route).collect(),
    };
    workloads.into_iter().map(whole).collect()
}

fn route(
    ((service, route), counts): ((Option<String>, String), RouteEvidence),
) -> RoutePropagation {
    let verdicts = counts.verdicts().into_iter();
    let evidence = Evidence::ALL.map(|evidence| (evidence, counts.get(evidence)));
    let shown = evidence.into_iter().filter(|(_, requests)| *requests > 0.0);
    RoutePropagation {
        service,
        route,
        score: score([&counts]),
        verdicts: verdicts
            .map(|(verdict, requests)| (verdict.as_str().to_owned(), whole(requests)))
            .collect(),
        evidence: shown
            .map(|(evidence, requests)| (evidence.as_str().to_owned(), whole(requests)))
            .collect(),
    }
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
