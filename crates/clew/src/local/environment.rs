//! The environment of a process that has a sidecar: what makes its requests go through the sidecar.
//!
//! What clients do with it (the tests try curl and Python):
//!
//! | client | `http://books`, `http://books:7002` | `http://localhost:7002` |
//! |---|---|---|
//! | curl, wget | through the sidecar (`http_proxy`) | through the sidecar |
//! | Python: urllib, requests, httpx | through the sidecar | through the sidecar |
//! | Node: fetch, http | through the sidecar from Node 24 on (`NODE_USE_ENV_PROXY`) | the same |
//! | Go: net/http | through the sidecar | past it: Go never sends loopback through a proxy |
//! | gRPC in C, C++, Python, Ruby | through the sidecar (CONNECT) | through the sidecar |
//! | any | `CLEW_<SERVICE>_URL`: through the sidecar | |
//!
//! `NO_PROXY` would undo all that where it names loopback or everything, as many images and dotfiles
//! do, so those entries are taken out; the others stay.

mod resource;

use clew_model::name::{InstanceId, ServiceName, Workload};
use std::net::SocketAddr;

/// What the environment is made from.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The workload that the process is an instance of.
    pub(crate) workload: Workload,
    /// The instance.
    pub(crate) instance: InstanceId,
    /// The sidecar's HTTP proxy.
    pub(crate) http_proxy: SocketAddr,
    /// The sidecar's listener for each dependency.
    pub(crate) dependencies: Vec<(ServiceName, SocketAddr)>,
    /// Port that the application is to listen on.
    pub(crate) port: Option<ApplicationPort>,
    /// Where the mesh takes in spans over OTLP/HTTP.
    pub(crate) otlp_http: Option<SocketAddr>,
    /// Where it takes in Zipkin's.
    pub(crate) zipkin: Option<SocketAddr>,
    /// It is one of several processes that one command starts. What says whose port or name it is cannot be
    /// meant for all of them, so it is not taken from what is inherited.
    pub(crate) is_one_of_many: bool,
}

/// The port that `PORT` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ApplicationPort {
    /// The port.
    pub(crate) number: u16,
    /// The system chose it: nobody else can have told the process, so `PORT` is set whatever it was.
    pub(crate) is_news: bool,
}

/// Name and value of a variable.
pub(crate) type Variable = (String, String);

/// The variables to set, over those that are inherited, which `inherited` looks up. What the user has
/// set stays, unless the requests would go past the sidecar.
pub(crate) fn variables(
    surroundings: &Surroundings,
    inherited: impl Fn(&str) -> Option<String>,
) -> Vec<Variable> {
    let mut set = Vec::new();
    let proxy = format!("http://{}", surroundings.http_proxy);
    let otlp = surroundings
        .otlp_http
        .filter(|_| inherited("OTEL_EXPORTER_OTLP_ENDPOINT").is_none());
    let is_one_of_many = surroundings.is_one_of_many;
    let otlp_host = otlp.map(host_and_port);
    let zipkin = surroundings
        .zipkin
        .filter(|_| inherited("OTEL_EXPORTER_ZIPKIN_ENDPOINT").is_none());
    let zipkin_host = zipkin.map(host_and_port);
    let own_hosts: Vec<&str> = [&otlp_host, &zipkin_host]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    for (proxy_name, no_proxy_name) in [("HTTP_PROXY", "NO_PROXY"), ("http_proxy", "no_proxy")] {
        let no_proxy = inherited(no_proxy_name).unwrap_or_default();
        set.push((proxy_name.to_owned(), proxy.clone()));
        set.push((
            no_proxy_name.to_owned(),
            without_loopback(&no_proxy, &own_hosts),
        ));
    }
    for (service, address) in &surroundings.dependencies {
        set.push((url_variable(service), format!("http://{address}")));
    }
    if let Some(host) = otlp_host {
        // Together: a protocol that is inherited belongs to another endpoint.
        set.push((
            "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
            format!("http://{host}"),
        ));
        set.push((
            "OTEL_EXPORTER_OTLP_PROTOCOL".to_owned(),
            "http/protobuf".to_owned(),
        ));
    }
    if let Some(host) = zipkin_host {
        // The variable of OpenTelemetry's exporter; libraries of Zipkin's own have none in common.
        set.push((
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT".to_owned(),
            format!("http://{host}/api/v2/spans"),
        ));
    }
    let mut set_if = |is_always: bool, name: &str, value: String| {
        if is_always || inherited(name).is_none() {
            set.push((name.to_owned(), value));
        }
    };
    set_if(false, "NODE_USE_ENV_PROXY", "1".to_owned());
    let given = inherited(resource::VARIABLE).unwrap_or_default();
    if is_one_of_many || !resource::has(&given, resource::NAME) {
        let name = surroundings.workload.name.to_string();
        set_if(is_one_of_many, "OTEL_SERVICE_NAME", name);
    }
    let attributes = resource_attributes(surroundings, given);
    set_if(true, resource::VARIABLE, attributes);
    if let Some(port) = surroundings.port {
        let is_always = is_one_of_many || port.is_news;
        set_if(is_always, "PORT", port.number.to_string());
    }
    set
}

/// What the user has given, and of the instance what is not given.
fn resource_attributes(surroundings: &Surroundings, mut given: String) -> String {
    let Surroundings {
        workload, instance, ..
    } = surroundings;
    if surroundings.is_one_of_many {
        given = resource::without(&given, resource::INSTANCE);
    }
    let own = [
        resource::attribute(resource::NAMESPACE, workload.namespace.as_str()),
        resource::attribute(resource::INSTANCE, instance.as_str()),
    ];
    resource::merged(&given, &own.join(","))
}

/// The value of a variable that the user has chosen for one program, which comes over what is set: its attributes are
/// added to those that are set.
pub(crate) fn chosen(name: &str, value: &str, set: &[Variable]) -> String {
    let before = set.iter().find(|(other, _)| other == name);
    match before {
        Some((_, before)) if name == resource::VARIABLE => resource::merged(value, before),
        _ => value.to_owned(),
    }
}

/// The variable that names a dependency's listener: `CLEW_BOOKS_URL`, `CLEW_BOOK_SHOP_URL`.
pub(crate) fn url_variable(service: &ServiceName) -> String {
    let name = service.as_str().to_ascii_uppercase();
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '_'
        }
    };
    format!("CLEW_{}_URL", name.chars().map(plain).collect::<String>())
}

/// A proxy of the user's own that the sidecar takes the place of, if it is not on this machine: what
/// went through it goes out directly from now on, which the user should know.
pub(crate) fn replaced_proxy(inherited: impl Fn(&str) -> Option<String>) -> Option<String> {
    let proxy = inherited("http_proxy").or_else(|| inherited("HTTP_PROXY"))?;
    let uri: http::Uri = proxy.parse().ok()?;
    (!is_loopback(uri.host()?)).then_some(proxy)
}

/// The name and not the address of this machine: clients that know no ports in `NO_PROXY` compare
/// addresses without their port, which would take all of loopback past the sidecar.
fn host_and_port(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() && ip.is_ipv4() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

/// `NO_PROXY` without what would take requests to this machine past the sidecar, and with the
/// addresses that are no application's.
fn without_loopback(no_proxy: &str, own_hosts: &[&str]) -> String {
    let entries = no_proxy
        .split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let kept = entries.filter(|entry| *entry != "*" && !is_loopback(entry));
    kept.chain(own_hosts.iter().copied())
        .collect::<Vec<_>>()
        .join(",")
}

/// `localhost` and what is below it, `127.0.0.0/8` in all spellings, `::1`.
fn is_loopback(entry: &str) -> bool {
    let host = entry.trim_start_matches(['.', '*']).trim_start_matches('[');
    let host = host.split([']', '/']).next().unwrap_or_default();
    let is_address = host == "::1" || host == "0.0.0.0" || host.starts_with("127.");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    is_address || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
