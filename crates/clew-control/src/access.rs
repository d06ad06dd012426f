//! Who may call what: what people have decided, service by service.

use clew_model::name::ServiceName;
use clew_model::policy::Access;
use std::collections::BTreeMap;

/// Who may call the services of control's namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessTable {
    /// Of those that have no word of their own.
    pub default: Access,
    /// Of each that has.
    pub services: BTreeMap<ServiceName, Access>,
}

impl Default for AccessTable {
    /// Everyone may call everything.
    fn default() -> Self {
        Self {
            default: Access::everyone(),
            services: BTreeMap::new(),
        }
    }
}

impl AccessTable {
    /// Who may call a service. A service of another namespace has no word of its own.
    pub(crate) fn of(&self, service: &ServiceName, is_own: bool) -> &Access {
        let own = self.services.get(service).filter(|_| is_own);
        own.unwrap_or(&self.default)
    }
}
