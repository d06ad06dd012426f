//! Every series of the proxy, by its labels: found here by a worker at first sight, walked by a scrape.
//!
//! A series has one cell for each worker. A worker that uses a series holds its cell (a reference
//! count), and drops it when the series has been idle. An entry whose cells nobody holds leaves the
//! directory. Holding and leaving happen under the same lock, so that no worker ever writes to a cell
//! that is not reported: who holds a cell keeps its entry, and who comes back gets a new entry, which
//! starts at 0 with a new created timestamp.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ahash::AHashMap;
use clew_api::prometheus::exposition::Labels;
use clew_model::name::{RouteName, ServiceName, Workload};

use super::budget::{Budget, Budgeted, Claim, Permit, Refused};
use super::clock::unix_nano_now;
use super::histogram::Histogram;
use super::labels::{
    DurationKey, ResponseKey, duration_labels, hop_labels, response_labels, tcp_labels,
};
use super::tally::{Counter, Tally};
use crate::hop::{Direction, Peer, SeriesKey, Tls};

/// What past the budget stands for a route, a service or a workload.
pub(super) const OTHER: &str = "(other)";

/// One series: its labels, and one cell for each worker that has seen it.
#[derive(Debug)]
pub(super) struct Series<C> {
    pub(super) labels: Labels,
    pub(super) created_unix_nano: u64,
    cells: Box<[OnceLock<Arc<C>>]>,
    _permit: Permit,
}

impl<C> Series<C> {
    fn new(labels: Labels, workers: usize, permit: Permit) -> Self {
        let cells = std::iter::repeat_with(OnceLock::new)
            .take(workers)
            .collect();
        Self {
            labels,
            created_unix_nano: unix_nano_now(),
            cells,
            _permit: permit,
        }
    }

    /// The worker's cell.
    pub(super) fn cell(&self, worker: usize, new: impl FnOnce() -> C) -> Arc<C> {
        Arc::clone(self.cells[worker].get_or_init(|| Arc::new(new())))
    }

    /// The cells that exist.
    pub(super) fn cells(&self) -> impl Iterator<Item = &C> {
        self.cells.iter().filter_map(OnceLock::get).map(Arc::as_ref)
    }

    fn is_held(&self) -> bool {
        self.cells
            .iter()
            .filter_map(OnceLock::get)
            .any(|cell| Arc::strong_count(cell) > 1)
    }
}

/// Series that are few: a handful of outcomes of one route.
type Few<K, C> = Mutex<Vec<(K, Arc<Series<C>>)>>;

/// The series of requests with the same labels.
#[derive(Debug)]
pub(super) struct HopEntry {
    pub(super) requests: Series<Counter>,
    responses: Few<ResponseKey, Counter>,
    durations: Few<DurationKey, Histogram>,
}

impl HopEntry {
    /// Series of the responses, by outcome.
    pub(super) fn responses(&self) -> Vec<(ResponseKey, Arc<Series<Counter>>)> {
        lock(&self.responses).clone()
    }

    /// Series of the durations, by outcome.
    pub(super) fn durations(&self) -> Vec<(DurationKey, Arc<Series<Histogram>>)> {
        lock(&self.durations).clone()
    }
}

/// A worker's hold on an entry. While it lives, the entry is reported.
#[derive(Clone, Debug)]
pub(super) struct HeldHop {
    pub(super) entry: Arc<HopEntry>,
    pub(super) requests: Arc<Counter>,
    /// The entry is another one than was asked for: the budget refused that.
    pub(super) folded: bool,
}

/// One worker's numbers of the connections with the same labels.
#[derive(Debug)]
pub(super) struct TcpCell {
    pub(super) opened: Tally,
    pub(super) closed: Tally,
    pub(super) read_bytes: Tally,
    pub(super) written_bytes: Tally,
    pub(super) durations: Histogram,
}

impl TcpCell {
    fn new() -> Self {
        Self {
            opened: Tally::default(),
            closed: Tally::default(),
            read_bytes: Tally::default(),
            written_bytes: Tally::default(),
            durations: Histogram::new(&super::family::LONG),
        }
    }
}

/// The labels of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TcpKey {
    pub(super) direction: Direction,
    pub(super) peer: Arc<Peer>,
    pub(super) tls: Tls,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Directory {
    constant: Labels,
    workers: usize,
    pub(super) budget: Arc<Budget>,
    hops: Mutex<AHashMap<SeriesKey, Arc<HopEntry>>>,
    tcp: Mutex<AHashMap<TcpKey, Arc<Series<TcpCell>>>>,
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
        let mut hops = lock(&self.hops);
        if let Some(entry) = hops.get(key) {
            return held(entry, worker, false);
        }
        // Every family that a request ends up in needs room, so that its numbers stay together.
        let has_room =
            self.budget.has_room(Budgeted::Responses) && self.budget.has_room(Budgeted::Latencies);
        if !has_room {
            self.budget.refuse(Budgeted::Requests);
            return self.hold_fold(&mut hops, key, worker);
        }
        match self.budget.claim(Budgeted::Requests, Claim::Own) {
            Ok(permit) => held(&self.insert(&mut hops, key.clone(), permit), worker, false),
            Err(Refused) => self.hold_fold(&mut hops, key, worker),
        }
    }

    /// The entry that a key past the budget folds into: the same other side with route `(other)`, and
    /// when there are too many of these as well, one for all.
    pub(super) fn hold_other(&self, key: &SeriesKey, worker: usize) -> HeldHop {
        self.hold_fold(&mut lock(&self.hops), key, worker)
    }

    fn hold_fold(
        &self,
        hops: &mut AHashMap<SeriesKey, Arc<HopEntry>>,
        key: &SeriesKey,
        worker: usize,
    ) -> HeldHop {
        let same_peer = SeriesKey {
            route: RouteName::from(OTHER),
            ..key.clone()
        };
        if let Some(entry) = hops.get(&same_peer) {
            return held(entry, worker, true);
        }
        if let Ok(permit) = self.budget.claim(Budgeted::Requests, Claim::Fold) {
            return held(&self.insert(hops, same_peer, permit), worker, true);
        }
        let any_peer = SeriesKey {
            peer: other_peer(),
            ..same_peer
        };
        if let Some(entry) = hops.get(&any_peer) {
            return held(entry, worker, true);
        }
        let permit = self.budget.last_resort(Budgeted::Requests);
        held(&self.insert(hops, any_peer, permit), worker, true)
    }

    fn insert(
        &self,
        hops: &mut AHashMap<SeriesKey, Arc<HopEntry>>,
        key: SeriesKey,
        permit: Permit,
    ) -> Arc<HopEntry> {
        let labels = hop_labels(&self.constant, &key);
        let entry = Arc::new(HopEntry {
            requests: Series::new(labels, self.workers, permit),
            responses: Mutex::default(),
            durations: Mutex::default(),
        });
        hops.insert(key, Arc::clone(&entry));
        entry
    }

    /// The series of an outcome, unless the budget refuses it.
    pub(super) fn response(
        &self,
        entry: &HopEntry,
        key: ResponseKey,
        claim: Claim,
    ) -> Result<Arc<Series<Counter>>, Refused> {
        self.response_with(entry, key, || self.budget.claim(Budgeted::Responses, claim))
    }

    /// The series of an outcome past every budget.
    pub(super) fn response_of_last_resort(
        &self,
        entry: &HopEntry,
        key: ResponseKey,
    ) -> Arc<Series<Counter>> {
        let Ok(series) = self.response_with(entry, key.rounded(), || {
            Ok::<_, Infallible>(self.budget.last_resort(Budgeted::Responses))
        });
        series
    }

    fn response_with<E>(
        &self,
        entry: &HopEntry,
        key: ResponseKey,
        permit: impl FnOnce() -> Result<Permit, E>,
    ) -> Result<Arc<Series<Counter>>, E> {
        few(&entry.responses, key, || {
            Ok(Series::new(
                response_labels(&entry.requests.labels, &key),
                self.workers,
                permit()?,
            ))
        })
    }

    /// The durations of an outcome, unless the budget refuses them.
    pub(super) fn duration(
        &self,
        entry: &HopEntry,
        key: DurationKey,
        claim: Claim,
    ) -> Result<Arc<Series<Histogram>>, Refused> {
        self.duration_with(entry, key, || self.budget.claim(key.kind.budgeted(), claim))
    }

    /// The durations of an outcome past every budget. They have no status, so that there are few.
    pub(super) fn duration_of_last_resort(
        &self,
        entry: &HopEntry,
        key: DurationKey,
    ) -> Arc<Series<Histogram>> {
        let Ok(series) = self.duration_with(entry, key, || {
            Ok::<_, Infallible>(self.budget.last_resort(key.kind.budgeted()))
        });
        series
    }

    fn duration_with<E>(
        &self,
        entry: &HopEntry,
        key: DurationKey,
        permit: impl FnOnce() -> Result<Permit, E>,
    ) -> Result<Arc<Series<Histogram>>, E> {
        few(&entry.durations, key, || {
            Ok(Series::new(
                duration_labels(&entry.requests.labels, &key),
                self.workers,
                permit()?,
            ))
        })
    }

    /// The worker's cell for connections of a key, or past the budget of one for all.
    pub(super) fn hold_tcp(&self, key: TcpKey, worker: usize) -> Arc<TcpCell> {
        let mut tcp = lock(&self.tcp);
        if let Some(series) = tcp.get(&key) {
            return series.cell(worker, TcpCell::new);
        }
        let (key, permit) = match self.budget.claim(Budgeted::Tcp, Claim::Own) {
            Ok(permit) => (key, permit),
            Err(Refused) => {
                let any_peer = TcpKey {
                    peer: other_peer(),
                    ..key
                };
                if let Some(series) = tcp.get(&any_peer) {
                    return series.cell(worker, TcpCell::new);
                }
                (any_peer, self.budget.last_resort(Budgeted::Tcp))
            }
        };
        let series = Arc::new(Series::new(
            tcp_labels(&self.constant, &key),
            self.workers,
            permit,
        ));
        let cell = series.cell(worker, TcpCell::new);
        tcp.insert(key, series);
        cell
    }

    /// Entries of requests, as they are now.
    pub(super) fn hops(&self) -> Vec<Arc<HopEntry>> {
        lock(&self.hops).values().cloned().collect()
    }

    /// Series of connections, as they are now.
    pub(super) fn tcp(&self) -> Vec<Arc<Series<TcpCell>>> {
        lock(&self.tcp).values().cloned().collect()
    }

    /// Forgets what no worker holds.
    pub(super) fn sweep(&self) {
        lock(&self.hops).retain(|_, entry| entry.requests.is_held());
        lock(&self.tcp).retain(|_, series| series.is_held());
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

/// Under the directory's lock, so that the entry cannot leave before it is held.
fn held(entry: &Arc<HopEntry>, worker: usize, folded: bool) -> HeldHop {
    HeldHop {
        requests: entry.requests.cell(worker, Counter::default),
        entry: Arc::clone(entry),
        folded,
    }
}

fn other_peer() -> Arc<Peer> {
    Arc::new(Peer {
        workload: Some(Workload::new(OTHER, "")),
        instance: None,
        service: Some(ServiceName::from(OTHER)),
        identity: None,
    })
}

/// The series of a key, made when it is not there.
fn few<K: Copy + PartialEq, C, E>(
    series: &Few<K, C>,
    key: K,
    new: impl FnOnce() -> Result<Series<C>, E>,
) -> Result<Arc<Series<C>>, E> {
    let mut series = lock(series);
    if let Some((_, known)) = series.iter().find(|(known, _)| *known == key) {
        return Ok(Arc::clone(known));
    }
    let new = Arc::new(new()?);
    series.push((key, Arc::clone(&new)));
    Ok(new)
}

/// A panic elsewhere leaves numbers behind that are still worth reading.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
