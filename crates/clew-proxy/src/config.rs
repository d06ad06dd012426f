//! What a proxy is told before it starts. A value of these types is valid; parsing and complaining is
//! the caller's (`clew-proxy`'s flags and file, `mesh.yaml` for one-machine mode).

use clew_api::client::TokenSource;
use clew_identity::Clock;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, ServiceName, Workload};
pub use clew_model::policy::IpPrefix;
use clew_model::service::Protocol;
use clew_runtime::logging::LogControl;
use http::Uri;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Everything that one proxy is told.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The workload that it stands beside; for a gateway, the gateway's own name.
    pub workload: Workload,
    /// The instance, unique in the mesh.
    pub instance: InstanceId,
    /// Data-plane threads. Each is one single-threaded runtime with its own listeners and pools.
    pub workers: NonZeroUsize,
    /// Where control answers (gRPC, `http://host:port`).
    pub control: Uri,
    /// Where spans go (OTLP over gRPC, `http://host:port`). Without it no span is kept.
    pub otlp: Option<Uri>,
    /// Ways in.
    pub listeners: Vec<Listener>,
    /// /metrics, /ready, /live, /config, /log-level, /shutdown. Port 0: the system chooses.
    pub admin: SocketAddr,
    /// Tap (gRPC). Port 0: the system chooses.
    pub tap: SocketAddr,
    /// Where the access log goes.
    pub access_log: LogStream,
    /// The log of the process, for whoever may change what is logged; `None`: nobody may.
    pub log: Option<LogControl>,
    /// Bounds.
    pub limits: Limits,
    /// Compare what the application is given of trace context with what it sends (the propagation audit), and count what
    /// its requests call.
    pub audit: bool,
    /// Who the proxy proves to be; `None`: nobody, and it speaks in clear with all.
    pub identity: Option<IdentityConfig>,
    /// Join the registry, with this much of the member's description. On Kubernetes: `false`.
    pub join: bool,
}

/// Who a proxy proves to be, and by what.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// Whose certificate it asks for.
    pub identity: Identity,
    /// Who may call while control has not said it: everyone, or nobody. The first callers wait for its word, within a bound.
    pub open_at_first: bool,
    /// What it shows control for it.
    pub token: TokenSource,
    /// By which certificates are good or not.
    pub clock: Clock,
}

/// One of the process's own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output: the proxy has it to itself.
    Stdout,
    /// Standard error: standard output is somebody else's.
    Stderr,
}

/// Where a bound proxy listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Of each of the configuration's listeners, in its order.
    pub listeners: Vec<SocketAddr>,
    /// Of the admin server.
    pub admin: SocketAddr,
    /// Of the tap server.
    pub tap: SocketAddr,
}

/// One way into the proxy. Port 0 everywhere means that the system chooses.
#[derive(Clone, Debug)]
pub enum Listener {
    /// Requests to one port of the application, which clients' proxies connect to (one-machine mode).
    Inbound {
        /// Where to listen.
        listen: SocketAddr,
        /// Where the application listens.
        application: SocketAddr,
        /// The service that the port answers to.
        service: ServiceName,
        /// What the port speaks.
        protocol: Protocol,
    },
    /// The application's requests, as an HTTP proxy (`HTTP_PROXY`, CONNECT).
    HttpProxy {
        /// Where to listen.
        listen: SocketAddr,
    },
    /// The application's requests to one dependency (`--to SERVICE`).
    Dependency {
        /// Where to listen.
        listen: SocketAddr,
        /// The service.
        service: ServiceName,
    },
    /// Connections to the application that nftables redirected here (port 4143).
    RedirectedInbound {
        /// Where to listen.
        listen: SocketAddr,
        /// Ports of the application, for the registry: each with its service and what it speaks.
        ports: Vec<ApplicationPort>,
    },
    /// Connections of the application that nftables redirected here (port 4140).
    RedirectedOutbound {
        /// Where to listen.
        listen: SocketAddr,
        /// Ports whose bytes are never looked at.
        opaque_ports: Arc<[u16]>,
    },
    /// Requests from outside the mesh, for the gateway role.
    Gateway {
        /// Where to listen.
        listen: SocketAddr,
        /// Where they go: the longest path prefix of the most specific host wins.
        routes: Arc<[GatewayRoute]>,
        /// Peers whose trace context and baggage are trusted (ingresses in front of this gateway).
        trusted: Arc<[IpPrefix]>,
    },
}

impl Listener {
    /// What it is for, as the beginning of a sentence.
    pub fn purpose(&self) -> &'static str {
        match self {
            Self::Inbound { .. } => "the proxy's inbound side",
            Self::HttpProxy { .. } => "the proxy's outbound side (HTTP proxy)",
            Self::Dependency { .. } => "the proxy's listener for a dependency",
            Self::RedirectedInbound { .. } => "the proxy's inbound side (redirected)",
            Self::RedirectedOutbound { .. } => "the proxy's outbound side (redirected)",
            Self::Gateway { .. } => "the gateway",
        }
    }

    /// Where it is to listen.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Inbound { listen, .. }
            | Self::HttpProxy { listen }
            | Self::Dependency { listen, .. }
            | Self::RedirectedInbound { listen, .. }
            | Self::RedirectedOutbound { listen, .. }
            | Self::Gateway { listen, .. } => *listen,
        }
    }

    /// It takes requests of the application, not to it.
    pub fn is_outbound(&self) -> bool {
        matches!(
            self,
            Self::HttpProxy { .. } | Self::Dependency { .. } | Self::RedirectedOutbound { .. }
        )
    }
}

/// One port of the application in redirected mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationPort {
    /// Address that other instances know: this instance's own address and the port.
    pub address: SocketAddr,
    /// The service that the port answers to.
    pub service: ServiceName,
    /// What the port speaks.
    pub protocol: Protocol,
}

/// One route of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRoute {
    /// Host, lower case, without port; `None` is any host; a leading `*.` any labels before the rest.
    pub host: Option<Arc<str>>,
    /// Path prefix in whole segments; `/` is all.
    pub path_prefix: Arc<str>,
    /// Service that gets the request.
    pub service: ServiceName,
}

/// Bounds on time and space.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Protocol detection, where the policy does not say.
    pub detect_timeout: Duration,
    /// A new connection to an endpoint.
    pub connect_timeout: Duration,
    /// Control's first answer about a service.
    pub discovery_timeout: Duration,
    /// The head of an HTTP/1 request, from its first byte.
    pub head_timeout: Duration,
    /// Between two pieces of a request's body, while it is waited for and there is no answer yet. Not for gRPC,
    /// whose streams may be silent for longer.
    pub body_timeout: Duration,
    /// Size of a request's head, in bytes.
    pub max_head_bytes: usize,
    /// How long an idle connection to a server is kept.
    pub idle_timeout: Duration,
    /// How long an idle HTTP/1 connection of a client is kept: much longer, so that it is the client that closes. One
    /// that is closed just when a request is sent on it fails that request.
    pub client_idle_timeout: Duration,
    /// Services that a worker remembers; the least recently used goes first.
    pub max_services: usize,
    /// Series per family and workload before new routes fold into `(other)`.
    pub max_series: usize,
    /// Spans that wait for export, in all; past it they are dropped and counted.
    pub max_queued_spans: usize,
    /// An answer that goes on for longer than this after its head is a stream, whatever it carries: how long it took
    /// says nothing of how fast the server is.
    pub long_stream: Duration,
    /// How often a stream that is open is told of in the access log and to tap. Metrics tell of it all the time.
    pub stream_report_interval: Duration,
    /// At the end: how long new requests are still taken after control has withdrawn the endpoints, so that
    /// those hear of it who were about to ask.
    pub leave_grace: Duration,
    /// After that: how long open requests may go on.
    pub drain_timeout: Duration,
    /// After the drain: how long to wait to be scraped once more, when someone scrapes.
    pub last_scrape_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            detect_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(1),
            discovery_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            max_head_bytes: 64 * 1024,
            idle_timeout: Duration::from_secs(60),
            client_idle_timeout: Duration::from_secs(3_600),
            max_services: 1024,
            max_series: 2_000,
            max_queued_spans: 16 * 1024,
            long_stream: Duration::from_secs(10),
            stream_report_interval: Duration::from_secs(60),
            leave_grace: Duration::from_millis(250),
            drain_timeout: Duration::from_secs(30),
            last_scrape_timeout: Duration::from_secs(2),
        }
    }
}
