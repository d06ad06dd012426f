//! Flags of the commands that run something on this machine.

use super::ApiArgs;
use clap::Args;
use clew_api::rest::window::TimeSpan;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a local mesh keeps its numbers and spans, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// File that numbers and spans are kept in; without it they go when the mesh ends
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Keep spans and numbers at most this long
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) keep: TimeSpan,
    /// Keep at most this many MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(8..))]
    pub(crate) keep_mib: u64,
}

/// What new traces are kept, from the start.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SampleArgs {
    /// Share of new traces to keep, 0 to 1
    #[arg(long = "sample", value_name = "RATIO", default_value_t = 1.0, value_parser = parse_ratio)]
    pub(crate) ratio: f64,
}

/// A share, 0 to 1.
fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio: f64 = text
        .parse()
        .map_err(|_| "expected a number from 0 to 1".to_owned())?;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err("expected a number from 0 to 1".to_owned())
    }
}

/// `clew demo`
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) sample: SampleArgs,
    /// Make this service forget to copy the trace context; may be repeated
    #[arg(long, value_name = "SERVICE")]
    pub(crate) drop_context: Vec<String>,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<TimeSpan>,
    /// Requests a second of the traffic generator
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    pub(crate) rps: f64,
    /// Where the gateway listens; port 0: the system chooses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) gateway: SocketAddr,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew up`
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// The application: its processes, their ports and the gateway
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        default_value = "mesh.yaml"
    )]
    pub(crate) file: PathBuf,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<TimeSpan>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew run`
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Name of the workload, and of the service that its first port answers to
    #[arg(long)]
    pub(crate) name: String,
    /// Port that the process listens on: PORT, PORT/PROTOCOL, with =SERVICE behind it for another
    /// service than --name; may be repeated. PROTOCOL: detect, http1, http2, grpc or opaque
    #[arg(long = "port", value_name = "PORT[/PROTOCOL][=SERVICE]")]
    pub(crate) ports: Vec<String>,
    /// Service that the process calls: it gets a listener of its own in CLEW_<SERVICE>_URL; may be repeated
    #[arg(long = "to", value_name = "SERVICE")]
    pub(crate) to: Vec<String>,
    /// Namespace of the workload
    #[arg(short = 'n', long, default_value = "default")]
    pub(crate) namespace: String,
    /// Data-plane threads of the sidecar
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
    /// At the end: how long open requests may go on
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) drain: TimeSpan,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The process
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) process: Vec<std::ffi::OsString>,
}

/// `clew down`
#[derive(Args, Debug)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew roles`
#[derive(Args, Debug)]
pub(crate) struct RolesArgs {
    /// Where control answers proxies (gRPC); port 0: the system chooses
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) control: SocketAddr,
    /// Where spans are taken in over OTLP/gRPC; port 0: the system chooses
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// Where spans are taken in over OTLP/HTTP; port 0: the system chooses
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_http: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) sample: SampleArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}
