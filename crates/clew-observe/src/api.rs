//! The HTTP API: `/api/v1`. What its answers look like is in `clew_api::rest`.
//!
//! Each file below answers one kind of question: it takes the parameters ([`query`]), asks the store or the
//! members, and puts the answer together. Whatever cannot be answered is a [`refusal`].

mod access;
mod answer;
mod authz;
mod backends;
mod body;
mod calls;
mod check;
mod clock;
mod critical_path;
mod described;
mod edges;
mod golden;
mod heatmap;
mod live;
mod log_level;
mod members;
mod mesh;
mod names;
mod openapi;
mod origin;
mod over_time;
mod propagation;
mod query;
mod refusal;
mod route_sources;
mod routes;
mod scrape;
mod series;
mod settings;
mod stat;
mod tap;
mod traces;
mod version;

pub use openapi::document;

use crate::dashboard;
use crate::ingest::Ingest;
use crate::scrape::Scraper;
use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use clew_api::client::ControlClient;
use clew_api::rest::API_PREFIX;
use clew_runtime::drain::DrainWatch;
use clew_runtime::logging::LogControl;
use clew_store::Store;
use refusal::Refusal;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the API answers from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Spans and numbers.
    pub store: Store,
    /// Members, how reading them goes, and reading them now.
    pub scraper: Scraper,
    /// What came in.
    pub ingest: Ingest,
    /// Settings.
    pub control: ControlClient,
    /// The log of this process; `None`: nobody may change it.
    pub log: Option<LogControl>,
    /// Ends streams when it begins.
    pub drain: DrainWatch,
}

/// What the handlers share.
#[derive(Clone, Debug)]
struct Api {
    sources: Sources,
    /// Taps that may still be opened.
    taps: Arc<Semaphore>,
    /// Held while settings are read, changed and written, so that two changes do not undo each other.
    settings: Arc<Semaphore>,
}

/// `/api/v1`.
pub fn router(sources: Sources) -> Router {
    let api = Api {
        sources,
        taps: Arc::new(Semaphore::new(tap::MAX_TAPS)),
        settings: Arc::new(Semaphore::new(1)),
    };
    let drain = api.sources.drain.clone();
    let questions = Router::new()
        .route("/version", get(version::version))
        .route("/stat", get(stat::stat))
        .route("/routes", get(routes::routes))
        .route("/series", get(series::series))
        .route("/heatmap", get(heatmap::heatmap))
        .route("/edges", get(edges::edges))
        .route("/propagation", get(propagation::propagation))
        .route("/calls", get(calls::calls))
        .route("/critical-path", get(critical_path::critical_path))
        .route("/traces", get(traces::traces))
        .route("/traces/compare", get(traces::compare::compare))
        .route("/traces/{id}", get(traces::trace))
        .route("/traces/{id}/otlp", get(traces::export::otlp))
        .route("/tap", get(tap::tap))
        .route("/instances", get(members::instances))
        .route("/mesh", get(mesh::mesh))
        .route("/access", get(access::access))
        .route("/authz", get(authz::authz))
        .route("/check", get(check::check))
        .route("/log-level", get(log_level::log_level))
        .route("/settings/telemetry", get(settings::telemetry))
        .with_state(api.clone());
    let commands = Router::new()
        .route("/scrape", post(scrape::scrape))
        .route("/log-level", put(log_level::change_log_level))
        .route("/settings/telemetry", put(settings::change_telemetry))
        .route(
            "/access/{service}",
            put(access::change_access).delete(access::reset_access),
        )
        .with_state(api);
    let v1 = Router::new()
        .route("/openapi.json", get(openapi::openapi))
        .merge(questions.clone())
        .merge(commands)
        .merge(live::router(questions, drain));
    Router::new()
        .nest(API_PREFIX, v1.fallback(no_such_path))
        .fallback(elsewhere)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::middleware::from_fn(origin::guard))
}

/// Outside of the API is the dashboard.
async fn elsewhere(request: Request) -> Response {
    // Of an answer to HEAD the router leaves the body out.
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let page = is_read.then(|| dashboard::respond(&request));
    match page.flatten() {
        Some(page) => page,
        None => Refusal::no_such_path(request.uri().path()).into_response(),
    }
}

async fn no_such_path(OriginalUri(uri): OriginalUri) -> Refusal {
    Refusal::no_such_path(uri.path())
}

async fn no_such_method(request: Request) -> Refusal {
    Refusal::no_such_method(request.method().as_str(), request.uri().path())
}

#[cfg(test)]
mod tests;
