//! Who may call what, as a plan says it: by the names of its services. Control is told of identities.

use super::MeshPlan;
use crate::local::keys::TRUST_DOMAIN;
use clew_control::AccessTable;
use clew_model::identity::Identity;
use clew_model::name::{ServiceName, Workload};
use clew_model::policy::{Access, Clients, Grant, IpPrefix, RequestMatch};
use std::sync::Arc;

/// Who may call where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultAccess {
    /// Everyone, in clear too.
    Allow,
    /// Whoever has proven to be someone of the mesh.
    Meshed,
    /// Nobody.
    Deny,
}

/// Who may call a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServiceAccess {
    /// Whoever no grant admits.
    pub(crate) default: DefaultAccess,
    /// In the order in which they were written.
    pub(crate) grants: Vec<GrantPlan>,
}

/// One reason to be admitted. All its parts must hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GrantPlan {
    /// As people are told of it.
    pub(crate) name: Arc<str>,
    /// Any of these; never empty.
    pub(crate) from: Vec<Caller>,
    /// Any of these; empty: from anywhere.
    pub(crate) networks: Vec<IpPrefix>,
    /// Any of these; empty: whatever is asked.
    pub(crate) requests: Vec<RequestMatch>,
}

/// Who a grant admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anyone, in clear too.
    Anyone,
    /// Whoever has proven to be someone of the mesh.
    Meshed,
    /// A service of the plan, or its gateway: a workload of the plan's namespace.
    OfPlan(ServiceName),
    /// Whoever has proven to be this.
    Identity(Identity),
}

impl MeshPlan {
    /// What control is told.
    pub(crate) fn access_table(&self) -> AccessTable {
        let own = self.services.iter().filter_map(|service| {
            let access = service.access.as_ref()?.resolve(&self.namespace);
            Some((service.name.clone(), access))
        });
        AccessTable {
            default: Access::of(self.access.grant()),
            services: own.collect(),
        }
    }
}

impl DefaultAccess {
    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Meshed => "meshed",
            Self::Deny => "deny",
        }
    }

    fn grant(self) -> Option<Grant> {
        let (name, clients) = match self {
            Self::Allow => (Access::EVERYONE, Clients::Anyone),
            Self::Meshed => ("meshed", Clients::Meshed),
            Self::Deny => return None,
        };
        Some(Grant {
            name: name.into(),
            clients,
            networks: Arc::new([]),
            requests: Arc::new([]),
        })
    }
}

impl ServiceAccess {
    /// The default comes last: what people have written tells more of why someone was admitted.
    fn resolve(&self, namespace: &str) -> Access {
        let grants = self.grants.iter().map(|grant| Grant {
            name: Arc::clone(&grant.name),
            clients: clients(&grant.from, namespace),
            networks: grant.networks.as_slice().into(),
            requests: grant.requests.as_slice().into(),
        });
        Access::of(grants.chain(self.default.grant()))
    }
}

/// Whoever one of them is: the widest says it.
fn clients(from: &[Caller], namespace: &str) -> Clients {
    if from.contains(&Caller::Anyone) {
        return Clients::Anyone;
    }
    if from.contains(&Caller::Meshed) {
        return Clients::Meshed;
    }
    let identities = from.iter().filter_map(|caller| match caller {
        Caller::Anyone | Caller::Meshed => None,
        // A name that a certificate cannot have is nobody's.
        Caller::OfPlan(name) => {
            Identity::new(TRUST_DOMAIN, &Workload::new(name.as_str(), namespace)).ok()
        }
        Caller::Identity(identity) => Some(identity.clone()),
    });
    Clients::Identities(identities.collect())
}
