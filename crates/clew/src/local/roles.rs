//! The roles `control` and `observe` in this process: what a mesh needs once.

pub(crate) mod command;

use super::journal::{begin_anew, folder_of};
use super::keys::{Keys, KeysError};
use super::plan::{MeshPlan, ServicePlan};
use super::record::{Published, Record, RecordError, SpanPorts, own_state_dir};
use super::sidecar::LOOPBACK;
use crate::address::uri;
use clew_api::client::ControlClient;
use clew_control::{
    AccessHandle, AccessTable, BoundControl, Control, ControlConfig, ControlError, DeclaredService,
};
use clew_model::name::{Namespace, Workload};
use clew_model::service::Protocol;
use clew_model::telemetry::TelemetrySettings;
use clew_observe::{BoundObserve, Observe, ObserveConfig, ObserveError, Port};
use clew_runtime::drain::Drain;
use clew_runtime::logging::LogControl;
use clew_runtime::tasks::TaskSet;
use clew_store::{Retention, Store, StoreError, StorePath};
use futures_util::StreamExt as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How often each member is scraped.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);
/// How long open questions and streams may go on at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What the roles are told.
#[derive(Clone, Debug)]
pub(crate) struct RolesPlan {
    /// The command that starts them, as others are told.
    pub(crate) command: &'static str,
    /// Where the API answers.
    pub(crate) api: SocketAddr,
    /// Where control answers.
    pub(crate) control: Port,
    /// Where spans come in over OTLP/gRPC.
    pub(crate) otlp_grpc: Port,
    /// Where spans come in over OTLP/HTTP.
    pub(crate) otlp_http: Port,
    /// Where Zipkin's spans come in.
    pub(crate) zipkin: Port,
    /// Namespace of the declared services.
    pub(crate) namespace: Namespace,
    /// What proxies report.
    pub(crate) telemetry: TelemetrySettings,
    /// Where a change of that is kept for the next roles; `None`: nowhere.
    pub(crate) kept_settings: Option<PathBuf>,
    /// Who may call what.
    pub(crate) access: AccessTable,
    /// Services that exist whether or not they have members.
    pub(crate) services: Vec<DeclaredService>,
    /// Where spans and numbers are kept.
    pub(crate) store: StorePath,
    /// How much of them.
    pub(crate) retention: Retention,
    /// The log of this process.
    pub(crate) log: LogControl,
}

impl RolesPlan {
    /// The roles of an application's mesh.
    pub(crate) fn of_mesh(
        command: &'static str,
        plan: &MeshPlan,
        api: SocketAddr,
        store: StorePath,
        log: LogControl,
    ) -> Self {
        Self {
            command,
            api,
            control: Port::Wanted(LOOPBACK),
            otlp_grpc: Port::Wanted((Ipv4Addr::LOCALHOST, 4317).into()),
            otlp_http: Port::Wanted((Ipv4Addr::LOCALHOST, 4318).into()),
            zipkin: Port::Wanted((Ipv4Addr::LOCALHOST, 9411).into()),
            namespace: Namespace::from(plan.namespace.as_str()),
            telemetry: plan.telemetry.clone(),
            // What the file says holds at each start.
            kept_settings: None,
            access: plan.access_table(),
            services: plan.services.iter().map(declared).collect(),
            store,
            retention: plan.retention,
            log,
        }
    }
}

impl RolesPlan {
    /// Where the choice is the system's, the ports of the mesh that was here before: processes that
    /// were in it know no others, and join this one by them.
    fn take_place_of(&mut self, last: &Record) {
        let control = Some(last.control);
        for (port, last) in [
            (&mut self.control, control),
            (&mut self.otlp_grpc, last.otlp_grpc),
            (&mut self.otlp_http, last.otlp_http),
            (&mut self.zipkin, last.zipkin),
        ] {
            if let (Port::Wanted(address), Some(last)) = (port, last) {
                *address = last;
            }
        }
    }
}

fn bind_control(plan: &RolesPlan, keys: &Keys) -> Result<BoundControl, ControlError> {
    let (Port::Wanted(address) | Port::Required(address)) = plan.control;
    let bind = |listen| {
        Control::bind(ControlConfig {
            namespace: plan.namespace.clone(),
            settings: plan.telemetry.clone(),
            kept_settings: plan.kept_settings.clone(),
            access: plan.access.clone(),
            services: plan.services.clone(),
            authority: Some(keys.authority()),
            ..ControlConfig::new(listen)
        })
    };
    match bind(address) {
        Err(ControlError::Listen(error))
            if plan.control == Port::Wanted(address) && error.is_taken() =>
        {
            bind(LOOPBACK)
        }
        bound => bound,
    }
}

fn declared(service: &ServicePlan) -> DeclaredService {
    DeclaredService {
        name: service.name.clone(),
        protocol: (service.protocol != Protocol::Detect).then_some(service.protocol),
        routes: service.routes.clone().into(),
    }
}

/// The roles could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RolesError {
    /// Another mesh of this user answers at the API's address.
    #[error(
        "port {} of the API is taken by the mesh of `clew {command}` (process {pid}); end it with \
         `clew down --api http://{api}`, or choose another address with --api http://{}:PORT",
        api.port(), api.ip()
    )]
    Running {
        /// The address.
        api: SocketAddr,
        /// The command that it was started with.
        command: String,
        /// Its process.
        pid: i32,
    },
    /// Something else listens at the API's address.
    #[error(
        "port {} of the API is taken; choose another address with --api http://{}:PORT",
        api.port(), api.ip()
    )]
    ApiTaken {
        /// The address.
        api: SocketAddr,
        /// What observe said.
        #[source]
        source: ObserveError,
    },
    /// Spans and numbers cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Control could not start.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Observe could not start.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Others cannot be told of the mesh.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Roles that answer.
#[derive(Debug)]
pub(crate) struct Roles {
    /// Where.
    pub(crate) record: Record,
    /// Who is who in the mesh.
    pub(crate) keys: Keys,
    access: AccessHandle,
    control: Drain,
    control_task: TaskSet,
    observe: Drain,
    observe_task: TaskSet,
    _published: Published,
}

impl Roles {
    /// Binds and starts the roles, as tasks of this runtime, and lets other commands find them.
    pub(crate) async fn start(mut plan: RolesPlan) -> Result<Self, RolesError> {
        let state = own_state_dir();
        if let Some(running) = Record::find(&state, plan.api)? {
            let Record {
                api, command, pid, ..
            } = running;
            return Err(RolesError::Running { api, command, pid });
        }
        if let Some(last) = Record::last(&state, plan.api) {
            plan.take_place_of(&last);
        }
        let keys = match Keys::read(&state, plan.api)? {
            Some(keys) => keys,
            None => Keys::generate()?,
        };
        let keys = keys.in_a_mesh_that_denies(denies(&plan.access));
        let control = bind_control(&plan, &keys)?;
        let store = Store::open(plan.store, plan.retention)?;
        let config = ObserveConfig {
            api: Port::Required(plan.api),
            otlp_grpc: Some(plan.otlp_grpc),
            otlp_http: Some(plan.otlp_http),
            zipkin: Some(plan.zipkin),
            control: uri(control.address()),
            scrape_interval: SCRAPE_INTERVAL,
            log: Some(plan.log),
        };
        let observe = Observe::bind(config, store).await;
        let observe = observe.map_err(|error| explain(error, plan.api))?;
        let record = Record::of_this_process(
            plan.command,
            observe.api_address(),
            control.address(),
            SpanPorts {
                otlp_grpc: observe.otlp_grpc_address(),
                otlp_http: observe.otlp_http_address(),
                zipkin: observe.zipkin_address(),
            },
        );
        keys.keep(&state, record.api)?;
        let published = record.publish(&state)?;
        begin_anew(&folder_of(&state, record.api));
        // `clew run` says which port it became, so that others can join; the next mesh has another.
        let published = match plan.api.port() {
            0 => published.for_once(),
            _ => published,
        };
        Ok(Self::of_bound(record, keys, published, control, observe))
    }

    fn of_bound(
        record: Record,
        keys: Keys,
        published: Published,
        control: BoundControl,
        observe: BoundObserve,
    ) -> Self {
        let access = control.access();
        let (control_drain, watch) = Drain::new(DRAIN_TIMEOUT);
        let mut control_task = TaskSet::new();
        control_task.spawn("control", async move {
            if let Err(error) = control.run(watch).await {
                tracing::error!("{error}");
            }
        });
        let (observe_drain, watch) = Drain::new(DRAIN_TIMEOUT);
        let mut observe_task = TaskSet::new();
        observe_task.spawn("observe", observe.run(watch));
        Self {
            record,
            keys,
            access,
            control: control_drain,
            control_task,
            observe: observe_drain,
            observe_task,
            _published: published,
        }
    }

    /// These may call what, from now on: proxies hear of it at once. Fails when whoever joins later cannot be told that the
    /// mesh denies what nobody has allowed.
    pub(crate) fn set_access(&mut self, access: AccessTable) -> Result<(), KeysError> {
        let keys = self.keys.clone().in_a_mesh_that_denies(denies(&access));
        self.access.set(access);
        self.keys = keys;
        self.keys.keep(&own_state_dir(), self.record.api)
    }

    /// Resolves when a role has ended although nobody asked it to. Safe to cancel.
    pub(crate) async fn failed(&mut self) {
        tokio::select! {
            _ = self.control_task.join_next() => tracing::error!("control has ended"),
            _ = self.observe_task.join_next() => tracing::error!("observe has ended"),
        }
    }

    /// Ends: observe writes what it has, then control goes.
    pub(crate) async fn stop(&mut self) {
        self.observe.start();
        self.observe_task.join_all().await;
        self.control.start();
        self.control_task.join_all().await;
    }
}

/// Somebody may not call something: who cannot know yet what that is had better admit nobody.
fn denies(access: &AccessTable) -> bool {
    let mut all = std::iter::once(&access.default).chain(access.services.values());
    all.any(|access| !access.is_for_everyone())
}

/// Resolves when the mesh of this control has been without members for this long.
async fn idle_for(control: SocketAddr, time: Duration) {
    let own = Workload::new("roles", "clew");
    let mut members = ControlClient::new(uri(control), own).watch_instances();
    let mut is_empty = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(time), if is_empty => return,
            Some(now) = members.next() => is_empty = now.is_empty(),
        }
    }
}

/// The one port that a person chooses is explained.
fn explain(error: ObserveError, api: SocketAddr) -> RolesError {
    match &error {
        ObserveError::Bind {
            address, source, ..
        } if *address == api && source.kind() == std::io::ErrorKind::AddrInUse => {
            RolesError::ApiTaken { api, source: error }
        }
        _ => RolesError::Observe(error),
    }
}
