//! A request's head as it arrived: what every hop opened for it is made from.

use crate::codec::InBody;
use crate::headers;
use crate::hop::{
    Classification, Direction, End, Exchange, HopRecord, Peer, Phase, PhaseTimes, SeriesKey, Told,
};
use crate::open_hop::OpenHop;
use crate::route_names::Route;
use crate::shard::Shard;
use crate::via::{Via, Way};
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Version};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a request said at its arrival.
///
/// It counts from here on: when no hop was opened for it by the time that this is dropped, because the client
/// did not wait for that, one is opened and closed as given up.
pub(super) struct Arrival {
    via: Rc<Via>,
    /// Its head was read.
    pub(super) start: Instant,
    /// Host and port that it is for, lower case; empty when it does not say.
    pub(super) authority: Arc<str>,
    /// It is gRPC.
    pub(super) is_grpc: bool,
    pub(super) start_unix_nano: u64,
    method: Method,
    scheme: &'static str,
    path: PathAndQuery,
    version: Version,
    headers: Option<HeaderMap>,
    /// Told by the first hop that is opened.
    detect: Cell<Option<Duration>>,
    opened: Cell<bool>,
}

impl Arrival {
    pub(super) fn new(via: &Rc<Via>, request: &Request<InBody>) -> Self {
        let start = Instant::now();
        let uri = request.uri();
        Self {
            via: Rc::clone(via),
            start,
            start_unix_nano: via.shard.unix_nano(start),
            authority: authority(via, request),
            is_grpc: headers::is_grpc(request.headers()),
            method: request.method().clone(),
            scheme: if uri.scheme_str() == Some("https") {
                "https"
            } else {
                "http"
            },
            path: uri
                .path_and_query()
                .cloned()
                .unwrap_or_else(|| PathAndQuery::from_static("/")),
            version: request.version(),
            headers: via
                .shard
                .reports()
                .wants_headers()
                .then(|| request.headers().clone()),
            detect: Cell::new(via.detect.take()),
            opened: Cell::new(false),
        }
    }

    /// Opens a hop for the request.
    pub(super) fn open(
        &self,
        shard: &Shard,
        direction: Direction,
        peer: Arc<Peer>,
        route: &Route,
    ) -> OpenHop {
        self.opened.set(true);
        let mut phases = PhaseTimes::default();
        if let Some(detect) = self.detect.take() {
            phases.add(Phase::Detect, detect);
        }
        let record = HopRecord {
            key: SeriesKey {
                direction,
                peer,
                route: route.name.clone(),
            },
            route_is_configured: route.configured,
            route_path: route.path.clone(),
            method: self.method.clone(),
            scheme: self.scheme,
            authority: Arc::clone(&self.authority),
            path: self.path.clone(),
            version: self.version,
            is_grpc: self.is_grpc,
            peer_address: None,
            request_headers: self.headers.clone(),
            response_headers: None,
            start: self.start,
            start_unix_nano: self.start_unix_nano,
            response_start: None,
            first_body: None,
            end: self.start,
            phases,
            trace: None,
            evidence: None,
            status: None,
            grpc_status: None,
            // Both are decided when the hop is closed.
            outcome: End::Complete,
            classification: Classification::Success,
            exchange: Exchange::Unary,
            request_bytes: 0,
            response_bytes: 0,
            told: Told::default(),
        };
        OpenHop::new(
            Rc::clone(&shard.sink),
            record,
            route.failure_statuses.clone(),
        )
    }
}

impl Arrival {
    /// Opens a hop for a request of which neither the other side nor the route is known.
    pub(super) fn open_unrouted(&self, direction: Direction) -> OpenHop {
        let shard = &self.via.shard;
        self.open(shard, direction, Arc::clone(&shard.nobody), &shard.unknown)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if !self.opened.get() {
            let direction = self.via.way.direction();
            drop(self.open_unrouted(direction));
        }
    }
}

/// The authority of a request: of its target, else its Host; that of a dependency's listener is known.
fn authority(via: &Via, request: &Request<InBody>) -> Arc<str> {
    if let Way::Dependency(_, name) = &via.way {
        return Arc::clone(name);
    }
    if let Some(authority) = request.uri().authority() {
        return via.authority(headers::without_user_info(authority).as_bytes());
    }
    request
        .headers()
        .get(HOST)
        .map_or_else(|| Arc::from(""), |host| via.authority(host.as_bytes()))
}
