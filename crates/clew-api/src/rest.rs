//! JSON shapes of `/api/v1`, as observe writes them and the CLI reads them.
//!
//! Every answer is an object, so that it can grow. Units are in the names (`latency_ms`, `rps`). Times of
//! day are RFC 3339 strings in UTC. What could not be measured is absent, never zero. Readers ignore fields
//! that they do not know; writers never change what a field means.
//!
//! Start at [`golden::Golden`]: the numbers that `stat`, `routes` and `edges` share.

pub mod access;
pub mod authz;
pub mod calls;
pub mod check;
pub mod compare;
pub mod critical_path;
pub mod golden;
pub mod live;
pub mod log_level;
pub mod members;
pub mod mesh;
pub mod problem;
pub mod propagation;
pub mod scrape;
pub mod series;
pub mod settings;
pub mod span;
pub mod tap;
pub mod traces;
pub mod window;

/// Where the API lives below the address of observe.
pub const API_PREFIX: &str = "/api/v1";

/// Route name of requests that were refused before a route was known.
pub const UNKNOWN_ROUTE: &str = "(unknown)";

/// Answer of `GET version`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Version {
    /// Version of the program that answers.
    pub version: String,
    /// Version of this API.
    pub api: String,
}
