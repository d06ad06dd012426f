//! `GET` and `PUT settings/telemetry`: what proxies report. Control holds the settings; this asks it.

use super::Api;
use super::body::load_body;
use super::described::{Always, FromControl};
use super::query::{Asked, Nothing};
use super::refusal::Refusal;
use axum::Json;
use axum::extract::{Request, State};
use clew_api::client::ControlClient;
use clew_api::convert::telemetry::settings_to_rest;
use clew_api::rest::problem::Problem;
use clew_api::rest::settings::{TelemetryChange, TelemetrySettings};
use clew_model::telemetry::{AccessLog, TelemetrySettings as Settings, WriteFormats};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;

/// Control answers in a millisecond or is not there.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(3);

/// Telemetry settings in force
#[utoipa::path(
    get,
    path = "/api/v1/settings/telemetry",
    tag = "settings",
    responses(
        Always,
        FromControl,
        (status = 200, body = TelemetrySettings),
    )
)]
pub(super) async fn telemetry(
    State(api): State<Api>,
    _: Asked<Nothing>,
) -> Result<Json<TelemetrySettings>, Refusal> {
    Ok(Json(settings_to_rest(
        &load_settings(&api.sources.control).await?,
    )))
}

/// Change telemetry settings
///
/// What the body does not name stays as it is. Proxies obey within a second; nothing is restarted. The change holds until
/// control is restarted, and longer where control keeps it (`clew roles` does, `clew up` and `clew demo` do not).
#[utoipa::path(
    put,
    path = "/api/v1/settings/telemetry",
    tag = "settings",
    request_body = TelemetryChange,
    responses(
        Always,
        FromControl,
        (status = 200, body = TelemetrySettings, description = "What is in force now"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A value makes no sense"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive in time"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
    )
)]
pub(super) async fn change_telemetry(
    State(api): State<Api>,
    _: Asked<Nothing>,
    request: Request,
) -> Result<Json<TelemetrySettings>, Refusal> {
    let change: TelemetryChange = load_body(request).await?;
    // Never closed. If it were: two changes at once are unlikely, and neither is harmful.
    let _turn = api.settings.acquire().await.ok();
    let mut settings = load_settings(&api.sources.control).await?;
    apply(&change, &mut settings)?;
    let in_force = api.sources.control.set_telemetry(settings).await?;
    Ok(Json(settings_to_rest(&in_force)))
}

/// What control says is in force.
pub(super) async fn load_settings(control: &ControlClient) -> Result<Settings, Refusal> {
    let mut updates = control.watch_telemetry();
    match tokio::time::timeout(CONTROL_TIMEOUT, updates.next()).await {
        Ok(Some(settings)) => Ok(settings),
        Ok(None) | Err(_) => Err(Refusal::control_silent(CONTROL_TIMEOUT)),
    }
}

fn apply(change: &TelemetryChange, settings: &mut Settings) -> Result<(), Refusal> {
    if let Some(tracing) = change.tracing {
        settings.tracing = tracing;
    }
    if let Some(ratio) = change.sampling_ratio {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(Refusal::bad_value(
                "sampling_ratio",
                &ratio.to_string(),
                "a number from 0 to 1",
            ));
        }
        settings.sampling.ratio = ratio;
    }
    if let Some(limit) = change.sampling_max_per_second {
        if !limit.is_finite() || limit < 0.0 {
            let expected = "a number greater than 0, or 0 for no limit";
            return Err(Refusal::bad_value(
                "sampling_max_per_second",
                &limit.to_string(),
                expected,
            ));
        }
        settings.sampling.max_per_second = (limit > 0.0).then_some(limit);
    }
    if let Some(formats) = &change.write_formats {
        settings.write = write_formats(formats)?;
    }
    if let Some(text) = &change.access_log {
        settings.access_log = AccessLog::from_name(text)
            .ok_or_else(|| Refusal::bad_value("access_log", text, AccessLog::EXPECTED))?;
    }
    if let Some(headers) = &change.show_headers {
        settings.show_headers = headers
            .iter()
            .map(|name| header_name(name))
            .collect::<Result<_, _>>()?;
    }
    if let Some(audit) = change.audit {
        settings.audit = audit;
    }
    Ok(())
}

fn write_formats(formats: &[String]) -> Result<WriteFormats, Refusal> {
    let mut write = WriteFormats::default();
    for format in formats {
        if !write.add(format) {
            return Err(Refusal::bad_value(
                "write_formats",
                format,
                WriteFormats::EXPECTED,
            ));
        }
    }
    Ok(write)
}

fn header_name(name: &str) -> Result<Arc<str>, Refusal> {
    let parsed: Result<http::HeaderName, _> = name.parse();
    parsed
        .map(|name| name.as_str().into())
        .map_err(|_| Refusal::bad_value("show_headers", name, "the name of a header"))
}
