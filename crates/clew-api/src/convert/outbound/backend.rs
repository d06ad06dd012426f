//! Backends of routes. The API has the same shapes once for each kind of route, as types of their own; the
//! macros here are what they have in common.

use crate::wire::linkerd::meta::Metadata;
use crate::wire::linkerd::outbound::{self as wire, backend};
use std::sync::Arc;
use std::time::Duration;

/// Load estimates before the first answer; Linkerd's own default.
const DEFAULT_RTT: Duration = Duration::from_millis(30);
/// Window over which load is seen; Linkerd's own default.
const LOAD_DECAY: Duration = Duration::from_secs(10);
/// Requests that may wait for a backend in a Linkerd proxy.
const QUEUE_CAPACITY: u32 = 100;
/// How long they may wait.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(3);

/// Writes backends of one service.
pub(super) struct Backends<'a> {
    /// The service.
    pub(super) service: &'a Metadata,
    /// Path of its own endpoints.
    pub(super) own: &'a Arc<str>,
}

/// One first backend and no other, as a distribution of one kind of route.
macro_rules! only {
    ($kind:ident, $backend:expr) => {{
        use wire::$kind::{Distribution, RouteBackend, distribution};
        let backend = RouteBackend {
            backend: Some($backend),
            ..Default::default()
        };
        let first = distribution::FirstAvailable {
            backends: vec![backend],
        };
        Distribution {
            kind: Some(distribution::Kind::FirstAvailable(first)),
        }
    }};
}

/// The destinations in a distribution of one kind of route.
macro_rules! choice {
    ($kind:ident, $distribution:expr) => {{
        use wire::$kind::distribution::Kind;
        Choice::Given(match $distribution.kind {
            // Only the first: the others are for when it is not available.
            Some(Kind::FirstAvailable(first)) => {
                let first = first.backends.into_iter().next();
                first
                    .map(|b| (1, destination_of(b.backend)))
                    .into_iter()
                    .collect()
            }
            Some(Kind::RandomAvailable(random)) => {
                let weighted = random.backends.into_iter();
                weighted
                    .map(|w| (w.weight, destination_of(w.backend.and_then(|b| b.backend))))
                    .collect()
            }
            Some(Kind::Empty(_)) | None => Vec::new(),
        })
    }};
}

impl Backends<'_> {
    pub(super) fn http(&self, path: Option<&Arc<str>>) -> wire::http_route::Distribution {
        only!(http_route, self.balancer(path))
    }

    pub(super) fn grpc(&self, path: Option<&Arc<str>>) -> wire::grpc_route::Distribution {
        only!(grpc_route, self.balancer(path))
    }

    pub(super) fn opaque(&self) -> wire::opaque_route::Distribution {
        only!(opaque_route, self.balancer(None))
    }

    fn balancer(&self, path: Option<&Arc<str>>) -> wire::Backend {
        let get = backend::endpoint_discovery::DestinationGet {
            path: path.unwrap_or(self.own).to_string(),
        };
        let load = backend::balance_p2c::PeakEwma {
            default_rtt: DEFAULT_RTT.try_into().ok(),
            decay: LOAD_DECAY.try_into().ok(),
        };
        wire::Backend {
            metadata: Some(self.service.clone()),
            kind: Some(backend::Kind::Balancer(backend::BalanceP2c {
                discovery: Some(backend::EndpointDiscovery {
                    kind: Some(backend::endpoint_discovery::Kind::Dst(get)),
                }),
                load: Some(backend::balance_p2c::Load::PeakEwma(load)),
            })),
            queue: Some(wire::Queue {
                capacity: QUEUE_CAPACITY,
                failfast_timeout: QUEUE_TIMEOUT.try_into().ok(),
            }),
        }
    }
}

/// Where requests of one rule go.
#[derive(Default)]
pub(super) enum Choice {
    /// Nothing is said.
    #[default]
    Unsaid,
    /// Destinations with their weights, in order.
    Given(Vec<(u32, Option<Arc<str>>)>),
}

impl Choice {
    fn destinations(&self) -> &[(u32, Option<Arc<str>>)] {
        match self {
            Self::Unsaid => &[],
            Self::Given(destinations) => destinations,
        }
    }

    /// The first of the greatest weight, when it is balanced over a destination.
    pub(super) fn heaviest(&self) -> Option<Arc<str>> {
        let destinations = self.destinations();
        let greatest = destinations.iter().map(|(weight, _)| *weight).max()?;
        destinations
            .iter()
            .find(|(weight, _)| *weight == greatest)?
            .1
            .clone()
    }

    pub(super) fn of_http(backends: Option<wire::http_route::Distribution>) -> Self {
        backends.map_or_else(Self::default, |b| choice!(http_route, b))
    }

    pub(super) fn of_grpc(backends: Option<wire::grpc_route::Distribution>) -> Self {
        backends.map_or_else(Self::default, |b| choice!(grpc_route, b))
    }

    pub(super) fn of_opaque(backends: Option<wire::opaque_route::Distribution>) -> Self {
        backends.map_or_else(Self::default, |b| choice!(opaque_route, b))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.destinations().len()
    }

    /// Something is said that we cannot do.
    pub(super) fn is_no_service(&self) -> bool {
        matches!(self, Self::Given(_)) && self.heaviest().is_none()
    }
}

/// The path of a balanced backend; one that is a single address has none.
fn destination_of(backend: Option<wire::Backend>) -> Option<Arc<str>> {
    let backend::Kind::Balancer(balancer) = backend?.kind? else {
        return None;
    };
    let backend::endpoint_discovery::Kind::Dst(get) = balancer.discovery?.kind?;
    Some(get.path.into())
}
