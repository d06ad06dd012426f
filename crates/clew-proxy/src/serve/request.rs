//! The life of a request, top to bottom: open the hop, identify the service, match the route, join the
//! trace, choose an endpoint, get a connection, send, stream the response, close the hop.
//!
//! Each phase is a plain function. A phase that fails says why with a [`Reason`]; [`refuse`] turns it into
//! the caller's answer and closes the hop with the same word.

use super::arrival::Arrival;
use super::reach::{To, reach};
use super::refusal::refuse;
use super::{outgoing, tunnel};
use crate::codec::InBody;
use crate::endpoint::Lease;
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
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderName, Method, Request, Response, Version};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Answers one request. Dropping the future closes its hop as given up by the client, also when it was never
/// polled: the codec may read a request and the end of its connection in one go.
pub(crate) fn answer(
    via: Rc<Via>,
    request: Request<InBody>,
) -> impl Future<Output = Response<ResponseBody>> {
    let fault = fault(&via, &request);
    // What is asked inside the tunnel is counted there.
    let opens_tunnel =
        fault.is_none() && request.method() == Method::CONNECT && matches!(via.way, Way::HttpProxy);
    let arrival = (!opens_tunnel).then(|| Arrival::new(&via, &request));
    async move {
        match (arrival, fault) {
            (None, _) => tunnel::open(&via, request),
            (Some(arrival), None) => pass_on(&via, arrival, request).await,
            (Some(arrival), Some(reason)) => refuse_unrouted(&via, &arrival, request, reason),
        }
    }
}

/// What is wrong with a request that the codec took for one.
fn fault(via: &Via, request: &Request<InBody>) -> Option<Reason> {
    if !headers::names_one_host(request) {
        return Some(Reason::MalformedRequest);
    }
    headers::is_too_large(request, via.shard.limits.max_head_bytes).then_some(Reason::HeadTooLarge)
}

async fn pass_on(
    via: &Rc<Via>,
    mut arrival: Arrival,
    mut request: Request<InBody>,
) -> Response<ResponseBody> {
    match &via.way {
        Way::Inbound(port) => inbound(via, port, arrival, request).await,
        Way::Outbound(service) | Way::Dependency(service, _) => {
            outbound(via, service, arrival, request).await
        }
        Way::HttpProxy => match identify(&via.shard, &mut arrival, &mut request) {
            Ok(service) => outbound(via, &service, arrival, request).await,
            Err(reason) => refuse_unrouted(via, &arrival, request, reason),
        },
        Way::Gateway(edge) => gateway(via, edge, arrival, request).await,
    }
}

/// Refuses a request of which no more is known than that it came.
fn refuse_unrouted(
    via: &Via,
    arrival: &Arrival,
    mut request: Request<InBody>,
    reason: Reason,
) -> Response<ResponseBody> {
    let direction = via.way.direction();
    let mut hop = arrival.open_unrouted(direction);
    if direction == Direction::Inbound {
        note_address(&mut hop, via.client);
    }
    join_trace(via, &mut hop, &mut request, arrival.start);
    refuse(Hops::of(hop), reason)
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
    join_trace(via, &mut hop, &mut request, arrival.start);
    count(via, &mut hop);
    phase(&mut hop, Phase::Route, arrival.start.elapsed());
    let to = To::Application(Rc::clone(&port.endpoint));
    forward(via, request, Hops::of(hop), &to, &route).await
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
    let Some(service) = edge.service(&arrival.authority, request.uri().path()) else {
        return refuse_unrouted(via, &arrival, request, Reason::NoRoute);
    };
    let service = shard.service(&Target::Service(service.clone()));
    let mut times = PhaseTimes::default();
    let known = shard.service_state(&service, &mut times).await;
    let routing = Instant::now();
    let route = match &known {
        Ok(state) => state
            .routes
            .of(&request, &arrival.authority, arrival.is_grpc),
        Err(_) => Rc::clone(&shard.unknown),
    };
    let nobody = Arc::clone(&shard.nobody);
    let mut edge_hop = arrival.open(shard, Direction::Inbound, nobody, &route);
    note_address(&mut edge_hop, via.client);
    join_trace(via, &mut edge_hop, &mut request, arrival.start);
    count(via, &mut edge_hop);
    match known {
        Ok(state) => {
            let way_on = WayOn {
                state,
                route,
                times,
                routing,
                edge_hop: Some(edge_hop),
            };
            send_on(via, arrival, request, way_on).await
        }
        Err(reason) => {
            edge_hop.times(|spent| spent.add_all(&times));
            refuse(Hops::of(edge_hop), reason)
        }
    }
}

/// A request of the application.
async fn outbound(
    via: &Rc<Via>,
    service: &Service,
    arrival: Arrival,
    mut request: Request<InBody>,
) -> Response<ResponseBody> {
    let shard = &via.shard;
    let mut times = PhaseTimes::default();
    let known = shard.service_state(service, &mut times).await;
    let routing = Instant::now();
    match known {
        Ok(state) => {
            let route = state
                .routes
                .of(&request, &arrival.authority, arrival.is_grpc);
            let way_on = WayOn {
                state,
                route,
                times,
                routing,
                edge_hop: None,
            };
            send_on(via, arrival, request, way_on).await
        }
        Err(reason) => {
            let peer = service.named().unwrap_or_else(|| Arc::clone(&shard.nobody));
            let mut hop = arrival.open(shard, Direction::Outbound, peer, &shard.unknown);
            hop.times(|spent| spent.add_all(&times));
            join_trace(via, &mut hop, &mut request, arrival.start);
            refuse(Hops::of(hop), reason)
        }
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
    // This proxy is the one that the application would prove itself to.
    request.headers_mut().remove(PROXY_AUTHORIZATION);
    let target = shard.own.target(&arrival.authority);
    if let Target::Service(dependency) = &target {
        arrival.authority = dependency.as_str().into();
    }
    Ok(shard.service(&target))
}

/// What is known of the way of a request to a service.
struct WayOn {
    state: Rc<ServiceState>,
    route: Rc<Route>,
    /// Spent until now, apart from routing.
    times: PhaseTimes,
    /// Routing began.
    routing: Instant,
    /// At the gateway.
    edge_hop: Option<OpenHop>,
}

/// A request to a service.
async fn send_on(
    via: &Rc<Via>,
    arrival: Arrival,
    mut request: Request<InBody>,
    way_on: WayOn,
) -> Response<ResponseBody> {
    let WayOn {
        state,
        route,
        times,
        routing,
        edge_hop,
    } = way_on;
    let peer = Arc::clone(&state.peer);
    let mut hop = arrival.open(&via.shard, Direction::Outbound, peer, &route);
    hop.times(|spent| spent.add_all(&times));
    let trust = Trust::Trusted;
    join_trace_with(&via.shard, &mut hop, &mut request, trust, arrival.start);
    phase(&mut hop, Phase::Route, routing.elapsed());
    let hops = Hops {
        inner: hop,
        outer: edge_hop,
    };
    forward(via, request, hops, &To::Service(state), &route).await
}

/// Gets a connection, sends the request, and streams the response back.
async fn forward(
    via: &Rc<Via>,
    mut request: Request<InBody>,
    mut hops: Hops,
    to: &To,
    route: &Route,
) -> Response<ResponseBody> {
    let shard = &via.shard;
    let version = outgoing::version_of(&request);
    let lease = match reach(shard, to, route, version, &mut hops).await {
        Ok(lease) => lease,
        Err(reason) => return refuse(hops, reason),
    };
    let upgrade = tunnel::Upgrade::asked(&mut request);
    let (request, progress) = outgoing::prepare(
        shard,
        request,
        lease.endpoint(),
        to.is_in_mesh(),
        upgrade.is_some(),
    );
    hops.each(|hop| hop.request_body(progress.clone()));
    let (response, lease) = match outgoing::send(shard, lease, request, &mut hops).await {
        Ok(answered) => answered,
        Err(reason) => {
            // Sending failed because reading did: the client is told what it did.
            let broken = progress.and_then(|progress| progress.broken());
            return refuse(hops, broken.unwrap_or(reason));
        }
    };
    let response_start = Instant::now();
    route.answered(&response);
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
    // A proxy speaks for itself (RFC 9112, section 2.3). The codec lowers it again for a client of HTTP/1.0.
    if head.version == Version::HTTP_10 {
        head.version = Version::HTTP_11;
    }
    headers::strip_hop_by_hop(&mut head.headers, false);
    head.extensions.clear();
    if headers::is_event_stream(&head.headers) {
        hops.each(|hop| hop.exchange(Exchange::Stream));
    }
    let work = response_start.elapsed();
    phase(&mut hops.inner, Phase::Response, work);
    Response::from_parts(head, ResponseBody::relay(body, hops, lease))
}

/// Joins what the request brought with it: as far as its sender is trusted.
fn join_trace(via: &Via, hop: &mut OpenHop, request: &mut Request<InBody>, now: Instant) {
    let trust = via.trust();
    if trust == Trust::Untrusted {
        request.headers_mut().remove(BAGGAGE);
    }
    join_trace_with(&via.shard, hop, request, trust, now);
}

fn join_trace_with(
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
