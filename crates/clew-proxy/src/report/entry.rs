//! What the directory holds: series with one cell for each worker, and what belongs together of them.

use clew_model::name::{RouteName, ServiceName};
use clew_trace::audit::Evidence;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use clew_api::prometheus::exposition::Labels;

use super::budget::Permit;
use super::clock::unix_nano_now;
use super::family;
use super::histogram::Histogram;
use super::labels::{DurationKey, ResponseKey};
use super::tally::{Counter, Tally};

/// One series: its labels, and one cell for each worker that has seen it.
#[derive(Debug)]
pub(super) struct Series<C> {
    pub(super) labels: Labels,
    pub(super) created_unix_nano: u64,
    cells: Box<[OnceLock<Arc<C>>]>,
    _permit: Permit,
}

impl<C> Series<C> {
    pub(super) fn new(labels: Labels, workers: usize, permit: Permit) -> Self {
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

    /// Whether a worker may write to a cell.
    pub(super) fn is_held(&self) -> bool {
        self.cells
            .iter()
            .filter_map(OnceLock::get)
            .any(|cell| Arc::strong_count(cell) > 1)
    }
}

/// Series that are few: a handful of outcomes of one route. A list is faster than a map, and keeps its
/// order.
#[derive(Debug)]
pub(super) struct Few<K, C>(Mutex<Vec<(K, Arc<Series<C>>)>>);

impl<K, C> Default for Few<K, C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + PartialEq, C> Few<K, C> {
    /// The series of a key, made when it is not there.
    pub(super) fn get_or<E>(
        &self,
        key: K,
        new: impl FnOnce() -> Result<Series<C>, E>,
    ) -> Result<Arc<Series<C>>, E> {
        let mut list = lock(&self.0);
        if let Some((_, known)) = list.iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(new()?);
        list.push((key, Arc::clone(&new)));
        Ok(new)
    }

    /// All, as they are now.
    pub(super) fn all(&self) -> Vec<(K, Arc<Series<C>>)> {
        lock(&self.0).clone()
    }
}

/// The series of requests with the same labels.
#[derive(Debug)]
pub(super) struct HopEntry {
    pub(super) requests: Series<Counter>,
    pub(super) responses: Few<ResponseKey, Counter>,
    pub(super) durations: Few<DurationKey, Histogram>,
    /// Only where there was a long stream.
    pub(super) streams: OnceLock<Arc<Series<StreamCell>>>,
    /// Only where the propagation of context is audited.
    pub(super) propagation: OnceLock<Arc<Series<PropagationCell>>>,
    /// Only where calls are known to be made for these requests.
    pub(super) calls: Few<CallKey, CallCell>,
}

/// A worker's hold on an entry. While it lives, the entry is reported.
#[derive(Clone, Debug)]
pub(super) struct HeldHop {
    pub(super) entry: Arc<HopEntry>,
    pub(super) requests: Arc<Counter>,
}

/// One worker's numbers of the long streams with the same labels.
#[derive(Debug, Default)]
pub(super) struct StreamCell {
    pub(super) open: Tally,
    pub(super) from_client: Tally,
    pub(super) from_server: Tally,
}

/// One worker's numbers of what requests with the same labels show of the propagation of context.
#[derive(Debug, Default)]
pub(super) struct PropagationCell([Tally; Evidence::ALL.len()]);

impl PropagationCell {
    pub(super) fn of(&self, evidence: Evidence) -> &Tally {
        &self.0[evidence as usize]
    }
}

/// What requests call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CallKey {
    pub(super) service: Option<ServiceName>,
    pub(super) route: RouteName,
}

/// One worker's numbers of what requests call.
#[derive(Debug)]
pub(super) struct CallCell {
    /// How often a request called it, of those that did.
    pub(super) per_request: Histogram,
    pub(super) again: Tally,
}

impl CallCell {
    pub(super) fn new() -> Self {
        Self {
            per_request: Histogram::new(&family::NUMBER),
            again: Tally::default(),
        }
    }
}

/// One worker's numbers of the connections with the same labels.
#[derive(Debug)]
pub(super) struct TcpCell {
    pub(super) opened: Tally,
    pub(super) closed: Tally,
    /// Of those that were opened: whose bytes are not read.
    pub(super) opaque: Tally,
    pub(super) read_bytes: Tally,
    pub(super) written_bytes: Tally,
    pub(super) durations: Histogram,
}

impl TcpCell {
    pub(super) fn new() -> Self {
        Self {
            opened: Tally::default(),
            closed: Tally::default(),
            opaque: Tally::default(),
            read_bytes: Tally::default(),
            written_bytes: Tally::default(),
            durations: Histogram::new(&family::LONG),
        }
    }
}

/// A panic elsewhere leaves numbers behind that are still worth reading.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
