//! Services as one data-plane thread uses them: what control says, made ready for requests.

use crate::balance::Balancer;
use crate::codec::HttpVersion;
use crate::discover::{Destination, Discovery, Followed, outside_service};
use crate::endpoint::EndpointState;
use crate::error::Reason;
use crate::hop::{Peer, Phase, PhaseTimes};
use crate::route_names::{Learners, RouteNames};
use ahash::AHashMap;
use clew_api::client::Resolution;
use clew_model::name::ServiceName;
use clew_model::policy::{Asked, Caller, InboundPolicy, OutboundPolicy};
use clew_model::service::{Protocol, Target};
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a connection to a service or port is expected to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Look at the first bytes, for so long.
    Detect(Duration),
    /// HTTP of this version.
    Http(HttpVersion),
    /// Bytes.
    Opaque,
}

impl Expect {
    /// From what the configuration says.
    pub(crate) fn new(protocol: Protocol, timeout: Duration) -> Self {
        match protocol {
            Protocol::Detect => Self::Detect(timeout),
            Protocol::Http1 => Self::Http(HttpVersion::Http1),
            Protocol::Http2 | Protocol::Grpc => Self::Http(HttpVersion::Http2),
            Protocol::Opaque => Self::Opaque,
        }
    }
}

/// One target of outbound requests.
pub(crate) struct Service {
    target: Target,
    followed: RefCell<Followed<Resolution<Arc<OutboundPolicy>>>>,
    current: RefCell<Option<Rc<ServiceState>>>,
    /// Of an address outside of the mesh: one for each host that requests to it have named.
    hosts: RefCell<AHashMap<Arc<str>, Rc<ServiceState>>>,
    last_used: Cell<Instant>,
}

/// Hosts of one address that are told apart. Requests for others are counted by the address.
const MAX_HOSTS: usize = 64;

/// A service as control last described it.
pub(crate) struct ServiceState {
    /// Name in metrics.
    pub(crate) name: ServiceName,
    /// What its connections speak.
    pub(crate) expect: Expect,
    /// Names of its routes.
    pub(crate) routes: RouteNames,
    /// The other side while no endpoint is chosen.
    pub(crate) peer: Arc<Peer>,
    /// It is in the mesh: its proxies understand Clew's headers.
    pub(crate) in_mesh: bool,
    default: Rc<Balancer>,
    backends: AHashMap<Arc<str>, Rc<Balancer>>,
}

impl ServiceState {
    /// Where requests of a route go.
    pub(crate) fn balancer(&self, backend: Option<&Arc<str>>) -> &Rc<Balancer> {
        backend
            .and_then(|path| self.backends.get(path))
            .unwrap_or(&self.default)
    }

    fn balancers(&self) -> impl Iterator<Item = &Rc<Balancer>> {
        std::iter::once(&self.default).chain(self.backends.values())
    }
}

impl Service {
    pub(crate) fn new(target: Target, discovery: &Discovery) -> Rc<Self> {
        let followed = RefCell::new(discovery.service(&target));
        Rc::new(Self {
            target,
            followed,
            current: RefCell::default(),
            hosts: RefCell::default(),
            last_used: Cell::new(Instant::now()),
        })
    }

    /// When it was last asked for.
    pub(crate) fn last_used(&self) -> Instant {
        self.last_used.get()
    }

    /// Who was meant, where that is known without control: a dependency has a name.
    pub(crate) fn named(&self) -> Option<Arc<Peer>> {
        match &self.target {
            Target::Service(name) => Some(peer_of(name)),
            Target::Address(_) | Target::Authority(_) => None,
        }
    }

    /// The service as it is now; waits for control's first word, and charges the wait to the queue.
    pub(crate) async fn state(
        &self,
        discovery: &Discovery,
        learners: &Learners,
        times: &mut PhaseTimes,
    ) -> Result<Rc<ServiceState>, Reason> {
        if !self.followed.borrow_mut().is_known() {
            // Boxed, as everything that requests seldom do: their futures are copied, and kept for each
            // connection.
            Box::pin(self.first_word(discovery.timeout(), times)).await?;
        }
        self.last_used.set(Instant::now());
        if let Some(news) = self.followed.borrow_mut().changed() {
            let state = self.build(news, discovery, learners)?;
            *self.current.borrow_mut() = Some(state);
        }
        self.current.borrow().clone().ok_or(Reason::NoEndpoints)
    }

    /// Of an address outside of the mesh: the host behind it that a request is for, in the words of the client. They
    /// label the request; where it goes is decided already.
    pub(crate) fn of_host(
        &self,
        state: Rc<ServiceState>,
        authority: &Arc<str>,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Rc<ServiceState> {
        let Target::Address(address) = self.target else {
            return state;
        };
        if state.in_mesh || !is_host(authority) {
            return state;
        }
        let mut hosts = self.hosts.borrow_mut();
        if let Some(known) = hosts.get(authority) {
            return Rc::clone(known);
        }
        if hosts.len() >= MAX_HOSTS {
            return state;
        }
        let name = outside_service(authority);
        let named = outside(name, Discovery::fixed(address), discovery, learners);
        hosts.insert(Arc::clone(authority), Rc::clone(&named));
        named
    }

    async fn first_word(&self, timeout: Duration, times: &mut PhaseTimes) -> Result<(), Reason> {
        let start = Instant::now();
        let followed = self.followed.borrow().clone();
        let waited = followed.known(timeout).await;
        times.add(Phase::Queue, start.elapsed());
        waited
    }

    fn build(
        &self,
        news: Resolution<Arc<OutboundPolicy>>,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Result<Rc<ServiceState>, Reason> {
        match news {
            Resolution::Known(policy) => {
                self.hosts.borrow_mut().clear();
                Ok(self.build_known(&policy, discovery, learners))
            }
            Resolution::Unknown => {
                *self.current.borrow_mut() = None;
                self.build_outside(discovery, learners)
            }
        }
    }

    fn build_known(
        &self,
        policy: &OutboundPolicy,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Rc<ServiceState> {
        let default = self.balancer(&policy.service, &policy.destination, discovery);
        let backends = policy
            .routes
            .iter()
            .filter_map(|route| route.backend.as_ref())
            .map(|path| {
                (
                    Arc::clone(path),
                    self.balancer(&policy.service, path, discovery),
                )
            })
            .collect();
        Rc::new(ServiceState {
            name: policy.service.clone(),
            expect: Expect::new(policy.protocol, policy.detect_timeout),
            routes: RouteNames::new(&policy.routes, learners.of(&policy.service)),
            peer: peer_of(&policy.service),
            in_mesh: true,
            default,
            backends,
        })
    }

    /// A balancer that is kept over changes of the policy, with its connections.
    fn balancer(
        &self,
        service: &ServiceName,
        path: &Arc<str>,
        discovery: &Discovery,
    ) -> Rc<Balancer> {
        if let Some(current) = &*self.current.borrow()
            && current.name == *service
        {
            if let Some(known) = current.backends.get(path) {
                return Rc::clone(known);
            }
            if current.default.path() == Some(path) {
                return Rc::clone(&current.default);
            }
        }
        Rc::new(Balancer::new(
            service.clone(),
            Some(Arc::clone(path)),
            discovery.destination(path),
        ))
    }

    /// What the mesh does not know is passed through to where the client wanted it.
    fn build_outside(
        &self,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Result<Rc<ServiceState>, Reason> {
        let (name, destination) = match &self.target {
            Target::Address(address) => (
                ServiceName::new(address.to_string()),
                Discovery::fixed(*address),
            ),
            Target::Authority(authority) => {
                let with_port: Arc<str> = if has_port(authority) {
                    Arc::clone(authority)
                } else {
                    format!("{authority}:80").into()
                };
                (outside_service(authority), discovery.host(&with_port))
            }
            // A dependency that was named may still join; until then it has no endpoint.
            Target::Service(_) => return Err(Reason::NoEndpoints),
        };
        Ok(outside(name, destination, discovery, learners))
    }

    /// Every endpoint in use, for housekeeping.
    pub(crate) fn each_endpoint(&self, mut f: impl FnMut(&Rc<EndpointState>)) {
        if let Some(current) = &*self.current.borrow() {
            current
                .balancers()
                .for_each(|balancer| balancer.each(&mut f));
        }
        for host in self.hosts.borrow().values() {
            host.balancers().for_each(|balancer| balancer.each(&mut f));
        }
    }
}

/// What the mesh does not know.
fn outside(
    name: ServiceName,
    destination: Destination,
    discovery: &Discovery,
    learners: &Learners,
) -> Rc<ServiceState> {
    Rc::new(ServiceState {
        peer: peer_of(&name),
        expect: Expect::Detect(discovery.detect_timeout()),
        routes: RouteNames::new(&Arc::from([]), learners.of(&name)),
        in_mesh: false,
        default: Rc::new(Balancer::new(name.clone(), None, destination)),
        backends: AHashMap::new(),
        name,
    })
}

/// A name, and one that can be told from those of services of the mesh: with a domain, or with a port.
fn is_host(authority: &str) -> bool {
    let is_address = authority.parse::<SocketAddr>().is_ok()
        || authority.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    authority.contains(['.', ':']) && !is_address
}

fn peer_of(service: &ServiceName) -> Arc<Peer> {
    Arc::new(Peer {
        service: Some(service.clone()),
        ..Peer::default()
    })
}

fn has_port(authority: &str) -> bool {
    authority
        .parse::<http::uri::Authority>()
        .is_ok_and(|authority| authority.port().is_some())
}

/// One port of the application.
pub(crate) struct Port {
    followed: RefCell<Followed<Resolution<Arc<InboundPolicy>>>>,
    current: RefCell<Rc<PortState>>,
    /// The application.
    pub(crate) endpoint: Rc<EndpointState>,
}

/// A port as control last described it, or as it is treated until then.
pub(crate) struct PortState {
    /// The service that it answers to.
    pub(crate) service: ServiceName,
    /// What its connections speak.
    pub(crate) expect: Expect,
    /// Names of its routes.
    pub(crate) routes: RouteNames,
    access: Admission,
}

/// Who may call a port.
enum Admission {
    /// Whoever calls: nothing has to be looked at.
    Everyone,
    /// Whoever the policy admits.
    Some(Arc<InboundPolicy>),
    /// Nobody, whatever control says of other ports: it does not know this one.
    Nobody,
    /// Control has not said yet; until then everyone may, or nobody.
    Unknown { admits: bool },
}

impl PortState {
    /// Whether a caller may ask this, or bytes where nothing is asked.
    pub(crate) fn admits(
        &self,
        caller: Caller<'_>,
        asked: Option<Asked<'_>>,
    ) -> Result<(), Reason> {
        let admits = match &self.access {
            Admission::Everyone => true,
            Admission::Nobody => false,
            Admission::Some(policy) => policy.access.admits(caller, asked).is_some(),
            Admission::Unknown { admits: false } => return Err(Reason::DiscoveryTimeout),
            Admission::Unknown { admits: true } => true,
        };
        admits.then_some(()).ok_or(Reason::NotAuthorized)
    }

    /// Whoever calls may.
    pub(crate) fn is_for_everyone(&self) -> bool {
        matches!(
            self.access,
            Admission::Everyone | Admission::Unknown { admits: true }
        )
    }
}

impl Port {
    /// A port that is treated as said until control says otherwise. Where the mesh has identities, who may call is not known
    /// before control has said it.
    pub(crate) fn new(
        application: SocketAddr,
        service: ServiceName,
        protocol: Protocol,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Rc<Self> {
        let followed = RefCell::new(discovery.port(application, &service));
        let state = PortState {
            expect: Expect::new(protocol, discovery.detect_timeout()),
            routes: RouteNames::new(&Arc::from([]), learners.of(&service)),
            access: match discovery.open_at_first() {
                Some(admits) => Admission::Unknown { admits },
                None => Admission::Everyone,
            },
            service,
        };
        Rc::new(Self {
            followed,
            current: RefCell::new(Rc::new(state)),
            endpoint: EndpointState::new(application, Arc::default(), 1),
        })
    }

    /// A port that control does not know: what its connections speak is looked at.
    pub(crate) fn undeclared(
        application: SocketAddr,
        discovery: &Discovery,
        learners: &Learners,
    ) -> Rc<Self> {
        // One name for all: there may be thousands.
        let service = ServiceName::new("(undeclared)");
        let state = PortState {
            expect: Expect::Detect(discovery.detect_timeout()),
            routes: RouteNames::new(&Arc::from([]), learners.of(&service)),
            // No policy is about it: where nobody may call what nobody has allowed, that holds here too.
            access: match discovery.open_at_first() {
                Some(false) => Admission::Nobody,
                Some(true) | None => Admission::Everyone,
            },
            service,
        };
        Rc::new(Self {
            followed: RefCell::new(Discovery::unheard()),
            current: RefCell::new(Rc::new(state)),
            endpoint: EndpointState::new(application, Arc::default(), 1),
        })
    }

    /// Waits for control's first word on who may call, within a bound of time. Later changes are not waited for.
    pub(crate) async fn known(&self, learners: &Learners, timeout: Duration) {
        if matches!(self.state(learners).access, Admission::Unknown { .. }) {
            let followed = self.followed.borrow().clone();
            let is_known = |resolution: &Resolution<_>| matches!(resolution, Resolution::Known(_));
            followed.is(is_known, timeout).await;
        }
    }

    /// The port as it is now.
    pub(crate) fn state(&self, learners: &Learners) -> Rc<PortState> {
        if let Some(Resolution::Known(policy)) = self.followed.borrow_mut().changed() {
            *self.current.borrow_mut() = Rc::new(PortState {
                service: policy.service.clone(),
                expect: Expect::new(policy.protocol, policy.detect_timeout),
                routes: RouteNames::new(&policy.routes, learners.of(&policy.service)),
                access: match policy.access.is_for_everyone() {
                    true => Admission::Everyone,
                    false => Admission::Some(policy),
                },
            });
        }
        Rc::clone(&self.current.borrow())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{IdentityConfig, Limits};
    use clew_api::client::{ControlClient, TokenSource};
    use clew_identity::Clock;
    use clew_model::identity::Identity;
    use clew_model::name::Workload;
    use tokio::runtime::Handle;

    /// Whether anyone may call a port that nobody has declared.
    fn is_open(open_at_first: Option<bool>) -> Result<(), Reason> {
        let workload = Workload::new("books", "default");
        let identity = Identity::new("cluster.local", &workload).unwrap();
        let identity = open_at_first.map(|open_at_first| IdentityConfig {
            identity,
            open_at_first,
            token: TokenSource::new(|| Ok(String::new())),
            clock: Clock::default(),
        });
        let control = ControlClient::new("http://127.0.0.1:1".parse().unwrap(), workload);
        let limits = Limits::default();
        let discovery = Discovery::new(control, Handle::current(), &limits, identity.as_ref());
        let learners = Learners::default();
        let port = Port::undeclared(([127, 0, 0, 1], 9).into(), &discovery, &learners);
        let nobody = Caller {
            identity: None,
            address: None,
        };
        port.state(&learners).admits(nobody, None)
    }

    #[tokio::test]
    async fn a_port_that_nobody_has_declared_is_open_only_where_everyone_may_call() {
        assert_eq!(is_open(None), Ok(()));
        assert_eq!(is_open(Some(true)), Ok(()));
        assert_eq!(is_open(Some(false)), Err(Reason::NotAuthorized));
    }
}
