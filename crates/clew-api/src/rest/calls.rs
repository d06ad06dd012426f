//! What requests call: `GET calls`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET calls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calls {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Routes whose requests called something, by namespace, workload and route.
    pub routes: Vec<RouteCalls>,
}

/// What the requests of one route call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteCalls {
    /// Workload that was asked, and that calls.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Route that was asked of it.
    pub route: String,
    /// Requests of this route that ended in the window.
    pub requests: u64,
    /// What they called, by service and route.
    pub calls: Vec<RouteCall>,
}

/// How often the requests of a route called one route of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteCall {
    /// The service, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its route, as the caller's proxy names it.
    pub route: String,
    /// Calls in all.
    pub calls: u64,
    /// Requests that made at least one.
    pub callers: u64,
    /// Calls for each request, the ones that made none included.
    pub per_request: f64,
    /// The same for half of the requests.
    pub p50: u64,
    /// The same for 99 of 100.
    pub p99: u64,
    /// Calls that followed a failed one of the same request: attempts again.
    pub again: u64,
    /// What is remarkable of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<CallPattern>,
}

/// What is remarkable of how often something is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallPattern {
    /// Many calls of a request to one route of items (a gRPC method, a path with a placeholder): one call for each item of
    /// a list.
    NPlusOne,
    /// Many calls of a request to a route without anything that could differ in its path.
    Repeated,
    /// A large part of the calls are attempts again.
    RetryStorm,
}

impl RouteCall {
    /// Calls of a request that called it at all from which on they are many.
    pub const MANY: f64 = 3.0;
    /// Share of attempts again, and their number, from which on they are a storm.
    pub const STORM: (f64, u64) = (0.2, 10);
}
