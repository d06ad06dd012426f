//! Reading all numbers now: `POST scrape`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `POST scrape`: what was read is in the store and readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scrape {
    /// Members whose numbers were read, by id.
    pub scraped: Vec<String>,
    /// Members whose numbers could not be read.
    pub failed: Vec<ScrapeFailure>,
    /// How long it took.
    pub duration_ms: f64,
}

/// A member whose numbers could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScrapeFailure {
    /// Its id.
    pub instance: String,
    /// Why.
    pub error: String,
}
