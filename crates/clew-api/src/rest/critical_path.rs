//! Where the time of a route's requests went: `GET critical-path`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET critical-path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriticalPath {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Workload that served the requests.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Their route.
    pub route: String,
    /// Requests whose spans were read. Long streams are left out.
    pub requests: u64,
    /// Requests that they stand for, by the probability with which each was kept. Of many in one trace an even selection
    /// is read, which stands for the others.
    pub stands_for: f64,
    /// Requests of the route that ended in the window, by the unsampled metrics.
    pub of: u64,
    /// Traces that there are of the route, of which only an even selection is read when they are many.
    pub traces_found: u64,
    /// Traces that were read.
    pub traces_read: u64,
    /// Mean time of these requests.
    pub mean_ms: f64,
    /// 99 of 100 took at most this long.
    pub p99_ms: f64,
    /// Mean time of the slowest hundredth, of one request at least.
    pub slowest_ms: f64,
    /// Whose the time is, the largest part of the mean first. Both columns add up to the two means above.
    pub parts: Vec<PathPart>,
}

/// One share of the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathPart {
    /// `application`, `proxy` (its work), `wait` (of a proxy for a connection), `network` (network and kernel),
    /// `outside` (a server outside of the mesh, and the way to it), `unseen` (a server in the mesh of which there is no
    /// span).
    pub part: String,
    /// Workload; of `network`, `outside` and `unseen` the client.
    pub of: String,
    /// The server of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Of `proxy` and `wait`: on which side of the workload, `inbound` or `outbound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// Milliseconds of the mean.
    pub mean_ms: f64,
    /// Share of the mean, 0 to 1.
    pub mean_share: f64,
    /// Milliseconds of the mean of the slowest hundredth.
    pub slowest_ms: f64,
    /// Share of that, 0 to 1.
    pub slowest_share: f64,
}
