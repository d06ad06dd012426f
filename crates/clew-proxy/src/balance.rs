//! Choice of an endpoint: of two taken at random, the one that is less loaded, where load is requests in
//! flight times smoothed latency ("power of two choices"; Mitzenmacher, 2001).

use crate::discover::Destination;
use crate::endpoint::EndpointState;
use crate::error::Reason;
use crate::hop::Peer;
use clew_model::name::ServiceName;
use clew_model::service::Endpoint;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The endpoints of one destination, as one data-plane thread sees them.
pub(crate) struct Balancer {
    service: ServiceName,
    path: Option<Arc<str>>,
    destination: RefCell<Destination>,
    endpoints: RefCell<Vec<Rc<EndpointState>>>,
}

impl Balancer {
    /// Balances over what discovery says of the destination. The path names it, if it is in the mesh.
    pub(crate) fn new(
        service: ServiceName,
        path: Option<Arc<str>>,
        destination: Destination,
    ) -> Self {
        Self {
            service,
            path,
            destination: RefCell::new(destination),
            endpoints: RefCell::default(),
        }
    }

    /// Path of the destination, if it is in the mesh.
    pub(crate) fn path(&self) -> Option<&Arc<str>> {
        self.path.as_ref()
    }

    /// Discovery has said its first word about the destination.
    pub(crate) fn is_known(&self) -> bool {
        self.destination.borrow_mut().is_known()
    }

    /// Waits for it.
    pub(crate) async fn known(&self, timeout: Duration) -> Result<(), Reason> {
        let destination = self.destination.borrow().clone();
        destination.known(timeout).await
    }

    /// Chooses an endpoint.
    pub(crate) fn choose(
        &self,
        rng: &mut fastrand::Rng,
        now: Instant,
    ) -> Result<Rc<EndpointState>, Reason> {
        self.refresh();
        let endpoints = self.endpoints.borrow();
        match endpoints.as_slice() {
            [] => Err(Reason::NoEndpoints),
            [only] => Ok(Rc::clone(only)),
            several => Ok(Rc::clone(choose_of(several, rng, now))),
        }
    }

    /// Whether there is another endpoint that connecting has not failed to lately.
    pub(crate) fn has_another(&self, than: &Rc<EndpointState>, now: Instant) -> bool {
        let endpoints = self.endpoints.borrow();
        let mut others = endpoints.iter().filter(|other| !Rc::ptr_eq(other, than));
        others.any(|other| !other.is_avoided(now))
    }

    /// Every endpoint, for housekeeping.
    pub(crate) fn each(&self, f: impl FnMut(&Rc<EndpointState>)) {
        self.endpoints.borrow().iter().for_each(f);
    }

    /// Takes over what discovery has changed. Endpoints that stay keep their connections and their load.
    fn refresh(&self) {
        let Some(current) = self.destination.borrow_mut().changed() else {
            return;
        };
        let mut endpoints = self.endpoints.borrow_mut();
        let known = std::mem::take(&mut *endpoints);
        *endpoints = current
            .iter()
            .filter(|endpoint| endpoint.weight > 0)
            .map(|endpoint| {
                let peer = self.peer(endpoint);
                known
                    .iter()
                    .find(|state| {
                        state.address() == endpoint.address
                            && **state.peer() == peer
                            && state.weight() == f64::from(endpoint.weight)
                    })
                    .map_or_else(
                        || EndpointState::new(endpoint.address, Arc::new(peer), endpoint.weight),
                        Rc::clone,
                    )
            })
            .collect();
    }

    fn peer(&self, endpoint: &Endpoint) -> Peer {
        Peer {
            workload: endpoint.workload.clone(),
            instance: endpoint.instance.clone(),
            service: Some(self.service.clone()),
            identity: endpoint.identity.clone(),
        }
    }
}

/// Of two at random the cheaper one. When both are avoided, one that is not, if there is any: it is rare enough
/// to look at all.
fn choose_of<'a>(
    several: &'a [Rc<EndpointState>],
    rng: &mut fastrand::Rng,
    now: Instant,
) -> &'a Rc<EndpointState> {
    let first = rng.usize(..several.len());
    let second = (first + rng.usize(1..several.len())) % several.len();
    let (first, second) = (&several[first], &several[second]);
    if first.is_avoided(now) && second.is_avoided(now) {
        let usable = several.iter().filter(|other| !other.is_avoided(now));
        let usable: Vec<_> = usable.collect();
        if let Some(&chosen) = rng.choice(&usable) {
            return chosen;
        }
    }
    if first.cost(now) <= second.cost(now) {
        first
    } else {
        second
    }
}
