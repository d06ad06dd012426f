//! What control says of services and destinations, shared by all data-plane threads.
//!
//! One task on the control runtime follows each service, and one each destination, for as long as
//! somebody holds what [`Discovery`] gave out. The threads read through `watch` channels: whether there
//! is news is one atomic load, and only news is copied, under a lock that nobody holds across an await.

use crate::config::{IdentityConfig, Limits};
use crate::error::Reason;
use clew_api::client::{ControlClient, Resolution};
use clew_model::name::ServiceName;
use clew_model::policy::{InboundPolicy, OutboundPolicy};
use clew_model::service::{Endpoint, EndpointUpdate, Target};
use futures_util::{Stream, StreamExt};
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::watch;

mod dns;

/// Follows services, ports and destinations.
pub(crate) struct Discovery {
    control: ControlClient,
    /// Runs the tasks; not a data-plane thread.
    runtime: Handle,
    timeout: Duration,
    detect_timeout: Duration,
    /// This proxy has an identity: it speaks TLS with endpoints that have one, too. Who may call while control has not said it.
    open_at_first: Option<bool>,
    services: Shared<Target, Resolution<Arc<OutboundPolicy>>>,
    ports: Shared<SocketAddr, Resolution<Arc<InboundPolicy>>>,
    destinations: Shared<Arc<str>, Arc<[Endpoint]>>,
    hosts: Shared<Arc<str>, Arc<[Endpoint]>>,
}

impl Discovery {
    /// Nothing is followed until somebody asks.
    pub(crate) fn new(
        control: ControlClient,
        runtime: Handle,
        limits: &Limits,
        identity: Option<&IdentityConfig>,
    ) -> Self {
        Self {
            control,
            runtime,
            timeout: limits.discovery_timeout,
            detect_timeout: limits.detect_timeout,
            open_at_first: identity.map(|identity| identity.open_at_first),
            services: Shared::default(),
            ports: Shared::default(),
            destinations: Shared::default(),
            hosts: Shared::default(),
        }
    }

    /// How long to wait for a first word.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether everyone may call while control has not said who may; `None`: this proxy has no identity, and knows nobody's.
    pub(crate) fn open_at_first(&self) -> Option<bool> {
        self.open_at_first
    }

    /// Bound on protocol detection where no policy says one.
    pub(crate) fn detect_timeout(&self) -> Duration {
        self.detect_timeout
    }

    /// What a target is.
    pub(crate) fn service(&self, target: &Target) -> Followed<Resolution<Arc<OutboundPolicy>>> {
        self.services.follow(target, |news| {
            let policies = self.control.watch_outbound(target.clone()).map(share);
            self.runtime.spawn(forward(policies, news));
        })
    }

    /// How requests to one port of the application are treated.
    pub(crate) fn port(
        &self,
        application: SocketAddr,
        service: &ServiceName,
    ) -> Followed<Resolution<Arc<InboundPolicy>>> {
        self.ports.follow(&application, |news| {
            let policies = self
                .control
                .watch_inbound(application.port(), service.clone())
                .map(share);
            self.runtime.spawn(forward(policies, news));
        })
    }

    /// Endpoints of a destination of the mesh.
    pub(crate) fn destination(&self, path: &Arc<str>) -> Destination {
        self.destinations.follow(path, |news| {
            let secures = self.open_at_first.is_some();
            let updates = self.control.watch_endpoints(Arc::clone(path));
            let endpoints = accumulate(updates, move |endpoint: &mut Endpoint| {
                if !secures {
                    endpoint.identity = None;
                }
            });
            self.runtime.spawn(forward(endpoints, news));
        })
    }

    /// Addresses of a host outside of the mesh, `host:port`.
    pub(crate) fn host(&self, authority: &Arc<str>) -> Destination {
        self.hosts.follow(authority, |news| {
            self.runtime.spawn(dns::follow(Arc::clone(authority), news));
        })
    }

    /// One fixed address, outside of the mesh.
    pub(crate) fn fixed(address: SocketAddr) -> Destination {
        let endpoint = Endpoint {
            address,
            weight: 1,
            workload: None,
            instance: None,
            identity: None,
        };
        Followed::new(watch::channel(Some(Arc::from([endpoint]))).1)
    }

    /// Something that nobody follows.
    pub(crate) fn unheard<T>() -> Followed<T> {
        Followed::new(watch::channel(None).1)
    }
}

/// Endpoints of a destination.
pub(crate) type Destination = Followed<Arc<[Endpoint]>>;

/// Something that is followed. Following ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Followed<T> {
    news: watch::Receiver<Option<T>>,
    /// When it was asked for.
    since: Instant,
    /// The first word has come. It is remembered so that a request need not take the channel's lock.
    known: bool,
    /// This clone has not looked yet.
    fresh: bool,
}

impl<T> Followed<T> {
    fn new(news: watch::Receiver<Option<T>>) -> Self {
        Self {
            news,
            since: Instant::now(),
            known: false,
            fresh: true,
        }
    }
}

impl<T: Clone> Followed<T> {
    /// Discovery has said its first word.
    pub(crate) fn is_known(&mut self) -> bool {
        self.known = self.known || self.news.borrow().is_some();
        self.known
    }

    /// Waits for the first word, until so long after it was first asked for: when control is gone, only the
    /// first requests wait.
    pub(crate) async fn known(mut self, timeout: Duration) -> Result<(), Reason> {
        let deadline = (self.since + timeout).into();
        match tokio::time::timeout_at(deadline, self.news.wait_for(Option::is_some)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Reason::DiscoveryTimeout),
        }
    }

    /// Waits until the value is as wanted, until so long after it was first asked for. Whoever waits looks again.
    pub(crate) async fn is(mut self, wanted: impl Fn(&T) -> bool, timeout: Duration) {
        let deadline = (self.since + timeout).into();
        let is_there = |value: &Option<T>| value.as_ref().is_some_and(&wanted);
        drop(tokio::time::timeout_at(deadline, self.news.wait_for(is_there)).await);
    }

    /// The current value, if it is known and this clone has not seen it yet.
    pub(crate) fn changed(&mut self) -> Option<T> {
        // An error says that the task has ended; its last word stands.
        if !self.fresh && !self.news.has_changed().unwrap_or(false) {
            return None;
        }
        let value = self.news.borrow_and_update().clone();
        self.fresh = value.is_none();
        value
    }
}

/// Who follows what: each thing once, however many threads ask.
struct Shared<K, T>(Mutex<HashMap<K, Weak<watch::Sender<Option<T>>>>>);

impl<K, T> Default for Shared<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, T> Shared<K, T> {
    fn follow(&self, key: &K, start: impl FnOnce(Arc<watch::Sender<Option<T>>>)) -> Followed<T> {
        let mut followed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(news) = followed.get(key).and_then(Weak::upgrade)
            && news.receiver_count() > 0
        {
            return Followed::new(news.subscribe());
        }
        followed.retain(|_, news| news.strong_count() > 0);
        let (news, receiver) = watch::channel(None);
        let news = Arc::new(news);
        followed.insert(key.clone(), Arc::downgrade(&news));
        start(news);
        Followed::new(receiver)
    }
}

/// Publishes what a stream yields until nobody listens.
async fn forward<T>(stream: impl Stream<Item = T> + Send, news: Arc<watch::Sender<Option<T>>>) {
    let mut stream = std::pin::pin!(stream);
    until_unheard(&news, async {
        while let Some(item) = stream.next().await {
            news.send_replace(Some(item));
        }
    })
    .await;
}

async fn until_unheard<T>(news: &watch::Sender<Option<T>>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = news.closed() => {}
        () = work => {}
    }
}

/// Policies are large and read by every thread.
fn share<T>(resolution: Resolution<T>) -> Resolution<Arc<T>> {
    match resolution {
        Resolution::Known(policy) => Resolution::Known(Arc::new(policy)),
        Resolution::Unknown => Resolution::Unknown,
    }
}

/// Turns changes into the set that they add up to.
fn accumulate(
    updates: impl Stream<Item = EndpointUpdate> + Send,
    adapt: impl Fn(&mut Endpoint) + Send,
) -> impl Stream<Item = Arc<[Endpoint]>> + Send {
    updates.scan(Vec::<Endpoint>::new(), move |endpoints, update| {
        apply(endpoints, update);
        endpoints.iter_mut().for_each(&adapt);
        std::future::ready(Some(Arc::from(endpoints.as_slice())))
    })
}

fn apply(endpoints: &mut Vec<Endpoint>, update: EndpointUpdate) {
    match update {
        EndpointUpdate::Reset(all) => *endpoints = all,
        EndpointUpdate::Add(added) => {
            endpoints.retain(|known| {
                added
                    .iter()
                    .all(|endpoint| endpoint.address != known.address)
            });
            endpoints.extend(added);
        }
        EndpointUpdate::Remove(gone) => endpoints.retain(|known| !gone.contains(&known.address)),
        EndpointUpdate::NoEndpoints { .. } => endpoints.clear(),
    }
}

/// Name in metrics of a host outside of the mesh: as the client wrote it.
pub(crate) fn outside_service(authority: &str) -> ServiceName {
    ServiceName::new(authority.strip_suffix(":80").unwrap_or(authority))
}
