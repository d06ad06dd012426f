//! The service `webapp`: what readers see. Calls `books`, `authors` and `ratings`.

use crate::authors::Search;
use crate::books::{BookPage, Edit, Events};
use crate::catalogue::{Author, Book};
use crate::dependency::Dependency;
use crate::failure::Failure;
use crate::ratings::{RatingsDependency, Stars};
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, extract::Query};
use serde::Serialize;
use std::sync::Arc;

/// The services that it calls.
#[derive(Debug)]
pub struct Webapp {
    /// The service `books`.
    pub books: Dependency,
    /// The service `authors`.
    pub authors: Dependency,
    /// The service `ratings`.
    pub ratings: RatingsDependency,
}

/// Its routes.
pub fn router(webapp: Webapp) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/authors/{id}", get(author))
        .route("/authors/{id}/books", get(books_of_author))
        .route("/books", get(books))
        .route("/books/{id}", get(book))
        .route("/books/{id}/edit", post(edit))
        .route("/search", get(search))
        .route("/events", get(events))
        .with_state(Arc::new(webapp))
}

type App = State<Arc<Webapp>>;

#[derive(Serialize)]
struct HomePage {
    new: Vec<Book>,
    authors: usize,
}

async fn home(State(app): App, served: HeaderMap) -> Result<Json<HomePage>, Failure> {
    let new = app.books.get(&served, "/books?limit=10").await?;
    let authors: Vec<Author> = app.authors.get(&served, "/authors").await?;
    Ok(Json(HomePage {
        new,
        authors: authors.len(),
    }))
}

#[derive(Serialize)]
struct AuthorPage {
    author: Author,
    books: Vec<Book>,
}

async fn author(
    State(app): App,
    Path(id): Path<u32>,
    served: HeaderMap,
) -> Result<Json<AuthorPage>, Failure> {
    let author = app.authors.get(&served, &format!("/authors/{id}")).await?;
    let books = app
        .books
        .get(&served, &format!("/books?author={id}"))
        .await?;
    Ok(Json(AuthorPage { author, books }))
}

/// One call for the list, then one for each book of it: the mistake called N+1, made on purpose.
async fn books_of_author(
    State(app): App,
    Path(id): Path<u32>,
    served: HeaderMap,
) -> Result<Json<Vec<BookPage>>, Failure> {
    let books: Vec<Book> = app
        .books
        .get(&served, &format!("/books?author={id}"))
        .await?;
    let mut pages = Vec::with_capacity(books.len());
    for book in books {
        pages.push(
            app.books
                .get(&served, &format!("/books/{}", book.id))
                .await?,
        );
    }
    Ok(Json(pages))
}

async fn books(
    State(app): App,
    RawQuery(query): RawQuery,
    served: HeaderMap,
) -> Result<Json<Vec<Book>>, Failure> {
    let path = query.map_or_else(|| "/books".to_owned(), |query| format!("/books?{query}"));
    Ok(Json(app.books.get(&served, &path).await?))
}

#[derive(Serialize)]
struct RatedBookPage {
    #[serde(flatten)]
    page: BookPage,
    rating: Option<Stars>,
}

async fn book(
    State(app): App,
    Path(id): Path<u32>,
    served: HeaderMap,
) -> Result<Json<RatedBookPage>, Failure> {
    let page = app.books.get(&served, &format!("/books/{id}")).await?;
    let rating = app.ratings.of_book(&served, id).await?;
    Ok(Json(RatedBookPage { page, rating }))
}

async fn edit(
    State(app): App,
    Path(id): Path<u32>,
    served: HeaderMap,
    Json(edit): Json<Edit>,
) -> Result<Json<Book>, Failure> {
    Ok(Json(
        app.books
            .post(&served, &format!("/books/{id}/edit"), &edit)
            .await?,
    ))
}

#[derive(Serialize)]
struct SearchPage {
    books: Vec<Book>,
    authors: Vec<Author>,
}

/// The two calls of a search are made at the same time.
async fn search(
    State(app): App,
    RawQuery(query): RawQuery,
    Query(_): Query<Search>,
    served: HeaderMap,
) -> Result<Json<SearchPage>, Failure> {
    let path = format!("/search?{}", query.unwrap_or_default());
    let (books, authors) = tokio::try_join!(
        app.books.get(&served, &path),
        app.authors.get(&served, &path)
    )?;
    Ok(Json(SearchPage { books, authors }))
}

/// Passes the events of `books` on as they come.
async fn events(
    State(app): App,
    Query(events): Query<Events>,
    served: HeaderMap,
) -> Result<Response, Failure> {
    let response = app
        .books
        .stream(&served, &format!("/books/stream?count={}", events.count))
        .await?;
    let content_type = response.headers().get(header::CONTENT_TYPE).cloned();
    let mut passed_on = Body::new(response.into_body()).into_response();
    if let Some(content_type) = content_type {
        passed_on
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    Ok(passed_on)
}
