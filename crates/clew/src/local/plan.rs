//! What is to run on this machine: valid by construction, whoever made it (`mesh.yaml`, flags).

pub(crate) mod access;

use access::{DefaultAccess, ServiceAccess};
use clew_model::name::ServiceName;
use clew_model::policy::RouteRule;
use clew_model::service::Protocol;
use clew_model::telemetry::TelemetrySettings;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use clew_runtime::config::Located;
use clew_store::Retention;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A whole application and its mesh.
#[derive(Clone, Debug)]
pub(crate) struct MeshPlan {
    /// Name of the mesh; names its store.
    pub(crate) name: String,
    /// Namespace of every workload.
    pub(crate) namespace: String,
    /// Where the API is to answer, when the plan says.
    pub(crate) api: Option<SocketAddr>,
    /// What proxies report.
    pub(crate) telemetry: TelemetrySettings,
    /// Who may call a service that does not say it itself.
    pub(crate) access: DefaultAccess,
    /// How much is kept of spans and numbers.
    pub(crate) retention: Retention,
    /// The way in from outside, if there is one.
    pub(crate) gateway: Option<GatewayPlan>,
    /// The services, in the order in which they were written.
    pub(crate) services: Vec<ServicePlan>,
}

/// The gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayPlan {
    /// Where it listens; port 0: the system chooses.
    pub(crate) listen: SocketAddr,
    /// Where requests go.
    pub(crate) routes: Vec<GatewayRoute>,
    /// Whose trace context is trusted.
    pub(crate) trusted: Vec<IpPrefix>,
}

/// A service, its instances and their sidecars.
#[derive(Clone, Debug)]
pub(crate) struct ServicePlan {
    /// Its name, and its workload's.
    pub(crate) name: ServiceName,
    /// Where its application listens; `None` when it only calls others.
    pub(crate) port: Option<PortChoice>,
    /// What its port speaks.
    pub(crate) protocol: Protocol,
    /// What to start; `None` when someone else starts it.
    pub(crate) program: Option<Program>,
    /// Number of instances, 1 or more; more than 1 only with [`PortChoice::System`].
    pub(crate) replicas: u16,
    /// Services that get a listener each, for its calls to them.
    pub(crate) to: Vec<ServiceName>,
    /// Who may call it; `None`: whoever the mesh says.
    pub(crate) access: Option<ServiceAccess>,
    /// Configured routes.
    pub(crate) routes: Vec<RouteRule>,
    /// The file that describes them, while it is not read yet.
    pub(crate) described_by: Option<Located<PathBuf>>,
}

impl ServicePlan {
    /// The name that an instance's output has: the service's, and its number where there are several.
    pub(crate) fn instance_name(&self, number: Option<u16>) -> String {
        match number {
            Some(number) => format!("{}-{number}", self.name),
            None => self.name.to_string(),
        }
    }
}

/// A port of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortChoice {
    /// This one.
    Fixed(SocketAddr),
    /// The system chooses, and the application is told by `PORT`.
    System,
}

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The program and its arguments; never empty. A program named `clew` is this very one.
    pub(crate) words: Vec<String>,
    /// Its working directory, when it is not ours.
    pub(crate) dir: Option<PathBuf>,
    /// Set over what it inherits and what Clew sets.
    pub(crate) env: Vec<(String, String)>,
    /// Whether it is started again when it has ended.
    pub(crate) restart: Restart,
}

/// Whether a program is started again that has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// No.
    Never,
    /// When it failed.
    OnFailure,
    /// However it ended.
    Always,
}
