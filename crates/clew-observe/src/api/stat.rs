//! `GET stat`: golden metrics of every workload.

use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, golden, label, load_golden, load_tcp};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::{Api, names, propagation};
use axum::Json;
use axum::extract::State;
use clew_api::client::Role;
use clew_api::rest::golden::{MeanTimes, ProxyQuantiles, SideStat, Stat, WorkloadStat};
use clew_api::rest::problem::Problem;
use clew_store::query::{GoldenRow, Labels};
use clew_store::{Label, ReadError, Store, Window};
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// Parameters of `GET stat`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatParameters {
    #[param(ignore)]
    window: Window,
    /// Only this workload
    workload: Option<String>,
    /// Only this namespace
    namespace: Option<String>,
}

impl Parameters for StatParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            workload: query.name("workload")?,
            namespace: query.name("namespace")?,
        })
    }
}

const GROUPS: [Label; 3] = [Label::Namespace, Label::Workload, Label::Direction];

/// Golden metrics of every workload
#[utoipa::path(
    get,
    path = "/api/v1/stat",
    tag = "metrics",
    params(WindowParameters, StatParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Stat),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn stat(
    State(api): State<Api>,
    Asked(asked): Asked<StatParameters>,
) -> Result<Json<Stat>, Refusal> {
    let window = api.sources.store.measured(asked.window).await?;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let mut workloads = with_members(&api, &asked);
    let selection = Selection::of(window, None)
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    for (labels, side) in load_sides(&api.sources.store, &selection).await? {
        let of = |of| label(&labels, of).unwrap_or_default().to_owned();
        let key = (of(Label::Namespace), of(Label::Workload));
        let workload = workloads
            .entry(key)
            .or_insert_with_key(|(namespace, name)| nobody(namespace, name));
        match label(&labels, Label::Direction) {
            Some("outbound") => workload.outbound = Some(side),
            _ => workload.inbound = Some(side),
        }
    }
    for (name, score) in propagation::scores(&api, &selection).await? {
        if let Some(workload) = workloads.get_mut(&name) {
            workload.propagation_score = Some(score);
        }
    }
    Ok(Json(Stat {
        window: bounds(&window),
        workloads: workloads.into_values().collect(),
    }))
}

type Workloads = BTreeMap<(String, String), WorkloadStat>;

fn nobody(namespace: &str, name: &str) -> WorkloadStat {
    WorkloadStat {
        workload: name.to_owned(),
        namespace: namespace.to_owned(),
        role: None,
        instances: 0,
        inbound: None,
        outbound: None,
        propagation_score: None,
    }
}

/// The workloads of members, whether they had traffic or not.
fn with_members(api: &Api, asked: &StatParameters) -> Workloads {
    let mut workloads = Workloads::new();
    for member in names::members(api) {
        let (name, namespace) = (
            member.workload.name.as_str(),
            member.workload.namespace.as_str(),
        );
        let is_asked = |asked: &Option<String>, given: &str| {
            asked.as_deref().is_none_or(|asked| asked == given)
        };
        if !is_asked(&asked.workload, name) || !is_asked(&asked.namespace, namespace) {
            continue;
        }
        let key = (namespace.to_owned(), name.to_owned());
        let workload = workloads
            .entry(key)
            .or_insert_with(|| nobody(namespace, name));
        workload.instances += 1;
        workload.role = Some(role(member.role).to_owned());
    }
    workloads
}

/// As answers name it.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Proxy => "proxy",
        Role::Gateway => "gateway",
    }
}

async fn load_sides(
    store: &Store,
    selection: &Selection,
) -> Result<BTreeMap<Labels, SideStat>, ReadError> {
    let mut sides: BTreeMap<Labels, SideStat> = BTreeMap::new();
    let mut spent = load_spent(store, selection).await?;
    for row in load_golden(store, selection, &GROUPS).await? {
        // The time of a gateway's passage is told on its outbound side alone.
        let means = spent
            .remove(&row.labels)
            .and_then(|spent| means(&row, spent));
        sides.entry(row.labels.clone()).or_default().mean_ms = means;
        sides.entry(row.labels.clone()).or_default().golden = Some(golden(&row, &selection.window));
    }
    for (labels, tcp) in load_tcp(store, selection, &GROUPS).await? {
        sides.entry(labels).or_default().tcp = Some(tcp);
    }
    // Of the phases, `request` is the time from head in to head out less the waits for others.
    let work = selection.clone().only(Label::Phase, Some("request"));
    for row in store
        .histograms("clew_proxy_time_seconds", work.series_of_side(&GROUPS))
        .await?
    {
        if let Some(side) = sides.get_mut(&row.labels) {
            let seconds = |q| row.histogram.quantile(q).map(|seconds| seconds * 1e3);
            side.proxy_time_ms = seconds(0.5)
                .zip(seconds(0.99))
                .map(|(p50, p99)| ProxyQuantiles { p50, p99 });
        }
    }
    Ok(sides)
}

/// Seconds that the proxies of one side spent on requests, in all.
#[derive(Clone, Copy, Default)]
struct Spent {
    work: f64,
    wait: f64,
}

async fn load_spent(
    store: &Store,
    selection: &Selection,
) -> Result<BTreeMap<Labels, Spent>, ReadError> {
    let by_phase = [&GROUPS[..], &[Label::Phase]].concat();
    let series = selection.series_of_side(&by_phase);
    let mut sides = BTreeMap::<Labels, Spent>::new();
    for mut row in store.histograms("clew_proxy_time_seconds", series).await? {
        let phase = row.labels.remove(&Label::Phase);
        let spent = sides.entry(row.labels).or_default();
        match phase.as_deref() {
            // What is between head in and head out holds the other phases of work.
            Some("request" | "response") => spent.work += row.histogram.sum(),
            Some("queue" | "connect" | "tls") => spent.wait += row.histogram.sum(),
            _ => {}
        }
    }
    Ok(sides)
}

/// The proxies measure what they spend by side and phase, for long streams as well: these have a share of it by number.
fn means(row: &GoldenRow, spent: Spent) -> Option<MeanTimes> {
    let latency = row.ended.latency.mean()?.as_secs_f64() * 1e3;
    let each = |seconds: f64| seconds * 1e3 / row.ended.responses().max(1) as f64;
    let (proxy, wait) = (each(spent.work), each(spent.wait));
    Some(MeanTimes {
        latency,
        proxy,
        wait,
        beyond: (latency - proxy - wait).max(0.0),
    })
}
