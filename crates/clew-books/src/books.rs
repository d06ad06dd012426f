//! The service `books`: the shelf. Calls `authors`.

use crate::authors::Search;
use crate::catalogue::{self, Author, Book};
use crate::dependency::Dependency;
use crate::failure::Failure;
use crate::pace::{EDIT_FAILURE, EveryNth, ORDINARY_MS, SEARCH_MS, work};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Time between two events of the stream.
pub const EVENT_INTERVAL: Duration = Duration::from_millis(100);
const MAX_EVENTS: usize = 1_000;

struct Shelf {
    books: RwLock<Vec<Book>>,
    authors: Dependency,
    edit_fails: EveryNth,
}

/// Its routes.
pub fn router(authors: Dependency) -> Router {
    let shelf = Shelf {
        books: RwLock::new(catalogue::books()),
        authors,
        edit_fails: EveryNth::new(EDIT_FAILURE),
    };
    Router::new()
        .route("/books", get(list))
        .route("/books/stream", get(events))
        .route("/books/{id}", get(one))
        .route("/books/{id}/edit", post(edit))
        .route("/search", get(search))
        .with_state(Arc::new(shelf))
}

impl Shelf {
    fn find(&self, id: u32) -> Option<Book> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.iter().find(|book| book.id == id).cloned()
    }

    fn select(&self, wanted: impl Fn(&Book) -> bool) -> Vec<Book> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.iter().filter(|book| wanted(book)).cloned().collect()
    }

    fn rename(&self, id: u32, title: &str) -> Option<Book> {
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        let book = books.iter_mut().find(|book| book.id == id)?;
        title.clone_into(&mut book.title);
        Some(book.clone())
    }
}

/// A book with the name of who wrote it.
#[derive(Debug, Serialize, Deserialize)]
pub struct BookPage {
    /// The book.
    pub book: Book,
    /// Its author.
    pub author: Author,
}

/// Body of an edit.
#[derive(Debug, Serialize, Deserialize)]
pub struct Edit {
    /// The new title.
    pub title: String,
}

#[derive(Deserialize)]
struct Selection {
    author: Option<u32>,
    limit: Option<usize>,
}

async fn list(
    State(shelf): State<Arc<Shelf>>,
    Query(selection): Query<Selection>,
) -> Json<Vec<Book>> {
    work(ORDINARY_MS).await;
    let mut books =
        shelf.select(|book| selection.author.is_none_or(|author| author == book.author));
    books.truncate(selection.limit.unwrap_or(usize::MAX));
    Json(books)
}

async fn one(
    State(shelf): State<Arc<Shelf>>,
    Path(id): Path<u32>,
    served: HeaderMap,
) -> Result<Json<BookPage>, Failure> {
    work(ORDINARY_MS).await;
    let book = shelf.find(id).ok_or(Failure::NotFound { what: "book" })?;
    let author = shelf
        .authors
        .get(&served, &format!("/authors/{}", book.author))
        .await?;
    Ok(Json(BookPage { book, author }))
}

async fn edit(
    State(shelf): State<Arc<Shelf>>,
    Path(id): Path<u32>,
    served: HeaderMap,
    Json(edit): Json<Edit>,
) -> Result<Json<Book>, Failure> {
    work(ORDINARY_MS).await;
    let book = shelf.find(id).ok_or(Failure::NotFound { what: "book" })?;
    // Only books whose author is still known may be edited.
    let _: Author = shelf
        .authors
        .get(&served, &format!("/authors/{}", book.author))
        .await?;
    if shelf.edit_fails.is_next_picked() {
        return Err(Failure::ShelfLocked);
    }
    shelf
        .rename(id, &edit.title)
        .map(Json)
        .ok_or(Failure::NotFound { what: "book" })
}

async fn search(State(shelf): State<Arc<Shelf>>, Query(search): Query<Search>) -> Json<Vec<Book>> {
    work(SEARCH_MS).await;
    Json(shelf.select(|book| search.finds(&book.title)))
}

/// Query of the event stream.
#[derive(Debug, Deserialize)]
pub struct Events {
    /// Number of events until the stream ends.
    #[serde(default = "Events::default_count")]
    pub count: usize,
}

impl Events {
    fn default_count() -> usize {
        20
    }
}

async fn events(
    State(shelf): State<Arc<Shelf>>,
    Query(events): Query<Events>,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let titles: Vec<String> = shelf
        .select(|_| true)
        .into_iter()
        .map(|book| book.title)
        .collect();
    let count = events.count.min(MAX_EVENTS);
    let stream = stream::iter(titles.into_iter().cycle().take(count).enumerate()).then(
        |(index, title)| async move {
            if index > 0 {
                tokio::time::sleep(EVENT_INTERVAL).await;
            }
            Event::default().event("borrowed").json_data(title)
        },
    );
    Sse::new(stream)
}
