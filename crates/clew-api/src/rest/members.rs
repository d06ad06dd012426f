//! Members of the mesh: `GET instances`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET instances`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instances {
    /// By namespace, workload and id.
    pub instances: Vec<Instance>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// Unique in the mesh.
    pub id: String,
    /// Its workload.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// `proxy` or `gateway`.
    pub role: String,
    /// Version of its proxy.
    pub version: String,
    /// Process of its proxy.
    pub pid: u32,
    /// When its proxy started, RFC 3339.
    pub started: String,
    /// It is draining.
    pub leaving: bool,
    /// Ports of the application behind it.
    pub ports: Vec<Port>,
    /// Where its proxy serves /metrics. Absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_address: Option<String>,
    /// Where its proxy serves tap. Absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap_address: Option<String>,
    /// When its numbers were last read, RFC 3339. Absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_scrape: Option<String>,
    /// Why they could not be read, when the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_error: Option<String>,
}

/// One port of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Port {
    /// Service that it answers to.
    pub service: String,
    /// Address that clients know.
    pub application_address: String,
    /// Address that clients' proxies connect to.
    pub endpoint_address: String,
    /// `detect`, `http1`, `http2`, `grpc` or `opaque`.
    pub protocol: String,
}
