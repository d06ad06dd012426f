//! Flags of the commands that run something on this machine.

mod parse;

pub(crate) use parse::{LISTENS_FORM, kept_age, kept_bytes, parse_listens, ratio as parse_ratio};

use crate::address::DEFAULT_API;
use clap::Args;
use clew_api::rest::window::TimeSpan;
use clew_model::service::Protocol;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Address of the API of a mesh on this machine.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LocalApiArgs {
    /// Where the API of the mesh answers, on this machine; port 0: the system chooses
    #[arg(long = "api", value_name = "URL", env = "CLEW_API", default_value_t = DEFAULT_API, value_parser = parse::local_api)]
    pub(crate) address: SocketAddr,
}

/// Where a local mesh keeps its numbers and spans, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// File that numbers and spans are kept in (default: `up`, and the roles that `run` starts, have one in
    /// ~/.local/state/clew, by the address of the API; all others, and where the system chooses the API's
    /// port, keep them until the mesh ends)
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Keep spans and numbers at most this long (default: 24h)
    #[arg(long, value_name = "TIME", value_parser = parse::age)]
    pub(crate) keep: Option<Duration>,
    /// Keep at most this many MiB, 8 or more (default: 1024)
    #[arg(long = "keep-mib", value_name = "MIB", value_parser = parse::mib)]
    pub(crate) keep_bytes: Option<u64>,
}

/// What new traces are kept, from the start.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SampleArgs {
    /// Share of new traces to keep, 0 to 1
    #[arg(long = "sample", value_name = "RATIO", default_value_t = 1.0, value_parser = parse::ratio)]
    pub(crate) ratio: f64,
}

/// `clew demo`
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) sample: SampleArgs,
    /// Make this service (webapp or books) forget to copy the trace context; may be repeated
    #[arg(long, value_name = "SERVICE")]
    pub(crate) drop_context: Vec<String>,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<TimeSpan>,
    /// Requests a second of the traffic generator
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = clew_books::command::parse_rate)]
    pub(crate) rps: f64,
    /// Where the gateway listens; port 0: the system chooses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) gateway: SocketAddr,
    /// Write where everything is to this file, as JSON, when all is ready
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew up`
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// The application: its programs, their ports and the gateway
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        default_value = "mesh.yaml"
    )]
    pub(crate) file: PathBuf,
    /// Start nothing, and print the mesh.yaml that this compose file or Procfile means; comments name what
    /// could not be taken over
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) from: Option<PathBuf>,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<TimeSpan>,
    /// Write where everything is to this file, as JSON, when all is ready
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Where the API of the mesh answers, on this machine; port 0: the system chooses (default: what the
    /// file says, else http://127.0.0.1:8084)
    #[arg(long, value_name = "URL", env = "CLEW_API", value_parser = parse::local_api)]
    pub(crate) api: Option<SocketAddr>,
}

/// `clew run`
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Name of the workload, and of the service that its ports answer to (default: by the program, or the
    /// script that it runs: app for `python3 app.py`)
    #[arg(long, value_parser = parse::label)]
    pub(crate) name: Option<String>,
    /// Port that the process listens on, on 127.0.0.1 unless an address stands before it; `auto`: the
    /// system chooses, and the process reads PORT. PROTOCOL is detect, http1, http2, grpc or opaque; SERVICE is for a port of another service than
    /// --name. May be repeated
    #[arg(long = "port", value_name = "PORT[/PROTOCOL][=SERVICE]", value_parser = parse::port_arg)]
    pub(crate) ports: Vec<PortArg>,
    /// Service that the process calls: it gets a listener of its own in CLEW_SERVICE_URL, by its name; may be repeated
    #[arg(long = "to", value_name = "SERVICE", value_parser = parse::label)]
    pub(crate) to: Vec<String>,
    /// Namespace of the workload
    #[arg(short = 'n', long, default_value = "default", value_parser = parse::label)]
    pub(crate) namespace: String,
    /// Keep what the process writes for `clew logs`; it then writes to pipes, also where there is a terminal
    #[arg(long)]
    pub(crate) log: bool,
    #[command(flatten)]
    pub(crate) proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
    /// The process
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) process: Vec<OsString>,
}

/// A port of the process of `clew run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortArg {
    /// Where the process listens; `None`: the system chooses.
    pub(crate) listens: Option<SocketAddr>,
    /// What it speaks.
    pub(crate) protocol: Protocol,
    /// The service that it answers to, when it is another than `--name`.
    pub(crate) service: Option<String>,
}

/// Of a single proxy.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ProxyArgs {
    /// Data-plane threads of the proxy
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// At the end: how long open requests may go on
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) drain: TimeSpan,
}

/// `clew gateway`
#[derive(Args, Debug)]
pub(crate) struct GatewayArgs {
    /// Where it listens; port 0: the system chooses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where requests go: a host (or `*`) and a path prefix, and the service; `/=webapp` is all. May be
    /// repeated; the longest path of the most specific host wins
    #[arg(long = "route", value_name = "[HOST]/PATH=SERVICE", required = true, value_parser = parse::route)]
    pub(crate) routes: Vec<GatewayRoute>,
    /// Callers whose trace context is trusted, as an address or network; may be repeated
    #[arg(long = "trust", value_name = "NETWORK", value_parser = parse::network)]
    pub(crate) trusted: Vec<IpPrefix>,
    /// Name of the workload
    #[arg(long, default_value = "gateway", value_parser = parse::label)]
    pub(crate) name: String,
    /// Namespace of the workload
    #[arg(short = 'n', long, default_value = "default", value_parser = parse::label)]
    pub(crate) namespace: String,
    #[command(flatten)]
    pub(crate) proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew reload`
#[derive(Args, Debug)]
pub(crate) struct ReloadArgs {
    /// The application as it is to be (default: the file that `clew up` was started with)
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew logs`
#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// Only this service's
    pub(crate) service: Option<String>,
    /// Go on with what comes, until the mesh ends
    #[arg(short = 'f', long)]
    pub(crate) follow: bool,
    /// Only what was written in this last time: 30s, 5m, 1h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<TimeSpan>,
    /// Only so many of the last lines
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    /// Show when each line was written, UTC
    #[arg(long)]
    pub(crate) times: bool,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew down`
#[derive(Args, Debug)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew token`
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// The workload that it proves to be
    #[arg(value_name = "WORKLOAD", value_parser = parse::label)]
    pub(crate) workload: String,
    /// Its namespace
    #[arg(short = 'n', long, default_value = "default", value_parser = parse::label)]
    pub(crate) namespace: String,
    /// How long it is good
    #[arg(long = "for", value_name = "TIME", default_value = "30d", value_parser = parse::age)]
    pub(crate) life: Duration,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew roles`
#[derive(Args, Debug)]
pub(crate) struct RolesArgs {
    /// Where control answers proxies (gRPC); port 0: the system chooses (default: where the last mesh at
    /// this API address had it, if that is free)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) control: Option<SocketAddr>,
    /// Where spans are taken in over OTLP/gRPC; port 0: the system chooses (default: port 4317 where free)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// Where spans are taken in over OTLP/HTTP; port 0: the system chooses (default: port 4318 where free)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_http: Option<SocketAddr>,
    /// Where Zipkin's spans are taken in, beside OTLP/HTTP's port; port 0: the system chooses (default: port 9411
    /// where free)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) zipkin: Option<SocketAddr>,
    /// End after the mesh was without members for this time; 0s: never
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) idle_exit: TimeSpan,
    /// Leave the terminal: begin a session of its own
    #[arg(long, hide = true)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) sample: SampleArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}
