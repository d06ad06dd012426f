//! The mesh that most claims are made of: webapp calls books, each behind its sidecar.

use clew_testkit::metrics::{Filter, Metrics};
use clew_testkit::{Mesh, Sidecar};
use std::net::SocketAddr;

/// webapp and books.
pub(crate) struct Pair {
    pub(crate) mesh: Mesh,
    pub(crate) webapp: Sidecar,
    pub(crate) books: Sidecar,
}

impl Pair {
    /// Books is the application at the address.
    pub(crate) async fn of(books: SocketAddr) -> Self {
        Self::within(Mesh::begin().await, books).await
    }

    /// The same in a mesh that was begun otherwise.
    pub(crate) async fn within(mesh: Mesh, application: SocketAddr) -> Self {
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
    pub(crate) fn entry(&self) -> SocketAddr {
        self.webapp.dependency("books")
    }

    /// The numbers of both sides.
    pub(crate) async fn metrics(&self) -> [Metrics; 2] {
        [self.webapp.metrics().await, self.books.metrics().await]
    }

    /// Both sides have counted as many requests, all of which have ended, with these labels.
    pub(crate) async fn both_counted(&self, count: u64, labels: &[Filter<'_>]) {
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

    pub(crate) async fn stop(self) {
        self.mesh.stop().await;
    }
}

pub(crate) const SUCCESS: Filter<'static> = ("classification", "success");
pub(crate) const FAILURE: Filter<'static> = ("classification", "failure");
pub(crate) const CANCELLED: Filter<'static> = ("classification", "cancelled");
