//! The table of members, and what has been learned and set: everything that changes while control runs.

use crate::access::AccessTable;
use crate::config::{ControlConfig, Limits};
use crate::kept::KeptSettings;
use crate::snapshot::{Declared, Member, Snapshot};
use clew_api::learned::{Learned, LearnedRoutes};
use clew_api::member::Instance;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, Namespace, ServiceName};
use clew_model::policy::Access;
use clew_model::telemetry::TelemetrySettings;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Telemetry settings, and how often they have changed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) settings: TelemetrySettings,
    pub(crate) generation: u64,
}

/// Why an instance was not let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("the mesh has {limit} members, which is all that it may have")]
    Full { limit: usize },
    #[error("ports: {given} are more than {limit}")]
    Ports { given: usize, limit: usize },
}

/// Everything that changes while control runs.
#[derive(Debug)]
pub(crate) struct Mesh {
    limits: Limits,
    declared: Arc<Declared>,
    table: Mutex<Table>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    settings: watch::Sender<Settings>,
    kept: Option<KeptSettings>,
    learned: watch::Sender<LearnedRoutes>,
    /// Learned templates that were refused.
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    members: BTreeMap<InstanceId, Arc<Member>>,
    /// Joins so far.
    joins: u64,
    settled: bool,
    access: Arc<AccessTable>,
}

/// A member's place in the table, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Membership {
    mesh: Arc<Mesh>,
    id: InstanceId,
    joined: u64,
}

impl Mesh {
    pub(crate) fn new(config: &ControlConfig) -> Self {
        let declared = Arc::new(Declared::new(config));
        let access = Arc::new(config.access.clone());
        let start = Snapshot::new(
            Arc::clone(&declared),
            Arc::clone(&access),
            Vec::new(),
            false,
        );
        let kept = config.kept_settings.clone();
        let kept = kept.map(|file| KeptSettings::new(file, &config.settings));
        let changed = kept.as_ref().and_then(KeptSettings::load);
        Self {
            limits: config.limits,
            declared,
            table: Mutex::new(Table {
                access,
                ..Table::default()
            }),
            snapshots: watch::Sender::new(Arc::new(start)),
            settings: watch::Sender::new(Settings {
                settings: changed.unwrap_or_else(|| config.settings.clone()),
                generation: 1,
            }),
            kept,
            learned: watch::Sender::default(),
            dropped: AtomicU64::new(0),
        }
    }

    /// The mesh as it is now and as it changes.
    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    /// Namespace of the declared services.
    pub(crate) fn namespace(&self) -> &Namespace {
        &self.declared.namespace
    }

    /// Makes an instance a member until its membership is dropped. One that is a member already is
    /// replaced: its earlier stream must be broken, or it would not have come back.
    /// It has proven to be `identity`, where the mesh has identities.
    pub(crate) fn join(
        self: &Arc<Self>,
        instance: Instance,
        identity: Option<Identity>,
    ) -> Result<Membership, JoinError> {
        let Limits {
            max_members,
            max_ports,
            ..
        } = self.limits;
        if instance.ports.len() > max_ports {
            return Err(JoinError::Ports {
                given: instance.ports.len(),
                limit: max_ports,
            });
        }
        let mut table = self.lock();
        let id = instance.id.clone();
        if table.members.len() >= max_members && !table.members.contains_key(&id) {
            return Err(JoinError::Full { limit: max_members });
        }
        table.joins += 1;
        let joined = table.joins;
        let member = Member {
            // One that is leaving says so when it joins a control that does not know it yet.
            instance,
            identity,
            joined,
        };
        tracing::info!(instance = %id, workload = %member.instance.workload, leaving = member.instance.leaving, "joined");
        if table.members.insert(id.clone(), Arc::new(member)).is_some() {
            tracing::warn!(instance = %id, "was a member already and is replaced");
        }
        self.publish(&table);
        Ok(Membership {
            mesh: Arc::clone(self),
            id,
            joined,
        })
    }

    /// Who a member has proven to be.
    pub(crate) fn identity(&self, id: &InstanceId) -> Option<Identity> {
        self.lock().members.get(id)?.identity.clone()
    }

    /// Takes a member's endpoints out of discovery; false when there is no such member.
    pub(crate) fn leave(&self, id: &InstanceId) -> bool {
        let mut table = self.lock();
        let Some(member) = table.members.get_mut(id) else {
            return false;
        };
        if !member.instance.leaving {
            tracing::info!(instance = %id, "leaving");
            let instance = Instance {
                leaving: true,
                ..member.instance.clone()
            };
            *member = Arc::new(Member {
                instance,
                identity: member.identity.clone(),
                joined: member.joined,
            });
            self.publish(&table);
        }
        true
    }

    /// From now on what is not known is unknown, even to those who knew it before control was restarted.
    pub(crate) fn settle(&self) {
        let mut table = self.lock();
        table.settled = true;
        self.publish(&table);
    }

    /// From now on these may call.
    pub(crate) fn set_access(&self, access: AccessTable) {
        let mut table = self.lock();
        if *table.access != access {
            tracing::info!("who may call what has changed");
            table.access = Arc::new(access);
            self.publish(&table);
        }
    }

    /// Who may call what.
    pub(crate) fn access(&self) -> Arc<AccessTable> {
        Arc::clone(&self.lock().access)
    }

    /// From now on a service has this word of its own, or none, and all others are as they were. Gives what is in force;
    /// `None`: there are as many as may be.
    pub(crate) fn change_access(
        &self,
        service: &ServiceName,
        access: Option<Access>,
    ) -> Option<Arc<AccessTable>> {
        let mut table = self.lock();
        let mut changed = AccessTable::clone(&table.access);
        if !changed.change(service.clone(), access) {
            return None;
        }
        if changed != *table.access {
            let grants = changed.services.get(service).map(|access| {
                let names = access.grants.iter().map(|grant| &*grant.name);
                names.collect::<Vec<_>>()
            });
            tracing::info!(%service, ?grants, "who may call it has changed, until control restarts or its file is read again");
            table.access = Arc::new(changed);
            self.publish(&table);
        }
        Some(Arc::clone(&table.access))
    }

    /// The settings as they are now and as they change.
    pub(crate) fn settings(&self) -> watch::Receiver<Settings> {
        self.settings.subscribe()
    }

    /// Replaces the settings and gives what is in force.
    pub(crate) fn set(&self, settings: TelemetrySettings) -> Settings {
        self.settings.send_if_modified(|now| {
            let changed = now.settings != settings;
            if changed {
                // Where nothing keeps them, who restarts control has to know.
                let until = self
                    .kept
                    .is_none()
                    .then_some(", until control is restarted");
                tracing::info!(
                    ?settings,
                    "telemetry settings changed{}",
                    until.unwrap_or_default()
                );
                *now = Settings {
                    settings,
                    generation: now.generation + 1,
                };
            }
            changed
        });
        self.settings.borrow().clone()
    }

    /// Keeps the settings for the next control, where there is a place for them. Blocks.
    pub(crate) fn keep_settings(&self) {
        if let Some(kept) = &self.kept {
            kept.save(|| self.settings.borrow().settings.clone());
        }
    }

    /// What all proxies have learned, now and as they learn more.
    pub(crate) fn learned(&self) -> watch::Receiver<LearnedRoutes> {
        self.learned.subscribe()
    }

    /// Adds what a proxy has learned.
    pub(crate) fn learn(&self, news: &Learned) {
        self.learned.send_if_modified(|all| {
            let merged = all.merge(news);
            if merged.dropped > 0 {
                let more = merged.dropped as u64;
                let before = self.dropped.fetch_add(more, Ordering::Relaxed);
                // The first time is news; after it the number is enough.
                if before == 0 {
                    tracing::warn!(service = %news.service, dropped = more, "learned routes past the bound are dropped");
                } else {
                    tracing::debug!(service = %news.service, dropped = before + more, "learned routes are dropped");
                }
            }
            merged.added > 0
        });
    }

    fn remove(&self, id: &InstanceId, joined: u64) {
        let mut table = self.lock();
        // It may have joined again since, on another stream.
        if table
            .members
            .get(id)
            .is_some_and(|member| member.joined == joined)
        {
            table.members.remove(id);
            tracing::info!(instance = %id, "left");
            self.publish(&table);
        }
    }

    /// Under the lock, so that snapshots are published in the order of the changes.
    fn publish(&self, table: &Table) {
        let mut members: Vec<_> = table.members.values().cloned().collect();
        members.sort_by_key(|member| member.joined);
        let snapshot = Snapshot::new(
            Arc::clone(&self.declared),
            Arc::clone(&table.access),
            members,
            table.settled,
        );
        self.snapshots.send_replace(Arc::new(snapshot));
    }

    /// The table is whole between any two statements, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    /// Whether this is still the place that the member has, and not one that it has been replaced in.
    pub(crate) fn is_in(&self, snapshot: &Snapshot) -> bool {
        let found = snapshot
            .members
            .binary_search_by(|member| member.instance.id.cmp(&self.id));
        found.is_ok_and(|position| snapshot.members[position].joined == self.joined)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.mesh.remove(&self.id, self.joined);
    }
}

#[cfg(test)]
mod tests;
