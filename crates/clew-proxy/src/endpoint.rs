//! One endpoint as one data-plane thread knows it: its load, its connections, its series.

mod load;

use crate::codec::{Client, HttpVersion, Io};
use crate::config::Limits;
use crate::error::Reason;
use crate::hop::{Direction, Peer, Phase, PhaseTimes, SeriesKey};
use crate::identity::OwnCredentials;
use crate::meter::Meter;
use crate::recent_series::RecentSeries;
use crate::report::{HopSeries, WorkerReports};
use crate::request_body::RequestBody;
use clew_identity::PeerError;
use load::{Load, Place};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
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
    /// Who we are, for endpoints that prove who they are.
    pub(crate) credentials: &'a OwnCredentials,
}

/// A connection to a server.
pub(crate) type Connection = Client<RequestBody>;

/// One endpoint.
pub(crate) struct EndpointState {
    address: SocketAddr,
    peer: Arc<Peer>,
    weight: f64,
    load: Rc<Load>,
    http1: RefCell<VecDeque<Idle>>,
    http2: RefCell<Option<Connection>>,
    /// Grows with each shared connection, so that one failure retires it once.
    generation: Cell<u64>,
    connecting: Cell<bool>,
    connected: Notify,
    /// The last attempt to open the shared connection that failed, by generation, for those who waited for it.
    failure: Cell<Option<(u64, Reason)>>,
    series: RecentSeries,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that was idle for longer may have been closed by the server in this very moment.
const STALE_AFTER: Duration = Duration::from_secs(1);

impl EndpointState {
    /// An endpoint that was never used.
    pub(crate) fn new(address: SocketAddr, peer: Arc<Peer>, weight: u32) -> Rc<Self> {
        Rc::new(Self {
            address,
            peer,
            weight: f64::from(weight),
            load: Rc::new(Load::new()),
            http1: RefCell::default(),
            http2: RefCell::default(),
            generation: Cell::new(0),
            connecting: Cell::new(false),
            connected: Notify::new(),
            failure: Cell::new(None),
            series: RecentSeries::default(),
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
        self.load.cost(now, self.weight)
    }

    /// Connecting to it failed lately: others are preferred.
    pub(crate) fn is_avoided(&self, now: Instant) -> bool {
        self.load.is_avoided(now)
    }

    /// The series of hops to this endpoint.
    pub(crate) fn series(&self, key: &SeriesKey, reports: &WorkerReports) -> Rc<HopSeries> {
        self.series.get(key, reports)
    }

    /// Takes a place on a connection that is there.
    pub(crate) fn lease_open(
        self: &Rc<Self>,
        version: HttpVersion,
        limits: &Limits,
    ) -> Option<Lease> {
        let (connection, is_stale) = match version {
            HttpVersion::Http1 => {
                let idle = self.take_idle(limits)?;
                (idle.connection, idle.since.elapsed() > STALE_AFTER)
            }
            HttpVersion::Http2 => (self.shared_connection()?, false),
        };
        let place = Place::take(&self.load);
        Some(Lease::new(self, place, connection, is_stale))
    }

    /// Takes a place on a connection of the version that is new, or is just being opened.
    pub(crate) async fn lease(
        self: &Rc<Self>,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        let place = Place::take(&self.load);
        match version {
            HttpVersion::Http1 => self.lease_new(place, version, terms, times).await,
            HttpVersion::Http2 => self.lease_shared(place, terms, times).await,
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
            HttpVersion::Http1 => self.lease_new(failed.place, version, terms, times).await,
            HttpVersion::Http2 => {
                // Of all the requests that failed with it, the first one retires the connection.
                if failed.generation == self.generation.get() {
                    *self.http2.borrow_mut() = None;
                }
                self.lease_shared(failed.place, terms, times).await
            }
        }
    }

    /// Takes a place on a new connection.
    async fn lease_new(
        self: &Rc<Self>,
        place: Place,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        let connected = self.connect(version, terms, times).await;
        Ok(Lease::new(self, place, connected?, false))
    }

    /// HTTP/2: everyone shares one connection; the first one opens it and the others wait for that.
    async fn lease_shared(
        self: &Rc<Self>,
        place: Place,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Lease, Reason> {
        loop {
            let waiting = self.connected.notified();
            if let Some(shared) = self.shared_connection() {
                return Ok(Lease::new(self, place, shared, false));
            }
            if !self.connecting.get() {
                let turn = ConnectTurn::take(self);
                self.generation.set(self.generation.get() + 1);
                let leased = self
                    .lease_new(place, HttpVersion::Http2, terms, times)
                    .await;
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
        while let Some(last) = idle.pop_back() {
            if !last.connection.is_closed() && last.since.elapsed() <= limits.idle_timeout {
                return Some(last);
            }
        }
        None
    }

    async fn connect(
        &self,
        version: HttpVersion,
        terms: Terms<'_>,
        times: &mut PhaseTimes,
    ) -> Result<Connection, Reason> {
        let io = self.connect_io(terms, times).await?;
        let start = Instant::now();
        let opened = Client::open(io, version, terms.limits).await;
        times.add(Phase::Connect, start.elapsed());
        opened.map_err(|_| Reason::ConnectFailed)
    }

    async fn connect_io(&self, terms: Terms<'_>, times: &mut PhaseTimes) -> Result<Io, Reason> {
        let start = Instant::now();
        let connected = connect_tcp(self.address, terms.limits.connect_timeout).await;
        times.add(Phase::Connect, start.elapsed());
        let ready = match connected {
            Ok(stream) => {
                let start = Instant::now();
                let secured = self.secure(self.metered(stream, terms), terms).await;
                if self.peer.identity.is_some() {
                    times.add(Phase::Tls, start.elapsed());
                }
                secured
            }
            Err(reason) => Err(reason),
        };
        match &ready {
            Ok(_) => self.load.connected(),
            Err(_) => self.load.not_connected(),
        }
        ready
    }

    fn metered(&self, stream: TcpStream, terms: Terms<'_>) -> Io {
        match terms.meter {
            Some(reports) => {
                let series = reports.tcp(Direction::Outbound, &self.peer);
                Io::metered(stream, Meter::of(series))
            }
            None => Io::tcp(stream),
        }
    }

    /// TLS, where the endpoint proves who it is: it has to be who control says that it is.
    async fn secure(&self, io: Io, terms: Terms<'_>) -> Result<Io, Reason> {
        let Some(identity) = &self.peer.identity else {
            return Ok(io);
        };
        let credentials = terms.credentials.current().ok_or(Reason::NoCertificate)?;
        let session = credentials.connect(identity).ok_or(Reason::TlsFailed)?;
        // Boxed: only new connections need it.
        let handshake = Box::pin(io.secured(session.into(), &credentials));
        let secured = match tokio::time::timeout(terms.limits.connect_timeout, handshake).await {
            Err(_) => return Err(Reason::ConnectTimeout),
            Ok(Err(error)) => {
                tracing::debug!(%error, %identity, address = %self.address, "no TLS with the endpoint");
                return Err(match is_of_certificate(&error) {
                    true => Reason::WrongIdentity,
                    false => Reason::TlsFailed,
                });
            }
            Ok(Ok(secured)) => secured,
        };
        match secured.peer() == Some(identity) {
            true => Ok(secured),
            false => Err(Reason::WrongIdentity),
        }
    }

    /// Connects for bytes that are not looked at. The endpoint is busy with them until what is given is
    /// dropped.
    pub(crate) async fn open_transfer(&self, terms: Terms<'_>) -> Result<(Io, Transfer), Reason> {
        let mut place = Place::take(&self.load);
        let io = self.connect_io(terms, &mut PhaseTimes::default()).await?;
        place.answered();
        Ok((io, Transfer { _place: place }))
    }

    /// Drops connections that were idle for too long, and those that the server has closed.
    pub(crate) fn sweep(&self, limits: &Limits, now: Instant) {
        self.http1.borrow_mut().retain(|idle| {
            idle.connection.rest();
            !idle.connection.is_closed()
                && now.saturating_duration_since(idle.since) <= limits.idle_timeout
        });
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
            tune(&stream);
            Ok(stream)
        }
    }
}

/// The other side's certificate is why a handshake failed, and not the way to it.
fn is_of_certificate(error: &io::Error) -> bool {
    let Some(cause) = error.get_ref() else {
        return false;
    };
    cause.is::<PeerError>()
        || matches!(
            cause.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        )
}

/// Without these, a peer whose machine is gone is noticed after a quarter of an hour. (HTTP/2 pings would notice
/// one that hangs, too, but gRPC servers close connections on which they see many.)
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Minutes, for it also ends a connection whose other side lives and only pauses to read.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(300);

/// Options of every connection; those of a listener are its connections' too. Best effort: a connection without
/// them works, only worse.
pub(crate) fn tune(stream: &impl AsFd) {
    let socket = socket2::SockRef::from(stream);
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL);
    let results = [
        socket.set_tcp_nodelay(true),
        socket.set_tcp_keepalive(&keepalive),
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT)),
    ];
    for error in results.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "an option of a connection cannot be set");
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

/// A transfer of bytes that an endpoint is busy with.
pub(crate) struct Transfer {
    _place: Place,
}

/// A place on a connection, for one request. While it is held, the endpoint counts it as in flight.
pub(crate) struct Lease {
    endpoint: Rc<EndpointState>,
    place: Place,
    connection: Option<Connection>,
    stale: bool,
    generation: u64,
}

impl Lease {
    fn new(
        endpoint: &Rc<EndpointState>,
        place: Place,
        connection: Connection,
        stale: bool,
    ) -> Self {
        Self {
            endpoint: Rc::clone(endpoint),
            place,
            connection: Some(connection),
            stale,
            generation: endpoint.generation.get(),
        }
    }

    /// Whose connection it is.
    pub(crate) fn endpoint(&self) -> &Rc<EndpointState> {
        &self.endpoint
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
    pub(crate) fn answered_after(&mut self, latency: Duration) {
        self.place.answered_after(latency);
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
