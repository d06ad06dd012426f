//! The series that a connection or an endpoint used lately, so that most requests find theirs by route alone.

use crate::hop::{Peer, SeriesKey};
use crate::report::{HopSeries, WorkerReports};
use ahash::AHashMap;
use clew_model::name::RouteName;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Past it all are found anew: whoever asks for ever new routes is not to be remembered.
const MAX_ROUTES: usize = 64;

/// Series by route, for the peer that asked last. Nothing is held by it: a series that nobody uses any more
/// can expire, however long the connection lives.
#[derive(Default)]
pub(crate) struct RecentSeries(RefCell<AHashMap<RouteName, OfPeer>>);

type OfPeer = (Arc<Peer>, Weak<HopSeries>);

impl RecentSeries {
    /// The series of a key.
    pub(crate) fn get(&self, key: &SeriesKey, reports: &WorkerReports) -> Rc<HopSeries> {
        let mut recent = self.0.borrow_mut();
        if let Some((peer, series)) = recent.get(&key.route)
            && Arc::ptr_eq(peer, &key.peer)
            && let Some(series) = series.upgrade()
        {
            return series;
        }
        let series = reports.series(key);
        if recent.len() >= MAX_ROUTES {
            recent.clear();
        }
        let known = (Arc::clone(&key.peer), Rc::downgrade(&series));
        recent.insert(key.route.clone(), known);
        series
    }
}
