//! Who is in, and whether their numbers come.

use super::{fail, named, ok, warn};
use crate::scrape::TargetHealth;
use clew_api::client::Instance;
use clew_api::rest::check::Check;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// Proxies renew a certificate when two thirds of its life are over, a day where nobody says otherwise. One that ends so soon could
/// not be renewed for hours.
const ENDS_SOON: Duration = Duration::from_secs(3600);

pub(super) fn certificates(targets: &[TargetHealth]) -> Check {
    const NAME: &str = "certificates";
    let now = SystemTime::now();
    let ends = |target: &TargetHealth| {
        let seconds = target.vitals.as_ref()?.certificate_expires?;
        Some(UNIX_EPOCH + Duration::from_secs(seconds))
    };
    let ended_by = |moment: SystemTime| -> Vec<String> {
        let ending = targets
            .iter()
            .filter(|target| ends(target).is_some_and(|end| end <= moment));
        ending
            .map(|target| target.instance.id.to_string())
            .collect()
    };
    let hint = "these proxies get no new one from control: see the check of control and their logs; without one, nobody \
                connects to them, and they to nobody"
        .to_owned();
    let (ended, ending) = (ended_by(now), ended_by(now + ENDS_SOON));
    if !ended.is_empty() {
        return fail(NAME, format!("have ended: {}", named(&ended)), hint);
    }
    if !ending.is_empty() {
        let found = format!("end within the hour: {}", named(&ending));
        return warn(NAME, found, hint);
    }
    let with = targets
        .iter()
        .filter(|target| ends(target).is_some())
        .count();
    let all = targets.len();
    ok(
        NAME,
        match with {
            0 => "nobody has one: all is in clear".to_owned(),
            with => format!("{with} of {all} members have one that is good for more than an hour"),
        },
    )
}

/// Without the commit behind it.
fn number_of(version: &str) -> &str {
    version.split_whitespace().next().unwrap_or_default()
}
