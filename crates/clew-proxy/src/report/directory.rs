//! Every series of the proxy, by its labels: found here by a worker at first sight, walked by a scrape.
//!
//! A worker that uses a series holds its cell (a reference count). An entry whose cells nobody has held
//! for a while is forgotten. Holding and forgetting happen under the same lock, so that no worker ever
//! writes to a cell that is not reported: who holds a cell keeps its entry, and who comes back later
//! gets a new entry, which starts at 0 with a new created timestamp.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use ahash::AHashMap;
use clew_api::prometheus::exposition::Labels;
use clew_model::name::{RouteName, ServiceName, Workload};

use super::budget::{Budget, Budgeted, Claim, Permit, Refused};
use super::entry::{
    CallCell, CallKey, Few, HeldHop, HopEntry, PropagationCell, Series, StreamCell, TcpCell, lock,
};
use super::histogram::Histogram;
use super::labels::{
    DurationKey, ResponseKey, TcpKey, call_labels, duration_labels, hop_labels, response_labels,
    tcp_labels,
};
use super::tally::Counter;
use crate::hop::{Peer, SeriesKey};

/// What past the budget stands for a route, a service or a workload.
pub(super) const OTHER: &str = "(other)";

/// An entry that nobody holds is forgotten after this time. Workers let go of what they have not used
/// for five minutes, which makes 15 in all.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// Entries by the text of their labels: keys that differ only in what is no label share an entry.
type Table<E> = Mutex<AHashMap<String, Slot<E>>>;

#[derive(Debug)]
struct Slot<E> {
    entry: Arc<E>,
    /// When a sweep first found that nobody holds it, and nobody has held it since.
    unheld_since: Option<Instant>,
}

impl<E> Slot<E> {
    fn new(entry: &Arc<E>) -> Self {
        Self {
            entry: Arc::clone(entry),
            unheld_since: None,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Directory {
    constant: Labels,
    workers: usize,
    pub(super) budget: Arc<Budget>,
    hops: Table<HopEntry>,
    tcp: Table<Series<TcpCell>>,
}

impl Directory {
    pub(super) fn new(constant: Labels, workers: usize, max_series: usize) -> Self {
        Self {
            constant,
            workers,
            budget: Arc::new(Budget::new(max_series)),
            hops: Mutex::default(),
            tcp: Mutex::default(),
        }
    }

    /// The entry of a key, or past the budget the one that it folds into.
    pub(super) fn hold_hop(&self, key: &SeriesKey, worker: usize) -> HeldHop {
        let labels = hop_labels(&self.constant, key);
        let mut hops = lock(&self.hops);
        if let Some(entry) = found(&mut hops, &labels) {
            return held(entry, worker);
        }
        // Every family that a request ends up in needs room, so that its numbers stay together.
        let has_room =
            self.budget.has_room(Budgeted::Responses) && self.budget.has_room(Budgeted::Latencies);
        if !has_room {
            self.budget.refuse(Budgeted::Requests);
            return self.hold_fold(&mut hops, key, worker);
        }
        match self.budget.claim(Budgeted::Requests, Claim::Own) {
            Ok(permit) => held(self.insert(&mut hops, labels, permit), worker),
            Err(Refused) => self.hold_fold(&mut hops, key, worker),
        }
    }

    /// The entry that a key past the budget folds into: the same other side with route `(other)`, and
    /// when there are too many of these as well, one for all.
    fn hold_fold(
        &self,
        hops: &mut AHashMap<String, Slot<HopEntry>>,
        key: &SeriesKey,
        worker: usize,
    ) -> HeldHop {
        let same_peer = SeriesKey {
            route: RouteName::from(OTHER),
            ..key.clone()
        };
        let labels = hop_labels(&self.constant, &same_peer);
        if let Some(entry) = found(hops, &labels) {
            return held(entry, worker);
        }
        if let Ok(permit) = self.budget.claim(Budgeted::Requests, Claim::Fold) {
            return held(self.insert(hops, labels, permit), worker);
        }
        let any_peer = SeriesKey {
            peer: other_peer(),
            ..same_peer
        };
        let labels = hop_labels(&self.constant, &any_peer);
        if let Some(entry) = found(hops, &labels) {
            return held(entry, worker);
        }
        let permit = self.budget.last_resort(Budgeted::Requests);
        held(self.insert(hops, labels, permit), worker)
    }

    fn insert(
        &self,
        hops: &mut AHashMap<String, Slot<HopEntry>>,
        labels: Labels,
        permit: Permit,
    ) -> Arc<HopEntry> {
        let text = labels.as_text().to_owned();
        let entry = Arc::new(HopEntry {
            requests: Series::new(labels, self.workers, permit),
            responses: Few::default(),
            durations: Few::default(),
            streams: OnceLock::new(),
            propagation: OnceLock::new(),
            calls: Few::default(),
        });
        hops.insert(text, Slot::new(&entry));
        entry
    }

    /// The series of an outcome. An entry that has its place has room for its outcomes, as much again as
    /// the budget has for entries: a route whose first failure was counted under another would look healthy.
    /// Past that, its statuses are rounded to their class.
    pub(super) fn response(&self, entry: &HopEntry, key: ResponseKey) -> Arc<Series<Counter>> {
        let family = Budgeted::Responses;
        self.response_with(entry, key, || self.budget.claim(family, Claim::Fold))
            .unwrap_or_else(|Refused| {
                self.budget.refuse(family);
                let permit = || Ok::<_, Infallible>(self.budget.last_resort(family));
                let Ok(series) = self.response_with(entry, key.rounded(), permit);
                series
            })
    }

    fn response_with<E>(
        &self,
        entry: &HopEntry,
        key: ResponseKey,
        permit: impl FnOnce() -> Result<Permit, E>,
    ) -> Result<Arc<Series<Counter>>, E> {
        entry.responses.get_or(key, || {
            let labels = response_labels(&entry.requests.labels, &key);
            Ok(Series::new(labels, self.workers, permit()?))
        })
    }

    /// The durations of an outcome. They have no status, so that there are few, and none is refused.
    pub(super) fn duration(&self, entry: &HopEntry, key: DurationKey) -> Arc<Series<Histogram>> {
        let Ok(series) = entry.durations.get_or(key, || {
            let labels = duration_labels(&entry.requests.labels, &key);
            let permit = self.budget.last_resort(key.kind.budgeted());
            Ok::<_, Infallible>(Series::new(labels, self.workers, permit))
        });
        series
    }

    /// The series of an entry's long streams. There is one for each entry, so that none is refused.
    pub(super) fn streams(&self, entry: &HopEntry) -> Arc<Series<StreamCell>> {
        let series = entry.streams.get_or_init(|| {
            let labels = entry.requests.labels.clone();
            let permit = self.budget.last_resort(Budgeted::OpenStreams);
            Arc::new(Series::new(labels, self.workers, permit))
        });
        Arc::clone(series)
    }

    /// The series of what an entry's requests show of the propagation of context. As above.
    pub(super) fn propagation(&self, entry: &HopEntry) -> Arc<Series<PropagationCell>> {
        let series = entry.propagation.get_or_init(|| {
            let labels = entry.requests.labels.clone();
            let permit = self.budget.last_resort(Budgeted::Propagation);
            Arc::new(Series::new(labels, self.workers, permit))
        });
        Arc::clone(series)
    }

    /// The series of what an entry's requests call, or past the budget of all that they call.
    pub(super) fn calls(&self, entry: &HopEntry, key: CallKey) -> Arc<Series<CallCell>> {
        let family = Budgeted::Calls;
        self.calls_with(entry, key, || self.budget.claim(family, Claim::Own))
            .unwrap_or_else(|Refused| {
                let permit = || Ok::<_, Infallible>(self.budget.last_resort(family));
                let any = CallKey {
                    service: None,
                    route: RouteName::from(OTHER),
                };
                let Ok(series) = self.calls_with(entry, any, permit);
                series
            })
    }

    fn calls_with<E>(
        &self,
        entry: &HopEntry,
        key: CallKey,
        permit: impl FnOnce() -> Result<Permit, E>,
    ) -> Result<Arc<Series<CallCell>>, E> {
        entry.calls.get_or(key.clone(), || {
            let labels = call_labels(&entry.requests.labels, &key);
            Ok(Series::new(labels, self.workers, permit()?))
        })
    }

    /// The worker's cell for connections of a key, or past the budget of one for all.
    pub(super) fn hold_tcp(&self, key: &TcpKey, worker: usize) -> Arc<TcpCell> {
        let labels = tcp_labels(&self.constant, key);
        let mut tcp = lock(&self.tcp);
        if let Some(series) = found(&mut tcp, &labels) {
            return series.cell(worker, TcpCell::new);
        }
        let (labels, permit) = match self.budget.claim(Budgeted::Tcp, Claim::Own) {
            Ok(permit) => (labels, permit),
            Err(Refused) => {
                let any_peer = TcpKey {
                    peer: other_peer(),
                    ..key.clone()
                };
                let labels = tcp_labels(&self.constant, &any_peer);
                if let Some(series) = found(&mut tcp, &labels) {
                    return series.cell(worker, TcpCell::new);
                }
                (labels, self.budget.last_resort(Budgeted::Tcp))
            }
        };
        let text = labels.as_text().to_owned();
        let series = Arc::new(Series::new(labels, self.workers, permit));
        let cell = series.cell(worker, TcpCell::new);
        tcp.insert(text, Slot::new(&series));
        cell
    }

    /// Entries of requests, as they are now.
    pub(super) fn hops(&self) -> Vec<Arc<HopEntry>> {
        entries(&self.hops)
    }

    /// Series of connections, as they are now.
    pub(super) fn tcp(&self) -> Vec<Arc<Series<TcpCell>>> {
        entries(&self.tcp)
    }

    /// Forgets what no worker has held for [`FORGET_AFTER`].
    pub(super) fn sweep(&self, now: Instant) {
        sweep(&self.hops, now, |entry| entry.requests.is_held());
        sweep(&self.tcp, now, Series::is_held);
    }

    /// Number of workers.
    pub(super) fn workers(&self) -> usize {
        self.workers
    }

    /// The labels of every series of this proxy.
    pub(super) fn constant_labels(&self) -> &Labels {
        &self.constant
    }
}

/// The entry with these labels, which is about to be held.
fn found<E>(table: &mut AHashMap<String, Slot<E>>, labels: &Labels) -> Option<Arc<E>> {
    let slot = table.get_mut(labels.as_text())?;
    slot.unheld_since = None;
    Some(Arc::clone(&slot.entry))
}

/// Under the directory's lock, so that the entry cannot be forgotten before it is held.
fn held(entry: Arc<HopEntry>, worker: usize) -> HeldHop {
    HeldHop {
        requests: entry.requests.cell(worker, Counter::default),
        entry,
    }
}

fn entries<E>(table: &Table<E>) -> Vec<Arc<E>> {
    lock(table)
        .values()
        .map(|slot| Arc::clone(&slot.entry))
        .collect()
}

fn sweep<E>(table: &Table<E>, now: Instant, is_held: impl Fn(&E) -> bool) {
    lock(table).retain(|_, slot| {
        if is_held(&slot.entry) {
            slot.unheld_since = None;
            return true;
        }
        let since = *slot.unheld_since.get_or_insert(now);
        now.saturating_duration_since(since) < FORGET_AFTER
    });
}

fn other_peer() -> Arc<Peer> {
    Arc::new(Peer {
        workload: Some(Workload::new(OTHER, "")),
        instance: None,
        service: Some(ServiceName::from(OTHER)),
        identity: None,
    })
}
