//! What one data-plane thread owns. Nothing in it is shared on the path of a request.

use crate::audit::Audit;
use crate::config::{Limits, ProxyConfig};
use crate::discover::Discovery;
use crate::error::Reason;
use crate::headers;
use crate::hop::{Direction, Peer, PhaseTimes};
use crate::identity::{CertificateTally, CredentialNews, OwnCredentials};
use crate::lifecycle::Connections;
use crate::open_hop::{HopSink, OpenStreams};
use crate::own_listeners::OwnListeners;
use crate::participation::{Tracing, TracingSettings};
use crate::report::WorkerReports;
use crate::request_body::Progress;
use crate::route_names::{Learners, Route};
use crate::services::{Port, Service, ServiceState};
use ahash::AHashMap;
use clew_model::identity::Identity;
use clew_model::name::ServiceName;
use clew_model::service::{Protocol, Target};
use clew_trace::RateLimit;
use http::HeaderValue;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// State of one data-plane thread.
pub(crate) struct Shard {
    /// Where hops are closed, and the connections.
    pub(crate) sink: Rc<HopSink>,
    /// Bounds.
    pub(crate) limits: Limits,
    /// What control says.
    pub(crate) discovery: Arc<Discovery>,
    /// What the process has learned of paths.
    pub(crate) learners: Arc<Learners>,
    /// How hops take part in traces.
    pub(crate) tracing: Tracing,
    /// What the application was given, and what it made of that; `None`: who started the proxy does not want to know.
    audit: Option<Arc<Audit>>,
    /// This instance, for the servers that it calls; `None` when its name cannot be written in a header.
    pub(crate) client_header: Option<HeaderValue>,
    /// Where this proxy takes requests of its application.
    pub(crate) own: Arc<OwnListeners>,
    /// Who this proxy is, by its certificate.
    pub(crate) credentials: OwnCredentials,
    /// The other side of requests that come from no member, or of which it is not known.
    pub(crate) nobody: Arc<Peer>,
    /// The route of requests that ended before they had one.
    pub(crate) unknown: Rc<Route>,
    services: RefCell<AHashMap<Target, Rc<Service>>>,
    ports: RefCell<AHashMap<SocketAddr, Rc<Port>>>,
    clients: RefCell<AHashMap<Shown, Arc<Peer>>>,
    rng: RefCell<fastrand::Rng>,
    clock: Clock,
    idle_swept: Cell<Instant>,
    /// Bodies of requests on their way, as far as somebody waits for them to the bound.
    uploads: RefCell<Vec<Weak<Progress>>>,
}

/// What a client shows of who it is: the header of its sidecar, and its certificate.
type Shown = (HeaderValue, Option<Identity>);

/// Clients of the mesh that a thread remembers by the header that they send.
const MAX_CLIENTS: usize = 4_096;

/// Ports of the application that a thread remembers.
const MAX_PORTS: usize = 256;

/// What is shared between the threads and given to each.
#[derive(Clone)]
pub(crate) struct SharedParts {
    /// What control says.
    pub(crate) discovery: Arc<Discovery>,
    /// What the process has learned of paths.
    pub(crate) learners: Arc<Learners>,
    /// Settings of tracing, as control last sent them.
    pub(crate) tracing: TracingSettings,
    /// How many traces a second may begin here.
    pub(crate) root_limit: Arc<RateLimit>,
    /// Listeners for the application's requests.
    pub(crate) own: Arc<OwnListeners>,
    /// What the application was given.
    pub(crate) audit: Arc<Audit>,
    /// Certificates, as they are renewed.
    pub(crate) credentials: CredentialNews,
    /// What is told of them.
    pub(crate) certificates: Arc<CertificateTally>,
}

impl Shard {
    /// The propagation audit, where it is wanted: by who started the proxy, and by the settings as the last hop found them.
    pub(crate) fn audit(&self) -> Option<&Arc<Audit>> {
        self.audit.as_ref().filter(|_| self.tracing.audits())
    }

    /// The state of a thread that has not served yet.
    pub(crate) fn new(
        config: &ProxyConfig,
        common: SharedParts,
        reports: WorkerReports,
    ) -> Rc<Self> {
        Rc::new(Self {
            sink: Rc::new(HopSink {
                reports,
                connections: Connections::default(),
                streams: OpenStreams::new(&config.limits),
                audit: Arc::clone(&common.audit),
            }),
            limits: config.limits.clone(),
            discovery: common.discovery,
            learners: common.learners,
            tracing: Tracing::new(common.tracing, config.otlp.is_some(), common.root_limit),
            client_header: headers::client_value(&config.workload, &config.instance),
            own: common.own,
            audit: config.audit.then_some(common.audit),
            credentials: OwnCredentials::new(
                config.identity.as_ref(),
                common.credentials,
                common.certificates,
            ),
            nobody: Arc::default(),
            unknown: Rc::new(Route::unknown()),
            services: RefCell::default(),
            ports: RefCell::default(),
            clients: RefCell::default(),
            rng: RefCell::new(fastrand::Rng::new()),
            clock: Clock::new(),
            idle_swept: Cell::new(Instant::now()),
            uploads: RefCell::default(),
        })
    }

    /// The reports of this thread.
    pub(crate) fn reports(&self) -> &WorkerReports {
        &self.sink.reports
    }

    /// The connections of this thread.
    pub(crate) fn connections(&self) -> &Connections {
        &self.sink.connections
    }

    /// Random numbers. Not for secrets.
    pub(crate) fn with_rng<T>(&self, f: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        f(&mut self.rng.borrow_mut())
    }

    /// Wall-clock time of a moment, Unix time in nanoseconds.
    pub(crate) fn unix_nano(&self, moment: Instant) -> u64 {
        self.clock.unix_nano(moment)
    }

    /// The service behind a target.
    pub(crate) fn service(&self, target: &Target) -> Rc<Service> {
        if let Some(service) = self.services.borrow().get(target) {
            return Rc::clone(service);
        }
        let mut services = self.services.borrow_mut();
        if services.len() >= self.limits.max_services {
            forget_oldest(&mut services);
        }
        let service = Service::new(target.clone(), &self.discovery);
        services.insert(target.clone(), Rc::clone(&service));
        service
    }

    /// The current state of a service.
    pub(crate) async fn service_state(
        &self,
        service: &Service,
        times: &mut PhaseTimes,
    ) -> Result<Rc<ServiceState>, Reason> {
        service.state(&self.discovery, &self.learners, times).await
    }

    /// A port of the application.
    pub(crate) fn port(
        &self,
        application: SocketAddr,
        service: &ServiceName,
        protocol: Protocol,
    ) -> Rc<Port> {
        let mut ports = self.ports.borrow_mut();
        let port = ports.entry(application).or_insert_with(|| {
            Port::new(
                application,
                service.clone(),
                protocol,
                &self.discovery,
                &self.learners,
            )
        });
        Rc::clone(port)
    }

    /// A port of the application that nobody declared: it is looked at, and named, without control.
    pub(crate) fn undeclared_port(&self, application: SocketAddr) -> Rc<Port> {
        if let Some(port) = self.ports.borrow().get(&application) {
            return Rc::clone(port);
        }
        let port = Port::undeclared(application, &self.discovery, &self.learners);
        let mut ports = self.ports.borrow_mut();
        // Who looks for open ports finds them all, and leaves nothing behind.
        if ports.len() < MAX_PORTS {
            ports.insert(application, Rc::clone(&port));
        }
        port
    }

    /// Who sent a request, by the certificate of its connection and by what its sidecar says. Equal clients share one peer
    /// and its series.
    ///
    /// Where proxies prove who they are, a header is believed as far as the certificate bears it out: it adds the instance.
    /// Where they do not, it is a claim, and labels.
    pub(crate) fn client(
        &self,
        claim: Option<&HeaderValue>,
        identity: Option<&Identity>,
        service: &ServiceName,
    ) -> Arc<Peer> {
        let claim = claim.filter(|_| identity.is_some() || !self.credentials.is_wanted());
        let absent = HeaderValue::from_static("");
        let key = (claim.unwrap_or(&absent).clone(), identity.cloned());
        if let Some(peer) = self.clients.borrow().get(&key)
            && peer.service.as_ref() == Some(service)
        {
            return Arc::clone(peer);
        }
        let mut claimed = headers::parse_client(&key.0);
        if let Some(identity) = identity {
            let proven = identity.workload();
            claimed = claimed.filter(|(workload, _)| Some(workload) == proven.as_ref());
        }
        let (workload, instance) = claimed.unzip();
        let peer = Arc::new(Peer {
            workload: workload.or_else(|| identity?.workload()),
            instance,
            service: Some(service.clone()),
            identity: identity.cloned(),
        });
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(key, Arc::clone(&peer));
        peer
    }

    /// Bounds the time for which the body of a request may stop to arrive.
    pub(crate) fn watch_upload(&self, progress: &Rc<Progress>) {
        self.uploads.borrow_mut().push(Rc::downgrade(progress));
    }

    /// Housekeeping between requests.
    pub(crate) fn tick(&self, now: Instant) {
        self.sink.reports.tick(now);
        self.sink.look_at_streams(now);
        self.clock.correct(now, SystemTime::now());
        self.uploads.borrow_mut().retain(|upload| {
            let upload = upload.upgrade();
            if let Some(progress) = &upload {
                progress.end_if_slow(self.limits.body_timeout, now);
            }
            upload.is_some()
        });
        if now.saturating_duration_since(self.idle_swept.get()) < SWEEP_EVERY {
            return;
        }
        self.idle_swept.set(now);
        let sweep =
            |endpoint: &Rc<crate::endpoint::EndpointState>| endpoint.sweep(&self.limits, now);
        self.services
            .borrow()
            .values()
            .for_each(|service| service.each_endpoint(sweep));
        self.ports
            .borrow()
            .values()
            .for_each(|port| sweep(&port.endpoint));
    }

    /// Reports a connection that broke the protocol before its request was one.
    pub(crate) fn refuse(&self, direction: Direction, reason: Reason) {
        self.sink.reports.refused(direction, reason);
    }
}

/// How often idle connections are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

fn forget_oldest(services: &mut AHashMap<Target, Rc<Service>>) {
    let oldest = services
        .iter()
        .min_by_key(|(_, service)| service.last_used())
        .map(|(target, _)| target.clone());
    if let Some(oldest) = oldest {
        services.remove(&oldest);
    }
}

/// Wall-clock time from monotonic time: attached once, so that spans of one thread keep their order when
/// the system's clock is adjusted.
struct Clock {
    start: Instant,
    start_unix_nano: Cell<u64>,
}

/// Past it the clocks have parted: the machine slept, during which monotonic time stands still, or its clock was
/// set.
const MAX_DRIFT: Duration = Duration::from_secs(1);

impl Clock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            start_unix_nano: Cell::new(unix_nano(SystemTime::now())),
        }
    }

    fn unix_nano(&self, moment: Instant) -> u64 {
        self.start_unix_nano.get() + nanos(moment.saturating_duration_since(self.start))
    }

    /// Attaches wall-clock time anew, when it has become wrong.
    fn correct(&self, now: Instant, wall: SystemTime) {
        let wall = unix_nano(wall);
        if self.unix_nano(now).abs_diff(wall) > nanos(MAX_DRIFT) {
            let since_start = nanos(now.saturating_duration_since(self.start));
            self.start_unix_nano.set(wall.saturating_sub(since_start));
        }
    }
}

fn unix_nano(time: SystemTime) -> u64 {
    nanos(
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_clock_time_follows_a_clock_that_was_set_and_no_small_adjustment() {
        let clock = Clock::new();
        let (now, before) = (clock.start, clock.unix_nano(clock.start));
        let wall = SystemTime::UNIX_EPOCH + Duration::from_nanos(before);
        clock.correct(now, wall + MAX_DRIFT / 2);
        assert_eq!(clock.unix_nano(now), before);
        let slept = Duration::from_secs(8 * 60 * 60);
        clock.correct(now, wall + slept);
        assert_eq!(clock.unix_nano(now), before + nanos(slept));
    }
}
