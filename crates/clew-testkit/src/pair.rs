//! The mesh that most claims are made of: webapp calls books, each behind its sidecar.

use crate::metrics::{Filter, Metrics};
use crate::{Mesh, Sidecar};
use std::net::SocketAddr;

/// webapp and books.
#[derive(Debug)]
pub struct Pair {
    /// What both are in.
    pub mesh: Mesh,
    /// The sidecar of who calls.
    pub webapp: Sidecar,
    /// The sidecar of who is called.
    pub books: Sidecar,
}

impl Pair {
    /// Books is the application at the address.
    pub async fn of(books: SocketAddr) -> Self {
        Self::within(Mesh::begin().await, books).await
    }

    /// The same in a mesh that was begun otherwise.
    pub async fn within(mesh: Mesh, application: SocketAddr) -> Self {
        let books = mesh.sidecar("books").serves(application).start().await;
        let webapp = mesh
            .sidecar("webapp")
            .calls("books")
            .http_proxy()
            .start()
            .await;
        Self {
            mesh,
            webapp,
            books,
        }
    }

    /// Where webapp calls books.
    pub fn entry(&self) -> SocketAddr {
        self.webapp.dependency("books")
    }

    /// The numbers of both sides.
    pub async fn metrics(&self) -> [Metrics; 2] {
        [self.webapp.metrics().await, self.books.metrics().await]
    }

    /// Both sides have counted as many requests, all of which have ended, with these labels.
    pub async fn both_counted(&self, count: u64, labels: &[Filter<'_>]) {
        for (side, metrics) in ["webapp", "books"].into_iter().zip(self.metrics().await) {
            let ends = metrics.by("response_total", "error", &[]);
            assert_eq!(metrics.requests(&[]), count, "requests of {side}");
            assert_eq!(
                metrics.responses(&[]),
                count,
                "responses of {side}: {ends:?}"
            );
            assert_eq!(
                metrics.responses(labels),
                count,
                "responses of {side} with {labels:?}; their errors are {ends:?}"
            );
        }
    }

    /// Ends the mesh.
    pub async fn stop(self) {
        self.mesh.stop().await;
    }
}

/// The response was a success.
pub const SUCCESS: Filter<'static> = ("classification", "success");
/// It was a failure, or there was none.
pub const FAILURE: Filter<'static> = ("classification", "failure");
/// The client gave up.
pub const CANCELLED: Filter<'static> = ("classification", "cancelled");
