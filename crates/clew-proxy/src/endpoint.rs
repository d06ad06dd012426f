//! One endpoint as one data-plane thread knows it: its load, its connections, its series.

use crate::codec::{Active, Client, ClientConnection, Codec, HttpVersion, Io};
use crate::config::Limits;
use crate::error::Reason;
use crate::hop::{Direction, Peer, Phase, PhaseTimes, Tls};
use crate::meter::Meter;
use crate::report::{HopSeries, WorkerReports};
use crate::request_body::RequestBody;
use ahash::AHashMap;
use clew_model::name::RouteName;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// On what terms connections are made.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// Bounds.
    pub(crate) limits: &'a Limits,
    /// Where they are counted: those to a peer are, those to one's own application are not.
    pub(crate) meter: Option<&'a WorkerReports>,
}

/// A connection to a server.
pub(crate) type Connection = Client<RequestBody>;

/// One endpoint.
pub(crate) struct EndpointState {
    address: SocketAddr,
    peer: Arc<Peer>,
    weight: f64,
    load: Load,
    http1: RefCell<VecDeque<Idle>>,
    http2: RefCell<Option<Connection>>,
    /// Grows with each shared connection, so that one failure retires it once.
    generation: Cell<u64>,
    connecting: Cell<bool>,
    connected: Notify,
    /// The last attempt to open the shared connection that failed, by generation, for those who waited for it.
    failure: Cell<Option<(u64, Reason)>>,
    series: RefCell<AHashMap<RouteName, Rc<HopSeries>>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// Smoothed response time and requests in flight: what the balancer compares.
struct Load {
    in_flight: Cell<u32>,
    /// Peak-sensitive moving average of the time to the response's head, in nanoseconds.
    latency_ns: Cell<f64>,
    /// It has answered at least once.
    answered: Cell<bool>,
    updated: Cell<Instant>,
    /// Connecting failed; others are preferred until then.
    avoid_until: Cell<Option<Instant>>,
}

/// Half-life-like constant of the latency average: old samples weigh 1/e after this long.
const LATENCY_DECAY: Duration = Duration::from_secs(10);
/// Latency that an endpoint is given before it was measured: low, so that new ones are tried.
const INITIAL_LATENCY_NS: f64 = 1_000_000.0;
/// Added for an endpoint that has not answered its first requests yet: nobody knows how slow it is, and one
/// request at a time is enough to find out while there are others.
const UNANSWERED_COST: f64 = 1e15;
/// How long an endpoint that did not accept a connection is avoided while there are others.
const AVOID_FOR: Duration = Duration::from_secs(1);
/// A connection that was idle for longer may have been closed by the server in this very moment.
const STALE_AFTER: Duration = Duration::from_secs(1);

impl EndpointState {
    /// An endpoint that was never used.
    pub(crate) fn new(address: SocketAddr, peer: Arc<Peer>, weight: u32) -> Rc<Self> {
        Rc::new(Self {
            address,
            peer,
            weight: f64::from(weight),
            load: Load {
                in_flight: Cell::new(0),
                latency_ns: Cell::new(INITIAL_LATENCY_NS),
                answered: Cell::new(false),
                updated: Cell::new(Instant::now()),
                avoid_until: Cell::new(None),
            },
            http1: RefCell::default(),
            http2: RefCell::default(),
            generation: Cell::new(0),
            connecting: Cell::new(false),
            connected: Notify::new(),
            failure: Cell::new(None),
            series: RefCell::default(),
        })
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who it is.
    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Share of requests relative to other endpoints; 0 takes none.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// What another request would cost here, in arbitrary units; less is better.
    pub(crate) fn cost(&self, now: Instant) -> f64 {
        if self.load.avoid_until.get().is_some_and(|until| now < until) {
            return f64::MAX;
        }
        let in_flight = f64::from(self.load.in_flight.get());
        if in_flight > 0.0 && !self.load.answered.get() {
            return UNANSWERED_COST + in_flight / self.weight;
        }
        let idle = now.saturating_duration_since(self.load.updated.get());
        // An average that nobody feeds fades, so that a once slow endpoint is tried again.
        let faded =
            self.load.latency_ns.get() * (-idle.as_secs_f64() / LATENCY_DECAY.as_secs_f64()).exp();
        (in_flight + 1.0) * faded.max(1.0) / self.weight
    }

    /// The series of a route towards this endpoint.
    pub(crate) fn series(
        &self,
        route: &RouteName,
        resolve: impl FnOnce() -> Rc<HopSeries>,
    ) -> Rc<HopSeries> {
        if let Some(series) = self.series.borrow().get(route) {
            return Rc::clone(series);
        }
        let series = resolve();
        self.series
            .borrow_mut()
            .insert(route.clone(), Rc::clone(&series));
        series
    }

    /// Takes a place on a connection of the version: an idle one if there is one, else a new one.
    pub(crate) async fn lease(
        self: &Rc<Self>,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        match version {
            HttpVersion::Http1 => {
                if let Some(idle) = self.take_idle(terms.limits) {
                    let stale = idle.since.elapsed() > STALE_AFTER;
                    return Ok(Lease::new(self, idle.connection, stale));
                }
                self.lease_new(version, terms, times).await
            }
            HttpVersion::Http2 => self.lease_shared(terms, times).await,
        }
    }

    /// Takes a place on another connection, after the server closed the one of `failed` before it saw the
    /// request.
    pub(crate) async fn lease_again(
        self: &Rc<Self>,
        failed: Lease,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        match version {
            HttpVersion::Http1 => self.lease_new(version, terms, times).await,
            HttpVersion::Http2 => {
                // Of all the requests that failed with it, the first one retires the connection.
                if failed.generation == self.generation.get() {
                    *self.http2.borrow_mut() = None;
                }
                drop(failed);
                self.lease_shared(terms, times).await
            }
        }
    }

    /// Takes a place on a new connection.
    async fn lease_new(
        self: &Rc<Self>,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        let start = Instant::now();
        let connected = self.connect(version, terms).await;
        times.add(Phase::Connect, start.elapsed());
        match connected {
            Ok(connection) => {
                self.load.avoid_until.set(None);
                Ok(Lease::new(self, connection, false))
            }
            Err(reason) => {
                self.load.avoid_until.set(Some(Instant::now() + AVOID_FOR));
                Err(reason)
            }
        }
    }

    /// HTTP/2: everyone shares one connection; the first one opens it and the others wait for that.
    async fn lease_shared(
        self: &Rc<Self>,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        loop {
            let waiting = self.connected.notified();
            if let Some(shared) = self.shared_connection() {
                return Ok(Lease::new(self, shared, false));
            }
            if !self.connecting.get() {
                let turn = ConnectTurn::take(self);
                self.generation.set(self.generation.get() + 1);
                let leased = self.lease_new(HttpVersion::Http2, terms, times).await;
                match &leased {
                    Ok(lease) => {
                        *self.http2.borrow_mut() =
                            lease.connection.as_ref().and_then(Connection::share);
                    }
                    Err(reason) => self.failure.set(Some((self.generation.get(), *reason))),
                }
                drop(turn);
                return leased;
            }
            let attempt = self.generation.get();
            let start = Instant::now();
            waiting.await;
            times.add(Phase::Queue, start.elapsed());
            // If each tried again, the last of many would wait for many timeouts.
            if let Some((failed, reason)) = self.failure.get()
                && failed >= attempt
            {
                return Err(reason);
            }
        }
    }

    fn shared_connection(&self) -> Option<Connection> {
        let mut shared = self.http2.borrow_mut();
        if shared
            .as_ref()
            .is_some_and(|connection| connection.is_closed())
        {
            *shared = None;
        }
        shared.as_ref().and_then(Connection::share)
    }

    fn take_idle(&self, limits: &Limits) -> Option<Idle> {
        let mut idle = self.http1.borrow_mut();
        // The one used last is the warmest and the least likely to be closed by the server.
        while let Some(candidate) = idle.pop_back() {
            if candidate.connection.is_closed() || candidate.since.elapsed() > limits.idle_timeout {
                continue;
            }
            if candidate.connection.is_ready() {
                return Some(candidate);
            }
            // Still busy with the end of its last response; it will be ready soon, but not for us.
            idle.push_front(candidate);
            return None;
        }
        None
    }

    async fn connect(&self, version: HttpVersion, terms: Terms<'_>) -> Result<Connection, Reason> {
        let stream = connect_tcp(self.address, terms.limits.connect_timeout).await?;
        let io = match terms.meter {
            Some(reports) => {
                let series = reports.tcp(Direction::Outbound, &self.peer, Tls::None);
                Io::metered(stream, Meter::of(series))
            }
            None => Io::tcp(stream),
        };
        Active::open(io, version, terms.limits)
            .await
            .map_err(|_| Reason::ConnectFailed)
    }

    /// Drops connections that were idle for too long, and handles of series, so that those of routes
    /// that nobody uses any more can expire.
    pub(crate) fn sweep(&self, limits: &Limits, now: Instant) {
        self.series.borrow_mut().clear();
        self.http1.borrow_mut().retain(|idle| {
            !idle.connection.is_closed()
                && now.saturating_duration_since(idle.since) <= limits.idle_timeout
        });
    }

    fn observe_latency(&self, latency: Duration) {
        let now = Instant::now();
        let sample = latency.as_secs_f64() * 1e9;
        let average = self.load.latency_ns.get();
        let elapsed = now.saturating_duration_since(self.load.updated.get());
        let keep = (-elapsed.as_secs_f64() / LATENCY_DECAY.as_secs_f64()).exp();
        // Peaks count at once, improvements slowly (Finagle's "peak EWMA").
        let next = if sample > average {
            sample
        } else {
            average * keep + sample * (1.0 - keep)
        };
        self.load.latency_ns.set(next);
        self.load.answered.set(true);
        self.load.updated.set(now);
    }
}

/// Connects, within a bound of time, and says what went wrong.
pub(crate) async fn connect_tcp(
    address: SocketAddr,
    timeout: Duration,
) -> Result<TcpStream, Reason> {
    match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
        Err(_) => Err(Reason::ConnectTimeout),
        Ok(Err(error)) => Err(match error.kind() {
            io::ErrorKind::ConnectionRefused => Reason::ConnectRefused,
            io::ErrorKind::TimedOut => Reason::ConnectTimeout,
            _ => Reason::ConnectFailed,
        }),
        Ok(Ok(stream)) => {
            // Best effort: a connection without it works, only later.
            drop(stream.set_nodelay(true));
            Ok(stream)
        }
    }
}

/// The turn to open the shared connection; given up when dropped, also when connecting was cancelled.
struct ConnectTurn<'a>(&'a EndpointState);

impl<'a> ConnectTurn<'a> {
    fn take(endpoint: &'a EndpointState) -> Self {
        endpoint.connecting.set(true);
        Self(endpoint)
    }
}

impl Drop for ConnectTurn<'_> {
    fn drop(&mut self) {
        self.0.connecting.set(false);
        self.0.connected.notify_waiters();
    }
}

/// A place on a connection, for one request. While it is held, the endpoint counts it as in flight.
pub(crate) struct Lease {
    endpoint: Rc<EndpointState>,
    connection: Option<Connection>,
    stale: bool,
    generation: u64,
}

impl Lease {
    fn new(endpoint: &Rc<EndpointState>, connection: Connection, stale: bool) -> Self {
        endpoint
            .load
            .in_flight
            .set(endpoint.load.in_flight.get() + 1);
        Self {
            endpoint: Rc::clone(endpoint),
            connection: Some(connection),
            stale,
            generation: endpoint.generation.get(),
        }
    }

    /// The connection was idle for so long that the server may be closing it right now.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// The connection, until it was given back.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Tells the balancer how long the server took to answer.
    pub(crate) fn answered_after(&self, latency: Duration) {
        self.endpoint.observe_latency(latency);
    }

    /// The exchange is over and the connection may carry another.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if connection.is_closed() || connection.share().is_some() {
            return;
        }
        let mut idle = self.endpoint.http1.borrow_mut();
        idle.push_back(Idle {
            connection,
            since: Instant::now(),
        });
        if idle.len() > MAX_IDLE {
            idle.pop_front();
        }
    }
}

/// Idle connections kept for one endpoint and thread.
const MAX_IDLE: usize = 256;

impl Drop for Lease {
    fn drop(&mut self) {
        let in_flight = &self.endpoint.load.in_flight;
        in_flight.set(in_flight.get().saturating_sub(1));
    }
}
