//! Flags of the commands that run something on this machine.

use super::DEFAULT_API;
use crate::label::{LABEL_FORM, is_label};
use clap::Args;
use clew_api::rest::window::TimeSpan;
use clew_model::service::Protocol;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use clew_runtime::config::{cidr, host_pattern, port};
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Address of the API of a mesh on this machine.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LocalApiArgs {
    /// Where the API of the mesh answers, on this machine; port 0: the system chooses
    #[arg(long = "api", value_name = "URL", env = "CLEW_API", default_value = DEFAULT_API, value_parser = parse_local_api)]
    pub(crate) address: SocketAddr,
}

/// Where a local mesh keeps its numbers and spans, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoreArgs {
    /// File that numbers and spans are kept in (default: `up` has one by the mesh's name in
    /// ~/.local/state/clew; for all others they go when the mesh ends)
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Keep spans and numbers at most this long (default: 24h)
    #[arg(long, value_name = "TIME")]
    pub(crate) keep: Option<TimeSpan>,
    /// Keep at most this many MiB (default: 1024)
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(8..1 << 30))]
    pub(crate) keep_mib: Option<u64>,
}

/// What new traces are kept, from the start.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct SampleArgs {
    /// Share of new traces to keep, 0 to 1
    #[arg(long = "sample", value_name = "RATIO", default_value_t = 1.0, value_parser = parse_ratio)]
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
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = parse_rate)]
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
    #[arg(long, value_name = "URL", env = "CLEW_API", value_parser = parse_local_api)]
    pub(crate) api: Option<SocketAddr>,
}

/// `clew run`
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Name of the workload, and of the service that its ports answer to
    #[arg(long, value_parser = parse_label)]
    pub(crate) name: String,
    /// Port that the process listens on, on 127.0.0.1 unless an address stands before it; `auto`: the
    /// system chooses, and the process reads PORT. PROTOCOL is detect, http1, http2, grpc or opaque; SERVICE is for a port of another service than
    /// --name. May be repeated
    #[arg(long = "port", value_name = "PORT[/PROTOCOL][=SERVICE]", value_parser = parse_port)]
    pub(crate) ports: Vec<PortArg>,
    /// Service that the process calls: it gets a listener of its own in CLEW_<SERVICE>_URL; may be repeated
    #[arg(long = "to", value_name = "SERVICE", value_parser = parse_label)]
    pub(crate) to: Vec<String>,
    /// Namespace of the workload
    #[arg(short = 'n', long, default_value = "default", value_parser = parse_label)]
    pub(crate) namespace: String,
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
    #[arg(long = "route", value_name = "[HOST]/PATH=SERVICE", required = true, value_parser = parse_route)]
    pub(crate) routes: Vec<GatewayRoute>,
    /// Callers whose trace context is trusted, as an address or network; may be repeated
    #[arg(long = "trust", value_name = "NETWORK", value_parser = parse_network)]
    pub(crate) trusted: Vec<IpPrefix>,
    /// Name of the workload
    #[arg(long, default_value = "gateway", value_parser = parse_label)]
    pub(crate) name: String,
    /// Namespace of the workload
    #[arg(short = 'n', long, default_value = "default", value_parser = parse_label)]
    pub(crate) namespace: String,
    #[command(flatten)]
    pub(crate) proxy: ProxyArgs,
    #[command(flatten)]
    pub(crate) api: LocalApiArgs,
}

/// `clew down`
#[derive(Args, Debug)]
pub(crate) struct DownArgs {
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

/// A share, 0 to 1.
fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number of requests per second, greater than 0".to_owned())
}

fn parse_label(text: &str) -> Result<String, String> {
    if is_label(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {LABEL_FORM}"))
    }
}

/// `[http://]HOST:PORT`, where the host is an address of this machine or `localhost`.
fn parse_local_api(text: &str) -> Result<SocketAddr, String> {
    let authority = text.strip_prefix("http://").unwrap_or(text);
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let local = authority
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok());
    let address = local.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    address.or_else(|| authority.parse().ok()).ok_or_else(|| {
        format!("expected http://ADDRESS:PORT with an address of this machine, for example {DEFAULT_API}")
    })
}

fn parse_port(text: &str) -> Result<PortArg, String> {
    let (text, service) = match text.split_once('=') {
        Some((text, service)) => (text, Some(parse_label(service)?)),
        None => (text, None),
    };
    let (port, protocol) = text.split_once('/').unwrap_or((text, "detect"));
    let listens = match port {
        "auto" => None,
        port => Some(parse_listens(port).ok_or_else(|| format!("expected {LISTENS_FORM}"))?),
    };
    let protocol = match protocol {
        "detect" => Protocol::Detect,
        "http1" => Protocol::Http1,
        "http2" => Protocol::Http2,
        "grpc" => Protocol::Grpc,
        "opaque" => Protocol::Opaque,
        _ => return Err("expected a protocol: detect, http1, http2, grpc or opaque".to_owned()),
    };
    Ok(PortArg {
        listens,
        protocol,
        service,
    })
}

/// What the port of an application has to look like; completes "expected ...".
pub(crate) const LISTENS_FORM: &str = "a port number from 1 to 65535, ADDRESS:PORT, or auto";

/// Where an application listens: a port, on 127.0.0.1 unless an address stands before it.
pub(crate) fn parse_listens(text: &str) -> Option<SocketAddr> {
    let with_address = text
        .parse()
        .ok()
        .filter(|address: &SocketAddr| address.port() > 0);
    with_address.or_else(|| {
        let port = port().read_text("", text).ok()?;
        Some((Ipv4Addr::LOCALHOST, port).into())
    })
}

fn parse_route(text: &str) -> Result<GatewayRoute, String> {
    let wrong = || "expected [HOST]/PATH=SERVICE, for example books.example/api=webapp".to_owned();
    let (from, service) = text.rsplit_once('=').ok_or_else(wrong)?;
    let service = parse_label(service)?;
    let slash = from.find('/').ok_or_else(wrong)?;
    let (host, path) = from.split_at(slash);
    let host = match host {
        "" | "*" => None,
        host => Some(
            host_pattern()
                .read_text("", host)
                .map_err(|_| wrong())?
                .into(),
        ),
    };
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#')) {
        return Err(wrong());
    }
    Ok(GatewayRoute {
        host,
        path_prefix: path.into(),
        service: service.as_str().into(),
    })
}

fn parse_network(text: &str) -> Result<IpPrefix, String> {
    let network = cidr().read_text("", text);
    network
        .map(|(address, bits)| IpPrefix { address, bits })
        .map_err(|_| "expected an address or network such as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{PortArg, parse_local_api, parse_port, parse_route};
    use clew_model::service::Protocol;

    #[test]
    fn a_port_has_a_protocol_and_a_service_behind_it() {
        let port = |port: Option<&str>, protocol, service: Option<&str>| {
            Ok(PortArg {
                listens: port.map(|address| address.parse().unwrap()),
                protocol,
                service: service.map(ToOwned::to_owned),
            })
        };
        assert_eq!(
            parse_port("7002"),
            port(Some("127.0.0.1:7002"), Protocol::Detect, None)
        );
        assert_eq!(parse_port("auto/grpc"), port(None, Protocol::Grpc, None));
        assert_eq!(
            parse_port("1/opaque=db"),
            port(Some("127.0.0.1:1"), Protocol::Opaque, Some("db"))
        );
        assert_eq!(
            parse_port("1=db"),
            port(Some("127.0.0.1:1"), Protocol::Detect, Some("db"))
        );
        assert_eq!(
            parse_port("[::1]:7002/http1"),
            port(Some("[::1]:7002"), Protocol::Http1, None)
        );
        for wrong in [
            "",
            "0",
            "+1",
            "127.0.0.1:0",
            "70000",
            "seven",
            "1/http3",
            "1=",
            "1/http1=D b",
            "-1",
        ] {
            parse_port(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_api_of_a_local_mesh_is_an_address_of_this_machine() {
        for right in [
            "http://127.0.0.1:8084",
            "http://localhost:8084/",
            "127.0.0.1:8084",
        ] {
            assert_eq!(
                parse_local_api(right).unwrap().to_string(),
                "127.0.0.1:8084"
            );
        }
        assert_eq!(
            parse_local_api("http://[::1]:0").unwrap().to_string(),
            "[::1]:0"
        );
        for wrong in [
            "",
            "http://books:8084",
            "https://127.0.0.1:1",
            "127.0.0.1",
            "http://127.0.0.1:1/a",
        ] {
            parse_local_api(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_route_of_the_gateway_is_host_path_and_service() {
        let all = parse_route("/=webapp").unwrap();
        assert_eq!(
            (all.host, &*all.path_prefix, all.service.as_str()),
            (None, "/", "webapp")
        );
        let one = parse_route("*.Books.example/api=books").unwrap();
        assert_eq!(
            (one.host.as_deref(), &*one.path_prefix),
            (Some("*.books.example"), "/api")
        );
        for wrong in ["webapp", "/", "a=b", "b ad/=a", "/a?b=c", "/=", "/a b=c"] {
            parse_route(wrong).unwrap_err();
        }
    }
}
