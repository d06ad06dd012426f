//! Who may call what, as control tells of it.

use clew_model::name::{Namespace, ServiceName};
use clew_model::policy::Access;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who may call the services of a mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessInForce {
    /// The domain of all identities; `None`: the mesh has no identities.
    pub trust_domain: Option<Arc<str>>,
    /// The namespace of the services.
    pub namespace: Namespace,
    /// Of services that have no word of their own.
    pub default: Access,
    /// Of each that has.
    pub services: BTreeMap<ServiceName, Access>,
}
