//! Bind, then run: everything a proxy does, in boot order.

use crate::admin::{Admin, AdminConfig, AdminError, Readiness};
use crate::audit::Audit;
use crate::config::{Addresses, ProxyConfig};
use crate::discover::Discovery;
use crate::identity;
use crate::membership::Membership;
use crate::own_listeners::OwnListeners;
use crate::report::{Reports, ReportsConfig, WorkerSlot};
use crate::route_names::Learners;
use crate::shard::SharedParts;
use crate::threads::{Threads, ThreadsError};
use crate::worker::Start;
use clew_api::client::ControlClient;
use clew_model::telemetry::TelemetrySettings;
use clew_runtime::drain::{Drain, DrainWatch};
use clew_runtime::listen::{self, ListenError};
use clew_trace::RateLimit;
use futures_util::StreamExt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

/// Why a proxy could not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// A listener could not be bound.
    #[error("the proxy of {workload} cannot start")]
    Listen {
        /// Whose proxy.
        workload: String,
        /// Which listener, where, and why.
        #[source]
        source: ListenError,
    },
    /// The admin or tap server could not start.
    #[error("the proxy of {workload} cannot be observed")]
    Admin {
        /// Whose proxy.
        workload: String,
        /// Which server, and why.
        #[source]
        source: AdminError,
    },
    /// The data plane could not start, or ended before its time.
    #[error("the data plane of {workload} failed")]
    DataPlane {
        /// Whose proxy.
        workload: String,
        /// What became of its threads.
        #[source]
        source: ThreadsError,
    },
}

/// A proxy before it is bound.
#[derive(Debug)]
pub struct Proxy;

/// A proxy that listens, and answers nothing yet.
#[derive(Debug)]
pub struct BoundProxy {
    config: Arc<ProxyConfig>,
    addresses: Addresses,
    /// By worker, each in the order of the configuration's listeners.
    listeners: Vec<Vec<TcpListener>>,
    admin: TcpListener,
    tap: TcpListener,
}

impl Proxy {
    /// Binds every listener. Nothing is accepted before [`BoundProxy::run`].
    pub fn bind(config: ProxyConfig) -> Result<BoundProxy, ProxyError> {
        let failed = |source| ProxyError::Listen {
            workload: config.workload.to_string(),
            source,
        };
        let workers = config.workers.get();
        let mut listeners: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
        let mut bound = Vec::with_capacity(config.listeners.len());
        for listener in &config.listeners {
            let shared = listen::bind_tcp_shared(listener.purpose(), listener.address(), workers)
                .map_err(failed)?;
            bound.push(
                shared
                    .first()
                    .map_or(listener.address(), |first| local(first, listener.address())),
            );
            for (worker, listener) in listeners.iter_mut().zip(shared) {
                worker.push(listener);
            }
        }
        let admin = listen::bind_tcp("the proxy's admin server", config.admin).map_err(failed)?;
        let tap = listen::bind_tcp("the proxy's tap server", config.tap).map_err(failed)?;
        let addresses = Addresses {
            listeners: bound,
            admin: local(&admin, config.admin),
            tap: local(&tap, config.tap),
        };
        Ok(BoundProxy {
            config: Arc::new(config),
            addresses,
            listeners,
            admin,
            tap,
        })
    }
}

fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

impl BoundProxy {
    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Serves until it has drained. Runs on the caller's Tokio runtime, which carries everything that is not
    /// a request: control, export, admin and tap. Requests have threads of their own.
    pub async fn run(self, drain: DrainWatch) -> Result<(), ProxyError> {
        let Self {
            config,
            addresses,
            listeners,
            admin,
            tap,
        } = self;
        let failed = |source| ProxyError::DataPlane {
            workload: config.workload.to_string(),
            source,
        };
        let mut control = ControlClient::new(config.control.clone(), config.workload.clone());
        if let Some(identity) = &config.identity {
            control = control.with_token(identity.token.clone());
        }
        let learners = Arc::new(Learners::default());
        let (reports, worker_reports) = Reports::new(ReportsConfig::new(&config));
        let certificates = reports.certificates();
        let (renewed, credentials) = watch::channel(None);
        let certifying = config.identity.clone().map(|identity| {
            tokio::spawn(identity::keep(
                control.clone(),
                identity,
                renewed,
                certificates.clone(),
            ))
        });
        let settings = Settings::follow(&control, Arc::clone(&reports)).await;
        let sharing = tokio::spawn(share_routes(control.clone(), Arc::clone(&learners)));
        let readiness = Readiness::default();
        let asked_to_end = Arc::new(Notify::new());
        let audit = Arc::new(Audit::new(Instant::now(), reports.busy()));
        let admin = AdminConfig {
            admin,
            tap,
            audit: Arc::clone(&audit),
            config: {
                let (config, settings) = (Arc::clone(&config), settings.current.clone());
                Arc::new(move || format!("{config:#?}\n{}", described(&settings)))
            },
            readiness: readiness.clone(),
            log: config.log.clone(),
            shutdown: {
                let asked_to_end = Arc::clone(&asked_to_end);
                Arc::new(move || asked_to_end.notify_one())
            },
        };
        let admin = Admin::start(admin, &reports).map_err(|source| ProxyError::Admin {
            workload: config.workload.to_string(),
            source,
        })?;

        // The data plane stops later than the membership: first nobody new comes, then open requests finish.
        let (stop, stopping) = Drain::new(config.limits.drain_timeout);
        let common = SharedParts {
            discovery: Arc::new(Discovery::new(
                control.clone(),
                Handle::current(),
                &config.limits,
                config.identity.as_ref(),
            )),
            learners,
            tracing: settings.current.clone(),
            // Its rate comes with the settings, and it is full then.
            root_limit: Arc::new(RateLimit::new(f64::INFINITY)),
            own: Arc::new(OwnListeners::new(&config, &addresses)),
            audit,
            credentials: credentials.clone(),
            certificates,
        };
        let starts = starts(&config, &common, listeners, worker_reports, &stopping);
        let threads = Threads::start(starts).map_err(failed)?;
        readiness.set_ready();

        let failure = threads.first_end();
        let leaving = async {
            tokio::select! {
                () = drain.started() => {}
                () = asked_to_end.notified() => {}
                // A thread that ends by itself takes the others with it: half a proxy is none.
                () = failure => {}
            }
        };
        let work = async {
            readiness.add("draining");
            if config.join {
                tokio::select! {
                    () = tokio::time::sleep(config.limits.leave_grace) => {}
                    () = drain.forced() => {}
                }
            }
            stop.start();
            let forcing = async {
                drain.forced().await;
                stop.force();
                std::future::pending().await
            };
            let ended = tokio::select! {
                ended = threads.join() => ended,
                never = forcing => never,
            };
            reports.finish(config.limits.last_scrape_timeout).await;
            ended
        };
        let credentials = config.identity.is_some().then_some(credentials);
        let membership = Membership::new(control, &config, &addresses, credentials);
        let ended = membership.hold(leaving, work).await;
        sharing.abort();
        if let Some(certifying) = certifying {
            certifying.abort();
        }
        settings.task.abort();
        admin.stop().await;
        ended.map_err(failed)
    }
}

/// How long a proxy waits at its start for what control says of telemetry.
const FIRST_SETTINGS_TIMEOUT: Duration = Duration::from_secs(1);

/// The telemetry settings, as control last sent them.
struct Settings {
    current: watch::Receiver<Arc<TelemetrySettings>>,
    task: tokio::task::JoinHandle<()>,
}

impl Settings {
    /// Follows control, and waits for its first word, so that the first requests are treated as all others: their
    /// connections wait meanwhile. When control is not there, the defaults hold until it speaks.
    async fn follow(control: &ControlClient, reports: Arc<Reports>) -> Self {
        let (news, current) = watch::channel(Arc::new(TelemetrySettings::default()));
        let mut settings = control.watch_telemetry();
        let task = tokio::spawn(async move {
            while let Some(settings) = settings.next().await {
                reports.apply(&settings);
                news.send_replace(Arc::new(settings));
            }
        });
        let mut first = current.clone();
        drop(tokio::time::timeout(FIRST_SETTINGS_TIMEOUT, first.changed()).await);
        Self { current, task }
    }
}

/// The settings in force, for people.
fn described(settings: &watch::Receiver<Arc<TelemetrySettings>>) -> String {
    // This receiver never looks at what changed, so that anything that control ever sent is a change.
    let origin = match settings.has_changed() {
        Ok(false) => "defaults: control has not spoken",
        Ok(true) | Err(_) => "by control",
    };
    format!("settings ({origin}): {:#?}\n", **settings.borrow())
}

async fn share_routes(control: ControlClient, learners: Arc<Learners>) {
    let mut others = control.share_routes(learners.learned());
    while let Some(learned) = others.next().await {
        learners.merge(&learned);
    }
}

fn starts(
    config: &Arc<ProxyConfig>,
    common: &SharedParts,
    listeners: Vec<Vec<TcpListener>>,
    reports: Vec<WorkerSlot>,
    drain: &DrainWatch,
) -> Vec<Start> {
    let workers = listeners.into_iter().zip(reports);
    workers
        .map(|(listeners, reports)| Start {
            config: Arc::clone(config),
            common: common.clone(),
            reports,
            listeners,
            drain: drain.clone(),
        })
        .collect()
}
