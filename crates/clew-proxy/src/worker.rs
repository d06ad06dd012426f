//! One data-plane thread: a runtime of its own, its own listeners, and everything in [`Shard`].

use crate::codec::Io;
use crate::config::{ApplicationPort, Listener, ProxyConfig};
use crate::endpoint::tune;
use crate::hop::Direction;
use crate::lifecycle::Stage;
use crate::meter::Meter;
use crate::own_listeners::canonical;
use crate::report::WorkerSlot;
use crate::serve::connection;
use crate::services::Expect;
use crate::shard::{Shard, SharedParts};
use crate::via::{Edge, Way};
use clew_model::service::Target;
use clew_runtime::drain::DrainWatch;
use clew_runtime::listen::{Acceptor, ListenError};
use clew_runtime::tasks::TaskSet;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// What a thread is started with.
pub(crate) struct Start {
    pub(crate) config: Arc<ProxyConfig>,
    pub(crate) common: SharedParts,
    pub(crate) reports: WorkerSlot,
    /// One for each of the configuration's listeners, in its order.
    pub(crate) listeners: Vec<std::net::TcpListener>,
    pub(crate) drain: DrainWatch,
}

/// Why a thread did not start.
#[derive(Debug, thiserror::Error)]
pub enum ThreadError {
    /// The system gave no runtime.
    #[error("its runtime cannot be built")]
    Runtime(#[source] io::Error),
    /// A listener does not work on it.
    #[error("it cannot accept")]
    Listen(#[source] ListenError),
}

/// How often a thread does its housekeeping: spans leave at this rate when there are few.
const TICK: Duration = Duration::from_millis(100);

/// Runs the thread until it has drained.
pub(crate) fn run(start: Start) -> Result<(), ThreadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .map_err(ThreadError::Runtime)?;
    runtime.block_on(serve(start))
}

async fn serve(start: Start) -> Result<(), ThreadError> {
    let Start {
        config,
        common,
        reports,
        listeners,
        drain,
    } = start;
    let shard = Shard::new(&config, common, reports.open());
    let mut tasks = TaskSet::new();
    for (listener, kind) in listeners.into_iter().zip(&config.listeners) {
        let purpose = kind.purpose();
        tune(&listener);
        let acceptor = Acceptor::new(purpose, listener).map_err(ThreadError::Listen)?;
        let entrance = Entrance::new(kind, &shard);
        tasks.spawn_local(
            purpose,
            accept(acceptor, Rc::clone(&shard), entrance, drain.clone()),
        );
    }
    let housekeeping = tokio::task::spawn_local(keep_house(Rc::clone(&shard)));
    tasks.join_all().await;
    let connections = shard.connections();
    connections.advance(Stage::Draining);
    tokio::select! {
        () = connections.closed() => {}
        () = drain.forced() => {
            connections.advance(Stage::Forced);
            connections.closed().await;
        }
    }
    housekeeping.abort();
    shard.reports().flush();
    Ok(())
}

async fn keep_house(shard: Rc<Shard>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shard.tick(Instant::now());
    }
}

async fn accept(mut acceptor: Acceptor, shard: Rc<Shard>, entrance: Entrance, drain: DrainWatch) {
    while let Some((stream, client)) = acceptor.accept_until(&drain).await {
        if let Some((way, expect)) = entrance.way(&shard, &stream) {
            let shard = Rc::clone(&shard);
            // Connections of one's own application are not counted: they are no edge.
            let io = match way.direction() {
                Direction::Inbound => Io::metered(stream, Meter::new()),
                Direction::Outbound => Io::tcp(stream),
            };
            tokio::task::spawn_local(connection::serve(shard, way, expect, io, Some(client)));
        }
    }
}

/// What connections to a listener are for.
enum Entrance {
    /// Each connection alike.
    Fixed(Way),
    /// Where it was going before it was redirected: to this application.
    RedirectedInbound(Vec<ApplicationPort>),
    /// Where it was going before it was redirected: from this application. These ports are not looked at.
    RedirectedOutbound(Arc<[u16]>),
}

impl Entrance {
    fn new(listener: &Listener, shard: &Rc<Shard>) -> Self {
        match listener {
            Listener::Inbound {
                application,
                service,
                protocol,
                ..
            } => Self::Fixed(Way::Inbound(shard.port(*application, service, *protocol))),
            Listener::HttpProxy { .. } => Self::Fixed(Way::HttpProxy),
            Listener::Dependency { service, .. } => {
                let target = shard.service(&Target::Service(service.clone()));
                Self::Fixed(Way::Dependency(target, Arc::from(service.as_str())))
            }
            Listener::Gateway {
                routes, trusted, ..
            } => {
                let edge = Edge::new(routes, Arc::clone(trusted));
                Self::Fixed(Way::Gateway(Rc::new(edge)))
            }
            Listener::RedirectedInbound { ports, .. } => Self::RedirectedInbound(ports.clone()),
            Listener::RedirectedOutbound { opaque_ports, .. } => {
                Self::RedirectedOutbound(Arc::clone(opaque_ports))
            }
        }
    }

    /// What one connection is for, and what it speaks if that is known here; `None` when it cannot be told.
    fn way(&self, shard: &Rc<Shard>, stream: &TcpStream) -> Option<(Way, Option<Expect>)> {
        match self {
            Self::Fixed(way) => Some((way.clone(), None)),
            Self::RedirectedInbound(ports) => {
                let original = original_destination(stream)?;
                let mut known = ports.iter();
                let port = match known.find(|port| port.address.port() == original.port()) {
                    Some(port) => shard.port(original, &port.service, port.protocol),
                    None => shard.undeclared_port(original),
                };
                Some((Way::Inbound(port), None))
            }
            Self::RedirectedOutbound(opaque_ports) => {
                let original = original_destination(stream)?;
                let expect = opaque_ports
                    .contains(&original.port())
                    .then_some(Expect::Opaque);
                Some((
                    Way::Outbound(shard.service(&Target::Address(original))),
                    expect,
                ))
            }
        }
    }
}

/// Where a redirected connection was going; `None` when it was not redirected (`SO_ORIGINAL_DST` of
/// netfilter's connection tracking).
fn original_destination(stream: &TcpStream) -> Option<SocketAddr> {
    let socket = socket2::SockRef::from(stream);
    let original = socket
        .original_dst_v4()
        .or_else(|_| socket.original_dst_v6())
        .ok()?
        .as_socket()?;
    let own = stream.local_addr().ok()?;
    // Someone who connects to the proxy's own port is not redirected: passing that on would be a loop.
    (canonical(original) != canonical(own)).then_some(original)
}
