#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Service, router, serve};
use crate::dependency::Propagation;
use crate::traffic::mix::{Mix, Route};
use crate::traffic::tally::Tally;
use crate::traffic::{Loop, Plan, generate};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The head of every request that some service got.
type Seen = Arc<Mutex<Vec<(String, HeaderMap)>>>;

fn recording(router: Router, seen: Seen) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let path = request.uri().path().to_owned();
        seen.lock().unwrap().push((path, request.headers().clone()));
        next.run(request)
    }))
}

async fn start(router: Router) -> Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, router, std::future::pending()));
    base.parse().unwrap()
}

struct Application {
    webapp: Uri,
    books_saw: Seen,
    authors_saw: Seen,
    ratings_saw: Seen,
}

async fn application(books_propagation: Propagation) -> Application {
    let [books_saw, authors_saw, ratings_saw] = [(); 3].map(|()| Seen::default());
    let copies = Propagation::Copies;
    let authors = start(recording(
        router(Service::Authors, copies),
        Arc::clone(&authors_saw),
    ))
    .await;
    let ratings = start(recording(
        router(Service::Ratings, copies),
        Arc::clone(&ratings_saw),
    ))
    .await;
    let service = Service::Books {
        authors: authors.clone(),
    };
    let books = start(recording(
        router(service, books_propagation),
        Arc::clone(&books_saw),
    ))
    .await;
    let webapp = start(router(
        Service::Webapp {
            books,
            authors,
            ratings,
        },
        copies,
    ))
    .await;
    Application {
        webapp,
        books_saw,
        authors_saw,
        ratings_saw,
    }
}

async fn get(base: &Uri, path: &str) -> (StatusCode, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let uri = format!("{}{path}", base.to_string().trim_end_matches('/'));
    let mut request = axum::http::Request::get(uri).body(Empty::new()).unwrap();
    request
        .headers_mut()
        .insert("traceparent", HeaderValue::from_static("from-the-test"));
    let response = client.request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn has_context(seen: &Seen) -> Vec<bool> {
    seen.lock()
        .unwrap()
        .iter()
        .map(|(_, headers)| headers.contains_key("traceparent"))
        .collect()
}

#[tokio::test]
async fn context_reaches_every_service_over_http_and_grpc() {
    let application = application(Propagation::Copies).await;
    let (status, body) = get(&application.webapp, "/books/1").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(body.contains("\"stars\""), "{body}");
    for seen in [
        &application.books_saw,
        &application.authors_saw,
        &application.ratings_saw,
    ] {
        assert_eq!(has_context(seen), [true]);
    }
}

#[tokio::test]
async fn a_service_that_forgets_breaks_the_chain_at_itself() {
    let application = application(Propagation::Forgets).await;
    assert_eq!(get(&application.webapp, "/books/1").await.0, StatusCode::OK);
    assert_eq!(has_context(&application.books_saw), [true]);
    assert_eq!(has_context(&application.authors_saw), [false]);
    assert_eq!(has_context(&application.ratings_saw), [true]);
}

#[tokio::test]
async fn books_of_an_author_cost_one_call_each() {
    let application = application(Propagation::Copies).await;
    assert_eq!(
        get(&application.webapp, "/authors/3/books").await.0,
        StatusCode::OK
    );
    assert_eq!(application.books_saw.lock().unwrap().len(), 1 + 6);
    assert_eq!(application.authors_saw.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn an_unrated_book_has_a_page_and_an_unknown_one_has_none() {
    let application = application(Propagation::Copies).await;
    let (status, body) = get(&application.webapp, "/books/17").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("\"rating\":null"), "{body}");
    assert_eq!(
        get(&application.webapp, "/books/100000").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(get(&application.webapp, "/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn events_come_through_to_their_end() {
    let application = application(Propagation::Copies).await;
    let (status, body) = get(&application.webapp, "/events?count=3").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body.matches("event: borrowed").count(), 3, "{body}");
}

#[tokio::test]
async fn a_service_that_is_gone_is_a_bad_gateway() {
    let nobody: Uri = "http://127.0.0.1:1".parse().unwrap();
    let service = Service::Webapp {
        books: nobody.clone(),
        authors: nobody.clone(),
        ratings: nobody,
    };
    let webapp = start(router(service, Propagation::Copies)).await;
    assert_eq!(get(&webapp, "/authors/1").await.0, StatusCode::BAD_GATEWAY);
}

async fn traffic(
    webapp: Uri,
    pace: Loop,
    requests: u64,
    routes: &[Route],
) -> crate::traffic::tally::Summary {
    let mix = Mix::new(1, routes);
    let plan = Plan {
        base: webapp,
        host: None,
        pace,
        duration: None,
        requests: Some(requests),
        mix,
    };
    let tally = Arc::new(Tally::default());
    generate(plan, Arc::clone(&tally), std::future::pending()).await;
    tally.summary()
}

#[tokio::test]
async fn every_fiftieth_edit_fails() {
    let application = application(Propagation::Copies).await;
    let summary = traffic(
        application.webapp,
        Loop::Closed { callers: 4 },
        100,
        &[Route::Edit],
    )
    .await;
    assert_eq!(summary.total.status.get(&500), Some(&2), "{summary}");
    assert_eq!(summary.total.status.get(&200), Some(&98), "{summary}");
}

#[tokio::test]
async fn the_generator_counts_what_it_gave_up_and_what_failed() {
    let application = application(Propagation::Copies).await;
    let open = Loop::Open { rate: 200.0 };
    let given_up = traffic(application.webapp, open, 5, &[Route::EventsGivenUp]).await;
    assert_eq!(
        (given_up.total.sent, given_up.total.gave_up),
        (5, 5),
        "{given_up}"
    );
    let failed = traffic(
        "http://127.0.0.1:1".parse().unwrap(),
        open,
        5,
        &[Route::Home],
    )
    .await;
    assert_eq!((failed.total.sent, failed.total.failed), (5, 5), "{failed}");
}
