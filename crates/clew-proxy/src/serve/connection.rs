//! One connection, from its first byte to its end.

use super::{reach, refusal, request};
use crate::codec::{self, HttpVersion, InBody, Io, Serve, ServeError};
use crate::detect::{Detected, HELLO_TIMEOUT, detect, server_name};
use crate::endpoint::{EndpointState, Transfer};
use crate::error::Reason;
use crate::hop::{Direction, Peer, PhaseTimes};
use crate::opaque;
use crate::response_body::ResponseBody;
use crate::services::Expect;
use crate::shard::Shard;
use crate::via::{Via, Way};
use clew_model::identity::Identity;
use clew_model::name::ServiceName;
use clew_model::policy::Caller;
use http::{Request, Response};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Serves a connection. Boxed, because a tunnel inside a connection is served in the same way. What it
/// speaks is as the policy of its service says, unless the caller knows better.
pub(crate) fn serve(
    shard: Rc<Shard>,
    way: Way,
    expect: Option<Expect>,
    io: Io,
    client: Option<SocketAddr>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let (meter, direction) = (io.meter().cloned(), way.direction());
        detect_and_serve(Rc::clone(&shard), way, expect, io, client).await;
        if let Some(meter) = meter {
            // Nobody on it has said who they are.
            meter.attribute(|| shard.reports().tcp(direction, &shard.nobody));
        }
    })
}

async fn detect_and_serve(
    shard: Rc<Shard>,
    way: Way,
    expect: Option<Expect>,
    io: Io,
    client: Option<SocketAddr>,
) {
    let expect = match expect {
        Some(expect) => expect,
        None => {
            let asking = expectation(&shard, &way);
            match shard.connections().drive(asking, |_| {}).await {
                Some(expect) => expect,
                None => return,
            }
        }
    };
    let timeout = match expect {
        Expect::Detect(timeout) => timeout,
        Expect::Http(version) if !may_be_secured(&shard, &way, &io) => {
            return serve_http(shard, way, io, version, client, None).await;
        }
        Expect::Http(version) => {
            return Box::pin(serve_http_in_tls(shard, way, io, version, client)).await;
        }
        Expect::Opaque => return Box::pin(serve_opaque(shard, way, io, client)).await,
    };
    let start = Instant::now();
    let detecting = detect(io, timeout, shard.connections().draining());
    let detected = shard.connections().drive(detecting, |_| {}).await;
    match detected {
        None | Some((Detected::Closed, _)) => {}
        Some((Detected::Http(version), io)) => {
            serve_http(shard, way, io, version, client, Some(start.elapsed())).await;
        }
        // These speak HTTP or nothing: what is none is told so in its terms, and who says nothing, as
        // browsers do that connect ahead of time, has asked nothing.
        Some((Detected::Opaque, io)) if way.is_http_only() => {
            serve_http(
                shard,
                way,
                io,
                HttpVersion::Http1,
                client,
                Some(start.elapsed()),
            )
            .await;
        }
        Some((Detected::Silent, _)) if way.is_http_only() => {}
        Some((Detected::Opaque, io)) if may_be_secured(&shard, &way, &io) => {
            Box::pin(detect_in_tls(shard, way, io, timeout, client)).await;
        }
        Some((Detected::Opaque, io)) => {
            let left = timeout.saturating_sub(start.elapsed());
            Box::pin(serve_named(shard, way, io, left, client)).await;
        }
        Some((Detected::Silent, io)) => {
            Box::pin(serve_silent(shard, way, io, timeout, client)).await
        }
    }
}

/// Serves a connection on which the client waits: for the server to speak first, or until it needs the
/// connection that it has opened ahead of time. Who speaks first tells.
async fn serve_silent(
    shard: Rc<Shard>,
    way: Way,
    mut io: Io,
    timeout: Duration,
    client: Option<SocketAddr>,
) {
    let waiting = async {
        let (mut server, transfer) = open_transfer(&shard, &way, None).await.ok()?;
        tokio::select! {
            () = io.readable() => {}
            () = server.readable() => return Some(Some((server, transfer))),
            () = shard.connections().draining() => return None,
        }
        Some(None)
    };
    match shard.connections().drive(waiting, |_| {}).await.flatten() {
        None => {}
        Some(Some(server)) => transfer(&shard, &way, io, async { Ok(server) }, client).await,
        Some(None) => {
            let expect = Some(Expect::Detect(timeout));
            Box::pin(detect_and_serve(shard, way, expect, io, client)).await;
        }
    }
}

/// It may turn out to be TLS of the mesh, between another proxy and this one.
fn may_be_secured(shard: &Shard, way: &Way, io: &Io) -> bool {
    shard.credentials.is_wanted() && matches!(way, Way::Inbound(_)) && io.peer().is_none()
}

/// Performs the handshake on a connection that begins with a ClientHello for this proxy; others are given back as they are.
/// `None`: the handshake failed, and nothing comes of the connection.
async fn secure(shard: &Shard, io: Io) -> Option<Io> {
    let limit = shard.limits.head_timeout;
    let (name, io) = server_name(io, limit).await;
    if !name.is_some_and(|name| shard.credentials.is_named(&name)) {
        return Some(io);
    }
    let credentials = shard.credentials.current()?;
    let handshake = io.secured(credentials.accept()?.into(), &credentials);
    let secured = tokio::time::timeout(limit, handshake).await;
    let secured = secured.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    if let Err(error) = &secured {
        shard.credentials.refused();
        tracing::debug!(%error, "no TLS with a client");
    }
    secured.ok()
}

/// A connection whose first bytes are not HTTP: inside of TLS of the mesh it is looked at again, else it is bytes.
async fn detect_in_tls(
    shard: Rc<Shard>,
    way: Way,
    io: Io,
    timeout: Duration,
    client: Option<SocketAddr>,
) {
    let securing = secure(&shard, io);
    match shard.connections().drive(securing, |_| {}).await.flatten() {
        Some(io) if io.peer().is_some() => {
            let expect = Some(Expect::Detect(timeout));
            detect_and_serve(shard, way, expect, io, client).await;
        }
        Some(io) => serve_named(shard, way, io, timeout, client).await,
        None => {}
    }
}

/// HTTP of a known version, which may come inside of TLS of the mesh.
async fn serve_http_in_tls(
    shard: Rc<Shard>,
    way: Way,
    mut io: Io,
    version: HttpVersion,
    client: Option<SocketAddr>,
) {
    let looking = async {
        tokio::select! {
            () = io.readable() => {}
            () = shard.connections().draining() => return None,
        }
        secure(&shard, io).await
    };
    if let Some(io) = shard.connections().drive(looking, |_| {}).await.flatten() {
        serve_http(shard, way, io, version, client, None).await;
    }
}

/// What the connection is expected to speak.
async fn expectation(shard: &Rc<Shard>, way: &Way) -> Expect {
    match way {
        Way::Inbound(port) => {
            port.known(&shard.learners, shard.discovery.timeout()).await;
            port.state(&shard.learners).expect
        }
        Way::Outbound(service) | Way::Dependency(service, _) => {
            // Not knowing yet is no reason to refuse: the request itself will be told why.
            match shard
                .service_state(service, &mut PhaseTimes::default())
                .await
            {
                Ok(state) => state.expect,
                Err(_) => Expect::Detect(shard.limits.detect_timeout),
            }
        }
        Way::HttpProxy | Way::Gateway(_) => Expect::Detect(shard.limits.detect_timeout),
    }
}

async fn serve_http(
    shard: Rc<Shard>,
    way: Way,
    io: Io,
    version: HttpVersion,
    client: Option<SocketAddr>,
    detect: Option<Duration>,
) {
    let via = Via::new(Rc::clone(&shard), way, client, detect, &io);
    let service = Rc::new(Requests(via));
    codec::serve(io, version, &shard.limits, service, shard.connections()).await;
}

/// What a connection's end is counted as; one that broke between requests was no request.
fn reason_of(error: ServeError) -> Option<Reason> {
    match error {
        ServeError::Malformed => Some(Reason::MalformedRequest),
        ServeError::HeadTooLarge => Some(Reason::HeadTooLarge),
        ServeError::HeadTimeout => Some(Reason::HeadTimeout),
        ServeError::Flood => Some(Reason::ClientFlood),
        ServeError::Broken => None,
    }
}

/// The requests of one connection.
struct Requests(Rc<Via>);

impl Serve for Requests {
    type Body = ResponseBody;

    fn call(
        self: Rc<Self>,
        request: Request<InBody>,
    ) -> impl Future<Output = Response<ResponseBody>> + 'static {
        request::answer(Rc::clone(&self.0), request)
    }

    fn refused(&self, error: ServeError) -> Option<Response<ResponseBody>> {
        let (via, reason) = (&self.0, reason_of(error)?);
        via.shard.refuse(via.way.direction(), reason);
        Some(refusal::http(reason))
    }

    fn flooded(&self) -> impl Future<Output = ()> {
        self.0.patience.flooded()
    }
}

/// Passes bytes through to the application or to an endpoint of the service.
async fn serve_opaque(shard: Rc<Shard>, way: Way, io: Io, client: Option<SocketAddr>) {
    if may_be_secured(&shard, &way, &io) {
        return serve_opaque_in_tls(shard, way, io, client).await;
    }
    let server = open_transfer(&shard, &way, None);
    transfer(&shard, &way, io, server, client).await;
}

/// The same where they may come inside of TLS of the mesh. In clear, either side may speak first.
async fn serve_opaque_in_tls(shard: Rc<Shard>, way: Way, mut io: Io, client: Option<SocketAddr>) {
    let looking = async {
        let (mut server, place) = match open_transfer(&shard, &way, None).await {
            Ok(opened) => opened,
            Err(reason) => return Some((io, Err(reason))),
        };
        tokio::select! {
            biased;
            () = io.readable() => {}
            () = server.readable() => return Some((io, Ok((server, place)))),
            () = shard.connections().draining() => return None,
        }
        let io = secure(&shard, io).await?;
        Some((io, Ok((server, place))))
    };
    let found = shard.connections().drive(looking, |_| {}).await.flatten();
    if let Some((io, opened)) = found {
        transfer(&shard, &way, io, std::future::ready(opened), client).await;
    }
}

/// The same where the client may say whom it wants to reach, within a bound of time.
async fn serve_named(
    shard: Rc<Shard>,
    way: Way,
    io: Io,
    timeout: Duration,
    client: Option<SocketAddr>,
) {
    let looking = named_by_client(&shard, &way, io, timeout);
    if let Some((named, io)) = shard.connections().drive(looking, |_| {}).await {
        let server = open_transfer(&shard, &way, named);
        transfer(&shard, &way, io, server, client).await;
    }
}

/// Whether the policy admits a caller whose bytes are not looked at.
fn admit_bytes(
    shard: &Shard,
    way: &Way,
    identity: Option<&Identity>,
    client: Option<SocketAddr>,
) -> Result<(), Reason> {
    let Way::Inbound(port) = way else {
        return Ok(());
    };
    let address = client.map(|client| client.ip());
    let admitted = port
        .state(&shard.learners)
        .admits(Caller { identity, address }, None);
    if let Err(reason) = admitted {
        // There is no request that could be counted: it is one that was refused before.
        shard.refuse(Direction::Inbound, reason);
    }
    admitted
}

/// Passes bytes between a client and the server that is being connected to.
async fn transfer(
    shard: &Shard,
    way: &Way,
    io: Io,
    server: impl Future<Output = Result<(Io, Transfer), Reason>>,
    client: Option<SocketAddr>,
) {
    if let Some(meter) = io.meter() {
        // In clear it cannot be known who it is.
        let peer = match (way, io.peer()) {
            (Way::Inbound(port), Some(identity)) => {
                let service = &port.state(&shard.learners).service;
                shard.client(None, Some(identity), service)
            }
            _ => Arc::clone(&shard.nobody),
        };
        meter.attribute(|| shard.reports().tcp(way.direction(), &peer));
    }
    let admitted = admit_bytes(shard, way, io.peer(), client);
    let transferring = async {
        let opened = match admitted {
            Ok(()) => server.await,
            Err(reason) => Err(reason),
        };
        match opened {
            Ok((server, _transfer)) => {
                if let Some(meter) = server.meter() {
                    meter.opaque();
                }
                drop(opaque::copy(io, server, &|_, _| {}).await);
            }
            Err(reason) => {
                // An end would look like the server's last word, and a proxy on the way would wait for more.
                io.reset_when_dropped();
                tracing::debug!(
                    ?client,
                    reason = reason.as_str(),
                    "a connection could not be passed on"
                );
            }
        }
    };
    // A transfer has no requests that could be finished first: it goes on until the drain's deadline.
    shard.connections().drive(transferring, |_| {}).await;
}

/// Who the bytes of a connection are for in the words of the client, where all that is known is an address outside of
/// the mesh. It labels the connection; where the bytes go is decided already.
async fn named_by_client(
    shard: &Shard,
    way: &Way,
    io: Io,
    timeout: Duration,
) -> (Option<Arc<Peer>>, Io) {
    let Some(port) = unnamed_port(shard, way).await else {
        return (None, io);
    };
    let (name, io) = server_name(io, timeout.min(HELLO_TIMEOUT)).await;
    // With its port, as authorities have it: a name alone could be that of a service of the mesh.
    let peer = name.map(|name| Peer {
        service: Some(ServiceName::new(format!("{name}:{port}"))),
        ..Peer::default()
    });
    (peer.map(Arc::new), io)
}

/// The port of a server outside of the mesh that has no name but its address.
async fn unnamed_port(shard: &Shard, way: &Way) -> Option<u16> {
    let Way::Outbound(service) = way else {
        return None;
    };
    let mut times = PhaseTimes::default();
    let state = shard.service_state(service, &mut times).await.ok()?;
    if state.in_mesh {
        return None;
    }
    let address: SocketAddr = state.name.as_str().parse().ok()?;
    Some(address.port())
}

/// Connects to where the bytes of a connection go. Who is `named` is counted in place of what is known of the server.
async fn open_transfer(
    shard: &Shard,
    way: &Way,
    named: Option<Arc<Peer>>,
) -> Result<(Io, Transfer), Reason> {
    let terms = reach::terms(shard, Some(way.direction()));
    let service = match way {
        Way::Inbound(port) => return port.endpoint.open_transfer(terms).await,
        Way::Outbound(service) | Way::Dependency(service, _) => service,
        // These speak HTTP or nothing.
        Way::HttpProxy | Way::Gateway(_) => return Err(Reason::MalformedRequest),
    };
    let state = shard
        .service_state(service, &mut PhaseTimes::default())
        .await?;
    let balancer = state.balancer(None);
    if !balancer.is_known() {
        balancer.known(shard.discovery.timeout()).await?;
    }
    let first = reach::choose(shard, &state, balancer, Instant::now())?;
    reach::first_reachable(shard, &state, balancer, first, async |endpoint, _| {
        match &named {
            // An address is one endpoint: there is no choice that its load would be for.
            Some(peer) => {
                let named = EndpointState::new(endpoint.address(), Arc::clone(peer), 1);
                named.open_transfer(terms).await
            }
            None => endpoint.open_transfer(terms).await,
        }
    })
    .await
}
#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_served<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    /// Sidecars hold many connections that are idle: what only some need, or only while there is a request, is in
    /// boxes of its own.
    #[test]
    fn the_future_of_an_idle_connection_is_small() {
        let size = size_of_served(detect_and_serve);
        assert!(size <= 2_048, "{size} bytes");
    }
}
