//! Which workloads are behind a service: needed for requests that no endpoint was found for, whose measurements
//! name only the service.

use super::golden::{Selection, label, load_golden};
use super::{Api, names};
use clew_api::client::Instance;
use clew_api::rest::golden::EdgePeer;
use clew_store::query::{Direction, Labels};
use clew_store::{Label, ReadError, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Workloads by service.
pub(super) struct Backends(BTreeMap<String, BTreeSet<EdgePeer>>);

impl Backends {
    pub(super) fn of<'a>(sent: impl Iterator<Item = &'a Labels>, members: &[Instance]) -> Self {
        let mut backends: BTreeMap<String, BTreeSet<EdgePeer>> = BTreeMap::new();
        for labels in sent {
            let service = label(labels, Label::DstService);
            let workload = peer(labels, Label::DstWorkload, Label::DstNamespace);
            if let (Some(service), Some(workload)) = (service, workload) {
                backends
                    .entry(service.to_owned())
                    .or_default()
                    .insert(workload);
            }
        }
        for member in members {
            let workload = meshed(
                member.workload.name.as_str(),
                Some(member.workload.namespace.as_str()),
            );
            for port in &member.ports {
                backends
                    .entry(port.service.to_string())
                    .or_default()
                    .insert(workload.clone());
            }
        }
        Self(backends)
    }

    /// Of all that was asked of services in a window.
    pub(super) async fn load(api: &Api, window: Window) -> Result<Self, ReadError> {
        let labels = [Label::DstService, Label::DstWorkload, Label::DstNamespace];
        let all = Selection::of(window, Some(Direction::Outbound));
        let rows = load_golden(&api.sources.store, &all, &labels).await?;
        let sent = rows.iter().map(|row| &row.labels);
        Ok(Self::of(sent, &names::members(api)))
    }

    /// Services that this workload alone is behind.
    pub(super) fn services<'a>(&'a self, workload: &'a str) -> impl Iterator<Item = &'a str> {
        let is_alone = move |behind: &BTreeSet<EdgePeer>| {
            let name = behind.first().and_then(|peer| peer.name.as_deref());
            behind.len() == 1 && name == Some(workload)
        };
        let services = self.0.iter();
        services
            .filter(move |(_, behind)| is_alone(behind))
            .map(|(service, _)| service.as_str())
    }

    /// The one workload behind a service; the service's own name where there is none, or more than one.
    pub(super) fn server(&self, service: &str) -> EdgePeer {
        let behind = self.0.get(service);
        match behind.map(|behind| (behind.len(), behind.first())) {
            Some((1, Some(workload))) => workload.clone(),
            _ => EdgePeer {
                name: Some(service.to_owned()),
                namespace: None,
                meshed: behind.is_some(),
            },
        }
    }
}

fn meshed(name: &str, namespace: Option<&str>) -> EdgePeer {
    EdgePeer {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        meshed: true,
    }
}

/// The workload that these labels name, if they do.
pub(super) fn peer(labels: &Labels, name: Label, namespace: Label) -> Option<EdgePeer> {
    label(labels, name).map(|name| meshed(name, label(labels, namespace)))
}
