//! Flags of the commands that read.

use super::ApiArgs;
use clap::{Args, ValueEnum};
use clew_api::rest::window::TimeSpan;
use jiff::Timestamp;

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The columns that matter most
    #[default]
    Table,
    /// All columns
    Wide,
    /// The API's answer
    Json,
}

/// How to print. Shared by the commands that read.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct OutputArgs {
    /// How to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
}

/// How to print one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// The columns that matter most
    #[default]
    Table,
    /// All columns
    Wide,
    /// The API's answer
    Json,
    /// All its spans as OTLP/JSON, which tracing backends take in (`POST /v1/traces`)
    Otlp,
}

/// How to print one trace.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct TraceOutputArgs {
    /// How to print
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: TraceFormat,
}

impl TraceOutputArgs {
    /// As the other commands have it; `None` for OTLP.
    pub(crate) fn shared(self) -> Option<OutputArgs> {
        let format = match self.format {
            TraceFormat::Table => Format::Table,
            TraceFormat::Wide => Format::Wide,
            TraceFormat::Json => Format::Json,
            TraceFormat::Otlp => return None,
        };
        Some(OutputArgs { format })
    }
}

/// What to look at. Shared by the commands that read metrics.
#[derive(Args, Clone, Debug)]
pub(crate) struct WindowArgs {
    /// How far to look back: 30s, 1m, 6h
    #[arg(
        short = 't',
        long = "window",
        default_value = "1m",
        value_name = "WINDOW"
    )]
    pub(crate) window: TimeSpan,
    /// Where the window ends, as in RFC 3339: 2026-01-31T12:00:00Z. Default: now
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) until: Option<Timestamp>,
    /// Only this namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

/// `clew dashboard`
#[derive(Args, Debug)]
pub(crate) struct DashboardArgs {
    /// Open the page of this workload
    pub(crate) workload: Option<String>,
    /// The namespace of the workload
    #[arg(short = 'n', long, value_name = "NAMESPACE", requires = "workload")]
    pub(crate) namespace: Option<String>,
    /// Only print the address, as where there is no display
    #[arg(long)]
    pub(crate) print: bool,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew stat`
#[derive(Args, Debug)]
pub(crate) struct StatArgs {
    /// Only this workload
    pub(crate) workload: Option<String>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew routes`
#[derive(Args, Debug)]
pub(crate) struct RoutesArgs {
    /// The workload whose routes to show
    pub(crate) workload: String,
    /// Only requests of this client workload; `(unmeshed)`: of clients outside the mesh
    #[arg(long, value_name = "CLIENT", conflicts_with = "to")]
    pub(crate) from: Option<String>,
    /// Requests that the workload made to this workload or service, as its own sidecars saw them
    #[arg(long, value_name = "SERVER")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew edges`
#[derive(Args, Debug)]
pub(crate) struct EdgesArgs {
    /// Only edges to or from this workload
    pub(crate) workload: Option<String>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew propagation`
#[derive(Args, Debug)]
pub(crate) struct PropagationArgs {
    /// Only this workload
    pub(crate) workload: Option<String>,
    /// Ends with 1 when a workload's score is below this (0 to 100), and with 2 when there is none
    #[arg(long, value_name = "SCORE", value_parser = parse_score)]
    pub(crate) fail_under: Option<f64>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew calls`
#[derive(Args, Debug)]
pub(crate) struct CallsArgs {
    /// Only requests of this route, as `clew routes` names it
    pub(crate) route: Option<String>,
    /// Only requests to this workload
    #[arg(long)]
    pub(crate) workload: Option<String>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew critical-path`
#[derive(Args, Debug)]
pub(crate) struct CriticalPathArgs {
    /// The route, as `clew routes` names it. Default: the one of the workload whose requests take longest
    #[arg(required_unless_present = "workload")]
    pub(crate) route: Option<String>,
    /// The workload that serves it, where several do
    #[arg(long)]
    pub(crate) workload: Option<String>,
    #[command(flatten)]
    pub(crate) window: WindowArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

fn parse_moment(text: &str) -> Result<Timestamp, String> {
    let wrong = |_| "expected a time as in RFC 3339, for example 2026-01-31T12:00:00Z".to_owned();
    text.parse().map_err(wrong)
}

fn parse_score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok();
    score
        .filter(|score| (0.0..=100.0).contains(score))
        .ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    let tag = text.split_once('=').filter(|(name, _)| !name.is_empty());
    tag.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// Side of a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// Requests to the application
    Inbound,
    /// Requests from the application
    Outbound,
}

/// `clew tap`
#[derive(Args, Debug)]
pub(crate) struct TapArgs {
    /// Only this workload's proxies
    pub(crate) workload: Option<String>,
    /// Only this namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// Only this side of the proxies
    #[arg(long, value_enum)]
    pub(crate) direction: Option<Side>,
    /// Only this method
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// Only paths that begin with this
    #[arg(long, value_name = "PREFIX")]
    pub(crate) path: Option<String>,
    /// Only this route, as `clew routes` names it
    #[arg(long)]
    pub(crate) route: Option<String>,
    /// Only requests from or to this workload
    #[arg(long, value_name = "WORKLOAD")]
    pub(crate) peer: Option<String>,
    /// Only requests to this authority (host or host:port)
    #[arg(long)]
    pub(crate) authority: Option<String>,
    /// Only requests that failed
    #[arg(long)]
    pub(crate) failures: bool,
    /// At most this many requests a second, of all proxies together
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_rps: u32,
    /// Show headers; their values are redacted unless `clew settings --show-header` names them
    #[arg(long)]
    pub(crate) show_headers: bool,
    /// End after this time
    #[arg(long = "for", value_name = "TIME")]
    pub(crate) for_time: Option<TimeSpan>,
    /// End after this many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew top`
#[derive(Args, Debug)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub(crate) window: TopWindowArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// What `clew top` looks at.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopWindowArgs {
    /// How far each look goes back: 10s, 1m
    #[arg(
        short = 't',
        long = "window",
        default_value = "10s",
        value_name = "WINDOW"
    )]
    pub(crate) window: TimeSpan,
    /// Only this namespace
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

/// `clew traces`
#[derive(Args, Debug)]
pub(crate) struct TracesArgs {
    /// Only traces with a span of this service
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// Only traces with a span of this route
    #[arg(long)]
    pub(crate) route: Option<String>,
    /// Only traces with such a span that took at least this long: 200ms, 2s
    #[arg(long, value_name = "TIME")]
    pub(crate) min_duration: Option<TimeSpan>,
    /// Only traces with such a span that took at most this long: 200ms, 2s
    #[arg(long, value_name = "TIME")]
    pub(crate) max_duration: Option<TimeSpan>,
    /// Only traces with such a span of this HTTP status (503), or class of them (5xx)
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only traces with such a span that has this attribute, itself or by its resource. May be given several times
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// Only traces with such a span that failed
    #[arg(long)]
    pub(crate) errors: bool,
    /// How far to look back: 30s, 1m, 6h
    #[arg(
        short = 't',
        long = "window",
        default_value = "1m",
        value_name = "WINDOW"
    )]
    pub(crate) window: TimeSpan,
    /// Where the window ends, as in RFC 3339: 2026-01-31T12:00:00Z. Default: now
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub(crate) until: Option<Timestamp>,
    /// Only traces that nothing was added to for this long: those that are probably whole
    #[arg(long, value_name = "TIME", default_value = "2s")]
    pub(crate) settled: TimeSpan,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew trace`
#[derive(Args, Debug)]
pub(crate) struct TraceArgs {
    /// Its id, or enough of the beginning of it
    pub(crate) id: String,
    /// Only spans of this instrumentation scope, each below the nearest of them: `clew.proxy` is what the proxies saw
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    #[command(flatten)]
    pub(crate) output: TraceOutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew check`
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew mesh`
#[derive(Args, Debug)]
pub(crate) struct MeshArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew log-level`
#[derive(Args, Debug)]
pub(crate) struct LogLevelArgs {
    /// Only of this workload or instance, or of `control` or `observe`
    pub(crate) name: Option<String>,
    /// Log this from now on, until the process ends: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`), or
    /// levels by module (`warn,clew_proxy=debug`)
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// `clew version`
#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Do it
    On,
    /// Do not
    Off,
}

/// Which hops go to the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessLog {
    /// None
    Off,
    /// Failures
    Errors,
    /// All
    All,
}

/// Trace-context families beside W3C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WriteFormat {
    /// `b3`, one header
    B3,
    /// `x-b3-*` headers
    B3multi,
    /// `uber-trace-id`
    Jaeger,
    /// `x-datadog-*` headers
    Datadog,
    /// `x-amzn-trace-id`
    Xray,
    /// `grpc-trace-bin`
    GrpcTraceBin,
    /// Nothing beside W3C and the one that came in
    None,
}

/// `clew settings`
#[derive(Args, Debug)]
pub(crate) struct SettingsArgs {
    /// Share of new traces to keep, 0 to 1
    #[arg(long, value_name = "RATIO", value_parser = super::local::parse_ratio)]
    pub(crate) sample: Option<f64>,
    /// At most this many new traces a second for each proxy; 0: no limit
    #[arg(long, value_name = "N")]
    pub(crate) max_traces_per_second: Option<f64>,
    /// Mint, forward and emit trace context and spans
    #[arg(long, value_enum)]
    pub(crate) tracing: Option<Switch>,
    /// Compare what applications make of trace context with what they are given (`clew propagation`)
    #[arg(long, value_enum)]
    pub(crate) audit: Option<Switch>,
    /// Trace-context family to write beside W3C and the one that came in; may be repeated
    #[arg(long = "write", value_enum, value_name = "FORMAT")]
    pub(crate) write_formats: Vec<WriteFormat>,
    /// Which requests go to the access log
    #[arg(long, value_enum)]
    pub(crate) access_log: Option<AccessLog>,
    /// Header whose value tap and the access log may show; may be repeated; `none` alone: none
    #[arg(long = "show-header", value_name = "NAME")]
    pub(crate) show_headers: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) api: ApiArgs,
}
