//! The cardinality budget: how many series a family may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::family::{self, Family};

/// The families that have a budget: those whose labels come from requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Budgeted {
    Requests,
    Responses,
    Latencies,
    Streams,
    FirstBytes,
    /// Both families of open streams; they have the same series.
    OpenStreams,
    Propagation,
    /// Both families of calls; they have the same series.
    Calls,
    /// All families of connections; they have the same series.
    Tcp,
}

impl Budgeted {
    pub(super) const ALL: [Self; 9] = [
        Self::Requests,
        Self::Responses,
        Self::Latencies,
        Self::Streams,
        Self::FirstBytes,
        Self::OpenStreams,
        Self::Propagation,
        Self::Calls,
        Self::Tcp,
    ];

    pub(super) fn family(self) -> &'static Family {
        match self {
            Self::Requests => &family::REQUESTS,
            Self::Responses => &family::RESPONSES,
            Self::Latencies => &family::LATENCIES,
            Self::Streams => &family::STREAMS,
            Self::FirstBytes => &family::FIRST_BYTES,
            Self::OpenStreams => &family::OPEN_STREAMS,
            Self::Propagation => &family::PROPAGATION,
            Self::Calls => &family::CALLS,
            Self::Tcp => &family::TCP_OPENED,
        }
    }
}

/// How urgently a series is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// A series of its own. Refused when the budget is used up, and the refusal is counted.
    Own,
    /// The series that others fold into. There is as much room again for these.
    Fold,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// Counts the living series of each family.
#[derive(Debug)]
pub(super) struct Budget {
    max_series: usize,
    families: [FamilyBudget; Budgeted::ALL.len()],
}

#[derive(Debug, Default)]
struct FamilyBudget {
    living: AtomicUsize,
    refused: AtomicU64,
}

impl Budget {
    pub(super) fn new(max_series: usize) -> Self {
        Self {
            max_series,
            families: Default::default(),
        }
    }

    /// Whether a series of its own would be allowed now.
    pub(super) fn has_room(&self, family: Budgeted) -> bool {
        self.families[family as usize]
            .living
            .load(Ordering::Relaxed)
            < self.max_series
    }

    /// Room for one series, given back when the permit is dropped.
    pub(super) fn claim(
        self: &Arc<Self>,
        family: Budgeted,
        claim: Claim,
    ) -> Result<Permit, Refused> {
        let budget = &self.families[family as usize];
        let limit = match claim {
            Claim::Own => self.max_series,
            Claim::Fold => self.max_series.saturating_mul(2),
        };
        let take = |living| (living < limit).then_some(living + 1);
        if budget
            .living
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
        {
            return Ok(Permit {
                budget: Arc::clone(self),
                family,
            });
        }
        if claim == Claim::Own {
            self.refuse(family);
        }
        Err(Refused)
    }

    /// Room for a series of last resort, of which there are few by their nature.
    pub(super) fn last_resort(self: &Arc<Self>, family: Budgeted) -> Permit {
        self.families[family as usize]
            .living
            .fetch_add(1, Ordering::Relaxed);
        Permit {
            budget: Arc::clone(self),
            family,
        }
    }

    /// Counts a refusal that was decided elsewhere.
    pub(super) fn refuse(&self, family: Budgeted) {
        self.families[family as usize]
            .refused
            .fetch_add(1, Ordering::Relaxed);
    }

    /// Series refused so far.
    pub(super) fn refused(&self, family: Budgeted) -> u64 {
        self.families[family as usize]
            .refused
            .load(Ordering::Relaxed)
    }

    /// Series that a family may have of its own.
    pub(super) fn max_series(&self) -> usize {
        self.max_series
    }

    /// Series that live now.
    pub(super) fn living(&self, family: Budgeted) -> usize {
        self.families[family as usize]
            .living
            .load(Ordering::Relaxed)
    }
}

/// The right to one series.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<Budget>,
    family: Budgeted,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.families[self.family as usize]
            .living
            .fetch_sub(1, Ordering::Relaxed);
    }
}
