//! Names that exist: who is a member, and who was seen in the window.

use super::Api;
use super::golden::{Selection, label, load_golden};
use super::refusal::Refusal;
use clew_api::client::Instance;
use clew_store::{Label, Window};
use std::collections::BTreeSet;

/// How `from` names clients outside the mesh.
pub(super) const UNMESHED: &str = "(unmeshed)";

/// Members of the mesh now; none while control has said nothing.
pub(super) fn members(api: &Api) -> Vec<Instance> {
    api.sources.scraper.members().unwrap_or_default()
}

/// Refuses the name of a workload that is not a member and that nothing was seen of in the window, and says
/// which names there are.
pub(super) async fn require_workload(
    api: &Api,
    parameter: &str,
    name: &str,
    window: Window,
) -> Result<(), Refusal> {
    let labels = [Label::Workload, Label::ClientWorkload, Label::DstWorkload];
    require(api, parameter, name, window, &labels).await
}

/// The same for the name of a workload or service.
pub(super) async fn require_server(
    api: &Api,
    parameter: &str,
    name: &str,
    window: Window,
) -> Result<(), Refusal> {
    let labels = [
        Label::Workload,
        Label::ClientWorkload,
        Label::DstWorkload,
        Label::DstService,
    ];
    require(api, parameter, name, window, &labels).await
}

async fn require(
    api: &Api,
    parameter: &str,
    name: &str,
    window: Window,
    labels: &[Label],
) -> Result<(), Refusal> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for member in members(api) {
        known.insert(member.workload.name.to_string());
        if labels.contains(&Label::DstService) {
            known.extend(member.ports.iter().map(|port| port.service.to_string()));
        }
    }
    if known.contains(name) {
        return Ok(());
    }
    for row in load_golden(&api.sources.store, &Selection::of(window, None), labels).await? {
        known.extend(
            labels
                .iter()
                .filter_map(|of| label(&row.labels, *of))
                .map(str::to_owned),
        );
    }
    if known.contains(name) {
        Ok(())
    } else {
        Err(Refusal::unknown_name(
            parameter,
            name,
            known.into_iter().collect(),
        ))
    }
}
