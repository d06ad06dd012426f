//! Values of flags, read from text. Errors complete "invalid value ...:".

use super::super::DEFAULT_API;
use super::PortArg;
use crate::label::{LABEL_FORM, is_label};
use clew_model::service::Protocol;
use clew_proxy::config::{GatewayRoute, IpPrefix};
use clew_runtime::config::{cidr, host_pattern, port};
use std::net::{Ipv4Addr, SocketAddr};

/// A share, 0 to 1.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "expected a number of requests per second, greater than 0".to_owned())
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
        format!("expected http://ADDRESS:PORT with an address of this machine, for example {DEFAULT_API}")
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
    let network = cidr().read_text("", text);
    network
        .map(|(address, bits)| IpPrefix { address, bits })
        .map_err(|_| "expected an address or network such as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{PortArg, local_api, port_arg, route};
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
