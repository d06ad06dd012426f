//! The parts of `mesh.yaml` that say who may call what.

use super::{GATEWAY, kinds};
use crate::local::plan::access::{Caller, DefaultAccess, GrantPlan, ServiceAccess};
use clew_model::name::ServiceName;
use clew_model::policy::{IpPrefix, RequestMatch};
use clew_runtime::config::{
    Located, Mistake, Scalar, Settings, Table, attempt, group, list, located, one_of, one_or_many,
};
use std::sync::Arc;

/// Who may call a service that does not say it itself.
pub(super) struct MeshAccess(pub(super) DefaultAccess);

impl Settings for MeshAccess {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let default = t.default(
            "default",
            default_access(),
            "allow",
            "Who may call a service without `access` of its own. `allow`: everyone. `meshed`: whoever has proven to be \
             someone of the mesh. `deny`: nobody.",
        );
        default.map(Self)
    }
}

fn default_access() -> Scalar<DefaultAccess> {
    let all = [
        DefaultAccess::Allow,
        DefaultAccess::Meshed,
        DefaultAccess::Deny,
    ];
    one_of(&all.map(|access| (access.word(), access)))
}

/// Who may call a service, as far as it could be read.
pub(super) struct OwnAccess {
    default: Option<Option<DefaultAccess>>,
    allow: Option<Option<Vec<Option<Grant>>>>,
}

impl OwnAccess {
    /// Whoever is named as a workload of this file and is none.
    pub(super) fn unknown_callers(
        &self,
        is_service: impl Fn(&ServiceName) -> bool,
    ) -> impl Iterator<Item = Mistake> {
        let grants = self.allow.iter().flatten().flatten().flatten();
        let callers = grants.flat_map(|grant| grant.from.iter().flatten().flatten().flatten());
        callers.filter_map(move |caller| {
            let (given, expected) = match &caller.value {
                Caller::OfPlan(name) if name.as_str() != GATEWAY && !is_service(name) => (
                    format!("{:?}", name),
                    "the name of a service of this file, or NAMESPACE/WORKLOAD for another workload",
                ),
                // Whoever means the service would open the door to all.
                Caller::Anyone if is_service(&"anyone".into()) => (
                    "\"anyone\", which is a service too".to_owned(),
                    "another name of that service",
                ),
                Caller::Meshed if is_service(&"meshed".into()) => (
                    "\"meshed\", which is a service too".to_owned(),
                    "another name of that service",
                ),
                _ => return None,
            };
            Some(caller.place.mistake(given, expected))
        })
    }

    pub(super) fn into_plan(self, service: &ServiceName) -> Option<ServiceAccess> {
        let grants = self.allow?.unwrap_or_default().into_iter().enumerate();
        let grants = grants.map(|(i, grant)| grant?.into_plan(|| format!("{service}[{i}]")));
        Some(ServiceAccess {
            default: self.default?.unwrap_or(DefaultAccess::Deny),
            grants: grants.collect::<Option<_>>()?,
        })
    }
}

impl Settings for OwnAccess {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let default = t.optional(
            "default",
            default_access(),
            "Who may call without a grant, in the words of the mesh's `access`. Without this nobody.",
        );
        let allow = t.optional(
            "allow",
            list(attempt(group::<Grant>())),
            "Grants: whoever one of them admits may call.",
        );
        if let (Some(None), Some(None)) = (&default, &allow) {
            t.refuse("allow", "nothing", "grants, or a default");
        }
        Some(Self { default, allow })
    }
}

/// A reason to be admitted, as far as it could be read.
struct Grant {
    name: Option<Option<Arc<str>>>,
    from: Option<Option<Vec<Option<Located<Caller>>>>>,
    networks: Option<Option<Vec<IpPrefix>>>,
    requests: Option<Option<Vec<RequestMatch>>>,
}

impl Grant {
    fn into_plan(self, usual_name: impl FnOnce() -> String) -> Option<GrantPlan> {
        let from = match self.from? {
            Some(callers) => callers
                .into_iter()
                .map(|caller| Some(caller?.value))
                .collect::<Option<_>>()?,
            None => vec![Caller::Anyone],
        };
        Some(GrantPlan {
            name: self.name?.unwrap_or_else(|| usual_name().into()),
            from,
            networks: self.networks?.unwrap_or_default(),
            requests: self.requests?.unwrap_or_default(),
        })
    }
}

impl Settings for Grant {
    fn declare(t: &mut Table<'_>) -> Option<Self> {
        let name = t.optional(
            "name",
            kinds::route_name().map(Into::into),
            "As people are told of it. Without it the service and a number from 0, `books[0]`.",
        );
        // What is left out holds for everyone, so an empty list, which would hold for nobody, is refused.
        let from = t.optional(
            "from",
            one_or_many(attempt(located(kinds::caller()))).not_empty(),
            "Who calls. Without it anyone, in clear too.",
        );
        let networks = t.optional(
            "networks",
            one_or_many(kinds::network()).not_empty(),
            "Where the connection comes from. Without it anywhere.",
        );
        let requests = t.optional(
            "match",
            one_or_many(kinds::request_match()).not_empty(),
            "What is asked, as in `routes`. Without it anything, and bytes that are not HTTP.",
        );
        if let (Some(None), Some(None), Some(None)) = (&from, &networks, &requests) {
            t.refuse(
                "from",
                "nothing",
                "at least one of from, networks and match",
            );
        }
        Some(Self {
            name,
            from,
            networks,
            requests,
        })
    }
}

#[cfg(test)]
mod tests;
