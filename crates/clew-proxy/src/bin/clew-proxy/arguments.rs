//! Flags of `clew-proxy`. Each can also be given by the environment variable that its help names.

use clap::{Args, Parser, Subcommand};
use clew_api::client::TokenSource;
use clew_identity::Clock;
use clew_model::identity::{Identity, IdentityError};
use clew_model::name::{InstanceId, ServiceName, Workload};
use clew_model::service::Protocol;
use clew_proxy::config::{
    ApplicationPort, GatewayRoute, IdentityConfig, IpPrefix, Limits, Listener, LogStream,
    ProxyConfig,
};
use clew_runtime::logging::LogControl;
use http::Uri;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Clew's proxy: the sidecar beside a service, or the gateway at the edge.
#[derive(Debug, Parser)]
#[command(version = clew_runtime::buildinfo::VERSION, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the proxy.
    Run(Box<Run>),
    /// Redirect the connections of this network namespace into the proxy, with nftables.
    Redirect(Redirect),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Workload that the proxy stands beside.
    #[arg(long, env = "CLEW_WORKLOAD")]
    workload: String,
    /// Namespace of the workload.
    #[arg(long, env = "CLEW_NAMESPACE", default_value = "default")]
    namespace: String,
    /// Name of the instance, unique in the mesh. Default: the workload and the process id.
    #[arg(long, env = "CLEW_INSTANCE")]
    instance: Option<String>,
    /// Data-plane threads.
    #[arg(long, env = "CLEW_WORKERS", default_value = "1")]
    workers: NonZeroUsize,
    /// Where control answers (gRPC).
    #[arg(long, env = "CLEW_CONTROL", default_value = "http://127.0.0.1:8086")]
    control: Uri,
    /// Where spans go (OTLP over gRPC). Without it no span is kept.
    #[arg(long, env = "CLEW_OTLP")]
    otlp: Option<Uri>,
    /// Address of /metrics, /ready, /live, /config and /shutdown.
    #[arg(long, env = "CLEW_ADMIN", default_value = "127.0.0.1:4191")]
    admin: SocketAddr,
    /// Address of the tap server.
    #[arg(long, env = "CLEW_TAP", default_value = "127.0.0.1:4190")]
    tap: SocketAddr,
    /// File with the token that proves who the workload is. It is read again for each certificate. Without it the proxy
    /// has no identity, and speaks in clear.
    #[arg(long, env = "CLEW_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Nobody may call before control has said who may, nor a port of the application that is not declared. Without it
    /// everyone may.
    #[arg(long, env = "CLEW_CLOSED_AT_FIRST")]
    closed_at_first: bool,
    /// Domain of the mesh's identities.
    #[arg(long, env = "CLEW_TRUST_DOMAIN", default_value = "cluster.local")]
    trust_domain: String,
    /// Do not join the registry: someone else tells control of this instance.
    #[arg(long, env = "CLEW_NO_JOIN")]
    no_join: bool,
    /// No propagation audit: what requests show of trace context, and what they call, is not counted.
    #[arg(long, env = "CLEW_NO_AUDIT")]
    no_audit: bool,
    /// Requests to the application: LISTEN=APPLICATION,SERVICE[,PROTOCOL]. May be given several times.
    #[arg(long, value_name = "LISTEN=APP,SERVICE[,PROTOCOL]", value_parser = inbound)]
    inbound: Vec<Listener>,
    /// The application's requests, as an HTTP proxy.
    #[arg(long, env = "CLEW_HTTP_PROXY", value_name = "LISTEN")]
    http_proxy: Option<SocketAddr>,
    /// The application's requests to one service: SERVICE=LISTEN. May be given several times.
    #[arg(long, value_name = "SERVICE=LISTEN", value_parser = dependency)]
    to: Vec<Listener>,
    /// Redirected connections to the application.
    #[arg(long, env = "CLEW_REDIRECTED_INBOUND", value_name = "LISTEN")]
    redirected_inbound: Option<SocketAddr>,
    /// Redirected connections of the application.
    #[arg(long, env = "CLEW_REDIRECTED_OUTBOUND", value_name = "LISTEN")]
    redirected_outbound: Option<SocketAddr>,
    /// Port of the application in redirected mode, by the address that others know:
    /// ADDRESS,SERVICE[,PROTOCOL]. May be given several times.
    #[arg(long, value_name = "ADDRESS,SERVICE[,PROTOCOL]", value_parser = application_port)]
    port: Vec<ApplicationPort>,
    /// Outbound ports whose bytes are never looked at.
    #[arg(long, env = "CLEW_OPAQUE_PORTS", value_delimiter = ',')]
    opaque_ports: Vec<u16>,
    /// Requests from outside the mesh.
    #[arg(long, env = "CLEW_GATEWAY", value_name = "LISTEN")]
    gateway: Option<SocketAddr>,
    /// Route of the gateway: [HOST]/PATH=SERVICE. May be given several times.
    #[arg(long, value_name = "[HOST]/PATH=SERVICE", value_parser = gateway_route, requires = "gateway")]
    route: Vec<GatewayRoute>,
    /// Network whose trace context the gateway believes, as CIDR. May be given several times.
    #[arg(long, value_name = "CIDR", value_parser = network, requires = "gateway")]
    trusted: Vec<IpPrefix>,
    /// How long open requests may go on at the end, in seconds.
    #[arg(
        long,
        env = "CLEW_DRAIN_TIMEOUT",
        value_name = "SECONDS",
        default_value = "30"
    )]
    drain_timeout: u64,
    /// What to log: error, warn, info, debug, or a filter such as `clew_proxy=debug`.
    #[arg(long, env = "CLEW_LOG", default_value = "info")]
    pub(crate) log: String,
}

#[derive(Debug, Args)]
pub(crate) struct Redirect {
    /// Port of the proxy for connections to the application.
    #[arg(long, default_value = "4143")]
    pub(crate) inbound: u16,
    /// Port of the proxy for connections of the application.
    #[arg(long, default_value = "4140")]
    pub(crate) outbound: u16,
    /// User that the proxy runs as: its own connections are let through.
    #[arg(long, default_value = "2102")]
    pub(crate) proxy_uid: u32,
    /// Ports to which connections from outside are let through. The proxy's admin and tap ports are, in
    /// any case.
    #[arg(long, value_delimiter = ',')]
    pub(crate) skip_inbound: Vec<u16>,
    /// Ports to which connections of the application are let through.
    #[arg(long, value_delimiter = ',')]
    pub(crate) skip_outbound: Vec<u16>,
    /// Print the rules and change nothing.
    #[arg(long)]
    pub(crate) print: bool,
}

impl Run {
    /// What is wrong with the flags together, and with what only a proxy knows: all of it.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let uris = [
            ("--control", Some(&self.control)),
            ("--otlp", self.otlp.as_ref()),
        ];
        for (flag, uri) in uris {
            if let Some(uri) = uri.filter(|uri| !is_plain_http(uri)) {
                mistakes.push(format!("{flag}: given {uri}, expected http://HOST:PORT"));
            }
        }
        if self.token_file.is_some()
            && let Err(error) = self.identity()
        {
            mistakes.push(format!("--workload, --namespace, --trust-domain: {error}"));
        }
        let takes_nothing = self.inbound.is_empty()
            && self.to.is_empty()
            && [
                self.http_proxy,
                self.redirected_inbound,
                self.redirected_outbound,
                self.gateway,
            ]
            .iter()
            .all(Option::is_none);
        if takes_nothing {
            mistakes.push(
                "nothing to listen on: expected --inbound, --http-proxy, --to, --redirected-inbound, \
                 --redirected-outbound or --gateway"
                    .to_owned(),
            );
        }
        if !self.port.is_empty() && self.redirected_inbound.is_none() {
            mistakes.push("--port: expected beside --redirected-inbound".to_owned());
        }
        if self.gateway.is_some() && self.route.is_empty() {
            mistakes.push("--gateway: expected with at least one --route".to_owned());
        }
        mistakes
    }

    /// The proxy's configuration.
    pub(crate) fn into_config(self, log: LogControl) -> ProxyConfig {
        let identity = self.token_file.as_ref().and_then(|file| {
            let file = file.clone();
            Some(IdentityConfig {
                // What is wrong with it is one of the mistakes.
                identity: self.identity().ok()?,
                open_at_first: !self.closed_at_first,
                token: TokenSource::new(move || std::fs::read_to_string(&file)),
                clock: Clock::default(),
            })
        });
        let mut listeners = self.inbound;
        listeners.extend(self.http_proxy.map(|listen| Listener::HttpProxy { listen }));
        listeners.extend(self.to);
        listeners.extend(
            self.redirected_inbound
                .map(|listen| Listener::RedirectedInbound {
                    listen,
                    ports: self.port,
                }),
        );
        listeners.extend(
            self.redirected_outbound
                .map(|listen| Listener::RedirectedOutbound {
                    listen,
                    opaque_ports: self.opaque_ports.into(),
                }),
        );
        listeners.extend(self.gateway.map(|listen| Listener::Gateway {
            listen,
            routes: self.route.into(),
            trusted: self.trusted.into(),
        }));
        let instance = self
            .instance
            .unwrap_or_else(|| format!("{}-{}", self.workload, std::process::id()));
        ProxyConfig {
            workload: Workload::new(self.workload, self.namespace),
            instance: InstanceId::new(instance),
            workers: self.workers,
            control: self.control,
            otlp: self.otlp,
            listeners,
            admin: self.admin,
            tap: self.tap,
            access_log: LogStream::Stdout,
            log: Some(log),
            limits: Limits {
                drain_timeout: Duration::from_secs(self.drain_timeout),
                ..Limits::default()
            },
            audit: !self.no_audit,
            identity,
            join: !self.no_join,
        }
    }

    fn identity(&self) -> Result<Identity, IdentityError> {
        let workload = Workload::new(self.workload.as_str(), self.namespace.as_str());
        Identity::new(&self.trust_domain, &workload)
    }
}

/// TLS comes from the mesh's identities, not from these addresses.
fn is_plain_http(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && uri.port_u16().is_some()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("given {text:?}, expected an address such as 127.0.0.1:7002"))
}

fn protocol(text: Option<&str>) -> Result<Protocol, String> {
    match text {
        None | Some("detect") => Ok(Protocol::Detect),
        Some("http1") => Ok(Protocol::Http1),
        Some("http2") => Ok(Protocol::Http2),
        Some("grpc") => Ok(Protocol::Grpc),
        Some("opaque") => Ok(Protocol::Opaque),
        Some(other) => Err(format!(
            "given {other:?}, expected detect, http1, http2, grpc or opaque"
        )),
    }
}

fn application_port(text: &str) -> Result<ApplicationPort, String> {
    let mut parts = text.splitn(3, ',');
    let (Some(at), Some(service)) = (parts.next(), parts.next()) else {
        return Err(format!(
            "given {text:?}, expected ADDRESS,SERVICE or ADDRESS,SERVICE,PROTOCOL"
        ));
    };
    Ok(ApplicationPort {
        address: address(at)?,
        service: ServiceName::new(service),
        protocol: protocol(parts.next())?,
    })
}

fn inbound(text: &str) -> Result<Listener, String> {
    let (listen, application) = text
        .split_once('=')
        .ok_or_else(|| format!("given {text:?}, expected LISTEN=APPLICATION,SERVICE[,PROTOCOL]"))?;
    let ApplicationPort {
        address: application,
        service,
        protocol,
    } = application_port(application)?;
    Ok(Listener::Inbound {
        listen: address(listen)?,
        application,
        service,
        protocol,
    })
}

fn dependency(text: &str) -> Result<Listener, String> {
    let (service, listen) = text
        .split_once('=')
        .ok_or_else(|| format!("given {text:?}, expected SERVICE=LISTEN"))?;
    Ok(Listener::Dependency {
        listen: address(listen)?,
        service: ServiceName::new(service),
    })
}

fn gateway_route(text: &str) -> Result<GatewayRoute, String> {
    let wrong = || {
        format!(
            "given {text:?}, expected [HOST]/PATH=SERVICE such as /=webapp or shop.example.com/api=api"
        )
    };
    let (place, service) = text.rsplit_once('=').ok_or_else(wrong)?;
    let slash = place.find('/').ok_or_else(wrong)?;
    let (host, path) = place.split_at(slash);
    let host = (!host.is_empty() && host != "*").then(|| Arc::from(host.to_ascii_lowercase()));
    Ok(GatewayRoute {
        host,
        path_prefix: path.into(),
        service: ServiceName::new(service),
    })
}

fn network(text: &str) -> Result<IpPrefix, String> {
    let wrong = || format!("given {text:?}, expected a network such as 10.0.0.0/8");
    let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits: u8 = bits.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    if bits > most {
        Err(wrong())
    } else {
        Ok(IpPrefix { address, bits })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Arguments::command().debug_assert();
    }

    fn mistakes(flags: &[&str]) -> Vec<String> {
        let words = ["clew-proxy", "run", "--workload", "books"];
        let arguments = Arguments::try_parse_from(words.iter().chain(flags)).unwrap();
        match arguments.command {
            Command::Run(run) => run.mistakes(),
            Command::Redirect(_) => unreachable!(),
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        assert_eq!(mistakes(&["--http-proxy", "127.0.0.1:0"]), [""; 0]);
        let port = ["--port", "10.0.0.1:80,books"];
        let flags = ["--control", "127.0.0.1:8086", "--otlp", "https://o:4317"];
        let mistakes = mistakes(&[&flags[..], &port].concat());
        assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
        assert!(mistakes[0].starts_with("--control: given 127.0.0.1:8086, expected"));
    }

    #[test]
    fn a_gateway_route_is_a_host_a_path_and_a_service() {
        let route = gateway_route("Shop.example.com/api=api").unwrap();
        assert_eq!(route.host.as_deref(), Some("shop.example.com"));
        assert_eq!(&*route.path_prefix, "/api");
        assert_eq!(route.service.as_str(), "api");
        assert_eq!(gateway_route("/=webapp").unwrap().host, None);
        assert!(gateway_route("webapp").is_err());
    }

    #[test]
    fn a_network_has_as_many_bits_as_its_family() {
        assert!(network("10.0.0.0/33").is_err());
        assert!(
            network("fd00::/64")
                .unwrap()
                .contains("fd00::1".parse().unwrap())
        );
        assert!(
            !network("10.0.0.0/8")
                .unwrap()
                .contains("11.0.0.1".parse().unwrap())
        );
    }
}
