//! The mesh itself: `GET mesh`.

use super::window::WindowBounds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Answer of `GET mesh`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mesh {
    /// The time that rates speak of: the last minute.
    pub window: WindowBounds,
    /// By namespace, workload and id.
    pub members: Vec<MeshMember>,
    /// What is kept.
    pub store: MeshStore,
    /// What came in since observe started.
    pub ingest: MeshIngest,
    /// The role that answers.
    pub observe: MeshObserve,
    /// The role that proxies follow.
    pub control: MeshControl,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeshMember {
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
    /// Process of its proxy. Members of one process have the same, and the same `machine`.
    pub pid: u32,
    /// Machine of that process, by the address that its numbers are read at. Absent for this machine, and where that is
    /// not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// When its proxy started, RFC 3339.
    pub started: String,
    /// It is draining.
    pub leaving: bool,
    /// When its numbers were last read, RFC 3339. Absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_scrape: Option<String>,
    /// Why they could not be read, when the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_error: Option<String>,
    /// Requests to its application that began, per second of the window. Absent when its numbers were never read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound_rps: Option<f64>,
    /// Requests of its application that began, per second of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_rps: Option<f64>,
    /// Its spans, since its proxy started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spans: Option<MemberSpans>,
    /// Its series. Absent when its proxy is older and does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<MemberSeries>,
    /// Lines of its access log that were dropped, since its proxy started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log_lines_dropped: Option<u64>,
    /// Who it proves to be, a SPIFFE id. Absent where it speaks in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Its certificate. Absent when it has none, or its numbers were never read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<MemberCertificate>,
    /// The process of its proxy. What it says is of the whole process, which other members may share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<MemberProcess>,
}

/// The certificate of one proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberCertificate {
    /// When it ends, RFC 3339.
    pub expires: String,
    /// Certificates that it has had since it started, this one included.
    pub issued: u64,
    /// Connections of clients that failed the TLS handshake, since it started.
    pub refused_clients: u64,
}

/// Spans of one proxy since it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberSpans {
    /// Requests of sampled traces: exported, dropped or waiting.
    pub emitted: u64,
    /// Of them: taken by observe.
    pub exported: u64,
    /// Of them: lost, by reason (`queue_full`, `export_failed`).
    pub dropped: BTreeMap<String, u64>,
    /// Of them: still to be exported.
    pub waiting: u64,
    /// Requests of traces that are not sampled.
    pub unsampled: u64,
}

/// Series of one proxy. Each family has the same budget; past it new series share some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberSeries {
    /// The family that uses most of its budget.
    pub family: String,
    /// Series that it has. It can be more than the limit: those that others share are beside it.
    pub used: u64,
    /// Series that a family may have.
    pub limit: u64,
    /// Series by family.
    pub by_family: BTreeMap<String, u64>,
    /// Times that there was no room, by family, since the proxy started. Families where there was are not in it.
    pub dropped: BTreeMap<String, u64>,
}

/// A process, as its system tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MemberProcess {
    /// Members whose proxies run in it, this one included.
    pub members: u64,
    /// Roles of the mesh that run in it too: `control`, `observe`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Memory in RAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// Processor time since it started, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Processor time per second of the window: 1 is one core. Absent while it is not known: its
    /// numbers may have to be read twice for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Open file descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_fds: Option<u64>,
}

/// What is kept, and what became of the rest since observe started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeshStore {
    /// Its file.
    pub path: String,
    /// Size of what is in use.
    pub bytes: u64,
    /// Bytes past which the oldest is deleted.
    pub bytes_limit: u64,
    /// Age past which everything is deleted, in seconds.
    pub age_limit_seconds: f64,
    /// Traces kept.
    pub traces: u64,
    /// Series kept.
    pub series: u64,
    /// When the oldest trace began to arrive, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_trace: Option<String>,
    /// Time of the oldest numbers, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_point: Option<String>,
    /// When something was deleted last before its age, because of the limit in bytes, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowded_at: Option<String>,
    /// Spans written.
    pub spans_written: u64,
    /// Spans that were there already.
    pub spans_repeated: u64,
    /// Scrapes written.
    pub scrapes_written: u64,
    /// Traces deleted because of their age or of the limit in bytes.
    pub traces_expired: u64,
    /// What was lost, by reason: `spans_of_large_traces`, `spans_by_failed_writes`, `scrapes_by_failed_writes`,
    /// `samples_refused`. Reasons that did not occur are not in it.
    pub lost: BTreeMap<String, u64>,
    /// How far deleting and compacting is, in words, while it goes on for longer than a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upkeep: Option<String>,
}

/// Spans that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeshIngest {
    /// Requests that could be read.
    pub requests: u64,
    /// Spans in them: stored, or refused.
    pub spans_received: u64,
    /// Of them: stored.
    pub spans_stored: u64,
    /// Of them: refused, by reason (`store_full`, `invalid_ids`). Reasons that did not occur are not in it.
    pub spans_refused: BTreeMap<String, u64>,
    /// Requests that were refused, by reason (`malformed`, `too_large`, `unsupported`, `shed`). As above.
    pub requests_refused: BTreeMap<String, u64>,
    /// Texts and lists that were longer than is kept of them.
    pub values_cut: u64,
}

/// The role that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeshObserve {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
}

/// The role that proxies follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeshControl {
    /// It answers.
    pub answers: bool,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
