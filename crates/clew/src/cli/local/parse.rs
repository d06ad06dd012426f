//! Values of flags, read from text. Errors complete "invalid value ...:".

use super::PortArg;
use crate::address::DEFAULT_API;
use crate::label::{LABEL_FORM, is_label};
use clew_model::service::Protocol;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use clew_runtime::config::{Scalar, byte_size, cidr, duration, host_pattern, port};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How long spans and numbers may be kept, wherever it is said.
pub(crate) fn kept_age() -> Scalar<Duration> {
    const MINUTE: Duration = Duration::from_secs(60);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    duration(MINUTE..=YEAR)
}

/// How many bytes of spans and numbers may be kept, wherever it is said. With less there is no room for
/// what has just come.
pub(crate) fn kept_bytes() -> Scalar<u64> {
    byte_size(8 << 20..=u64::MAX)
}

/// A value of a flag that is also one of a file.
fn read<T>(kind: &Scalar<T>, text: &str) -> Result<T, String> {
    let value = kind.read_text("", text);
    value.map_err(|_| format!("expected {}", kind.expected()))
}

pub(super) fn age(text: &str) -> Result<Duration, String> {
    read(&kept_age(), text)
}

/// A number of MiB, as bytes.
pub(super) fn mib(text: &str) -> Result<u64, String> {
    let bytes = read(&kept_bytes(), &format!("{text}MiB"));
    bytes.map_err(|_| "expected a whole number of MiB, at least 8".to_owned())
}

pub(crate) fn ratio(text: &str) -> Result<f64, String> {
    read(&clew_runtime::config::ratio(), text)
}

pub(super) fn label(text: &str) -> Result<String, String> {
    if is_label(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {LABEL_FORM}"))
    }
}

/// `[http://]HOST:PORT`, where the host is an address of this machine or `localhost`.
pub(super) fn local_api(text: &str) -> Result<SocketAddr, String> {
    let authority = text.strip_prefix("http://").unwrap_or(text);
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let local = authority
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok());
    let address = local.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    address.or_else(|| authority.parse().ok()).ok_or_else(|| {
        format!("expected http://ADDRESS:PORT with an address of this machine, for example http://{DEFAULT_API}")
    })
}

pub(super) fn port_arg(text: &str) -> Result<PortArg, String> {
    let (text, service) = match text.split_once('=') {
        Some((text, service)) => (text, Some(label(service)?)),
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

pub(super) fn route(text: &str) -> Result<GatewayRoute, String> {
    let wrong = || "expected [HOST]/PATH=SERVICE, for example books.example/api=webapp".to_owned();
    let (from, service) = text.rsplit_once('=').ok_or_else(wrong)?;
    let service = label(service)?;
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

pub(super) fn network(text: &str) -> Result<IpPrefix, String> {
    read(&cidr(), text).map(|(address, bits)| IpPrefix { address, bits })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{PortArg, age, local_api, mib, port_arg, route};
    use clew_model::service::Protocol;

    #[test]
    fn what_is_kept_has_the_bounds_of_the_file() {
        assert_eq!(mib("8"), Ok(8 << 20));
        for wrong in ["7", "0", "-8", "8.5", "", "99999999999999999999"] {
            mib(wrong).unwrap_err();
        }
        assert_eq!(age("1m").unwrap().as_secs(), 60);
        assert_eq!(age("59s").unwrap_err(), "expected a time from 1m to 365d");
    }

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
            port_arg("7002"),
            port(Some("127.0.0.1:7002"), Protocol::Detect, None)
        );
        assert_eq!(port_arg("auto/grpc"), port(None, Protocol::Grpc, None));
        assert_eq!(
            port_arg("1/opaque=db"),
            port(Some("127.0.0.1:1"), Protocol::Opaque, Some("db"))
        );
        assert_eq!(
            port_arg("1=db"),
            port(Some("127.0.0.1:1"), Protocol::Detect, Some("db"))
        );
        assert_eq!(
            port_arg("[::1]:7002/http1"),
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
            port_arg(wrong).unwrap_err();
        }
    }

    #[test]
    fn the_api_of_a_local_mesh_is_an_address_of_this_machine() {
        for right in [
            "http://127.0.0.1:8084",
            "http://localhost:8084/",
            "127.0.0.1:8084",
        ] {
            assert_eq!(local_api(right).unwrap().to_string(), "127.0.0.1:8084");
        }
        assert_eq!(local_api("http://[::1]:0").unwrap().to_string(), "[::1]:0");
        for wrong in [
            "",
            "http://books:8084",
            "https://127.0.0.1:1",
            "127.0.0.1",
            "http://127.0.0.1:1/a",
        ] {
            local_api(wrong).unwrap_err();
        }
    }

    #[test]
    fn a_route_of_the_gateway_is_host_path_and_service() {
        let all = route("/=webapp").unwrap();
        assert_eq!(
            (all.host, &*all.path_prefix, all.service.as_str()),
            (None, "/", "webapp")
        );
        let one = route("*.Books.example/api=books").unwrap();
        assert_eq!(
            (one.host.as_deref(), &*one.path_prefix),
            (Some("*.books.example"), "/api")
        );
        for wrong in ["webapp", "/", "a=b", "b ad/=a", "/a?b=c", "/=", "/a b=c"] {
            route(wrong).unwrap_err();
        }
    }
}
