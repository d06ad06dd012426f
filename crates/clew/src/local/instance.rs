//! One instance of a service in this process's care: its sidecar, and its program where we start it.

use super::environment::{self, ApplicationPort};
use super::plan::{Program, Restart, ServicePlan};
use super::ports::OwnPort;
use super::prefix::{Stream, Voice};
use super::process::{ProcessGroup, SpawnError, describe};
use super::record::Record;
use super::restart::{Backoff, is_due};
use super::sidecar::{RunningProxy, Sidecar, SidecarPlan, Surroundings};
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_proxy::proxy::ProxyError;
use clew_runtime::drain::{Drain, DrainWatch};
use futures_util::future::join_all;
use serde::Serialize;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long a program may take to end when it is asked to, before it is killed.
const END_GRACE: Duration = Duration::from_secs(10);
/// How long the last words of a program that has ended may take. Its pipes end with it, unless something
/// that it started has left its group and holds them.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// SIGKILL.
const KILL: i32 = rustix::process::Signal::KILL.as_raw();

/// An instance could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    /// The system gives no port.
    #[error("the system gives no port for {name}")]
    Port {
        /// The instance.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The sidecar cannot be bound.
    #[error(transparent)]
    Sidecar(#[from] ProxyError),
    /// The program cannot be started.
    #[error("cannot start {name}")]
    Program {
        /// The instance.
        name: String,
        /// Why.
        #[source]
        source: SpawnError,
    },
}

/// Where an instance is, for those who run tests against it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    /// The name that its output has: the service's, and a number where there are several.
    pub(crate) name: String,
    /// Unique in the mesh.
    pub(crate) instance: String,
    /// Where the application listens.
    pub(crate) application: Option<SocketAddr>,
    /// Where its sidecar takes requests to it.
    pub(crate) inbound: Option<SocketAddr>,
    /// Where its sidecar takes requests from it.
    pub(crate) http_proxy: SocketAddr,
}

/// What an instance is made of, in each of its lives: a program that is started again has a new sidecar, because
/// one that has left the mesh does not come back.
#[derive(Clone, Debug)]
struct Blueprint {
    name: String,
    service: ServicePlan,
    workload: Workload,
    mesh: Surroundings,
    otlp_http: Option<SocketAddr>,
    zipkin: Option<SocketAddr>,
}

/// A sidecar and what its program is told of it.
#[derive(Debug)]
struct Bound {
    addresses: Addresses,
    sidecar: Sidecar,
    variables: Vec<environment::Variable>,
}

impl Blueprint {
    fn bind(&self, port: Option<&OwnPort>) -> Result<Bound, ProxyError> {
        let service = &self.service;
        let application = port.map(|port| port.address);
        let ports = application.map(|address| (address, service.name.clone(), service.protocol));
        let sidecar = Sidecar::bind(
            SidecarPlan {
                workload: self.workload.clone(),
                ports: ports.into_iter().collect(),
                to: service.to.clone(),
            },
            &self.mesh,
        )?;
        let surroundings = environment::Surroundings {
            workload: self.workload.clone(),
            instance: sidecar.instance.clone(),
            http_proxy: sidecar.http_proxy,
            dependencies: sidecar.dependencies.clone(),
            port: port.map(|port| ApplicationPort {
                number: port.address.port(),
                is_news: port.is_news,
            }),
            otlp_http: self.otlp_http,
            zipkin: self.zipkin,
            is_one_of_many: true,
        };
        let addresses = Addresses {
            name: self.name.clone(),
            instance: sidecar.instance.to_string(),
            application,
            inbound: sidecar.inbound.first().copied(),
            http_proxy: sidecar.http_proxy,
        };
        let variables = environment::variables(&surroundings, |name| std::env::var(name).ok());
        Ok(Bound {
            addresses,
            sidecar,
            variables,
        })
    }
}

/// An instance whose sidecar is bound, and whose program is not started.
#[derive(Debug)]
pub(crate) struct PreparedInstance {
    blueprint: Blueprint,
    port: Option<OwnPort>,
    bound: Bound,
}

impl PreparedInstance {
    /// Takes its ports. `number` is there when the service has several instances.
    pub(crate) fn prepare(
        service: &ServicePlan,
        number: Option<u16>,
        namespace: &str,
        roles: &Record,
        mesh: &Surroundings,
    ) -> Result<Self, InstanceError> {
        let name = service.instance_name(number);
        let port = service.port.map(OwnPort::take).transpose();
        let port = port.map_err(|source| InstanceError::Port {
            name: name.clone(),
            source,
        })?;
        let blueprint = Blueprint {
            name,
            service: service.clone(),
            workload: Workload::new(service.name.as_str(), namespace),
            mesh: mesh.clone(),
            otlp_http: roles.otlp_http,
            zipkin: roles.zipkin,
        };
        let bound = blueprint.bind(port.as_ref())?;
        Ok(Self {
            blueprint,
            port,
            bound,
        })
    }

    /// Its service.
    pub(crate) fn service(&self) -> &ServiceName {
        &self.blueprint.service.name
    }

    /// The name that its output has.
    pub(crate) fn name(&self) -> &str {
        &self.blueprint.name
    }

    /// Joins the mesh, and starts the program if there is one. Its end is told to `ends`.
    pub(crate) fn start(
        self,
        voice: Voice,
        ends: mpsc::Sender<Ended>,
    ) -> Result<Instance, InstanceError> {
        let Bound {
            addresses,
            sidecar,
            variables,
        } = self.bound;
        let program = self.blueprint.service.program.as_ref();
        let started = program.map(|program| start_program(program, &variables));
        let started = started
            .transpose()
            .map_err(|source| InstanceError::Program {
                name: addresses.name.clone(),
                source,
            })?;
        let mut instance = Instance {
            addresses,
            environment: variables,
            sidecar: sidecar.start(),
            former: Vec::new(),
            is_leaving: false,
            due: None,
            backoff: Backoff::default(),
            end: Drain::new(END_GRACE).0,
            supervision: None,
            blueprint: self.blueprint,
            port: self.port,
            voice,
            ends,
        };
        if let Some(group) = started {
            instance.supervise(group);
        }
        Ok(instance)
    }
}

/// How a program ended that nobody had asked to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The instance's name.
    pub(crate) name: String,
    /// Its name in the mesh, which no other life of its program has.
    pub(crate) instance: String,
    /// It ended well.
    pub(crate) is_success: bool,
    /// It is started again, after this wait.
    pub(crate) again: Option<Backoff>,
}

/// An instance that is in the mesh.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Where it is.
    pub(crate) addresses: Addresses,
    /// What its program was given, for those who start it themselves.
    pub(crate) environment: Vec<environment::Variable>,
    sidecar: RunningProxy,
    /// Sidecars of former lives, as far as they still finish what was open.
    former: Vec<RunningProxy>,
    is_leaving: bool,
    /// When its program is started again, while it waits for that.
    due: Option<Instant>,
    backoff: Backoff,
    /// The end of its program.
    end: Drain,
    /// `None` when there is no program of ours, or none any more.
    supervision: Option<JoinHandle<()>>,
    blueprint: Blueprint,
    port: Option<OwnPort>,
    voice: Voice,
    ends: mpsc::Sender<Ended>,
}

impl Instance {
    /// Its name in the mesh.
    pub(crate) fn id(&self) -> InstanceId {
        InstanceId::new(self.addresses.instance.as_str())
    }

    /// We have started its program.
    pub(crate) fn is_ours(&self) -> bool {
        self.supervision.is_some()
    }

    /// Takes it out of the mesh; what is open may finish.
    pub(crate) fn leave(&mut self) {
        self.is_leaving = true;
        self.sidecar.leave();
    }

    /// Takes it out of the mesh because its program has ended, and notes when that is started again.
    pub(crate) fn rest(&mut self, again: Option<Backoff>) {
        self.leave();
        self.backoff = again.unwrap_or_default();
        self.due = again.map(|backoff| Instant::now() + backoff.wait);
    }

    /// When its program is started again, while it waits for that.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Starts its program again, with a sidecar that joins the mesh anew. What fails is told to the user, and
    /// tried again later.
    pub(crate) async fn start_again(&mut self) {
        self.due = None;
        let Err(error) = self.begin_new_life() else {
            return;
        };
        self.backoff = self.backoff.after(Duration::ZERO);
        self.due = Some(Instant::now() + self.backoff.wait);
        let error = anyhow::Error::new(error);
        let wait = self.backoff.wait.as_secs();
        let text = format!("{error:#}; tried again in {wait} s");
        self.voice.say(Stream::Error, &text).await;
    }

    fn begin_new_life(&mut self) -> Result<(), InstanceError> {
        let Some(program) = &self.blueprint.service.program else {
            return Ok(());
        };
        let bound = self.blueprint.bind(self.port.as_ref())?;
        let started = start_program(program, &bound.variables);
        let group = started.map_err(|source| InstanceError::Program {
            name: self.blueprint.name.clone(),
            source,
        })?;
        self.addresses = bound.addresses;
        self.environment = bound.variables;
        let former = std::mem::replace(&mut self.sidecar, bound.sidecar.start());
        self.former.push(former);
        self.former.retain(|sidecar| !sidecar.has_ended());
        self.is_leaving = false;
        self.supervise(group);
        Ok(())
    }

    fn supervise(&mut self, group: ProcessGroup) {
        let (end, drain) = Drain::new(END_GRACE);
        let program = self.blueprint.service.program.as_ref();
        let restart = program.map_or(Restart::Never, |program| program.restart);
        self.end = end;
        self.supervision = Some(tokio::spawn(supervise(
            group,
            Supervision {
                name: self.blueprint.name.clone(),
                instance: self.addresses.instance.clone(),
                restart,
                backoff: self.backoff,
                voice: self.voice.clone(),
                drain,
                ends: self.ends.clone(),
            },
        )));
    }

    /// It is one of this service.
    pub(crate) fn is_of(&self, service: &ServiceName) -> bool {
        self.blueprint.service.name == *service
    }

    /// Its program runs, or will again.
    pub(crate) fn goes_on(&self) -> bool {
        self.is_ours() && (!self.is_leaving || self.due.is_some())
    }

    /// It was taken out of the mesh.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Ends its program, if it runs. The sidecar goes on: the program may have requests to finish. Safe to
    /// cancel.
    pub(crate) async fn end_program(&mut self) {
        self.end.start();
        if let Some(supervision) = &mut self.supervision {
            // A panic was written to standard error already.
            let _ = supervision.await;
            self.supervision = None;
        }
    }

    /// Kills its program now, and has its sidecar end what is open.
    pub(crate) async fn kill(&mut self) {
        self.end.force();
        self.former.iter().for_each(RunningProxy::force);
        self.sidecar.force();
        self.end_program().await;
    }

    /// Resolves when its sidecar has ended by itself. Safe to cancel.
    pub(crate) async fn sidecar_failed(&mut self) {
        self.sidecar.failed().await;
    }

    /// Takes it out of the mesh and waits until that is done. Safe to cancel.
    pub(crate) async fn end_sidecar(&mut self) {
        self.leave();
        let sidecars = self.former.iter_mut().chain([&mut self.sidecar]);
        join_all(sidecars.map(RunningProxy::ended)).await;
    }
}

fn start_program(
    program: &Program,
    variables: &[environment::Variable],
) -> Result<ProcessGroup, SpawnError> {
    let Some((name, arguments)) = program.words.split_first() else {
        return Err(SpawnError::new("", io::ErrorKind::NotFound.into()));
    };
    let failed = |source| SpawnError::new(name, source);
    let mut command = match name.as_str() {
        "clew" => Command::new(std::env::current_exe().map_err(failed)?),
        name => Command::new(name),
    };
    let env = program.env.iter();
    let env = env.map(|(name, value)| (name, environment::chosen(name, value, variables)));
    command
        .args(arguments)
        .envs(variables.iter().cloned())
        .envs(env);
    if let Some(dir) = &program.dir {
        command.current_dir(dir);
    }
    ProcessGroup::start(name, command)
}

/// What the care for one life of a program needs.
struct Supervision {
    name: String,
    instance: String,
    restart: Restart,
    /// The wait before this life.
    backoff: Backoff,
    voice: Voice,
    drain: DrainWatch,
    ends: mpsc::Sender<Ended>,
}

/// Shows what the program writes, and ends it when the drain begins. When it ends by itself, that is told.
async fn supervise(mut group: ProcessGroup, its: Supervision) {
    let begin = Instant::now();
    let (output, error) = group.take_output();
    let mut copying = tokio::spawn(copy_output(its.voice.clone(), output, error));
    let (status, was_asked) = tokio::select! {
        status = group.ended() => (status, false),
        () = its.drain.started() => (group.end(&its.drain).await, true),
    };
    let is_success = status.as_ref().is_ok_and(ExitStatus::success);
    let is_again = !was_asked && is_due(its.restart, is_success);
    let again = is_again.then(|| its.backoff.after(begin.elapsed()));
    if !was_asked {
        let (name, instance) = (its.name, its.instance);
        // There is a place for each instance; without a receiver all is ending anyway.
        let _ = its.ends.try_send(Ended {
            name,
            instance,
            is_success,
            again,
        });
    }
    let is_held = tokio::time::timeout(LAST_WORDS, &mut copying)
        .await
        .is_err();
    copying.abort();
    let how = match status {
        Ok(status) if !was_asked => Some(describe(status)),
        Ok(status) if status.signal() == Some(KILL) => {
            Some("had not ended, and was killed".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(format!("cannot be waited for: {error}")),
    };
    let how = how.map(|how| match again {
        Some(Backoff { wait }) => format!("{how}; starts again in {} s", wait.as_secs()),
        None => how,
    });
    let held =
        "its output is held open by something that it started and that goes on; not shown any more";
    let lines = how.as_deref().into_iter().chain(is_held.then_some(held));
    let saying = async {
        for line in lines {
            its.voice.say(Stream::Error, line).await;
        }
    };
    // Nobody may be reading.
    let _ = tokio::time::timeout(LAST_WORDS, saying).await;
}

async fn copy_output(voice: Voice, output: Option<ChildStdout>, error: Option<ChildStderr>) {
    let output = async {
        if let Some(output) = output {
            voice.copy(Stream::Output, output).await;
        }
    };
    let error = async {
        if let Some(error) = error {
            voice.copy(Stream::Error, error).await;
        }
    };
    tokio::join!(output, error);
}
