//! Whether a proxy can serve, and if not, why.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The reason that holds until [`Readiness::set_ready`].
const STARTING: &str = "starting";

/// What a proxy still waits for. Clones share one state.
#[derive(Clone, Debug)]
pub struct Readiness {
    reasons: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Default for Readiness {
    /// Not ready: starting.
    fn default() -> Self {
        Self {
            reasons: Arc::new(Mutex::new(BTreeSet::from([STARTING]))),
        }
    }
}

impl Readiness {
    /// The start is over. The proxy is ready once no other reason holds.
    pub fn set_ready(&self) {
        self.remove(STARTING);
    }

    /// One more reason not to be ready ("draining").
    pub fn add(&self, reason: &'static str) {
        self.lock().insert(reason);
    }

    /// The reason does not hold any more.
    pub fn remove(&self, reason: &'static str) {
        self.lock().remove(reason);
    }

    /// Why the proxy is not ready; empty when it is.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.lock().iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
