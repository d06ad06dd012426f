//! The access log: one line of JSON for each hop that the settings ask for, and one now and then for a stream that is
//! still open; written by one task. A reader that is too slow costs lines, which are counted, and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::telemetry::AccessLog;
use http::HeaderMap;
use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::clock::rfc3339;
use super::span::protocol_version;
use crate::hop::{Classification, HopRecord};

#[cfg(test)]
mod tests;

/// Lines that wait to be written.
const QUEUE: usize = 4_096;

/// Where the lines go.
pub enum LogTarget {
    /// The process's standard output.
    Stdout,
    /// Its standard error.
    Stderr,
    /// Anything else that takes bytes.
    Writer(Box<dyn AsyncWrite + Send + Unpin>),
}

impl fmt::Debug for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "Stdout",
            Self::Stderr => "Stderr",
            Self::Writer(_) => "Writer",
        })
    }
}

/// The two ends of the queue of lines.
pub(super) fn queue() -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
    mpsc::channel(QUEUE)
}

/// Writes lines until every worker has ended.
pub(super) async fn write(target: LogTarget, mut lines: mpsc::Receiver<Bytes>) {
    let mut out: Box<dyn AsyncWrite + Send + Unpin> = match target {
        LogTarget::Stdout => Box::new(tokio::io::stdout()),
        LogTarget::Stderr => Box::new(tokio::io::stderr()),
        LogTarget::Writer(writer) => writer,
    };
    let mut waiting = Vec::new();
    while lines.recv_many(&mut waiting, QUEUE).await > 0 {
        let text = waiting.concat();
        waiting.clear();
        let written = async {
            out.write_all(&text).await?;
            out.flush().await
        };
        if let Err(error) = written.await {
            tracing::warn!("the access log cannot be written, and ends: {error}");
            // Workers find the queue closed and count their lines as dropped.
            return;
        }
    }
}

/// Whether the setting wants a line for this hop.
pub(super) fn wants(setting: AccessLog, record: &HopRecord) -> bool {
    match setting {
        AccessLog::Off => false,
        AccessLog::Errors => record.classification == Classification::Failure,
        AccessLog::All => true,
    }
}

/// One line. What is absent is left out.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    timestamp: String,
    direction: &'static str,
    workload: &'a str,
    namespace: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_workload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_address: Option<std::net::SocketAddr>,
    method: &'a str,
    scheme: &'static str,
    authority: &'a str,
    /// Without its query.
    path: &'a str,
    route: &'a str,
    protocol_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_status: Option<u16>,
    /// Of a stream that is still open: its duration and bytes are those so far.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    classification: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'static str,
    duration_ms: f64,
    request_bytes: u64,
    response_bytes: u64,
    /// Microseconds by phase.
    proxy_time_us: BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Only of a hop whose span is exported.
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_headers: BTreeMap<String, String>,
}

impl<'a> Line<'a> {
    /// The line of a hop. Headers that `shown` does not name are left out.
    pub(super) fn of(
        workload: &'a Workload,
        instance: &'a InstanceId,
        record: &'a HopRecord,
        shown: &dyn Fn(&str) -> bool,
    ) -> Self {
        let peer = &record.key.peer;
        Self {
            timestamp: rfc3339(record.start_unix_nano),
            direction: record.key.direction.as_str(),
            workload: workload.name.as_str(),
            namespace: workload.namespace.as_str(),
            instance: instance.as_str(),
            peer_workload: peer
                .workload
                .as_ref()
                .map(|workload| workload.name.as_str()),
            peer_namespace: peer
                .workload
                .as_ref()
                .map(|workload| workload.namespace.as_str()),
            dst_service: peer.service.as_ref().map(ServiceName::as_str),
            peer_address: record.peer_address,
            method: record.method.as_str(),
            scheme: record.scheme,
            authority: &record.authority,
            path: record.path.path(),
            route: record.key.route.as_str(),
            protocol_version: protocol_version(record.version),
            status_code: record.status.map(|status| status.as_u16()),
            grpc_status: record.grpc_status,
            open: false,
            classification: Some(record.classification.as_str()),
            error: record.error_label(),
            duration_ms: record.duration().as_secs_f64() * 1e3,
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
            proxy_time_us: record
                .phases
                .iter()
                .map(|(phase, time)| (phase.as_str(), time.as_secs_f64() * 1e6))
                .collect(),
            trace_id: record
                .trace
                .as_ref()
                .map(|trace| trace.trace_id.to_string()),
            span_id: record
                .trace
                .as_ref()
                .filter(|trace| trace.kept)
                .map(|trace| trace.span_id.to_string()),
            request_headers: headers(record.request_headers.as_ref(), shown),
            response_headers: headers(record.response_headers.as_ref(), shown),
        }
    }

    /// The same of a stream of which nobody knows yet how it ends.
    pub(super) fn still_open(self) -> Self {
        Self {
            open: true,
            classification: None,
            ..self
        }
    }

    /// With its line feed.
    pub(super) fn to_bytes(&self) -> Bytes {
        // Cannot fail: every key is a string, and the buffer takes what it is given.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes.into()
    }
}

/// Headers that may be shown; the values of one that came several times are joined by commas.
fn headers(headers: Option<&HeaderMap>, shown: &dyn Fn(&str) -> bool) -> BTreeMap<String, String> {
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers
        .into_iter()
        .flatten()
        .filter(|(name, _)| shown(name.as_str()))
    {
        let value = String::from_utf8_lossy(value.as_bytes());
        map.entry(name.as_str().to_owned())
            .and_modify(|values| *values = format!("{values}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    map
}
