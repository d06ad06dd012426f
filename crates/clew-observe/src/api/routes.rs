//! `GET routes`: golden metrics of every route of a workload.

use super::backends::Backends;
use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, absorb, golden, label, load_golden};
use super::names::UNMESHED;
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::route_sources::RouteSources;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::golden::{Direction as Side, RouteStat, Routes};
use clew_api::rest::problem::Problem;
use clew_store::query::{Direction, GoldenRow};
use clew_store::{Label, Window};
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// Parameters of `GET routes`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RoutesParameters {
    /// The workload
    workload: String,
    #[param(ignore)]
    window: Window,
    /// Only this namespace
    namespace: Option<String>,
    /// Only requests of this client workload; `(unmeshed)` for clients outside the mesh. Not together with `to`
    from: Option<String>,
    /// Requests that the workload made to this workload or service, as its own sidecars saw them. Not together
    /// with `from`
    to: Option<String>,
}

impl Parameters for RoutesParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        let workload = query.name("workload");
        let asked = Self {
            window: query.window()?,
            namespace: query.name("namespace")?,
            from: query.name("from")?,
            to: query.name("to")?,
            workload: workload?
                .ok_or_else(|| Refusal::missing("workload", "the name of a workload"))?,
        };
        match (&asked.from, &asked.to) {
            (Some(_), Some(to)) => Err(Refusal::bad_value("to", to, "either from or to, not both")),
            _ => Ok(asked),
        }
    }
}

/// Golden metrics of every route of a workload
#[utoipa::path(
    get,
    path = "/api/v1/routes",
    tag = "metrics",
    params(WindowParameters, RoutesParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Routes),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn routes(
    State(api): State<Api>,
    Asked(asked): Asked<RoutesParameters>,
) -> Result<Json<Routes>, Refusal> {
    let window = api.sources.store.measured(asked.window).await?;
    names::require_workload(&api, "workload", &asked.workload, window).await?;
    let direction = if asked.to.is_some() {
        Side::Outbound
    } else {
        Side::Inbound
    };
    let rows = match (&asked.from, &asked.to) {
        (Some(from), _) => served_to(&api, &asked, window, from).await?,
        (None, Some(to)) => asked_of(&api, &asked, window, to).await?,
        (None, None) => {
            load_golden(&api.sources.store, &inbound(&asked, window), &BY_ROUTE).await?
        }
    };
    let mut routes = by_route(&rows, &window);
    let addressed = routes
        .iter()
        .map(|route| (route.namespace.as_str(), route.service.as_deref()));
    let sources = RouteSources::load(&api, &asked.workload, addressed).await;
    for route in &mut routes {
        route.source = sources.source(&route.namespace, route.service.as_deref(), &route.route);
    }
    Ok(Json(Routes {
        window: bounds(&window),
        routes,
        workload: asked.workload,
        direction,
        from: asked.from,
        to: asked.to,
    }))
}

const BY_ROUTE: [Label; 3] = [Label::Namespace, Label::DstService, Label::Route];

fn selection(asked: &RoutesParameters, window: Window, direction: Direction) -> Selection {
    Selection::of(window, Some(direction))
        .only(Label::Workload, Some(&asked.workload))
        .only(Label::Namespace, asked.namespace.as_deref())
}

fn inbound(asked: &RoutesParameters, window: Window) -> Selection {
    selection(asked, window, Direction::Inbound)
}

async fn served_to(
    api: &Api,
    asked: &RoutesParameters,
    window: Window,
    from: &str,
) -> Result<Vec<GoldenRow>, Refusal> {
    // Clients outside the mesh have no name.
    let client = if from == UNMESHED { "" } else { from };
    if !client.is_empty() {
        names::require_workload(api, "from", client, window).await?;
    }
    let selection = inbound(asked, window).only(Label::ClientWorkload, Some(client));
    Ok(load_golden(&api.sources.store, &selection, &BY_ROUTE).await?)
}

async fn asked_of(
    api: &Api,
    asked: &RoutesParameters,
    window: Window,
    to: &str,
) -> Result<Vec<GoldenRow>, Refusal> {
    names::require_server(api, "to", to, window).await?;
    let groups = [
        Label::Namespace,
        Label::DstService,
        Label::Route,
        Label::DstWorkload,
    ];
    let selection = selection(asked, window, Direction::Outbound);
    let mut rows = load_golden(&api.sources.store, &selection, &groups).await?;
    let backends = Backends::load(api, window).await?;
    // Either name will do: that of the service, and that of the workload behind it.
    rows.retain(|row| {
        let service = label(&row.labels, Label::DstService);
        let workload = label(&row.labels, Label::DstWorkload).map(str::to_owned);
        let workload = workload.or_else(|| backends.server(service?).name);
        service == Some(to) || workload.as_deref() == Some(to)
    });
    Ok(rows)
}

fn by_route(rows: &[GoldenRow], window: &Window) -> Vec<RouteStat> {
    let mut routes: BTreeMap<(String, Option<String>, String), GoldenRow> = BTreeMap::new();
    for row in rows {
        let namespace = label(&row.labels, Label::Namespace)
            .unwrap_or_default()
            .to_owned();
        let service = label(&row.labels, Label::DstService).map(str::to_owned);
        let route = label(&row.labels, Label::Route)
            .unwrap_or(UNKNOWN_ROUTE)
            .to_owned();
        absorb(routes.entry((namespace, service, route)).or_default(), row);
    }
    let stat = |((namespace, service, route), row): (_, GoldenRow)| RouteStat {
        route,
        source: None,
        service,
        namespace,
        golden: golden(&row, window),
    };
    routes.into_iter().map(stat).collect()
}
