//! Who was admitted and who was refused: `GET authz`.

use super::golden::EdgePeer;
use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET authz`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Authz {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// Requests that were admitted, in all.
    pub admitted: u64,
    /// Requests that were refused, in all.
    pub refused: u64,
    /// Those with most refusals first.
    pub rows: Vec<AuthzRow>,
}

/// Requests of one client for one route of a workload, as the workload's proxies counted them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthzRow {
    /// Workload that was asked.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Services that it is behind now; empty when it is not in the mesh any more.
    pub services: Vec<String>,
    /// Who asked.
    pub client: EdgePeer,
    /// Who the client has proven to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `mtls`, or `none`: in clear.
    pub tls: String,
    /// What was asked.
    pub route: String,
    /// Requests that were admitted, whatever became of them.
    pub admitted: u64,
    /// Requests that were refused.
    pub refused: u64,
}
