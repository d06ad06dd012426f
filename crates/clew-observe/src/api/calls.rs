//! `GET calls`: how often requests call what, by the ids that their calls carry.

use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, label, load_golden};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::calls::{CallPattern, Calls, RouteCall, RouteCalls};
use clew_api::rest::problem::Problem;
use clew_store::query::{Direction, Labels};
use clew_store::{Histogram, Label, Window};
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// Parameters of `GET calls`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CallsParameters {
    #[param(ignore)]
    window: Window,
    /// Only this namespace
    namespace: Option<String>,
    /// Only this workload
    workload: Option<String>,
    /// Only requests of this route
    #[param(example = "GET /books/{id}")]
    route: Option<String>,
}

impl Parameters for CallsParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            namespace: query.name("namespace")?,
            workload: query.name("workload")?,
            route: query.name("route")?,
        })
    }
}

/// How often requests call what
#[utoipa::path(
    get,
    path = "/api/v1/calls",
    tag = "metrics",
    params(WindowParameters, CallsParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Calls),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload, or nobody asked for that route"),
    )
)]
pub(super) async fn calls(
    State(api): State<Api>,
    Asked(asked): Asked<CallsParameters>,
) -> Result<Json<Calls>, Refusal> {
    let store = &api.sources.store;
    let window = store.measured(asked.window).await?;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let of_all = Selection::of(window, Some(Direction::Inbound))
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    let selection = of_all.clone().only(Label::Route, asked.route.as_deref());
    let mut ended = BTreeMap::new();
    for row in load_golden(store, &selection, &CALLER).await? {
        *ended.entry(Caller::of(&row.labels)).or_default() += row.ended.responses();
    }
    if let Some(route) = asked.route.as_ref().filter(|_| ended.is_empty()) {
        let served = load_golden(store, &of_all, &[Label::Route]).await?;
        let names = served
            .iter()
            .filter_map(|row| label(&row.labels, Label::Route));
        let known = names.map(str::to_owned).collect();
        return Err(Refusal::unknown_name("route", route, known));
    }
    let histograms = store
        .histograms("clew_calls_per_request", selection.series_of_side(&CALL))
        .await?;
    let again = store
        .counters("clew_calls_again_total", selection.series_of_side(&CALL))
        .await?;
    let again: BTreeMap<Labels, f64> = again
        .into_iter()
        .map(|row| (row.labels, row.value))
        .collect();
    let mut routes = BTreeMap::<Caller, Vec<RouteCall>>::new();
    for row in histograms {
        if row.histogram.count() > 0 {
            let caller = Caller::of(&row.labels);
            let requests = ended.get(&caller).copied().unwrap_or_default();
            let again = again.get(&row.labels).copied().unwrap_or_default();
            let call = call(&row.labels, &row.histogram, requests, whole(again));
            routes.entry(caller).or_default().push(call);
        }
    }
    let shown = |(caller, calls): (Caller, Vec<RouteCall>)| RouteCalls {
        requests: ended.get(&caller).copied().unwrap_or_default(),
        workload: caller.workload,
        namespace: caller.namespace,
        route: caller.route,
        calls,
    };
    Ok(Json(Calls {
        window: bounds(&window),
        routes: routes.into_iter().map(shown).collect(),
    }))
}

const CALLER: [Label; 3] = [Label::Namespace, Label::Workload, Label::Route];
const CALL: [Label; 5] = [
    Label::Namespace,
    Label::Workload,
    Label::Route,
    Label::DstService,
    Label::DstRoute,
];

/// A route of a workload.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Caller {
    namespace: String,
    workload: String,
    route: String,
}

impl Caller {
    fn of(labels: &Labels) -> Self {
        let text = |wanted| label(labels, wanted).map(str::to_owned);
        Self {
            namespace: text(Label::Namespace).unwrap_or_default(),
            workload: text(Label::Workload).unwrap_or_default(),
            route: text(Label::Route).unwrap_or_else(|| UNKNOWN_ROUTE.to_owned()),
        }
    }
}

fn call(labels: &Labels, histogram: &Histogram, requests: u64, again: u64) -> RouteCall {
    let callers = histogram.count();
    let calls = whole(histogram.sum());
    // A request whose end is not in the window yet may have called something in it.
    let requests = requests.max(callers);
    let route = label(labels, Label::DstRoute).unwrap_or(UNKNOWN_ROUTE);
    RouteCall {
        service: label(labels, Label::DstService).map(str::to_owned),
        route: route.to_owned(),
        calls,
        callers,
        per_request: calls as f64 / requests as f64,
        p50: quantile(histogram, requests, 0.5),
        p99: quantile(histogram, requests, 0.99),
        again,
        pattern: pattern(route, calls, callers, again),
    }
}

/// Calls of this share of all requests, of which those that called nothing are not in the histogram.
fn quantile(histogram: &Histogram, requests: u64, share: f64) -> u64 {
    let without = (requests - histogram.count()) as f64;
    let rank = share * requests as f64 - without;
    if rank <= 0.0 {
        return 0;
    }
    // Buckets are narrower than one up to eleven calls, and 9 % wide from there on.
    let quantile = histogram.quantile(rank / histogram.count() as f64);
    whole(quantile.unwrap_or_default())
}

fn pattern(route: &str, calls: u64, callers: u64, again: u64) -> Option<CallPattern> {
    let (share, least) = RouteCall::STORM;
    if again >= least && again as f64 >= share * calls as f64 {
        return Some(CallPattern::RetryStorm);
    }
    let is_many = calls.saturating_sub(again) as f64 >= RouteCall::MANY * callers as f64;
    // `GET /path`; a method of gRPC has no space.
    let is_fixed = route.contains(' ') && !route.contains(['{', '*']);
    match is_many {
        true if is_fixed => Some(CallPattern::Repeated),
        true => Some(CallPattern::NPlusOne),
        false => None,
    }
}

fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_told_by_how_often_and_what() {
        let item = "GET /books/{id}";
        assert_eq!(pattern(item, 30, 10, 0), Some(CallPattern::NPlusOne));
        assert_eq!(pattern(item, 29, 10, 0), None);
        assert_eq!(
            pattern("a.Service/Get", 30, 10, 0),
            Some(CallPattern::NPlusOne)
        );
        assert_eq!(
            pattern("GET /settings", 30, 10, 0),
            Some(CallPattern::Repeated)
        );
        assert_eq!(pattern(item, 50, 30, 10), Some(CallPattern::RetryStorm));
        assert_eq!(pattern(item, 40, 30, 9), None, "too few to say so");
    }

    #[test]
    fn requests_that_called_nothing_are_in_the_quantiles() {
        let mut histogram = Histogram::new(3);
        (0..60).for_each(|_| histogram.observe(7.0));
        assert_eq!(quantile(&histogram, 60, 0.5), 7);
        assert_eq!(quantile(&histogram, 200, 0.5), 0);
        assert_eq!(quantile(&histogram, 200, 0.99), 7);
    }
}
