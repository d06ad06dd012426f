//! A running mesh becomes what a file says now, as far as it can.

use super::Reply;
use crate::address::uri;
use crate::client::{ApiClient, Question};
use crate::local::difference::Difference;
use crate::local::mesh::Mesh;
use crate::local::plan::MeshPlan;
use crate::local::prefix::Lines;
use clew_api::rest::settings::{TelemetryChange, TelemetrySettings};
use clew_control::AccessTable;
use clew_model::name::ServiceName;
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
    let before = plan.access_table();
    *plan = difference.plan;
    let access = plan.access_table();
    let mut failed = Vec::new();
    // First of all, so that a new instance is open to nobody who may not call it. Whether it could be kept is told below.
    let until_they_end = with_those_of(&difference.removed, &before, access.clone());
    let _ = mesh.set_access(until_they_end);
    if !difference.telemetry.is_empty()
        && let Err(error) = tell_proxies(mesh, &difference.telemetry).await
    {
        failed.push(format!("telemetry: {error:#}"));
    }
    let changed = difference.changed.iter().map(|service| &service.name);
    let names: Vec<_> = difference.removed.iter().chain(changed).cloned().collect();
    mesh.remove(&names).await;
    if let Err(error) = mesh.set_access(access) {
        failed.push(format!("access: {:#}", anyhow::Error::new(error)));
    }
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

/// Services that are about to end stay as closed as they were until they have ended.
fn with_those_of(
    removed: &[ServiceName],
    before: &AccessTable,
    mut access: AccessTable,
) -> AccessTable {
    for name in removed {
        let theirs = before.services.get(name).unwrap_or(&before.default);
        access.services.insert(name.clone(), theirs.clone());
    }
    access
}

async fn tell_proxies(mesh: &Mesh, change: &TelemetryChange) -> anyhow::Result<()> {
    let api = ApiClient::new(&uri(mesh.whereabouts().roles.api));
    let question = Question::new("/settings/telemetry");
    api.put::<TelemetrySettings>(&question, change).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_those_of;
    use clew_control::AccessTable;
    use clew_model::policy::Access;

    /// 1. Nobody may call two services. 2. Both go, and the mesh is for everyone from now on. 3. Until they have ended nobody may
    ///    call them still.
    #[test]
    fn what_ends_is_not_opened_on_its_way() {
        let before = AccessTable {
            default: Access::nobody(),
            services: [("a".into(), Access::nobody())].into(),
        };
        let removed = ["a".into(), "b".into()];
        let meanwhile = with_those_of(&removed, &before, AccessTable::default());
        assert_eq!(meanwhile.default, Access::everyone());
        for service in removed {
            assert_eq!(meanwhile.services.get(&service), Some(&Access::nobody()));
        }
    }
}
