//! What processes log: `GET` and `PUT log-level`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `name` is called for the process that control runs in, and observe.
pub const ROLES: [&str; 2] = ["control", "observe"];

/// Answer of `GET log-level` and of `PUT log-level`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLevels {
    /// The processes, each with the one log that it has.
    pub processes: Vec<ProcessLog>,
}

/// The log of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProcessLog {
    /// Process id, on its machine.
    pub pid: u32,
    /// What runs in it: ids of instances, whose proxies log there, and the roles `control` and `observe`.
    pub members: Vec<String>,
    /// What is logged: a level (`info`), or levels by module (`warn,clew_proxy=debug`). Absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Why it was not read or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Body of `PUT log-level`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelChange {
    /// What to log from now on: a level (`info`), or levels by module (`warn,clew_proxy=debug`).
    pub level: String,
}
