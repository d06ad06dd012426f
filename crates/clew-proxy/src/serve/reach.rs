//! Where a request goes: an endpoint that can be reached, and a place on a connection to it.

use crate::balance::Balancer;
use crate::codec::HttpVersion;
use crate::endpoint::{EndpointState, Lease, Terms};
use crate::error::Reason;
use crate::hop::{Direction, Phase, PhaseTimes};
use crate::response_body::Hops;
use crate::route_names::Route;
use crate::services::ServiceState;
use crate::shard::Shard;
use std::rc::Rc;
use std::time::Instant;

/// Endpoints that are tried for one request, as long as nothing of it was sent.
const MAX_ATTEMPTS: usize = 3;

/// What a request is for.
pub(super) enum To {
    /// Our own application.
    Application(Rc<EndpointState>),
    /// A service.
    Service(Rc<ServiceState>),
}

impl To {
    /// The other side is a proxy of the mesh and is told who we are.
    pub(super) fn is_in_mesh(&self) -> bool {
        match self {
            Self::Application(_) => false,
            Self::Service(state) => state.in_mesh,
        }
    }
}

/// Gets a place on a connection to where the request goes. For a service, the hop's labels are final with it,
/// and the request is counted.
pub(super) async fn reach(
    shard: &Shard,
    to: &To,
    route: &Route,
    version: HttpVersion,
    hops: &mut Hops,
) -> Result<Lease, Reason> {
    let state = match to {
        To::Application(endpoint) => {
            return match endpoint.lease_open(version, &shard.limits) {
                Some(lease) => Ok(lease),
                None => Box::pin(lease(shard, endpoint, version, hops)).await,
            };
        }
        To::Service(state) => state,
    };
    let balancer = state.balancer(route.backend.as_ref());
    if !balancer.is_known() {
        Box::pin(first_word(shard, balancer, hops)).await?;
    }
    let choosing = Instant::now();
    let endpoint = choose(shard, state, balancer, choosing)?;
    note_choice(hops, &endpoint, choosing);
    let lease = match endpoint.lease_open(version, &shard.limits) {
        Some(lease) => lease,
        // Boxed, as everything that requests seldom do: their futures are copied, and kept for each connection.
        None => {
            let connecting = async |endpoint: &Rc<EndpointState>, choosing| {
                note_choice(hops, endpoint, choosing);
                lease(shard, endpoint, version, hops).await
            };
            Box::pin(first_reachable(
                shard, state, balancer, endpoint, connecting,
            ))
            .await?
        }
    };
    let endpoint = lease.endpoint();
    let record = hops.inner.record();
    let series = record.map(|record| endpoint.series(&record.key, shard.reports()));
    if let Some(series) = series {
        hops.inner.count(series);
    }
    Ok(lease)
}

/// Waits for discovery's first word about the destination.
async fn first_word(shard: &Shard, balancer: &Balancer, hops: &mut Hops) -> Result<(), Reason> {
    let start = Instant::now();
    let waited = balancer.known(shard.discovery.timeout()).await;
    hops.inner
        .times(|times| times.add(Phase::Queue, start.elapsed()));
    waited
}

fn note_choice(hops: &mut Hops, endpoint: &EndpointState, choosing: Instant) {
    hops.inner.peer(endpoint.peer().clone(), endpoint.address());
    hops.inner
        .times(|times| times.add(Phase::Balance, choosing.elapsed()));
}

/// Connects to an endpoint that was chosen, and while one cannot be reached to another one.
pub(super) async fn first_reachable<T>(
    shard: &Shard,
    state: &ServiceState,
    balancer: &Balancer,
    first: Rc<EndpointState>,
    mut connect: impl AsyncFnMut(&Rc<EndpointState>, Instant) -> Result<T, Reason>,
) -> Result<T, Reason> {
    let (mut attempt, mut endpoint, mut choosing) = (1, first, Instant::now());
    loop {
        match connect(&endpoint, choosing).await {
            // That the last one could not be reached is known by now, so another one is chosen.
            Err(reason)
                if reason.is_retryable()
                    && attempt < MAX_ATTEMPTS
                    && balancer.has_another(&endpoint, Instant::now()) =>
            {
                attempt += 1;
                choosing = Instant::now();
                endpoint = choose(shard, state, balancer, choosing)?;
            }
            result => return result,
        }
    }
}

/// Chooses an endpoint.
pub(super) fn choose(
    shard: &Shard,
    state: &ServiceState,
    balancer: &Balancer,
    now: Instant,
) -> Result<Rc<EndpointState>, Reason> {
    let endpoint =
        shard
            .with_rng(|rng| balancer.choose(rng, now))
            .map_err(|reason| match reason {
                // Nothing is behind a name that the mesh does not know and the resolver does not either.
                Reason::NoEndpoints if !state.in_mesh => Reason::UnknownService,
                reason => reason,
            })?;
    if !state.in_mesh && shard.own.contains(endpoint.address()) {
        return Err(Reason::Loop);
    }
    Ok(endpoint)
}

async fn lease(
    shard: &Shard,
    endpoint: &Rc<EndpointState>,
    version: HttpVersion,
    hops: &mut Hops,
) -> Result<Lease, Reason> {
    let mut waits = PhaseTimes::default();
    let terms = terms(shard, hops.inner.direction());
    let leased = endpoint.lease(version, terms, &mut waits).await;
    note_waits(hops, &waits);
    leased
}

/// The same after the server has closed the connection of a lease before it saw the request.
pub(super) async fn lease_again(
    shard: &Shard,
    failed: Lease,
    version: HttpVersion,
    hops: &mut Hops,
) -> Result<Lease, Reason> {
    let mut waits = PhaseTimes::default();
    let endpoint = Rc::clone(failed.endpoint());
    let terms = terms(shard, hops.inner.direction());
    let leased = endpoint
        .lease_again(failed, version, terms, &mut waits)
        .await;
    note_waits(hops, &waits);
    leased
}

/// Connections to peers are counted, those to one's own application are not: they are no edge.
pub(super) fn terms(shard: &Shard, direction: Option<Direction>) -> Terms<'_> {
    Terms {
        limits: &shard.limits,
        meter: (direction == Some(Direction::Outbound)).then(|| shard.reports()),
        credentials: &shard.credentials,
    }
}

/// Waits belong to the hop whose peer is the server.
fn note_waits(hops: &mut Hops, waits: &PhaseTimes) {
    hops.inner.times(|times| times.add_all(waits));
}
