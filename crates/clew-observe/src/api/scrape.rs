//! `POST scrape`: read all numbers now.

use super::Api;
use super::clock::millis;
use super::described::Always;
use super::query::{Asked, Nothing};
use axum::Json;
use axum::extract::State;
use clew_api::rest::scrape::{Scrape, ScrapeFailure};

/// Read the numbers of all members now
///
/// When it answers, what the members had counted when it was asked can be read.
#[utoipa::path(post, path = "/api/v1/scrape", tag = "mesh", responses(Always, (status = 200, body = Scrape)))]
pub(super) async fn scrape(State(api): State<Api>, _: Asked<Nothing>) -> Json<Scrape> {
    let report = api.sources.scraper.scrape_now().await;
    let failed = report.failed.iter().map(|(id, error)| ScrapeFailure {
        instance: id.to_string(),
        error: error.to_string(),
    });
    Json(Scrape {
        scraped: report.scraped.iter().map(ToString::to_string).collect(),
        failed: failed.collect(),
        duration_ms: millis(report.duration),
    })
}
