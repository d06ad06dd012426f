//! The service `ratings`: gRPC, and slow on purpose. Calls nobody.

use crate::catalogue;
use crate::dependency::Propagation;
use crate::failure::CallError;
use crate::pace::{EveryNth, RATING_MS, RATING_OUTLIER, RATING_OUTLIER_MS, work};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use std::time::Duration;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use wire::ratings_client::RatingsClient;
use wire::ratings_server::{Ratings, RatingsServer};
use wire::{GetRatingRequest, Rating};

// Generated from proto/ratings.proto; tests/generated.rs compares the two.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
#[path = "generated/books.ratings.v1.rs"]
mod wire;

const SERVICE: &str = "ratings";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The service.
#[derive(Debug)]
pub struct RatingsService {
    outlier: EveryNth,
}

impl RatingsService {
    /// Its one method, as a router of HTTP/2 requests.
    pub fn router() -> axum::Router {
        let service = Self {
            outlier: EveryNth::new(RATING_OUTLIER),
        };
        Routes::new(RatingsServer::new(service)).into_axum_router()
    }
}

#[tonic::async_trait]
impl Ratings for RatingsService {
    async fn get_rating(
        &self,
        request: Request<GetRatingRequest>,
    ) -> Result<Response<Rating>, Status> {
        work(if self.outlier.is_next_picked() {
            RATING_OUTLIER_MS
        } else {
            RATING_MS
        })
        .await;
        let (stars, readers) = catalogue::rating(request.get_ref().book_id)
            .ok_or_else(|| Status::not_found("nobody has rated this book"))?;
        Ok(Response::new(Rating { stars, readers }))
    }
}

/// A rating, as the web application shows it.
#[derive(Debug, Serialize)]
pub struct Stars {
    /// 1 to 5.
    pub stars: f64,
    /// Number of readers who gave them.
    pub readers: u32,
}

/// The service `ratings`, to call.
#[derive(Clone, Debug)]
pub struct RatingsDependency {
    channel: Channel,
    propagation: Propagation,
}

impl RatingsDependency {
    /// `base` is the service's address (`http://host:port`). Must be called within a tokio runtime;
    /// the connection is made by the first call.
    pub fn new(base: Uri, propagation: Propagation) -> Self {
        let endpoint = Endpoint::from(base)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT);
        Self {
            channel: endpoint.connect_lazy(),
            propagation,
        }
    }

    /// The rating of a book, or `None` when nobody has rated it. `served` is the head of the request
    /// being served.
    pub async fn of_book(
        &self,
        served: &HeaderMap,
        book_id: u32,
    ) -> Result<Option<Stars>, CallError> {
        let mut context = HeaderMap::new();
        self.propagation.carry(served, &mut context);
        let mut request = Request::new(GetRatingRequest { book_id });
        *request.metadata_mut() = MetadataMap::from_headers(context);
        match RatingsClient::new(self.channel.clone())
            .get_rating(request)
            .await
        {
            Ok(response) => {
                let Rating { stars, readers } = response.into_inner();
                Ok(Some(Stars { stars, readers }))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(call_error(&status)),
        }
    }
}

fn call_error(status: &Status) -> CallError {
    match status.code() {
        Code::Unavailable => CallError::NoAnswer { service: SERVICE },
        Code::DeadlineExceeded | Code::Cancelled => CallError::TooLate { service: SERVICE },
        _ => CallError::Status {
            service: SERVICE,
            status: StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}
