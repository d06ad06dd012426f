//! A running mesh becomes what a file says now, as far as it can.

use super::Reply;
use crate::address::uri;
use crate::client::{ApiClient, Question};
use crate::local::difference::Difference;
use crate::local::mesh::Mesh;
use crate::local::plan::MeshPlan;
use crate::local::prefix::Lines;
use clew_api::rest::settings::{TelemetryChange, TelemetrySettings};
use clew_runtime::config::Mistakes;

/// Changes what differs. `plan` is what runs, before and after.
pub(crate) async fn apply(
    mesh: &mut Mesh,
    lines: &Lines,
    plan: &mut MeshPlan,
    wanted: Result<MeshPlan, Mistakes>,
) -> Reply {
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(mistakes) => {
            return Reply {
                refused: Some(mistakes.to_string()),
                ..Reply::default()
            };
        }
    };
    let difference = Difference::between(plan, &wanted);
    *plan = difference.plan;
    let mut failed = Vec::new();
    if !difference.telemetry.is_empty()
        && let Err(error) = tell_proxies(mesh, &difference.telemetry).await
    {
        failed.push(format!("telemetry: {error:#}"));
    }
    let changed = difference.changed.iter().map(|service| &service.name);
    let names: Vec<_> = difference.removed.iter().chain(changed).cloned().collect();
    mesh.remove(&names).await;
    for service in difference.added.iter().chain(&difference.changed) {
        if let Err(error) = mesh.add(service, lines) {
            failed.push(format!("{:#}", anyhow::Error::new(error)));
            // It does not run, and is tried again the next time.
            plan.services.retain(|known| known.name != service.name);
        }
    }
    mesh.put_in_order(&plan.services);
    Reply {
        refused: None,
        changes: difference.now,
        later: difference.later,
        failed,
    }
}

async fn tell_proxies(mesh: &Mesh, change: &TelemetryChange) -> anyhow::Result<()> {
    let api = ApiClient::new(&uri(mesh.whereabouts().roles.api));
    let question = Question::new("/settings/telemetry");
    api.put::<TelemetrySettings>(&question, change).await?;
    Ok(())
}
