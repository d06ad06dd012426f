//! Is the mesh well: `GET check`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checks {
    /// The worst of all.
    pub status: CheckStatus,
    /// In the order in which they make sense: a later one may fail because an earlier one does.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What, in a few words, always the same.
    pub name: String,
    /// How it is.
    pub status: CheckStatus,
    /// What was found, with its numbers.
    pub found: String,
    /// What to do about it, unless all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How it is, from good to bad.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Well.
    Ok,
    /// It works, and someone should look.
    Warn,
    /// It does not work.
    Fail,
}

impl Checks {
    /// With the status that follows from the checks.
    pub fn new(checks: Vec<Check>) -> Self {
        let status = checks
            .iter()
            .map(|check| check.status)
            .max()
            .unwrap_or(CheckStatus::Ok);
        Self { status, checks }
    }
}
