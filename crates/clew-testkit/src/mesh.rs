//! The mesh itself: control, perhaps observe, and any number of proxies, begun, watched and ended.

mod proxies;
mod watch;

pub use proxies::{ProxyBuilder, Sidecar};
pub use watch::{BareMember, Hops, Members};

use crate::address::loopback;
use crate::within;
use clew_api::client::{ControlClient, Instance, TokenSource};
use clew_control::{
    AccessHandle, AccessTable, AuthorityConfig, Control, ControlConfig, ControlError,
    DeclaredService,
};
use clew_identity::{Clock, Issuer, TokenKey};
use clew_model::identity::Identity;
use clew_model::name::Workload;
use clew_model::policy::Access;
use clew_model::telemetry::TelemetrySettings;
use clew_observe::scrape::Scraper;
use clew_observe::{Observe, ObserveConfig, Port};
use clew_proxy::config::IdentityConfig;
use clew_runtime::drain::Drain;
use clew_store::{Retention, Store, StorePath};
use http::Uri;
use proxies::Running;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// Namespace of everything in a mesh of a test.
pub const NAMESPACE: &str = "default";
/// Domain of the identities.
const TRUST_DOMAIN: &str = "cluster.local";
/// A token is used at once.
const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// How long control and observe may take to end open work.
const GRACE: Duration = Duration::from_secs(5);

/// A mesh. Everything that it begins ends with [`Mesh::stop`], and is joined there.
#[derive(Debug)]
pub struct Mesh {
    control: Role<Result<(), ControlError>>,
    /// As it runs, on the port that the system gave.
    control_config: ControlConfig,
    client: ControlClient,
    /// Signs tokens, where members have identities.
    tokens: Option<TokenKey>,
    /// By which certificates are good.
    clock: Clock,
    /// Nobody may call before control has said who may.
    denies: bool,
    access: AccessHandle,
    observe: Option<RunningObserve>,
    proxies: Mutex<Vec<Arc<Running>>>,
}

/// A role that runs.
#[derive(Debug)]
struct Role<T> {
    drain: Drain,
    task: JoinHandle<T>,
}

#[derive(Debug)]
struct RunningObserve {
    role: Role<()>,
    otlp: SocketAddr,
    api: SocketAddr,
    scraper: Scraper,
    store: Store,
}

/// What a mesh is begun with.
#[derive(Debug)]
pub struct MeshBuilder {
    control: ControlConfig,
    tokens: Option<TokenKey>,
    observe: bool,
}

impl Mesh {
    /// A mesh of control alone, with everything as it is by default: every root is sampled.
    pub async fn begin() -> Self {
        Self::builder().begin().await
    }

    /// A mesh that is to be described first.
    pub fn builder() -> MeshBuilder {
        let mut control = ControlConfig::new(loopback());
        // Nobody was there before: what control does not know now is unknown.
        control.settle = Duration::ZERO;
        let issuer = Issuer::generate(TRUST_DOMAIN, SystemTime::now()).unwrap();
        let tokens = TokenKey::generate().unwrap();
        control.authority = Some(AuthorityConfig::new(Arc::new(issuer), tokens.clone()));
        MeshBuilder {
            control,
            tokens: Some(tokens),
            observe: false,
        }
    }

    /// What the proxy of a workload proves who it is with, where members have identities.
    pub(crate) fn identity(&self, workload: &str) -> Option<IdentityConfig> {
        let tokens = self.tokens.clone()?;
        let workload = Workload::new(workload, NAMESPACE);
        let identity = Identity::new(TRUST_DOMAIN, &workload).unwrap();
        let of = identity.clone();
        let clock = self.clock.clone();
        let token = move || Ok(tokens.mint(&of, clock.now(), TOKEN_LIFE));
        Some(IdentityConfig {
            identity,
            open_at_first: !self.denies,
            token: TokenSource::new(token),
            clock: self.clock.clone(),
        })
    }

    /// A client of control that proves to be this workload, where members have identities.
    pub fn control_as(&self, workload: &str) -> ControlClient {
        let uri = self.control_uri();
        let control = ControlClient::new(uri, Workload::new(workload, NAMESPACE));
        match self.identity(workload) {
            Some(identity) => control.with_token(identity.token),
            None => control,
        }
    }

    /// Describes the proxy of an application.
    pub fn sidecar(&self, workload: &str) -> ProxyBuilder<'_> {
        ProxyBuilder::new(self, workload)
    }

    /// The way to control.
    pub fn control(&self) -> &ControlClient {
        &self.client
    }

    /// Where control answers.
    pub fn control_uri(&self) -> Uri {
        uri(self.control_config.listen[0])
    }

    /// Replaces the settings. They are in force in a proxy some time later; see [`Sidecar::obeys`].
    pub async fn set(&self, settings: TelemetrySettings) {
        let set = within(
            "control to take settings",
            self.client.set_telemetry(settings),
        );
        set.await.expect("settings that control takes");
    }

    /// From now on these may call. Proxies hear of it some time later.
    pub fn set_access(&self, access: AccessTable) {
        self.access.set(access);
    }

    /// Follows who is a member.
    pub fn members(&self) -> Members {
        Members::follow(&self.client)
    }

    /// Makes an address an endpoint of a service, without a proxy beside it.
    pub async fn join(&self, service: &str, instance: &str, address: SocketAddr) -> BareMember {
        BareMember::join(&self.control_as(service), service, instance, address, None).await
    }

    /// The same, and control says that whoever is there proves to be the service.
    pub async fn join_as_secured(
        &self,
        service: &str,
        instance: &str,
        address: SocketAddr,
    ) -> BareMember {
        let identity = self.identity(service).map(|identity| identity.identity);
        let control = self.control_as(service);
        BareMember::join(&control, service, instance, address, identity).await
    }

    /// Where observe takes spans.
    ///
    /// # Panics
    /// The mesh has no observe.
    pub fn otlp(&self) -> SocketAddr {
        self.observing().otlp
    }

    /// Where observe answers questions.
    ///
    /// # Panics
    /// The mesh has no observe.
    pub fn api(&self) -> SocketAddr {
        self.observing().api
    }

    /// Where observe keeps what it takes in.
    ///
    /// # Panics
    /// The mesh has no observe.
    pub fn store(&self) -> &Store {
        &self.observing().store
    }

    /// Reads all proxies into observe's store. What they had counted by now can be asked for afterwards.
    ///
    /// # Panics
    /// The mesh has no observe, or a member could not be read.
    pub async fn scrape_now(&self) {
        let scraper = &self.observing().scraper;
        let proxies = self.proxies().len();
        let mut members = scraper.watch_members();
        let all = members.wait_for(|members| {
            members
                .as_ref()
                .is_some_and(|members| members.len() >= proxies)
        });
        within("observe to know all members", all)
            .await
            .expect("observe runs");
        let report = within("a scrape of all proxies", scraper.scrape_now()).await;
        assert!(report.failed.is_empty(), "{:?}", report.failed);
    }

    /// Ends control, as if its process were killed. Proxies go on with what they know.
    pub async fn kill_control(&mut self) {
        self.control.drain.force();
        let ended = within("control to end", &mut self.control.task).await;
        ended.unwrap().unwrap();
    }

    /// Begins a new control on the same port, which knows nothing of the one before.
    pub fn restart_control(&mut self) {
        assert!(self.control.task.is_finished(), "control runs");
        let config = ControlConfig {
            // Members were there before, and are given the time to come back.
            settle: ControlConfig::new(loopback()).settle,
            ..self.control_config.clone()
        };
        let (control, _, access) = begin_control(config);
        (self.control, self.access) = (control, access);
    }

    /// Ends everything: proxies first, so that their last spans are taken and their last numbers read.
    /// What is still open then has the proxies' drain time; a test closes what it has opened.
    ///
    /// # Panics
    /// Something did not end, or ended badly.
    pub async fn stop(mut self) {
        let proxies = std::mem::take(&mut *self.proxies());
        for proxy in &proxies {
            proxy.drain.start();
        }
        for proxy in &proxies {
            proxy.join().await;
        }
        if let Some(observe) = self.observe.take() {
            observe.role.drain.start();
            within("observe to end", observe.role.task).await.unwrap();
        }
        if !self.control.task.is_finished() {
            self.control.drain.start();
            let ended = within("control to end", self.control.task).await;
            ended.unwrap().unwrap();
        }
    }

    fn observing(&self) -> &RunningObserve {
        self.observe.as_ref().expect("a mesh with observe")
    }

    fn proxies(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Running>>> {
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MeshBuilder {
    /// Nobody proves who it is, and nothing is encrypted.
    pub fn without_identities(mut self) -> Self {
        self.control.authority = None;
        self.tokens = None;
        self
    }

    /// Who may call what, from the start.
    pub fn access(mut self, access: AccessTable) -> Self {
        self.control.access = access;
        self
    }

    /// The clock by which certificates are good, of control and of all proxies.
    pub fn clock(mut self, clock: Clock) -> Self {
        if let Some(authority) = &mut self.control.authority {
            authority.clock = clock;
        }
        self
    }

    /// Telemetry settings from the start.
    pub fn settings(mut self, settings: TelemetrySettings) -> Self {
        self.control.settings = settings;
        self
    }

    /// A service that exists whether or not it has members.
    pub fn service(mut self, service: DeclaredService) -> Self {
        self.control.services.push(service);
        self
    }

    /// Bound on protocol detection.
    pub fn detect_timeout(mut self, timeout: Duration) -> Self {
        self.control.detect_timeout = timeout;
        self
    }

    /// With observe, which takes the spans of all proxies and reads their numbers when it is asked to.
    pub fn observe(mut self) -> Self {
        self.observe = true;
        self
    }

    /// Begins it.
    pub async fn begin(self) -> Mesh {
        let (control, control_address, access) = begin_control(self.control.clone());
        let control_config = ControlConfig {
            listen: vec![control_address],
            ..self.control
        };
        let observe = match self.observe {
            true => Some(RunningObserve::begin(control_address).await),
            false => None,
        };
        Mesh {
            control,
            tokens: self.tokens,
            clock: control_config
                .authority
                .as_ref()
                .map(|authority| authority.clock.clone())
                .unwrap_or_default(),
            denies: control_config.access.default == Access::nobody(),
            access,
            control_config,
            client: ControlClient::new(uri(control_address), Workload::new("the-test", NAMESPACE)),
            observe,
            proxies: Mutex::default(),
        }
    }
}

impl RunningObserve {
    async fn begin(control: SocketAddr) -> Self {
        let config = ObserveConfig {
            api: Port::Required(loopback()),
            otlp_grpc: Some(Port::Required(loopback())),
            otlp_http: None,
            zipkin: None,
            control: uri(control),
            // It reads when the test says so, and at each beginning and end.
            scrape_interval: Duration::from_secs(3_600),
            log: None,
        };
        let store = Store::open(StorePath::Temporary, Retention::default()).expect("a store");
        let bound = Observe::bind(config, store.clone()).await.expect("ports");
        let (drain, watch) = Drain::new(GRACE);
        Self {
            otlp: bound.otlp_grpc_address().expect("OTLP over gRPC"),
            api: bound.api_address(),
            scraper: bound.scraper(),
            store,
            role: Role {
                drain,
                task: tokio::spawn(bound.run(watch)),
            },
        }
    }
}

/// A control that runs, where, and what changes who may call.
type BegunControl = (Role<Result<(), ControlError>>, SocketAddr, AccessHandle);

fn begin_control(config: ControlConfig) -> BegunControl {
    let control = Control::bind(config).expect("a port for control");
    let (address, access) = (control.address(), control.access());
    let (drain, watch) = Drain::new(GRACE);
    let task = tokio::spawn(control.run(watch));
    (Role { drain, task }, address, access)
}

/// `http://` and the address.
fn uri(address: SocketAddr) -> Uri {
    format!("http://{address}").parse().unwrap()
}

/// Describes a member by name, for assertions.
fn named(instances: &[Instance]) -> Vec<&str> {
    instances
        .iter()
        .map(|instance| instance.id.as_str())
        .collect()
}
