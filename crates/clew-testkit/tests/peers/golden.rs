//! Numbers of `clew stat`, `clew routes` and `clew edges`, in a form that is easily compared.

use clew_api::rest::golden::{Direction, Edges, Golden, Routes, WorkloadStat};
use clew_testkit::programs::LocalMesh;

/// Requests that ended, and of them: successes, failures, cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) cancelled: u64,
}

impl Counts {
    /// As many, and all were successes.
    pub(crate) fn successes(requests: u64) -> Self {
        Self {
            requests,
            successes: requests,
            ..Self::default()
        }
    }

    /// One that the caller gave up.
    pub(crate) const CANCELLED: Self = Self {
        requests: 1,
        successes: 0,
        failures: 0,
        cancelled: 1,
    };

    /// One that failed.
    pub(crate) const FAILURE: Self = Self {
        requests: 1,
        successes: 0,
        failures: 1,
        cancelled: 0,
    };
}

impl From<&Golden> for Counts {
    fn from(golden: &Golden) -> Self {
        Self {
            requests: golden.requests,
            successes: golden.successes,
            failures: golden.failures,
            cancelled: golden.cancelled,
        }
    }
}

/// What a workload served.
pub(crate) fn inbound(stat: &WorkloadStat) -> Counts {
    let golden = stat.inbound.as_ref().and_then(|side| side.golden.as_ref());
    golden.map_or_else(Counts::default, Counts::from)
}

/// What a workload asked of others.
pub(crate) fn outbound(stat: &WorkloadStat) -> Counts {
    let golden = stat.outbound.as_ref().and_then(|side| side.golden.as_ref());
    golden.map_or_else(Counts::default, Counts::from)
}

/// The routes of a workload, by name, with what `clew routes` says of them.
pub(crate) async fn routes(mesh: &LocalMesh, words: &[&str]) -> Vec<(String, Counts)> {
    let words = [&["routes"], words, &["-t", "1h"]].concat();
    let Some(Routes { routes, .. }) = mesh.look(&words).await else {
        return Vec::new();
    };
    let routes = routes.into_iter();
    let mut routes: Vec<_> = routes
        .map(|route| (route.route, Counts::from(&route.golden)))
        .collect();
    routes.sort();
    routes
}

/// All edges: client, server, the side that measured, requests. A client outside of the mesh is `-`.
pub(crate) async fn edges(mesh: &LocalMesh) -> Vec<(String, String, Direction, Counts)> {
    let edges: Edges = mesh.ask(&["edges", "-t", "1h"]).await;
    let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
    let edges = edges.edges.into_iter().map(|edge| {
        let counts = edge
            .golden
            .as_ref()
            .map_or_else(Counts::default, Counts::from);
        (
            name(edge.client.name),
            name(edge.server.name),
            edge.reported_by,
            counts,
        )
    });
    let mut edges: Vec<_> = edges.collect();
    edges.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    edges
}
