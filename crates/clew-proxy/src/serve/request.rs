//! The life of a request, top to bottom: open the hop, identify the service, match the route, join the
//! trace, choose an endpoint, get a connection, send, stream the response, close the hop.
//!
//! Each phase is a plain function. A phase that fails says why with a [`Reason`]; [`refuse`] turns it into
//! the caller's answer and closes the hop with the same word.

use super::arrival::Arrival;
use super::reach::{To, reach};
use super::refusal::refuse;
use super::{outgoing, tunnel};
use crate::audit::Given;
use crate::codec::InBody;
use crate::endpoint::Lease;
use crate::error::Reason;
use crate::headers::{self, CLIENT, ERROR};
use crate::hop::{Direction, Exchange, Phase, PhaseTimes};
use crate::open_hop::OpenHop;
use crate::participation::{Participation, Trust};
use crate::response_body::{Hops, ResponseBody};
use crate::route_names::Route;
use crate::services::{Port, PortState, Service, ServiceState};
use crate::shard::Shard;
use crate::via::{Edge, Via, Way};
use clew_model::policy::Asked;
use clew_model::service::Target;
use clew_trace::{Extracted, FamilySet, SpanId, TraceId};
use futures_util::future::Either;
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
    if opens_tunnel {
        return Either::Left(std::future::ready(tunnel::open(&via, request)));
    }
    let arrival = Arrival::new(&via, &request);
    Either::Right(pass_on(via, arrival, request, fault))
}

/// What is wrong with a request that the codec took for one.
fn fault(via: &Via, request: &Request<InBody>) -> Option<Reason> {
    if !headers::names_one_host(request) {
        return Some(Reason::MalformedRequest);
    }
    headers::is_too_large(request, via.shard.limits.max_head_bytes).then_some(Reason::HeadTooLarge)
}

/// A request whose hop is open and whose way on is known.
struct Routed {
    request: Request<InBody>,
    hops: Hops,
    to: To,
    route: Rc<Route>,
}

/// The way of a request until it is known where it goes, and from there on [`forward`].
///
/// The codec copies this future and keeps a place for it in each connection. So the phases that wait for nobody
/// are plain functions, and what holds a request is a block: an asynchronous function keeps its arguments twice.
fn pass_on(
    via: Rc<Via>,
    mut arrival: Arrival,
    mut request: Request<InBody>,
    fault: Option<Reason>,
) -> impl Future<Output = Response<ResponseBody>> {
    let mut asked = via.patience.asked(arrival.start);
    async move {
        let routed = match (&via.way, fault) {
            (_, Some(reason)) => Err(refuse_unrouted(&via, &arrival, request, reason)),
            (Way::Inbound(port), None) => inbound(&via, port, arrival, request),
            (Way::Outbound(service) | Way::Dependency(service, _), None) => {
                let known = Known::ask(&via.shard, service).await;
                outbound(&via, service, arrival, request, known)
            }
            (Way::HttpProxy, None) => match identify(&via.shard, &mut arrival, &mut request) {
                Ok(service) => {
                    let known = Known::ask(&via.shard, &service).await;
                    outbound(&via, &service, arrival, request, known)
                }
                Err(reason) => Err(refuse_unrouted(&via, &arrival, request, reason)),
            },
            (Way::Gateway(edge), None) => {
                match identify_at_edge(&via, edge, &arrival, &mut request) {
                    Ok(service) => {
                        let known = Known::ask(&via.shard, &service).await;
                        gateway(&via, arrival, request, known)
                    }
                    Err(reason) => Err(refuse_unrouted(&via, &arrival, request, reason)),
                }
            }
        };
        let response = match routed {
            Ok(routed) => forward(via, routed).await,
            Err(Refused { hops, reason }) => refuse(hops, reason),
        };
        asked.answered();
        response
    }
}

/// What is known of a service, and how long that had to be waited for.
struct Known {
    state: Result<Rc<ServiceState>, Reason>,
    times: PhaseTimes,
    /// The moment from which on it is known.
    since: Instant,
}

impl Known {
    async fn ask(shard: &Shard, service: &Service) -> Self {
        let mut times = PhaseTimes::default();
        let state = shard.service_state(service, &mut times).await;
        Self {
            state,
            times,
            since: Instant::now(),
        }
    }
}

/// A request that goes nowhere.
struct Refused {
    hops: Hops,
    reason: Reason,
}

/// Refuses a request of which no more is known than that it came.
fn refuse_unrouted(
    via: &Via,
    arrival: &Arrival,
    mut request: Request<InBody>,
    reason: Reason,
) -> Refused {
    let direction = via.way.direction();
    let mut hop = arrival.open_unrouted(direction);
    if direction == Direction::Inbound {
        note_address(&mut hop, via.client);
    }
    join_trace(via, &mut hop, &mut request, arrival.start);
    Refused {
        hops: Hops::of(hop),
        reason,
    }
}

/// A request to the application.
fn inbound(
    via: &Via,
    port: &Port,
    arrival: Arrival,
    mut request: Request<InBody>,
) -> Result<Routed, Refused> {
    let shard = &via.shard;
    let state = port.state(&shard.learners);
    let peer = via.peer(request.headers_mut().remove(CLIENT), &state);
    let route = state
        .routes
        .of(&request, &arrival.authority, arrival.is_grpc);
    let mut hop = arrival.open(shard, Direction::Inbound, peer, &route);
    note_address(&mut hop, via.client);
    let joined = join_trace(via, &mut hop, &mut request, arrival.start);
    count(via, &mut hop);
    phase(&mut hop, Phase::Route, arrival.start.elapsed());
    if let Err(reason) = admit(via, &state, &request, &mut hop) {
        return Err(Refused {
            hops: Hops::of(hop),
            reason,
        });
    }
    if let (Some(joined), Some(audit)) = (joined, shard.audit()) {
        let given = Given {
            route: route.name.clone(),
            trace: joined.trace,
            span: joined.given,
            families: joined.written,
            unix_nano: arrival.start_unix_nano,
        };
        hop.received(audit.received(given, arrival.start));
    }
    Ok(Routed {
        request,
        hops: Hops::of(hop),
        to: To::Application(Rc::clone(&port.endpoint)),
        route,
    })
}

/// Whether the policy admits the caller with this request.
fn admit(
    via: &Via,
    port: &PortState,
    request: &Request<InBody>,
    hop: &mut OpenHop,
) -> Result<(), Reason> {
    if port.is_for_everyone() {
        return Ok(());
    }
    let start = Instant::now();
    let asked = Asked {
        method: request.method().as_str(),
        path: request.uri().path(),
    };
    let admitted = port.admits(via.caller(), Some(asked));
    phase(hop, Phase::Policy, start.elapsed());
    admitted
}

/// A request from outside the mesh: a hop at the edge around the hop to the service.
fn gateway(
    via: &Via,
    arrival: Arrival,
    mut request: Request<InBody>,
    known: Known,
) -> Result<Routed, Refused> {
    let shard = &via.shard;
    let route = match &known.state {
        Ok(state) => state
            .routes
            .of(&request, &arrival.authority, arrival.is_grpc),
        Err(_) => Rc::clone(&shard.unknown),
    };
    let nobody = Arc::clone(&shard.nobody);
    let mut hop = arrival.open(shard, Direction::Inbound, nobody, &route);
    note_address(&mut hop, via.client);
    join_trace(via, &mut hop, &mut request, arrival.start);
    count(via, &mut hop);
    match known.state {
        Ok(state) => Ok(to_service(via, arrival, request, state, route)
            .spent(&known.times, known.since)
            .at_edge(hop)),
        Err(reason) => {
            hop.times(|spent| spent.add_all(&known.times));
            Err(Refused {
                hops: Hops::of(hop),
                reason,
            })
        }
    }
}

/// A request of the application.
fn outbound(
    via: &Via,
    service: &Service,
    arrival: Arrival,
    mut request: Request<InBody>,
    known: Known,
) -> Result<Routed, Refused> {
    let shard = &via.shard;
    match known.state {
        Ok(state) => {
            let (discovery, learners) = (&shard.discovery, &shard.learners);
            let state = service.of_host(state, &arrival.authority, discovery, learners);
            let route = state
                .routes
                .of(&request, &arrival.authority, arrival.is_grpc);
            let routed = to_service(via, arrival, request, state, route);
            Ok(routed.spent(&known.times, known.since))
        }
        Err(reason) => {
            let peer = service.named().unwrap_or_else(|| Arc::clone(&shard.nobody));
            let mut hop = arrival.open(shard, Direction::Outbound, peer, &shard.unknown);
            hop.times(|spent| spent.add_all(&known.times));
            let joined = join_trace(via, &mut hop, &mut request, arrival.start);
            audit(via, &mut hop, joined, arrival.start);
            Err(Refused {
                hops: Hops::of(hop),
                reason,
            })
        }
    }
}

/// The service that a request from outside is for.
fn identify_at_edge(
    via: &Via,
    edge: &Edge,
    arrival: &Arrival,
    request: &mut Request<InBody>,
) -> Result<Rc<Service>, Reason> {
    request.headers_mut().remove(CLIENT);
    let service = edge.service(&arrival.authority, request.uri().path());
    let target = Target::Service(service.ok_or(Reason::NoRoute)?.clone());
    Ok(via.shard.service(&target))
}

/// A request to a service: its hop, and its part in the trace.
fn to_service(
    via: &Via,
    arrival: Arrival,
    mut request: Request<InBody>,
    state: Rc<ServiceState>,
    route: Rc<Route>,
) -> Routed {
    let peer = Arc::clone(&state.peer);
    let mut hop = arrival.open(&via.shard, Direction::Outbound, peer, &route);
    // At the gateway, what came from outside was judged before.
    let trust = Trust::Trusted;
    let joined = join_trace_with(&via.shard, &mut hop, &mut request, trust, arrival.start);
    audit(via, &mut hop, joined, arrival.start);
    Routed {
        request,
        hops: Hops::of(hop),
        to: To::Service(state),
        route,
    }
}

impl Routed {
    /// Notes what was waited for before routing began, and how long routing took since.
    fn spent(mut self, before: &PhaseTimes, routing: Instant) -> Self {
        self.hops.inner.times(|spent| spent.add_all(before));
        phase(&mut self.hops.inner, Phase::Route, routing.elapsed());
        self
    }

    /// With the hop at the edge around it.
    fn at_edge(mut self, hop: OpenHop) -> Self {
        self.hops.outer = Some(hop);
        self
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

/// Gets a connection, sends the request, and streams the response back.
#[expect(
    clippy::manual_async_fn,
    reason = "an asynchronous function keeps its arguments twice"
)]
fn forward(via: Rc<Via>, mut routed: Routed) -> impl Future<Output = Response<ResponseBody>> {
    async move {
        let shard = &via.shard;
        let version = outgoing::version_of(&routed.request);
        let reached = reach(shard, &routed.to, &routed.route, version, &mut routed.hops).await;
        let lease = match reached {
            Ok(lease) => lease,
            Err(reason) => return refuse(routed.hops, reason),
        };
        let upgrade = tunnel::Upgrade::asked(&mut routed.request);
        let interim = routed.request.body().interim();
        let in_mesh = routed.to.is_in_mesh();
        let is_grpc = headers::is_grpc(routed.request.headers());
        let (request, progress) = outgoing::prepare(
            shard,
            routed.request,
            lease.endpoint(),
            in_mesh,
            upgrade.is_some(),
        );
        routed.hops.each(|hop| hop.request_body(progress.clone()));
        if let Some(progress) = progress.as_ref().filter(|_| !is_grpc) {
            shard.watch_upload(progress);
        }
        let sending = outgoing::send(shard, lease, request, interim, &mut routed.hops);
        let (response, lease) = match sending.await {
            Ok(answered) => answered,
            Err(reason) => {
                // Sending failed because reading did: the client is told what it did.
                let broken = progress.and_then(|progress| progress.broken());
                return refuse(routed.hops, broken.unwrap_or(reason));
            }
        };
        if let Some(progress) = &progress {
            progress.answered();
        }
        routed.route.answered(&response);
        answered(shard, response, routed.hops, lease, upgrade)
    }
}

/// The server has answered.
fn answered(
    shard: &Rc<Shard>,
    response: Response<InBody>,
    mut hops: Hops,
    lease: Lease,
    upgrade: Option<tunnel::Upgrade>,
) -> Response<ResponseBody> {
    let response_start = Instant::now();
    hops.each(|hop| hop.response_head(response.status(), response.headers(), response_start));
    if is_refused_by_peer(&mut hops.inner, &response) {
        hops.each(OpenHop::refused_by_peer);
    }
    match upgrade.filter(|upgrade| upgrade.accepted(&response)) {
        Some(upgrade) => upgrade.join(shard, response, hops, lease),
        None => respond(response, hops, lease, response_start),
    }
}

/// The server's proxy has answered in its place: its policy does not admit us. It would look like a word of the server.
fn is_refused_by_peer(hop: &mut OpenHop, response: &Response<InBody>) -> bool {
    let reason = response.headers().get(ERROR);
    reason.is_some_and(|reason| reason == Reason::NotAuthorized.as_str()) && hop.is_to_member()
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
fn join_trace(
    via: &Via,
    hop: &mut OpenHop,
    request: &mut Request<InBody>,
    now: Instant,
) -> Option<Joined> {
    let trust = via.trust();
    if trust == Trust::Untrusted {
        request.headers_mut().remove(BAGGAGE);
    }
    join_trace_with(&via.shard, hop, request, trust, now)
}

/// What the audit wants to know of a hop's part in its trace.
struct Joined {
    trace: TraceId,
    given: SpanId,
    came: Extracted,
    written: FamilySet,
}

fn join_trace_with(
    shard: &Shard,
    hop: &mut OpenHop,
    request: &mut Request<InBody>,
    trust: Trust,
    now: Instant,
) -> Option<Joined> {
    let headers = request.headers_mut();
    let Participation {
        trace,
        given,
        came,
        written,
    } = shard.with_rng(|rng| shard.tracing.join(headers, trust, rng, now))?;
    let joined = Joined {
        trace: trace.trace_id,
        given,
        came,
        written,
    };
    hop.trace(Some(trace));
    Some(joined)
}

/// Notes what a request of the application shows of the context that the application was given. At the gateway there is
/// no application.
fn audit(via: &Via, hop: &mut OpenHop, joined: Option<Joined>, now: Instant) {
    let is_wanted = via.shard.audit().is_some() && via.way.direction() == Direction::Outbound;
    if let Some(joined) = joined.filter(|_| is_wanted) {
        hop.audit(&joined.came, now);
    }
}

fn note_address(hop: &mut OpenHop, address: Option<std::net::SocketAddr>) {
    if let Some(mut record) = hop.record() {
        record.peer_address = address;
    }
}

fn phase(hop: &mut OpenHop, phase: Phase, time: std::time::Duration) {
    hop.times(|times| times.add(phase, time));
}

/// The labels are final: counts the request.
fn count(via: &Via, hop: &mut OpenHop) {
    let series = hop.record().map(|record| via.series(&record.key));
    if let Some(series) = series {
        hop.count(series);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_answer<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
        std::mem::size_of::<F>()
    }

    /// 1. The codec keeps a place for the future of a request in each connection, idle or not, and copies it there.
    /// 2. With connecting and waiting in it, it took nine kilobytes.
    #[test]
    fn the_future_of_a_request_is_small() {
        let size = size_of_answer(pass_on);
        assert!(size <= 3_072, "{size} bytes");
    }
}
