//! What control is told before it starts.

use crate::access::AccessTable;
use crate::authority::AuthorityConfig;
use clew_model::name::{Namespace, ServiceName};
use clew_model::policy::RouteRule;
use clew_model::service::Protocol;
use clew_model::telemetry::TelemetrySettings;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything that control is told.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Where to listen; port 0 leaves the choice to the system. All services answer on each address, so
    /// that one is enough on one machine, and a cluster can have the ports that Linkerd's proxies expect.
    pub listen: Vec<SocketAddr>,
    /// Namespace of the declared services.
    pub namespace: Namespace,
    /// Telemetry settings until somebody changes them.
    pub settings: TelemetrySettings,
    /// File in which changed settings are kept. The next control with the same `settings` begins with what is in it; `None`:
    /// it begins with `settings` again.
    pub kept_settings: Option<PathBuf>,
    /// Services that exist whether or not they have members.
    pub services: Vec<DeclaredService>,
    /// Bound on protocol detection, for proxies.
    pub detect_timeout: Duration,
    /// How long after the start nobody who knows better is told what there is: members of before the restart
    /// have yet to come back, and those who are back are not all. Longer than a proxy may take for it, 5 s.
    pub settle: Duration,
    /// Who signs certificates of members, and whom; `None`: members have no identities, and nothing is encrypted.
    pub authority: Option<AuthorityConfig>,
    /// Who may call what, until it is changed.
    pub access: AccessTable,
    /// Bounds.
    pub limits: Limits,
}

impl ControlConfig {
    /// Control at one address, with defaults and without declared services.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen: vec![listen],
            namespace: Namespace::from("default"),
            settings: TelemetrySettings::default(),
            kept_settings: None,
            services: Vec::new(),
            detect_timeout: Duration::from_secs(10),
            settle: Duration::from_secs(7),
            authority: None,
            access: AccessTable::default(),
            limits: Limits::default(),
        }
    }
}

/// A service of `mesh.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredService {
    /// Its name, in the namespace of the configuration.
    pub name: ServiceName,
    /// What it speaks, when that is not for its members to say.
    pub protocol: Option<Protocol>,
    /// Configured routes, in the order in which they are tried.
    pub routes: Arc<[RouteRule]>,
}

/// Bounds on space. What comes past them is refused, and the log says so.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Members at one time.
    pub max_members: usize,
    /// Ports of one member.
    pub max_ports: usize,
    /// Open streams, of all kinds and members, beside those that are memberships.
    pub max_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_members: 4_096,
            max_ports: 64,
            max_streams: 65_536,
        }
    }
}
