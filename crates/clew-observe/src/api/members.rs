//! `GET instances`: members of the mesh.

use super::clock::rfc3339;
use super::described::Always;
use super::query::{Asked, Nothing};
use super::stat::role;
use super::{Api, names};
use crate::scrape::TargetHealth;
use axum::Json;
use axum::extract::State;
use clew_api::client::{Instance as Member, Port as MemberPort};
use clew_api::rest::members::{Instance, Instances, Port};
use clew_model::service::Protocol;
use std::net::IpAddr;

/// Members of the mesh
#[utoipa::path(get, path = "/api/v1/instances", tag = "mesh", responses(Always, (status = 200, body = Instances)))]
pub(super) async fn instances(State(api): State<Api>, _: Asked<Nothing>) -> Json<Instances> {
    let health = api.sources.scraper.targets();
    let members = sorted(&api);
    let instances = members.iter().map(|member| {
        let health = health.iter().find(|health| health.instance.id == member.id);
        instance(member, health)
    });
    Json(Instances {
        instances: instances.collect(),
    })
}

/// Members of the mesh, by namespace, workload and id.
pub(super) fn sorted(api: &Api) -> Vec<Member> {
    let mut members = names::members(api);
    members.sort_by(|a, b| {
        (&a.workload.namespace, &a.workload.name, &a.id).cmp(&(
            &b.workload.namespace,
            &b.workload.name,
            &b.id,
        ))
    });
    members
}

/// What tells processes apart: ids of processes are those of their machines. No address is this machine.
pub(super) type MachineAndPid = (Option<IpAddr>, u32);

pub(super) fn machine_and_pid(member: &Member) -> MachineAndPid {
    let ip = member.admin_address.map(|address| address.ip());
    (ip.filter(|ip| !ip.is_loopback()), member.pid)
}

/// The one that control and observe run in.
pub(super) fn own_process() -> MachineAndPid {
    (None, std::process::id())
}

fn instance(member: &Member, health: Option<&TargetHealth>) -> Instance {
    Instance {
        id: member.id.to_string(),
        workload: member.workload.name.to_string(),
        namespace: member.workload.namespace.to_string(),
        role: role(member.role).to_owned(),
        version: member.version.clone(),
        pid: member.pid,
        started: rfc3339(member.started),
        leaving: member.leaving,
        ports: member.ports.iter().map(port).collect(),
        admin_address: member.admin_address.map(|address| address.to_string()),
        tap_address: member.tap_address.map(|address| address.to_string()),
        last_scrape: health.and_then(|health| health.last_success).map(rfc3339),
        scrape_error: health.and_then(|health| health.last_error.clone()),
    }
}

fn port(port: &MemberPort) -> Port {
    let protocol = match port.protocol {
        Protocol::Detect => "detect",
        Protocol::Http1 => "http1",
        Protocol::Http2 => "http2",
        Protocol::Grpc => "grpc",
        Protocol::Opaque => "opaque",
    };
    Port {
        service: port.service.to_string(),
        application_address: port.application_address.to_string(),
        endpoint_address: port.endpoint_address.to_string(),
        protocol: protocol.to_owned(),
    }
}
