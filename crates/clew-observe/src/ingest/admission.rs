//! How many requests are read at the same time, and for how long: bounds memory before a body is read.

use super::{Ingest, Refusal, grpc, http};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Requests that are read and converted at the same time, gRPC and HTTP together.
pub(super) const MAX_REQUESTS: usize = 16;
/// How long a request waits to be among them.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long it may take from there to its answer; its body arrives in this time.
const MAX_TIME: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_REQUESTS)),
        }
    }

    #[cfg(test)]
    pub(super) async fn hold_all(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.places.acquire_many(MAX_REQUESTS as u32).await.ok()
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// Lets requests through to the router, as many as may be.
    pub(super) fn guard(&self, router: Router, ingest: Ingest) -> Router {
        router.layer(middleware::from_fn_with_state(ingest, admit))
    }
}

async fn admit(State(ingest): State<Ingest>, request: Request, next: Next) -> Response {
    let form = http::Form::of(request.headers());
    let is_grpc = grpc::is_grpc(request.headers());
    let refusal = match timeout(MAX_WAIT, ingest.admission.places.acquire()).await {
        Ok(Ok(_place)) => match timeout(MAX_TIME, next.run(request)).await {
            Ok(response) => return response,
            Err(_) => Refusal::Slow,
        },
        _ => Refusal::Busy,
    };
    ingest.refused(&refusal);
    if is_grpc {
        grpc::status(&refusal).into_http()
    } else {
        http::refuse(&refusal, form)
    }
}
