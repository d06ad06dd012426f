//! Numbers in: every member's `/metrics`, read every interval and on demand.
//!
//! The members come from control, and stay as they were when control is lost. Each has a task of its own and is
//! read by one scrape at a time. A member that is leaving is read until it is gone: it waits for that. What is
//! being read at that moment is read to its end, because the member takes numbers for read once it has sent them.

mod convert;
mod fetch;
mod target;
mod vitals;

#[cfg(test)]
mod tests;

pub use fetch::ScrapeError;
pub(crate) use fetch::innermost;
pub use target::TargetHealth;
pub use vitals::Vitals;

use clew_api::client::{ControlClient, Instance};
use clew_model::name::InstanceId;
use clew_runtime::drain::DrainWatch;
use clew_store::Store;
use fetch::Fetcher;
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use target::Target;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Members that are read at the same time.
const MAX_CONCURRENT: usize = 32;
/// A leaving member is read at least this often: it waits two seconds for it.
const LEAVING_INTERVAL: Duration = Duration::from_millis(500);
/// The longest that reading one member may take, whatever the interval.
const MAX_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads the proxies. Clones share one list of members.
#[derive(Clone, Debug)]
pub struct Scraper {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    interval: Duration,
    fetcher: Fetcher,
    places: Semaphore,
    targets: Mutex<BTreeMap<InstanceId, Arc<Target>>>,
    members: watch::Sender<Option<Vec<Instance>>>,
}

/// What one scrape of all members came to.
#[derive(Debug)]
pub struct ScrapeReport {
    /// Members whose numbers can be read from the store now.
    pub scraped: Vec<InstanceId>,
    /// Members whose numbers could not be read, and why.
    pub failed: Vec<(InstanceId, ScrapeError)>,
    /// How long it took.
    pub duration: Duration,
}

impl Scraper {
    /// Reads members into a store, each every `interval`.
    pub fn new(store: Store, interval: Duration) -> Self {
        let timeout = interval.mul_f64(0.9).min(MAX_TIMEOUT);
        Self {
            shared: Arc::new(Shared {
                store,
                interval,
                fetcher: Fetcher::new(timeout),
                places: Semaphore::new(MAX_CONCURRENT),
                targets: Mutex::default(),
                members: watch::Sender::new(None),
            }),
        }
    }

    /// All members of the mesh, as control said last; `None` until it said something.
    pub fn members(&self) -> Option<Vec<Instance>> {
        self.shared.members.borrow().clone()
    }

    /// The same, with changes.
    pub fn watch_members(&self) -> watch::Receiver<Option<Vec<Instance>>> {
        self.shared.members.subscribe()
    }

    /// How reading went, for each member that has an admin server, by id.
    pub fn targets(&self) -> Vec<TargetHealth> {
        self.shared
            .targets()
            .values()
            .map(|target| target.health())
            .collect()
    }

    /// Reads all members now. When it answers, what they had counted when it was called can be read from
    /// the store.
    pub async fn scrape_now(&self) -> ScrapeReport {
        let begun = Instant::now();
        let targets: Vec<Arc<Target>> = self.shared.targets().values().cloned().collect();
        let results: Vec<(InstanceId, Result<(), ScrapeError>)> = stream::iter(targets)
            .map(|target| async move { (target.id().clone(), self.shared.scrape(&target).await) })
            .buffer_unordered(MAX_CONCURRENT)
            .collect()
            .await;
        let flushed = self.shared.store.flush().await;
        let mut report = ScrapeReport {
            scraped: Vec::new(),
            failed: Vec::new(),
            duration: Duration::ZERO,
        };
        for (id, result) in results {
            match result.and(flushed.map_err(ScrapeError::Store)) {
                Ok(()) => report.scraped.push(id),
                Err(error) => report.failed.push((id, error)),
            }
        }
        report.scraped.sort();
        report.failed.sort_by(|(a, _), (b, _)| a.cmp(b));
        report.duration = begun.elapsed();
        report
    }

    /// Follows control's list of members and reads them, until the drain begins. What is being read then is
    /// read to its end, which the timeout of a scrape bounds.
    pub async fn run(&self, control: &ControlClient, drain: DrainWatch) {
        let mut updates = control.watch_instances();
        let mut readers = JoinSet::new();
        loop {
            tokio::select! {
                () = drain.started() => break,
                members = updates.next() => match members {
                    Some(members) => self.follow(members, &mut readers),
                    None => break,
                },
                Some(ended) = readers.join_next() => note_panic(ended),
            }
        }
        self.shared
            .targets()
            .values()
            .for_each(|target| target.stop_reading());
        tokio::select! {
            () = drain.forced() => readers.shutdown().await,
            () = async { while let Some(ended) = readers.join_next().await { note_panic(ended) } } => {}
        }
    }

    /// Begins to read who is new, ends with who is gone, and tells the others what changed.
    fn follow(&self, members: Vec<Instance>, readers: &mut JoinSet<()>) {
        let readable = members
            .iter()
            .filter(|member| member.admin_address.is_some());
        let readable: BTreeMap<InstanceId, &Instance> =
            readable.map(|member| (member.id.clone(), member)).collect();
        let mut targets = self.shared.targets();
        targets.retain(|id, target| {
            // Another process under the same id is another target.
            let stays = readable
                .get(id)
                .is_some_and(|member| target.is_same_process(member));
            if !stays {
                target.stop_reading();
                // Its series have ended before those of its successor begin.
                if readable.contains_key(id) {
                    target.end(&self.shared.store);
                }
            }
            stays
        });
        for (id, member) in readable {
            match targets.get(&id) {
                Some(target) => target.update(member),
                None => {
                    let target = Arc::new(Target::new(member.clone()));
                    targets.insert(id, Arc::clone(&target));
                    readers.spawn(self.clone().keep_reading(target));
                }
            }
        }
        drop(targets);
        self.shared.members.send_replace(Some(members));
    }

    /// Reads a member until it is gone, and notes its end.
    async fn keep_reading(self, target: Arc<Target>) {
        while !target.is_over() {
            let begun = tokio::time::Instant::now();
            // The target remembers how it went.
            let _ = self.shared.scrape(&target).await;
            let interval = || match target.is_leaving() {
                true => self.shared.interval.min(LEAVING_INTERVAL),
                false => self.shared.interval,
            };
            tokio::select! {
                () = tokio::time::sleep_until(begun + interval()) => {}
                // It began to leave, and is read at once and from now on more often; or it is gone.
                () = target.changed() => {}
            }
        }
        // Whoever reads it right now may have what it counted last.
        let _turn = target.turn().await;
        target.end(&self.shared.store);
    }
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "reading a member ended with a panic");
    }
}

impl Shared {
    fn targets(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Arc<Target>>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads one member and hands what it says to the store.
    async fn scrape(&self, target: &Target) -> Result<(), ScrapeError> {
        let result = self.try_scrape(target).await;
        target.note(&result);
        result
    }

    async fn try_scrape(&self, target: &Target) -> Result<(), ScrapeError> {
        let _turn = target.turn().await;
        if target.is_over() {
            return Err(ScrapeError::Gone);
        }
        // The semaphore is never closed; if it were, reading too many at once would do no harm.
        let _place = self.places.acquire().await.ok();
        let families = self.fetcher.fetch(target.address()).await?;
        target.hand_over(&self.store, convert::samples(families))
    }
}
