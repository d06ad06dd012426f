//! Who is in, and whether their numbers come.

use super::{fail, named, ok, warn};
use crate::scrape::TargetHealth;
use clew_api::client::Instance;
use clew_api::rest::check::Check;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Numbers that are older are not of now.
const STALE_AFTER: Duration = Duration::from_secs(30);

pub(super) fn present(members: Option<&[Instance]>) -> Check {
    const NAME: &str = "members";
    match members {
        None => fail(
            NAME,
            "control has not said who is in the mesh".to_owned(),
            "see the check of control".to_owned(),
        ),
        Some([]) => warn(
            NAME,
            "nobody is in the mesh".to_owned(),
            "start something with `clew run --name NAME --port PORT -- COMMAND`".to_owned(),
        ),
        Some(members) => {
            let workloads: std::collections::BTreeSet<_> =
                members.iter().map(|member| &member.workload).collect();
            let leaving = members.iter().filter(|member| member.leaving).count();
            ok(
                NAME,
                format!(
                    "{} of {} workloads, {leaving} leaving",
                    members.len(),
                    workloads.len()
                ),
            )
        }
    }
}

pub(super) fn numbers(targets: &[TargetHealth]) -> Check {
    const NAME: &str = "numbers";
    let age = |target: &TargetHealth| {
        let at = target.last_success.unwrap_or(target.instance.started);
        SystemTime::now().duration_since(at).unwrap_or_default()
    };
    let stale: Vec<String> = targets
        .iter()
        .filter(|target| target.last_error.is_some() || age(target) > STALE_AFTER)
        .map(|target| match &target.last_error {
            Some(error) => format!("{} ({error})", target.instance.id),
            None => target.instance.id.to_string(),
        })
        .collect();
    let hint =
        "their metrics are missing from every answer; look at the logs of these proxies".to_owned();
    match (targets.len(), stale.len()) {
        (all, 0) => ok(NAME, format!("{all} of {all} members were read lately")),
        (all, some) if some == all => fail(
            NAME,
            format!("no member can be read: {}", named(&stale)),
            hint,
        ),
        (all, some) => warn(
            NAME,
            format!("{some} of {all} members cannot be read: {}", named(&stale)),
            hint,
        ),
    }
}

pub(super) fn versions(members: &[Instance]) -> Check {
    const NAME: &str = "versions";
    let own = env!("CARGO_PKG_VERSION");
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members
        .iter()
        .filter(|member| number_of(&member.version) != own)
    {
        *others.entry(&member.version).or_default() += 1;
    }
    if others.is_empty() {
        return ok(NAME, format!("all are {own}"));
    }
    let counted: Vec<String> = others
        .iter()
        .map(|(version, count)| format!("{count} of {version:?}"))
        .collect();
    let found = format!("observe is {own}, members: {}", named(&counted));
    warn(
        NAME,
        found,
        "start these members again with the same version".to_owned(),
    )
}

/// Without the commit behind it.
fn number_of(version: &str) -> &str {
    version.split_whitespace().next().unwrap_or_default()
}
