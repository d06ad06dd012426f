//! One service as a process: listen, serve until told to stop, finish what is open, end.

use crate::dependency::{Dependency, Propagation};
use crate::ratings::{RatingsDependency, RatingsService};
use crate::webapp::Webapp;
use crate::{authors, books, webapp};
use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use axum::serve::ListenerExt;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long open requests may go on once the service was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Which service to be, and whom it calls.
#[derive(Clone, Debug)]
pub enum Service {
    /// What readers see.
    Webapp {
        /// Address of `books`.
        books: Uri,
        /// Address of `authors`.
        authors: Uri,
        /// Address of `ratings`.
        ratings: Uri,
    },
    /// The shelf.
    Books {
        /// Address of `authors`.
        authors: Uri,
    },
    /// Who wrote what is on it.
    Authors,
    /// What readers think of it (gRPC).
    Ratings,
}

/// Why a service ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The address is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The listener broke.
    #[error("cannot serve")]
    Serve {
        /// What the system said.
        source: std::io::Error,
    },
}

/// Runs a service until `stop` resolves and what was open then is done, or 5 seconds are over.
pub async fn run_service(
    service: Service,
    address: SocketAddr,
    propagation: Propagation,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServiceError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServiceError::Listen { address, source })?;
    serve(listener, router(service, propagation), stop).await
}

async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServiceError> {
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let stop = async move {
        stop.await;
        let _ = stopping.send(true);
    };
    let listener = listener.tap_io(|connection| {
        // A connection that cannot be told is slower, not wrong.
        let _ = connection.set_nodelay(true);
    });
    let deadline = async move {
        // When the sender is gone, serving is over too, and its result is what counts.
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(stop) => {
            served.map_err(|source| ServiceError::Serve { source })
        }
        () = deadline => Ok(()),
    }
}

fn router(service: Service, propagation: Propagation) -> Router {
    let router = match service {
        Service::Webapp {
            books,
            authors,
            ratings,
        } => webapp::router(Webapp {
            books: Dependency::new("books", &books, propagation),
            authors: Dependency::new("authors", &authors, propagation),
            ratings: RatingsDependency::new(ratings, propagation),
        }),
        Service::Books { authors } => {
            books::router(Dependency::new("authors", &authors, propagation))
        }
        Service::Authors => authors::router(),
        Service::Ratings => RatingsService::router(),
    };
    router.route("/healthz", get(|| async { "ok\n" }))
}

#[cfg(test)]
mod tests;
