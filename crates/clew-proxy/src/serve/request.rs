//! The life of a request, top to bottom: open the hop, identify the service, match the route, join the
//! trace, choose an endpoint, get a connection, send, stream the response, close the hop.
//!
//! Each phase is a plain function. A phase that fails says why with a [`Reason`]; [`refuse`] turns it into
//! the caller's answer and closes the hop with the same word.

use super::arrival::{self, Arrival};
use super::refusal::refuse;
use super::{outgoing, tunnel};
use crate::codec::InBody;
use crate::endpoint::{EndpointState, Lease};
use crate::error::Reason;
use crate::headers::{self, CLIENT};
use crate::hop::{Direction, Exchange, HopTrace, Phase, PhaseTimes};
use crate::open_hop::OpenHop;
use crate::participation::Trust;
use crate::response_body::{Hops, ResponseBody};
use crate::route_names::Route;
use crate::services::{Port, Service, ServiceState};
use crate::shard::Shard;
use crate::via::{Edge, Via, Way};
use clew_model::service::Target;
use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, Version};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// A request whose hop is open and whose way on is known.
struct Routed {
    request: Request<InBody>,
    hops: Hops,
    route: Rc<Route>,
    endpoint: Rc<EndpointState>,
    /// The other side is a proxy of the mesh and is told who we are.
    in_mesh: bool,
}

/// Answers one request. Dropping the future closes its hop as given up by the client, also when it was never
/// polled: the codec may read a request and the end of its connection in one go.
pub(crate) fn answer(
    via: Rc<Via>,
    request: Request<InBody>,
) -> impl Future<Output = Response<ResponseBody>> {
    let is_sound = headers::names_one_host(&request);
    // What is asked inside the tunnel is counted there.
    let opens_tunnel =
        is_sound && request.method() == Method::CONNECT && matches!(via.way, Way::HttpProxy);
    let arrival = (!opens_tunnel).then(|| Arrival::new(&via, &request));
    async move {
        match arrival {
            Some(arrival) if is_sound => pass_on(&via, arrival, request).await,
            Some(arrival) => refuse_malformed(&via, &arrival),
            None => tunnel::open(&via, request),
        }
    }
}

async fn pass_on(
    via: &Rc<Via>,
    mut arrival: Arrival,
    mut request: Request<InBody>,
) -> Response<ResponseBody> {
    match &via.way {
        Way::Inbound(port) => inbound(via, port, arrival, request).await,
        Way::Outbound(service) | Way::Dependency(service, _) => {
            outbound(via, arrival, request, Ok(Rc::clone(service)), None).await
        }
        Way::HttpProxy => {
            let service = identify(&via.shard, &mut arrival, &mut request);
            outbound(via, arrival, request, service, None).await
        }
        Way::Gateway(edge) => gateway(via, edge, arrival, request).await,
    }
}

/// Refuses what the codec took for a request and what is none.
fn refuse_malformed(via: &Via, arrival: &Arrival) -> Response<ResponseBody> {
    let direction = via.way.direction();
    let mut hop = arrival.open(&via.shard, direction, Arc::default(), &Route::unknown());
    if direction == Direction::Inbound {
        note_address(&mut hop, via.client);
    }
    let hops = Hops {
        inner: hop,
        outer: None,
    };
    refuse(hops, Reason::MalformedRequest)
}

/// A request to the application.
async fn inbound(
    via: &Rc<Via>,
    port: &Port,
    arrival: Arrival,
    mut request: Request<InBody>,
) -> Response<ResponseBody> {
    let shard = &via.shard;
    let state = port.state(&shard.learners);
    let peer = via.peer(request.headers_mut().remove(CLIENT), &state);
    let route = state
        .routes
        .of(&request, &arrival.authority, arrival.is_grpc);
    let mut hop = arrival.open(shard, Direction::Inbound, peer, &route);
    note_address(&mut hop, via.client);
    join_trace(shard, &mut hop, &mut request, Trust::Trusted, arrival.start);
    count(via, &mut hop);
    phase(&mut hop, Phase::Route, arrival.start.elapsed());
    let hops = Hops {
        inner: hop,
        outer: None,
    };
    let endpoint = Rc::clone(&port.endpoint);
    forward(
        via,
        Routed {
            request,
            hops,
            route,
            endpoint,
            in_mesh: false,
        },
    )
    .await
}

/// A request from outside the mesh: a hop at the edge around the hop to the service.
async fn gateway(
    via: &Rc<Via>,
    edge: &Edge,
    arrival: Arrival,
    mut request: Request<InBody>,
) -> Response<ResponseBody> {
    let shard = &via.shard;
    request.headers_mut().remove(CLIENT);
    let host = arrival::host_of(&arrival.authority);
    let Some(gateway_route) = edge.route(host, request.uri().path()) else {
        let mut hop = arrival.open(shard, Direction::Inbound, Arc::default(), &Route::unknown());
        note_address(&mut hop, via.client);
        return refuse(
            Hops {
                inner: hop,
                outer: None,
            },
            Reason::NoRoute,
        );
    };
    let service = shard.service(&Target::Service(gateway_route.service.clone()));
    let mut times = PhaseTimes::default();
    let known = shard.service_state(&service, &mut times).await;
    let route = known.as_ref().map_or_else(
        |_| Rc::new(Route::unknown()),
        |state| {
            state
                .routes
                .of(&request, &arrival.authority, arrival.is_grpc)
        },
    );
    let mut edge_hop = arrival.open(shard, Direction::Inbound, Arc::default(), &route);
    note_address(&mut edge_hop, via.client);
    let trust = if edge.trusts(via.client.map(|client| client.ip())) {
        Trust::Trusted
    } else {
        Trust::Untrusted
    };
    if trust == Trust::Untrusted {
        request.headers_mut().remove("baggage");
    }
    join_trace(shard, &mut edge_hop, &mut request, trust, arrival.start);
    count(via, &mut edge_hop);
    if let Err(reason) = known {
        return refuse(
            Hops {
                inner: edge_hop,
                outer: None,
            },
            reason,
        );
    }
    outbound(via, arrival, request, Ok(service), Some(edge_hop)).await
}

/// A request of the application, or of the gateway on behalf of someone outside.
async fn outbound(
    via: &Rc<Via>,
    arrival: Arrival,
    mut request: Request<InBody>,
    service: Result<Rc<Service>, Reason>,
    edge_hop: Option<OpenHop>,
) -> Response<ResponseBody> {
    let shard = &via.shard;
    let hop = arrival.open(
        shard,
        Direction::Outbound,
        Arc::default(),
        &Route::unknown(),
    );
    let mut hops = Hops {
        inner: hop,
        outer: edge_hop,
    };
    let chosen = match service {
        Ok(service) => route_outbound(shard, &arrival, &mut request, &mut hops, &service).await,
        Err(reason) => Err(reason),
    };
    match chosen {
        Ok(Chosen {
            route,
            endpoint,
            in_mesh,
        }) => {
            forward(
                via,
                Routed {
                    request,
                    hops,
                    route,
                    endpoint,
                    in_mesh,
                },
            )
            .await
        }
        Err(reason) => refuse(hops, reason),
    }
}

/// The service that a request to the HTTP proxy is for.
fn identify(
    shard: &Shard,
    arrival: &mut Arrival,
    request: &mut Request<InBody>,
) -> Result<Rc<Service>, Reason> {
    if arrival.authority.is_empty() {
        return Err(Reason::NoAuthority);
    }
    // Absolute form: the target is in the request line, and Host must agree (RFC 9112, section 3.2.2).
    if request.version() < Version::HTTP_2
        && request.uri().authority().is_some()
        && let Ok(host) = HeaderValue::from_str(&arrival.authority)
    {
        request.headers_mut().insert(HOST, host);
    }
    let target = shard.own.target(&arrival.authority);
    if let Target::Service(dependency) = &target {
        arrival.authority = dependency.as_str().into();
    }
    Ok(shard.service(&target))
}

/// Where a request goes.
struct Chosen {
    route: Rc<Route>,
    endpoint: Rc<EndpointState>,
    in_mesh: bool,
}

/// Matches the route, joins the trace and chooses the endpoint.
async fn route_outbound(
    shard: &Shard,
    arrival: &Arrival,
    request: &mut Request<InBody>,
    hops: &mut Hops,
    service: &Service,
) -> Result<Chosen, Reason> {
    let mut times = PhaseTimes::default();
    let looked_up = shard.service_state(service, &mut times).await;
    let routing = Instant::now();
    let state = match looked_up {
        Ok(state) => state,
        Err(reason) => {
            if let Some(peer) = service.named() {
                hops.inner.route(&Route::unknown(), peer);
            }
            join_trace(
                shard,
                &mut hops.inner,
                request,
                Trust::Trusted,
                arrival.start,
            );
            return Err(reason);
        }
    };
    let route = state
        .routes
        .of(request, &arrival.authority, arrival.is_grpc);
    hops.inner.route(&route, Arc::clone(&state.peer));
    hops.inner.times(|record| {
        times
            .iter()
            .for_each(|(phase, time)| record.add(phase, time))
    });
    join_trace(
        shard,
        &mut hops.inner,
        request,
        Trust::Trusted,
        arrival.start,
    );
    phase(&mut hops.inner, Phase::Route, routing.elapsed());
    let endpoint = balance(shard, &state, &route, &mut hops.inner).await?;
    Ok(Chosen {
        route,
        endpoint,
        in_mesh: state.in_mesh,
    })
}

/// Chooses the endpoint, and with it the hop's labels are final.
async fn balance(
    shard: &Shard,
    state: &ServiceState,
    route: &Route,
    hop: &mut OpenHop,
) -> Result<Rc<EndpointState>, Reason> {
    let balancer = state.balancer(route.backend.as_ref());
    let start = Instant::now();
    let ready = balancer.ready(shard.discovery.timeout()).await;
    let choosing = Instant::now();
    hop.times(|times| {
        let waited = choosing - start;
        if waited.as_micros() > 0 {
            times.add(Phase::Queue, waited);
        }
    });
    ready?;
    let endpoint = shard
        .with_rng(|rng| balancer.choose(rng, choosing))
        .map_err(|reason| match reason {
            // Nothing is behind a name that the mesh does not know and the resolver does not either.
            Reason::NoEndpoints if !state.in_mesh => Reason::UnknownService,
            reason => reason,
        })?;
    if !state.in_mesh && shard.own.contains(endpoint.address()) {
        return Err(Reason::Loop);
    }
    hop.peer(Arc::clone(endpoint.peer()), endpoint.address());
    count_at(shard, hop, &endpoint, route);
    phase(hop, Phase::Balance, choosing.elapsed());
    Ok(endpoint)
}

/// Gets a connection, sends the request, and streams the response back.
async fn forward(via: &Rc<Via>, routed: Routed) -> Response<ResponseBody> {
    let Routed {
        mut request,
        mut hops,
        route,
        endpoint,
        in_mesh,
    } = routed;
    let shard = &via.shard;
    let upgrade = tunnel::Upgrade::asked(&mut request);
    let (request, progress) =
        outgoing::prepare(shard, request, &endpoint, in_mesh, upgrade.is_some());
    hops.each(|hop| hop.request_body(progress.clone()));
    let (response, lease) = match outgoing::send(shard, &endpoint, request, &mut hops).await {
        Ok(answered) => answered,
        Err(reason) => {
            // Sending failed because reading did: the client is told what it did.
            let broken = progress.and_then(|progress| progress.broken());
            return refuse(hops, broken.unwrap_or(reason));
        }
    };
    let response_start = Instant::now();
    route.answered(response.status());
    hops.each(|hop| hop.response_head(response.status(), response.headers(), response_start));
    if let Some(upgrade) = upgrade
        && upgrade.accepted(&response)
    {
        return upgrade.join(shard, response, hops, lease);
    }
    respond(response, hops, lease, response_start)
}

/// Passes the response on; its body closes the hops.
fn respond(
    response: Response<InBody>,
    mut hops: Hops,
    lease: Lease,
    response_start: Instant,
) -> Response<ResponseBody> {
    let (mut head, body) = response.into_parts();
    headers::strip_hop_by_hop(&mut head.headers, false);
    head.extensions.clear();
    if headers::is_event_stream(&head.headers) {
        hops.each(|hop| hop.exchange(Exchange::Stream));
    }
    let work = response_start.elapsed();
    phase(&mut hops.inner, Phase::Response, work);
    Response::from_parts(head, ResponseBody::relay(body, hops, lease))
}

fn join_trace(
    shard: &Shard,
    hop: &mut OpenHop,
    request: &mut Request<InBody>,
    trust: Trust,
    now: Instant,
) {
    let joined: Option<HopTrace> =
        shard.with_rng(|rng| shard.tracing.join(request.headers_mut(), trust, rng, now));
    hop.trace(joined);
}

fn note_address(hop: &mut OpenHop, address: Option<std::net::SocketAddr>) {
    if let Some(record) = hop.record() {
        record.peer_address = address;
    }
}

fn phase(hop: &mut OpenHop, phase: Phase, time: std::time::Duration) {
    hop.times(|times| times.add(phase, time));
}

/// The labels are final: counts the request.
fn count(via: &Via, hop: &mut OpenHop) {
    if let Some(record) = hop.record() {
        let series = via.series(&record.key);
        hop.count(series);
    }
}

/// The same for an outbound request, whose endpoint remembers the series of each route.
fn count_at(shard: &Shard, hop: &mut OpenHop, endpoint: &EndpointState, route: &Route) {
    if let Some(record) = hop.record() {
        let series = endpoint.series(&route.name, || shard.reports().series(&record.key));
        hop.count(series);
    }
}
