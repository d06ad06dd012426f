//! The service `authors`: who wrote what we read. Calls nobody.

use crate::catalogue::{self, Author};
use crate::failure::Failure;
use crate::pace::{ORDINARY_MS, work};
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;

/// Its routes.
pub fn router() -> Router {
    Router::new()
        .route("/authors", get(list))
        .route("/authors/{id}", get(one))
        .route("/search", get(search))
        .with_state(catalogue::authors().into())
}

type Authors = State<Arc<[Author]>>;

/// Query of a search.
#[derive(Debug, Deserialize)]
pub struct Search {
    /// Part of the name or title, in any case.
    #[serde(default)]
    pub q: String,
}

impl Search {
    /// Whether a text contains what is searched for.
    pub fn finds(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.q.to_lowercase())
    }
}

async fn list(State(authors): Authors) -> Json<Vec<Author>> {
    work(ORDINARY_MS).await;
    Json(authors.to_vec())
}

async fn one(State(authors): Authors, Path(id): Path<u32>) -> Result<Json<Author>, Failure> {
    work(ORDINARY_MS).await;
    let author = authors.iter().find(|author| author.id == id);
    author
        .cloned()
        .map(Json)
        .ok_or(Failure::NotFound { what: "author" })
}

async fn search(State(authors): Authors, Query(search): Query<Search>) -> Json<Vec<Author>> {
    work(ORDINARY_MS).await;
    Json(
        authors
            .iter()
            .filter(|author| search.finds(&author.name))
            .cloned()
            .collect(),
    )
}
