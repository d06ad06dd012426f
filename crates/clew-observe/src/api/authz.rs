//! `GET authz`: whose requests were admitted and whose were refused, as the servers' proxies counted them.

use super::backends::peer;
use super::clock::bounds;
use super::described::{Always, FromStore};
use super::golden::{Selection, label, load_golden};
use super::query::{Asked, Parameters, Query, WindowParameters};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::State;
use clew_api::client::Instance;
use clew_api::rest::UNKNOWN_ROUTE;
use clew_api::rest::authz::{Authz, AuthzRow};
use clew_api::rest::golden::EdgePeer;
use clew_api::rest::problem::Problem;
use clew_store::query::{Direction, GoldenRow};
use clew_store::{Label, Window};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use utoipa::IntoParams;

/// Why a proxy refuses whoever may not call.
const NOT_AUTHORIZED: &str = "not_authorized";

/// Parameters of `GET authz`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuthzParameters {
    #[param(ignore)]
    window: Window,
    /// Only requests to this workload
    workload: Option<String>,
    /// Only requests to workloads of this namespace
    namespace: Option<String>,
    /// Only rows with refusals
    #[param(value_type = Option<bool>)]
    refused: bool,
}

impl Parameters for AuthzParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            window: query.window()?,
            workload: query.name("workload")?,
            namespace: query.name("namespace")?,
            refused: query.flag("refused")?,
        })
    }
}

/// Who was admitted, and who was refused
///
/// Requests that ended in the window, by who asked what of whom. Connections whose bytes are not looked into are in it only
/// when they were refused: each as one request, of nobody who is known.
#[utoipa::path(
    get,
    path = "/api/v1/authz",
    tag = "access",
    params(WindowParameters, AuthzParameters),
    responses(
        Always,
        FromStore,
        (status = 200, body = Authz),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such workload"),
    )
)]
pub(super) async fn authz(
    State(api): State<Api>,
    Asked(asked): Asked<AuthzParameters>,
) -> Result<Json<Authz>, Refusal> {
    let store = &api.sources.store;
    let window = store.measured(asked.window).await?;
    if let Some(workload) = &asked.workload {
        names::require_workload(&api, "workload", workload, window).await?;
    }
    let selection = Selection::of(window, Some(Direction::Inbound))
        .only(Label::Workload, asked.workload.as_deref())
        .only(Label::Namespace, asked.namespace.as_deref());
    let members = names::members(&api);
    let measured = load_golden(store, &selection, &GROUPS).await?;
    let mut rows: Vec<AuthzRow> = measured.iter().map(|of| row(of, &members)).collect();
    // Of requests that are still open it is not known yet whether they were admitted.
    rows.retain(|row| row.admitted + row.refused > 0);
    let sum = |count: fn(&AuthzRow) -> u64| rows.iter().map(count).sum();
    let (admitted, refused) = (sum(|row| row.admitted), sum(|row| row.refused));
    rows.retain(|row| row.refused > 0 || !asked.refused);
    // Stable: those with as many refusals stay in the order of their names.
    rows.sort_by_key(|row| Reverse(row.refused));
    Ok(Json(Authz {
        window: bounds(&window),
        admitted,
        refused,
        rows,
    }))
}

const GROUPS: [Label; 7] = [
    Label::Namespace,
    Label::Workload,
    Label::ClientNamespace,
    Label::ClientWorkload,
    Label::ClientId,
    Label::Tls,
    Label::Route,
];

fn row(of: &GoldenRow, members: &[Instance]) -> AuthzRow {
    let text = |wanted| label(&of.labels, wanted).map(str::to_owned);
    let workload = text(Label::Workload).unwrap_or_default();
    let namespace = text(Label::Namespace).unwrap_or_default();
    let refused = of.by_error.get(NOT_AUTHORIZED).copied().unwrap_or_default();
    let outside = EdgePeer {
        name: None,
        namespace: None,
        meshed: false,
    };
    let route = text(Label::Route).unwrap_or_else(|| UNKNOWN_ROUTE.to_owned());
    // What was refused before its route was known got no further, and nobody decided on it.
    let decided = match route.as_str() {
        UNKNOWN_ROUTE => refused,
        _ => of.ended.responses(),
    };
    AuthzRow {
        services: services(&workload, &namespace, members),
        client: peer(&of.labels, Label::ClientWorkload, Label::ClientNamespace).unwrap_or(outside),
        client_id: text(Label::ClientId),
        tls: text(Label::Tls).unwrap_or_else(|| "none".to_owned()),
        route,
        admitted: decided.saturating_sub(refused),
        refused,
        workload,
        namespace,
    }
}

/// Services that a workload is behind.
fn services(workload: &str, namespace: &str, members: &[Instance]) -> Vec<String> {
    let is_it = |member: &&Instance| {
        member.workload.name.as_str() == workload && member.workload.namespace.as_str() == namespace
    };
    let ports = members.iter().filter(is_it).flat_map(|of| &of.ports);
    let names: BTreeSet<String> = ports.map(|port| port.service.to_string()).collect();
    names.into_iter().collect()
}
