//! The HTTP API.

use crate::ingest::Ingest;
use crate::scrape::Scraper;
use axum::Router;
use clew_api::client::ControlClient;
use clew_runtime::drain::DrainWatch;
use clew_store::Store;

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
    /// Ends streams when it begins.
    pub drain: DrainWatch,
}

/// `/api/v1`.
pub fn router(sources: Sources) -> Router {
    drop(sources);
    Router::new()
}
