//! From what a hop knows to the labels of its series.

use std::sync::{Arc, LazyLock};

use clew_api::prometheus::exposition::Labels;
use clew_model::identity::Identity;
use clew_model::name::{ServiceName, Workload};

use super::budget::Budgeted;
use super::entry::CallKey;
use super::family::{self, Family};
use super::histogram::Scale;
use crate::error::Reason;
use crate::grpc;
use crate::hop::{Classification, Direction, HopRecord, Peer, SeriesKey};

/// How a request ended, as far as labels tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseKey {
    status: Option<u16>,
    grpc_status: Option<u16>,
    classification: Classification,
    error: &'static str,
}

impl ResponseKey {
    #[inline]
    pub(super) fn of(record: &HopRecord) -> Self {
        Self {
            status: record.status.map(|status| status.as_u16()),
            grpc_status: record.grpc_status.map(grpc::known),
            classification: record.classification,
            error: record.error_label(),
        }
    }

    /// Of a request that was refused before it was one.
    pub(super) fn of_refusal(reason: Reason) -> Self {
        let classification = match reason {
            Reason::ClientCancelled => Classification::Cancelled,
            _ => Classification::Failure,
        };
        let status = Some(reason.status().as_u16());
        Self {
            status,
            grpc_status: None,
            classification,
            error: reason.as_str(),
        }
    }

    /// The same with the status rounded down to its class, of which there are few.
    pub(super) fn rounded(self) -> Self {
        Self {
            status: self.status.map(|status| status / 100 * 100),
            ..self
        }
    }

    pub(super) fn duration(self, kind: DurationKind) -> DurationKey {
        let Self {
            grpc_status,
            classification,
            error,
            ..
        } = self;
        DurationKey {
            kind,
            grpc_status,
            classification,
            error,
        }
    }
}

/// The families of durations that requests end up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum DurationKind {
    Latency,
    Stream,
    FirstByte,
}

impl DurationKind {
    pub(super) const ALL: [Self; 3] = [Self::Latency, Self::Stream, Self::FirstByte];

    pub(super) fn family(self) -> &'static Family {
        self.budgeted().family()
    }

    pub(super) fn budgeted(self) -> Budgeted {
        match self {
            Self::Latency => Budgeted::Latencies,
            Self::Stream => Budgeted::Streams,
            Self::FirstByte => Budgeted::FirstBytes,
        }
    }

    pub(super) fn scale(self) -> &'static Scale {
        match self {
            Self::Latency | Self::FirstByte => LazyLock::force(&family::LATENCY),
            Self::Stream => LazyLock::force(&family::LONG),
        }
    }
}

/// How a request ended, as far as the labels of durations tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DurationKey {
    pub(super) kind: DurationKind,
    grpc_status: Option<u16>,
    classification: Classification,
    error: &'static str,
}

/// The labels of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TcpKey {
    pub(super) direction: Direction,
    pub(super) peer: Arc<Peer>,
}

/// The labels of every series of a proxy.
pub(super) fn constant_labels(workload: &Workload) -> Labels {
    Labels::new(
        family::CONSTANT_LABELS
            .into_iter()
            .zip([workload.name.as_str(), workload.namespace.as_str()]),
    )
}

pub(super) fn hop_labels(constant: &Labels, key: &SeriesKey) -> Labels {
    constant
        .and([("direction", key.direction.as_str())])
        .and(peer_labels(key.direction, &key.peer))
        .and([
            ("route", key.route.as_str()),
            ("tls", key.peer.tls().as_str()),
        ])
}

pub(super) fn tcp_labels(constant: &Labels, key: &TcpKey) -> Labels {
    constant
        .and([("direction", key.direction.as_str())])
        .and(peer_labels(key.direction, &key.peer))
        .and([("tls", key.peer.tls().as_str())])
}

fn peer_labels(direction: Direction, peer: &Peer) -> Vec<(&'static str, &str)> {
    let workload = peer
        .workload
        .as_ref()
        .map_or("", |workload| workload.name.as_str());
    let namespace = peer
        .workload
        .as_ref()
        .map_or("", |workload| workload.namespace.as_str());
    let identity = peer.identity.as_ref().map_or("", Identity::as_str);
    let service = peer.service.as_ref().map_or("", ServiceName::as_str);
    match direction {
        Direction::Inbound => {
            vec![
                ("client_workload", workload),
                ("client_namespace", namespace),
                ("client_id", identity),
            ]
        }
        Direction::Outbound => vec![
            ("dst_service", service),
            ("dst_workload", workload),
            ("dst_namespace", namespace),
            ("server_id", identity),
        ],
    }
}

pub(super) fn response_labels(hop: &Labels, key: &ResponseKey) -> Labels {
    hop.and([
        ("status_code", number(key.status).as_str()),
        ("grpc_status", number(key.grpc_status).as_str()),
        ("classification", key.classification.as_str()),
        ("error", key.error),
    ])
}

pub(super) fn duration_labels(hop: &Labels, key: &DurationKey) -> Labels {
    hop.and([
        ("grpc_status", number(key.grpc_status).as_str()),
        ("classification", key.classification.as_str()),
        ("error", key.error),
    ])
}

pub(super) fn call_labels(hop: &Labels, key: &CallKey) -> Labels {
    let service = key.service.as_ref().map_or("", ServiceName::as_str);
    hop.and([("dst_service", service), ("dst_route", key.route.as_str())])
}

fn number(value: Option<u16>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
