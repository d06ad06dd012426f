//! Members for tests.

use clew_api::member::{Instance, Port, Role};
use clew_model::name::Workload;
use clew_model::service::Protocol;
use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

/// An instance `books-1` of the workload `books`, with one port, which answers to the service `books`. Its
/// application listens on `port` of the loopback address.
pub(crate) fn instance(id: &str, port: u16) -> Instance {
    let workload = id.split('-').next().unwrap_or(id);
    Instance {
        id: id.into(),
        workload: Workload::new(workload, "default"),
        role: Role::Proxy,
        ports: vec![self::port(workload, ([127, 0, 0, 1], port).into())],
        admin_address: None,
        tap_address: None,
        leaving: false,
        version: "test".to_owned(),
        pid: 1,
        started: UNIX_EPOCH,
        identity: None,
    }
}

/// A port of an application. Its proxy listens 10,000 further up.
pub(crate) fn port(service: &str, application_address: SocketAddr) -> Port {
    let endpoint_port = application_address.port() + 10_000;
    Port {
        service: service.into(),
        application_address,
        endpoint_address: SocketAddr::new(application_address.ip(), endpoint_port),
        protocol: Protocol::Detect,
        weight: 1,
    }
}
