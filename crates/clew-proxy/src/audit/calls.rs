//! What a request in flight calls.

use crate::hop::SeriesKey;
use clew_model::name::{RouteName, ServiceName};

/// Routes that one request is remembered to have called; what it calls beyond them is counted as `(other)`.
pub(super) const MAX_CALLEES: usize = 32;

/// Name of what is beyond [`MAX_CALLEES`].
const OTHER: &str = "(other)";

/// How often a request has called one route of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    /// The service; `None` where it has no name.
    pub(crate) service: Option<ServiceName>,
    /// Its route, as the caller's proxy names it.
    pub(crate) route: RouteName,
    /// Calls.
    pub(crate) calls: u32,
    /// Of these, the ones that were made when an earlier one had failed, one for each failure: attempts again.
    pub(crate) again: u32,
    /// Those that failed and were not tried again yet.
    failed: u32,
}

impl Calls {
    fn is_of(&self, key: &SeriesKey) -> bool {
        self.route == key.route && self.service == key.peer.service
    }
}

/// Counts a call.
pub(super) fn count(calls: &mut Vec<Calls>, key: &SeriesKey) {
    let known = calls.iter().position(|known| known.is_of(key));
    let at = known.unwrap_or_else(|| {
        // The last place is that of all others.
        if calls.len() == MAX_CALLEES {
            return MAX_CALLEES - 1;
        }
        let is_last = calls.len() == MAX_CALLEES - 1;
        calls.push(Calls {
            service: key.peer.service.clone().filter(|_| !is_last),
            route: if is_last {
                RouteName::from(OTHER)
            } else {
                key.route.clone()
            },
            calls: 0,
            again: 0,
            failed: 0,
        });
        calls.len() - 1
    });
    let known = &mut calls[at];
    known.calls = known.calls.saturating_add(1);
    if known.failed > 0 {
        known.failed -= 1;
        known.again += 1;
    }
}

/// Notes that a call has failed.
pub(super) fn failed(calls: &mut [Calls], key: &SeriesKey) {
    if let Some(known) = calls.iter_mut().find(|known| known.is_of(key)) {
        known.failed = known.failed.saturating_add(1);
    }
}
