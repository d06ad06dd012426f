//! One member, as the scraper sees it.

use super::{ScrapeError, Vitals};
use clew_api::client::Instance;
use clew_model::name::InstanceId;
use clew_store::{Sample, Scrape, Store};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// How reading one member went.
#[derive(Clone, Debug)]
pub struct TargetHealth {
    /// The member.
    pub instance: Instance,
    /// When it was read last.
    pub last_success: Option<SystemTime>,
    /// Why the last attempt failed; `None` when it did not.
    pub last_error: Option<String>,
    /// What it said of itself then.
    pub vitals: Option<Vitals>,
    /// Times it was read.
    pub successes: u64,
    /// Times it could not be read.
    pub failures: u64,
}

#[derive(Debug)]
pub(super) struct Target {
    id: InstanceId,
    health: Mutex<TargetHealth>,
    turn: Semaphore,
    changed: Notify,
    /// Nobody begins to read it any more.
    over: AtomicBool,
    /// Set when it is gone. Held while something is handed to the store, so that a scrape that was still
    /// under way cannot bring it back after its end was noted.
    ended: Mutex<bool>,
}

impl Target {
    pub(super) fn new(instance: Instance) -> Self {
        Self {
            id: instance.id.clone(),
            health: Mutex::new(TargetHealth {
                instance,
                last_success: None,
                last_error: None,
                vitals: None,
                successes: 0,
                failures: 0,
            }),
            turn: Semaphore::new(1),
            changed: Notify::new(),
            over: AtomicBool::new(false),
            ended: Mutex::new(false),
        }
    }

    pub(super) fn id(&self) -> &InstanceId {
        &self.id
    }

    /// The member is the process that this target was made for.
    pub(super) fn is_same_process(&self, member: &Instance) -> bool {
        let known = &self.lock().instance;
        known.started == member.started
            && known.pid == member.pid
            && known.admin_address == member.admin_address
    }

    /// Takes over what control says now.
    pub(super) fn update(&self, member: &Instance) {
        let began_to_leave = {
            let mut health = self.lock();
            let began = member.leaving && !health.instance.leaving;
            health.instance = member.clone();
            began
        };
        if began_to_leave {
            self.changed.notify_one();
        }
    }

    /// Where its admin server listens. Only members that have one are targets.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.lock().instance.admin_address
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.lock().instance.leaving
    }

    /// Resolves once when the member begins to leave, and once when its reading is over.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Nobody is to begin to read it any more.
    pub(super) fn stop_reading(&self) {
        self.over.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Nobody is to read it any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits until nobody else reads this member.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.turn.acquire().await.ok()
    }

    /// Hands what a scrape found to the store, unless the member is gone.
    pub(super) fn hand_over(&self, store: &Store, samples: Vec<Sample>) -> Result<(), ScrapeError> {
        let ended = self.ended();
        if *ended {
            return Err(ScrapeError::Gone);
        }
        self.lock().vitals = Some(Vitals::of(&samples));
        store
            .record_scrape(self.scrape(samples))
            .map_err(ScrapeError::Store)
    }

    /// Nothing more comes from this member: its series have ended, and its gauges count no more. Once is
    /// enough.
    pub(super) fn end(&self, store: &Store) {
        let mut ended = self.ended();
        if *ended {
            return;
        }
        *ended = true;
        if let Err(error) = store.record_scrape(self.scrape(Vec::new())) {
            tracing::warn!(instance = %self.id, %error, "the end of a member was not noted");
        }
    }

    fn scrape(&self, samples: Vec<Sample>) -> Scrape {
        Scrape {
            instance: self.id.clone(),
            at: SystemTime::now(),
            samples,
        }
    }

    /// Remembers how it went.
    pub(super) fn note(&self, result: &Result<(), ScrapeError>) {
        let mut health = self.lock();
        match result {
            Ok(()) => {
                health.successes += 1;
                health.last_success = Some(SystemTime::now());
                health.last_error = None;
            }
            Err(error) => {
                if health.last_error.is_none() {
                    tracing::debug!(instance = %self.id, %error, "a member cannot be read");
                }
                health.failures += 1;
                health.last_error = Some(error.to_string());
            }
        }
    }

    pub(super) fn health(&self) -> TargetHealth {
        self.lock().clone()
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, TargetHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
