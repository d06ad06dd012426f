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

/// Services that may have a word of their own by [`AccessTable::change`], at most.
pub(crate) const MAX_SERVICES: usize = 4_096;

impl AccessTable {
    /// From now on a service has this word of its own, or none. False: there are as many as may be.
    pub(crate) fn change(&mut self, service: ServiceName, access: Option<Access>) -> bool {
        match access {
            Some(access) => {
                let has_room = self.services.len() < MAX_SERVICES;
                let may = has_room || self.services.contains_key(&service);
                if may {
                    self.services.insert(service, access);
                }
                may
            }
            None => {
                self.services.remove(&service);
                true
            }
        }
    }

    /// Who may call a service. A service of another namespace has no word of its own.
    pub(crate) fn of(&self, service: &ServiceName, is_own: bool) -> &Access {
        let own = self.services.get(service).filter(|_| is_own);
        own.unwrap_or(&self.default)
    }
}
