//! Golden metrics, and the answers that consist of them: `stat`, `routes` and `edges`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What was measured of a set of requests. Every request that ended in the window counts once:
/// `requests` = `successes` + `failures` + `cancelled`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Golden {
    /// Requests that ended, however they ended.
    pub requests: u64,
    /// Requests that began. Differs from `requests` by those that were open at the window's edges.
    pub started: u64,
    /// `requests` per second of the window.
    pub rps: f64,
    /// Those that succeeded.
    pub successes: u64,
    /// Those that failed by the server or the mesh.
    pub failures: u64,
    /// Those that their caller gave up; neither success nor failure.
    pub cancelled: u64,
    /// successes / (successes + failures), 0 to 1. Absent when both are 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    /// To the end of the response. Absent when nothing was measured; long streams are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Quantiles>,
    /// Long streams (WebSocket, server-sent events, answers that go on for more than 10 s) that were open when they were
    /// last looked at. Absent when there were none, and when the window ended more than half a minute ago.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub open_streams: u64,
    /// Those that the mesh or a broken connection ended, by reason (`no_endpoints`, `connect_refused`,
    /// `client_cancelled`, ...).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<String, u64>,
    /// By HTTP status; requests without a response are in none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statuses: BTreeMap<String, u64>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Latency, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantiles {
    /// Half of the requests took no longer.
    pub p50: f64,
    /// 95% of the requests took no longer.
    pub p95: f64,
    /// 99% of the requests took no longer.
    pub p99: f64,
}

/// Proxy time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProxyQuantiles {
    /// Half of the requests took no longer.
    pub p50: f64,
    /// 99% of the requests took no longer.
    pub p99: f64,
}

/// Connections between this workload and others, whatever they carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tcp {
    /// Opened in the window.
    pub opened: u64,
    /// Closed in the window.
    pub closed: u64,
    /// Open when they were last looked at. Absent when the window ended more than half a minute ago: it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<u64>,
    /// Bytes read from the other side in the window.
    pub read_bytes: u64,
    /// Bytes written to the other side in the window.
    pub written_bytes: u64,
}

/// Answer of `GET stat`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stat {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// By namespace and name.
    pub workloads: Vec<WorkloadStat>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadStat {
    /// Its name.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// `proxy` (an application with a sidecar) or `gateway`; absent when no member of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Members now.
    pub instances: u64,
    /// What it served. Absent when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<SideStat>,
    /// What it asked of others. Absent when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<SideStat>,
    /// Its score in the propagation audit, 0 to 1. Absent: no request says anything of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation_score: Option<f64>,
}

/// One side of a workload's sidecars.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SideStat {
    /// Its requests. Absent when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
    /// Its connections. Absent when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    /// What the proxies needed from the head of a request in to its head out, waits for others excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_time_ms: Option<ProxyQuantiles>,
    /// Where the time of its requests went. Absent when none ended that was not a long stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_ms: Option<MeanTimes>,
}

/// Where the time of requests went on one side of a workload's sidecars: means over all of them, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeanTimes {
    /// From the head of a request to the end of its response.
    pub latency: f64,
    /// Of it the proxies' own work.
    pub proxy: f64,
    /// Of it waits of the proxies: a place on a connection, a new connection, a TLS handshake.
    pub wait: f64,
    /// The rest. Inbound: the application, and what it waited for. Outbound: network, kernel and the server.
    pub beyond: f64,
}

/// Answer of `GET routes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Routes {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// The workload that was asked about.
    pub workload: String,
    /// Side of the workload's sidecars that measured.
    pub direction: Direction,
    /// Only requests of this client workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only requests to this workload or service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// By namespace, service and route.
    pub routes: Vec<RouteStat>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteStat {
    /// Configured name, gRPC method, learned template, `(other)` past the cardinality budget, or
    /// `(unknown)` for requests that were refused before their route was known.
    pub route: String,
    /// Where its name comes from. Absent when control does not answer, and the name alone does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RouteSource>,
    /// Service that was addressed, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Namespace of the workload that was asked about.
    pub namespace: String,
    /// Its numbers.
    pub golden: Golden,
}

/// Where the name of a route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RouteSource {
    /// A template that the proxies learned from paths.
    Learned,
    /// The configuration of the mesh.
    Configured,
    /// An OpenAPI document of the service.
    Openapi,
    /// A `.proto` file of the service.
    Proto,
    /// The method of gRPC that was called; nobody described it.
    Grpc,
    /// Requests of many routes, or of none: `(other)`, `(unknown)`, `GET /…`.
    Other,
}

impl RouteSource {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Configured => "configured",
            Self::Openapi => "openapi",
            Self::Proto => "proto",
            Self::Grpc => "grpc",
            Self::Other => "other",
        }
    }
}

/// Side of a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Requests to the application.
    Inbound,
    /// Requests from the application.
    Outbound,
}

impl Direction {
    /// As in JSON and in labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Answer of `GET edges`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Edges {
    /// The time that it speaks of.
    pub window: WindowBounds,
    /// By client, then server. Each edge once, though both of its sides measure it.
    pub edges: Vec<Edge>,
}

/// Who talks to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Edge {
    /// Who asked.
    pub client: EdgePeer,
    /// Who answered.
    pub server: EdgePeer,
    /// Services through which the client addressed the server.
    pub services: Vec<String>,
    /// The side whose numbers these are: the client's (outbound) where it is meshed, else the server's.
    pub reported_by: Direction,
    /// Its requests. Absent when it carried none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<Golden>,
    /// Its connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
    /// Mean latency of its requests as the client's proxy saw it less the same as the server's proxy saw it, in
    /// milliseconds: network and kernel, with the work of the client's proxy. Absent where only one of the two is
    /// meshed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_ms: Option<f64>,
    /// State of TLS between the two: `mtls` (both have proven who they are), `none` (in clear), or `mtls,none` where some of it
    /// was in clear.
    pub tls: String,
    /// Who the client has proven to be, in handshakes: SPIFFE ids, mostly one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ids: Vec<String>,
    /// Who the server has proven to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_ids: Vec<String>,
}

/// One end of an edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct EdgePeer {
    /// Workload; for a server outside the mesh, the service; absent for clients outside the mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace, when it is in the mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// It has a sidecar, or is a gateway.
    pub meshed: bool,
}
