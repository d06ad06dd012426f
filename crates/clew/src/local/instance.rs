//! One instance of a service in this process's care: its sidecar, and its program where we start it.

use super::environment::{self, ApplicationPort};
use super::plan::{Program, ServicePlan};
use super::ports::OwnPort;
use super::prefix::{Stream, Voice};
use super::process::{ProcessGroup, SpawnError, describe};
use super::record::Record;
use super::sidecar::{RunningProxy, Sidecar, SidecarPlan, Surroundings};
use clew_model::name::{InstanceId, Workload, WorkloadName};
use clew_proxy::proxy::ProxyError;
use serde::Serialize;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How long a program may take to end when it is asked to, before it is killed.
const END_GRACE: Duration = Duration::from_secs(10);

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

/// An instance whose sidecar is bound, and whose program is not started.
#[derive(Debug)]
pub(crate) struct PreparedInstance {
    addresses: Addresses,
    port: Option<OwnPort>,
    sidecar: Sidecar,
    program: Option<Program>,
    variables: environment::Surroundings,
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
        let application = port.as_ref().map(|port| port.address);
        let ports = application.map(|address| (address, service.name.clone(), service.protocol));
        let sidecar = Sidecar::bind(
            SidecarPlan {
                workload: Workload::new(service.name.as_str(), namespace),
                ports: ports.into_iter().collect(),
                to: service.to.clone(),
            },
            mesh,
        )?;
        let variables = environment::Surroundings {
            workload: WorkloadName::new(service.name.as_str()),
            http_proxy: sidecar.http_proxy,
            dependencies: sidecar.dependencies.clone(),
            port: port.as_ref().map(|port| ApplicationPort {
                number: port.address.port(),
                is_news: port.is_news,
            }),
            otlp_http: roles.otlp_http,
        };
        let addresses = Addresses {
            name,
            instance: sidecar.instance.to_string(),
            application,
            inbound: sidecar.inbound.first().copied(),
            http_proxy: sidecar.http_proxy,
        };
        Ok(Self {
            addresses,
            port,
            sidecar,
            program: service.program.clone(),
            variables,
        })
    }

    /// The name that its output has.
    pub(crate) fn name(&self) -> &str {
        &self.addresses.name
    }

    /// Joins the mesh, and starts the program if there is one. Its end is told to `ends`.
    pub(crate) fn start(
        self,
        voice: Voice,
        ends: mpsc::Sender<Ended>,
    ) -> Result<Instance, InstanceError> {
        let variables = environment::variables(&self.variables, |name| std::env::var(name).ok());
        let started = self
            .program
            .map(|program| start_program(&program, &variables));
        let started = started
            .transpose()
            .map_err(|source| InstanceError::Program {
                name: self.addresses.name.clone(),
                source,
            })?;
        let sidecar = self.sidecar.start();
        let (stop, stopped) = oneshot::channel();
        let name = self.addresses.name.clone();
        let supervision =
            started.map(|group| tokio::spawn(supervise(group, name, voice, stopped, ends)));
        Ok(Instance {
            addresses: self.addresses,
            sidecar,
            is_leaving: false,
            stop: Some(stop),
            supervision,
            environment: variables,
            _port: self.port,
        })
    }
}

/// How a program ended that nobody had asked to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The instance's name.
    pub(crate) name: String,
    /// It ended well.
    pub(crate) is_success: bool,
}

/// An instance that is in the mesh.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Where it is.
    pub(crate) addresses: Addresses,
    /// What its program was given, for those who start it themselves.
    pub(crate) environment: Vec<environment::Variable>,
    sidecar: RunningProxy,
    is_leaving: bool,
    stop: Option<oneshot::Sender<()>>,
    supervision: Option<JoinHandle<()>>,
    _port: Option<OwnPort>,
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

    /// It was taken out of the mesh.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Ends its program, if it runs. The sidecar goes on: the program may have requests to finish.
    pub(crate) async fn end_program(&mut self) {
        drop(self.stop.take());
        if let Some(supervision) = self.supervision.take() {
            // A panic was written to standard error already.
            let _ = supervision.await;
        }
    }

    /// Resolves when its sidecar has ended by itself. Safe to cancel.
    pub(crate) async fn sidecar_failed(&mut self) {
        self.sidecar.failed().await;
    }

    /// Takes it out of the mesh and waits until that is done.
    pub(crate) async fn end_sidecar(&mut self) {
        self.leave();
        self.sidecar.ended().await;
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
    let env = program.env.iter().map(|(name, value)| (name, value));
    command
        .args(arguments)
        .envs(variables.iter().cloned())
        .envs(env);
    if let Some(dir) = &program.dir {
        command.current_dir(dir);
    }
    ProcessGroup::start(name, command)
}

/// Shows what the program writes, and ends it when `stop` is dropped. When it ends by itself, that is
/// told.
async fn supervise(
    mut group: ProcessGroup,
    name: String,
    voice: Voice,
    stop: oneshot::Receiver<()>,
    ends: mpsc::Sender<Ended>,
) {
    let (output, error) = group.take_output();
    let copying = tokio::spawn(copy_output(voice.clone(), output, error));
    let (status, was_asked) = tokio::select! {
        status = group.ended() => (status, false),
        // The sender is dropped, never used.
        _ = stop => (group.end(END_GRACE).await, true),
    };
    if !was_asked {
        let is_success = status.as_ref().is_ok_and(ExitStatus::success);
        // There is a place for each instance; without a receiver all is ending anyway.
        let _ = ends.try_send(Ended { name, is_success });
    }
    // All of the group have ended, and so do their pipes.
    let _ = copying.await;
    let how = match status {
        Ok(status) if !was_asked => describe(status),
        Ok(status) if status.signal() == Some(KILL) => {
            "did not end in time and was killed".to_owned()
        }
        Ok(_) => return,
        Err(error) => format!("cannot be waited for: {error}"),
    };
    voice.say(Stream::Error, &how).await;
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
