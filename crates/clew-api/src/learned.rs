//! Learned routes as they are shared: per service, the templates whose last segment was collapsed.
//!
//! A proxy keeps what it has learned itself in one of these, control keeps the union of all, and each side
//! sends the other what [`LearnedRoutes::since`] says is new. Sets only grow: a learned template never
//! splits again.

use crate::wire::telemetry as wire;
use clew_model::name::ServiceName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Services that are kept, at most.
pub const MAX_SERVICES: usize = 1_000;
/// Templates that are kept for one service, at most.
pub const MAX_TEMPLATES: usize = 1_000;
/// Length of a template in bytes, at most. A longer one could only fill memory.
pub const MAX_TEMPLATE_BYTES: usize = 1_024;
/// Templates in one message, so that a message stays far below the 4 MiB that gRPC allows.
const TEMPLATES_PER_MESSAGE: usize = 256;

/// What has been learned of all services. Cloning is cheap: the sets are shared until they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearnedRoutes {
    services: BTreeMap<ServiceName, Arc<BTreeSet<Arc<str>>>>,
}

/// New templates of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// The service.
    pub service: ServiceName,
    /// Templates that end in the collapsed segment, for example `/tags/{name}`.
    pub collapsed: Vec<Arc<str>>,
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Templates that were not known.
    pub added: usize,
    /// Templates that were refused: past a bound, too long, or no path.
    pub dropped: usize,
}

impl LearnedRoutes {
    /// Adds one template.
    pub fn insert(&mut self, service: &ServiceName, template: &Arc<str>) -> Merged {
        const DROPPED: Merged = Merged {
            added: 0,
            dropped: 1,
        };
        if template.len() > MAX_TEMPLATE_BYTES || !template.starts_with('/') {
            return DROPPED;
        }
        if self.contains(service, template) {
            return Merged::default();
        }
        if !self.services.contains_key(service) && self.services.len() >= MAX_SERVICES {
            return DROPPED;
        }
        let templates = self.services.entry(service.clone()).or_default();
        if templates.len() >= MAX_TEMPLATES {
            return DROPPED;
        }
        Arc::make_mut(templates).insert(Arc::clone(template));
        Merged {
            added: 1,
            dropped: 0,
        }
    }

    /// Adds all templates of a message.
    pub fn merge(&mut self, learned: &Learned) -> Merged {
        learned
            .collapsed
            .iter()
            .fold(Merged::default(), |sum, template| {
                let one = self.insert(&learned.service, template);
                Merged {
                    added: sum.added + one.added,
                    dropped: sum.dropped + one.dropped,
                }
            })
    }

    /// Whether the template is known.
    pub fn contains(&self, service: &ServiceName, template: &str) -> bool {
        self.services
            .get(service)
            .is_some_and(|templates| templates.contains(template))
    }

    /// What `self` has and `earlier` has not, in messages of a bounded size. Services that have not changed
    /// since `earlier` was cloned from `self` cost one comparison of pointers.
    pub fn since(&self, earlier: &LearnedRoutes) -> Vec<Learned> {
        let mut news = Vec::new();
        for (service, templates) in &self.services {
            let old = earlier.services.get(service);
            if old.is_some_and(|old| Arc::ptr_eq(old, templates)) {
                continue;
            }
            let fresh = templates
                .iter()
                .filter(|t| old.is_none_or(|old| !old.contains(*t)));
            let fresh: Vec<Arc<str>> = fresh.cloned().collect();
            news.extend(fresh.chunks(TEMPLATES_PER_MESSAGE).map(|chunk| Learned {
                service: service.clone(),
                collapsed: chunk.to_vec(),
            }));
        }
        news
    }
}

impl From<&Learned> for wire::Learned {
    fn from(learned: &Learned) -> Self {
        Self {
            service: learned.service.to_string(),
            collapsed: learned
                .collapsed
                .iter()
                .map(|template| template.to_string())
                .collect(),
        }
    }
}

impl From<wire::Learned> for Learned {
    fn from(learned: wire::Learned) -> Self {
        Self {
            service: ServiceName::new(learned.service),
            collapsed: learned.collapsed.into_iter().map(Arc::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
