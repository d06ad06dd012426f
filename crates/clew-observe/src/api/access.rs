//! `GET access`, and `PUT` and `DELETE access/{service}`: who may call what. Control decides; this asks it.

use super::Api;
use super::body::load_body;
use super::described::{Always, FromControl};
use super::query::{Asked, Nothing};
use super::refusal::Refusal;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use clew_api::convert::access_table::{access_from_rest, service_from_text, table_to_rest};
use clew_api::rest::access::{AccessChange, AccessTable};
use clew_api::rest::problem::Problem;
use clew_model::name::ServiceName;

/// What a service's name has to look like.
const SERVICE_FORM: &str = "the name of a service";

/// Who may call what
#[utoipa::path(
    get,
    path = "/api/v1/access",
    tag = "access",
    responses(
        Always,
        FromControl,
        (status = 200, body = AccessTable),
    )
)]
pub(super) async fn access(
    State(api): State<Api>,
    _: Asked<Nothing>,
) -> Result<Json<AccessTable>, Refusal> {
    let table = api.sources.control.load_access().await?;
    Ok(Json(table_to_rest(&table)))
}

/// Change who may call a service
///
/// From now on it admits whom one of these grants admits, and nobody else; other services stay as they are. Proxies obey
/// within a second, on connections that are open too. The change holds until control is restarted, or until the file of
/// the application is read again.
#[utoipa::path(
    put,
    path = "/api/v1/access/{service}",
    tag = "access",
    params(("service" = String, Path, description = "A service of the mesh's namespace; it need not be there yet")),
    request_body = AccessChange,
    responses(
        Always,
        FromControl,
        (status = 200, body = AccessTable, description = "What is in force now"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A value makes no sense"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive in time"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
    )
)]
pub(super) async fn change_access(
    State(api): State<Api>,
    service: Result<Path<String>, PathRejection>,
    _: Asked<Nothing>,
    request: Request,
) -> Result<Json<AccessTable>, Refusal> {
    let service = service_of(service)?;
    let change: AccessChange = load_body(request).await?;
    let access = access_from_rest(change.grants);
    let access = access.map_err(|mistakes| Refusal::bad_fields(&mistakes))?;
    let table = api.sources.control.set_access(&service, &access).await?;
    Ok(Json(table_to_rest(&table)))
}

/// Take back what was said of who may call a service
///
/// From now on the mesh's default holds for it.
#[utoipa::path(
    delete,
    path = "/api/v1/access/{service}",
    tag = "access",
    params(("service" = String, Path, description = "A service of the mesh's namespace")),
    responses(
        Always,
        FromControl,
        (status = 200, body = AccessTable, description = "What is in force now"),
    )
)]
pub(super) async fn reset_access(
    State(api): State<Api>,
    service: Result<Path<String>, PathRejection>,
    _: Asked<Nothing>,
) -> Result<Json<AccessTable>, Refusal> {
    let service = service_of(service)?;
    let table = api.sources.control.reset_access(&service).await?;
    Ok(Json(table_to_rest(&table)))
}

fn service_of(given: Result<Path<String>, PathRejection>) -> Result<ServiceName, Refusal> {
    let refused = |given: &str| Refusal::bad_value("service", given, SERVICE_FORM);
    let Path(name) = given.map_err(|rejection| refused(&rejection.body_text()))?;
    service_from_text(&name).map_err(|_| refused(&name))
}
