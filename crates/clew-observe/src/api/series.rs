//! `GET series`: golden metrics over time.

use super::Api;
use super::answer::build_json;
use super::clock::millis;
use super::described::{Always, FromStore};
use super::golden::label;
use super::names::UNMESHED;
use super::over_time::{self, OverTimeParameters};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::golden::Direction as Side;
use clew_api::rest::problem::Problem;
use clew_api::rest::series::{Series, SeriesRow};
use clew_store::query::{Ended, GoldenStepsQuery, GroupSteps, Labels};
use clew_store::{Histogram, Label, ReadError, Store};
use utoipa::IntoParams;

/// What is one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Nothing,
    Workload,
    Route,
    Client,
}

const BY: [(&str, By); 4] = [
    ("none", By::Nothing),
    ("workload", By::Workload),
    ("route", By::Route),
    ("client", By::Client),
];

impl By {
    fn labels(self, side: Side) -> &'static [Label] {
        match (self, side) {
            (Self::Nothing, _) => &[],
            (Self::Workload, _) | (Self::Client, Side::Outbound) => {
                &[Label::Namespace, Label::Workload]
            }
            (Self::Route, _) => &[Label::Namespace, Label::Workload, Label::Route],
            (Self::Client, Side::Inbound) => &[Label::ClientNamespace, Label::ClientWorkload],
        }
    }
}

/// Parameters of `GET series`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesParameters {
    #[param(ignore)]
    of: OverTimeParameters,
    /// What is one series: `none` (all requests), `workload`, `route` (of a workload) or `client`. Default: `none`
    #[param(value_type = Option<String>, example = "workload")]
    by: By,
}

impl Parameters for SeriesParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            of: OverTimeParameters::take(query)?,
            by: query.choice("by", &BY)?.unwrap_or(By::Nothing),
        })
    }
}

/// Golden metrics over time
#[utoipa::path(
    get,
    path = "/api/v1/series",
    tag = "metrics",
    params(WindowParameters, OverTimeParameters, SeriesParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Series),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn series(
    State(api): State<Api>,
    Asked(asked): Asked<SeriesParameters>,
) -> Result<Response, Refusal> {
    let (store, side, by) = (&api.sources.store, asked.of.direction, asked.by);
    let question = asked.of.question(&api, by.labels(side)).await?;
    let steps = over_time::shown(store, question.steps).await?;
    let count = question.steps.count();
    let mut found = store.golden_steps(question.clone()).await?;
    if by == By::Nothing && found.groups.is_empty() {
        found.groups.push(GroupSteps {
            labels: Labels::new(),
            steps: vec![Ended::default(); count],
        });
    }
    let proxies = if knows_proxy_time(&asked) {
        let groups = found.groups.iter().map(|group| group.labels.clone());
        load_proxy_time(store, question, groups.collect()).await?
    } else {
        Vec::new()
    };
    let build = move || {
        let groups = found.groups.iter().enumerate();
        Series {
            series: groups
                .map(|(place, group)| SeriesRow {
                    proxy_p99_ms: proxies.get(place).map(|steps| proxy_p99_ms(steps)),
                    ..row(&group.steps, steps.step_seconds).named(by, side, &group.labels)
                })
                .collect(),
            direction: side,
            steps,
            truncated: found.truncated,
        }
    };
    build_json("the series", build).await
}

/// Proxies measure their time by side alone.
fn knows_proxy_time(asked: &SeriesParameters) -> bool {
    let of = &asked.of;
    let is_of_side = of.route.is_none() && of.from.is_none() && of.to.is_none();
    is_of_side && matches!(asked.by, By::Nothing | By::Workload)
}

/// Of each group, step by step.
async fn load_proxy_time(
    store: &Store,
    mut asked: GoldenStepsQuery,
    groups: Vec<Labels>,
) -> Result<Vec<Vec<Histogram>>, ReadError> {
    // Of the phases, `request` is the time from head in to head out less the waits for others.
    let phase = (Label::Phase, "request".to_owned());
    asked.golden.series.filters.push(phase);
    store
        .histogram_steps("clew_proxy_time_seconds", asked, groups)
        .await
}

fn proxy_p99_ms(steps: &[Histogram]) -> Vec<Option<f64>> {
    let p99_ms = |step: &Histogram| step.quantile(0.99).map(|seconds| seconds * 1e3);
    steps.iter().map(p99_ms).collect()
}

fn row(steps: &[Ended], step_seconds: f64) -> SeriesRow {
    let quantile = |q: f64| {
        let steps = steps.iter();
        steps
            .map(|step| step.latency.quantile(q).map(millis))
            .collect()
    };
    let requests: Vec<u64> = steps.iter().map(Ended::responses).collect();
    SeriesRow {
        rps: requests
            .iter()
            .map(|requests| *requests as f64 / step_seconds)
            .collect(),
        requests,
        success_rate: steps.iter().map(Ended::success_rate).collect(),
        failures: steps.iter().map(|step| step.failure).collect(),
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        ..SeriesRow::default()
    }
}

/// Names of a group.
trait Named {
    fn named(self, by: By, side: Side, labels: &Labels) -> Self;
}

impl Named for SeriesRow {
    fn named(mut self, by: By, side: Side, labels: &Labels) -> Self {
        let text = |of| label(labels, of).map(str::to_owned);
        match (by, side) {
            (By::Nothing, _) => {}
            (By::Workload | By::Route, _) => {
                self.workload = text(Label::Workload);
                self.namespace = text(Label::Namespace);
            }
            (By::Client, Side::Inbound) => {
                let client = text(Label::ClientWorkload);
                self.client = client.or_else(|| Some(UNMESHED.to_owned()));
                self.client_namespace = text(Label::ClientNamespace);
            }
            (By::Client, Side::Outbound) => {
                self.client = text(Label::Workload);
                self.client_namespace = text(Label::Namespace);
            }
        }
        if by == By::Route {
            let route = text(Label::Route);
            self.route = route.or_else(|| Some(UNKNOWN_ROUTE.to_owned()));
        }
        self
    }
}
