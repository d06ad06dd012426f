//! One connection, from its first byte to its end.

use super::request;
use crate::codec::{Active, Codec, HttpVersion, InBody, Io, Serve, ServeError};
use crate::detect::{Detected, detect};
use crate::endpoint::{EndpointState, connect_tcp};
use crate::error::Reason;
use crate::hop::{Direction, Peer, PhaseTimes, Tls};
use crate::meter::Meter;
use crate::opaque;
use crate::response_body::ResponseBody;
use crate::services::Expect;
use crate::shard::Shard;
use crate::via::{Via, Way};
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
            meter.attribute(|| shard.reports().tcp(direction, &Arc::default(), Tls::None));
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
        None => expectation(&shard, &way).await,
    };
    match expect {
        Expect::Http(version) => serve_http(shard, way, io, version, client, None).await,
        Expect::Opaque => serve_opaque(shard, way, io, client).await,
        Expect::Detect(timeout) => {
            let start = Instant::now();
            let detecting = detect(io, timeout);
            let Some((detected, io)) = shard.connections().drive(detecting, |_| {}).await else {
                return;
            };
            match detected {
                Detected::Http(version) => {
                    serve_http(shard, way, io, version, client, Some(start.elapsed())).await;
                }
                Detected::Opaque => serve_opaque(shard, way, io, client).await,
                Detected::Closed => {}
            }
        }
    }
}

/// What the connection is expected to speak.
async fn expectation(shard: &Rc<Shard>, way: &Way) -> Expect {
    match way {
        Way::Inbound(port) => port.state(&shard.learners).expect,
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
    let direction = way.direction();
    let via = Via::new(Rc::clone(&shard), way, client, detect, io.meter().cloned());
    let service = Rc::new(Requests(via));
    match Active::serve(io, version, &shard.limits, service, shard.connections()).await {
        Err(ServeError::Malformed) => shard.refuse(direction, Reason::MalformedRequest),
        Err(ServeError::HeadTooLarge) => shard.refuse(direction, Reason::HeadTooLarge),
        // An idle connection that ran out of time, or one that broke between requests, was no request.
        Ok(()) | Err(ServeError::HeadTimeout | ServeError::Broken) => {}
    }
}

/// The requests of one connection.
struct Requests(Rc<Via>);

impl Serve<InBody> for Requests {
    type Body = ResponseBody;

    fn call(
        self: Rc<Self>,
        request: Request<InBody>,
    ) -> impl Future<Output = Response<ResponseBody>> + 'static {
        request::answer(Rc::clone(&self.0), request)
    }
}

/// Passes bytes through to the application or to an endpoint of the service.
async fn serve_opaque(shard: Rc<Shard>, way: Way, io: Io, client: Option<SocketAddr>) {
    let (direction, endpoint) = match &way {
        Way::Inbound(port) => (Direction::Inbound, Ok(Rc::clone(&port.endpoint))),
        Way::Outbound(service) | Way::Dependency(service, _) => {
            (Direction::Outbound, opaque_endpoint(&shard, service).await)
        }
        // These speak HTTP or nothing.
        Way::HttpProxy => return shard.refuse(Direction::Outbound, Reason::MalformedRequest),
        Way::Gateway(_) => return shard.refuse(Direction::Inbound, Reason::MalformedRequest),
    };
    let series = |peer: &Arc<Peer>| shard.reports().tcp(direction, peer, Tls::None);
    if let Some(meter) = io.meter() {
        // Who it is cannot be known before connections between proxies are authenticated.
        meter.attribute(|| series(&Arc::default()));
    }
    let connected = match endpoint {
        Ok(endpoint) => connect_tcp(endpoint.address(), shard.limits.connect_timeout)
            .await
            .map(|tcp| match direction {
                Direction::Inbound => Io::tcp(tcp),
                Direction::Outbound => Io::metered(tcp, Meter::of(series(endpoint.peer()))),
            }),
        Err(reason) => Err(reason),
    };
    match connected {
        // A transfer has no requests that could be finished first: it goes on until the drain's deadline.
        Ok(server) => {
            let copying = opaque::copy(io, server, &|_, _| {});
            drop(shard.connections().drive(copying, |_| {}).await);
        }
        Err(reason) => tracing::debug!(
            ?client,
            reason = reason.as_str(),
            "a connection could not be passed on"
        ),
    }
}

async fn opaque_endpoint(
    shard: &Rc<Shard>,
    service: &crate::services::Service,
) -> Result<Rc<EndpointState>, Reason> {
    let state = shard
        .service_state(service, &mut PhaseTimes::default())
        .await?;
    let balancer = state.balancer(None);
    balancer.ready(shard.discovery.timeout()).await?;
    let endpoint = shard.with_rng(|rng| balancer.choose(rng, Instant::now()))?;
    if !state.in_mesh && shard.own.contains(endpoint.address()) {
        return Err(Reason::Loop);
    }
    Ok(endpoint)
}
