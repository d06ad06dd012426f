//! One member: what its proxy said of itself when it was last read, and its rates.

use super::super::clock::rfc3339;
use super::super::members::{MachineAndPid, machine_and_pid, own_process};
use super::super::stat::role;
use crate::scrape::{TargetHealth, Vitals};
use clew_api::client::Instance;
use clew_api::rest::log_level::ROLES;
use clew_api::rest::mesh::{
    MemberCertificate, MemberProcess, MemberSeries, MemberSpans, MeshMember,
};
use clew_store::query::{Direction, SeriesQuery};
use clew_store::{Label, ReadError, Store, Window};
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// What instances did per second of a window.
pub(super) struct Rates {
    requests: BTreeMap<(String, String), f64>,
    cpu: BTreeMap<(String, String), f64>,
}

impl Rates {
    pub(super) async fn load(store: &Store, window: Window) -> Result<Self, ReadError> {
        Ok(Self {
            requests: rates(store, window, "request_total").await?,
            cpu: rates(store, window, "process_cpu_seconds_total").await?,
        })
    }

    fn requests(&self, id: &str, direction: Direction) -> f64 {
        let key = (id.to_owned(), direction.as_str().to_owned());
        self.requests.get(&key).copied().unwrap_or_default()
    }

    /// Increases of nothing are not kept: who was read twice and has none used nothing. What was counted before the first
    /// time is not known.
    fn cpu(&self, id: &str, health: &TargetHealth) -> Option<f64> {
        let counted = self.cpu.get(&(id.to_owned(), String::new())).copied();
        counted.or((health.successes > 1).then_some(0.0))
    }
}

/// By instance and direction, which is empty where there is none.
async fn rates(
    store: &Store,
    window: Window,
    family: &str,
) -> Result<BTreeMap<(String, String), f64>, ReadError> {
    let query = SeriesQuery {
        window,
        filters: Vec::new(),
        group_by: vec![Label::Instance, Label::Direction],
    };
    let seconds = window.length().as_secs_f64();
    let rows = store.counters(family, query).await?;
    let rates = rows.into_iter().map(|mut row| {
        let mut label = |of| row.labels.remove(&of).unwrap_or_default();
        let key = (label(Label::Instance), label(Label::Direction));
        (
            key,
            if seconds > 0.0 {
                row.value / seconds
            } else {
                0.0
            },
        )
    });
    Ok(rates.collect())
}

/// How many members each process has.
pub(super) struct Processes(BTreeMap<MachineAndPid, u64>);

impl Processes {
    pub(super) fn of(members: &[Instance]) -> Self {
        let mut processes = BTreeMap::new();
        for member in members {
            *processes.entry(machine_and_pid(member)).or_default() += 1;
        }
        Self(processes)
    }

    /// Members in the process of this one, and roles.
    fn shared(&self, member: &Instance) -> (u64, Vec<String>) {
        let process = machine_and_pid(member);
        let roles: &[&str] = if process == own_process() {
            &ROLES
        } else {
            &[]
        };
        let members = self.0.get(&process).copied().unwrap_or(1);
        (
            members,
            roles.iter().map(|role| (*role).to_owned()).collect(),
        )
    }
}

pub(super) fn state(
    member: &Instance,
    health: Option<&TargetHealth>,
    (rates, processes): (&Rates, &Processes),
) -> MeshMember {
    let id = member.id.as_str();
    let vitals = health.and_then(|health| health.vitals.as_ref());
    let rps = |direction| vitals.map(|_| rates.requests(id, direction));
    MeshMember {
        id: id.to_owned(),
        workload: member.workload.name.to_string(),
        namespace: member.workload.namespace.to_string(),
        role: role(member.role).to_owned(),
        version: member.version.clone(),
        pid: member.pid,
        machine: machine_and_pid(member).0.map(|ip| ip.to_string()),
        started: rfc3339(member.started),
        leaving: member.leaving,
        last_scrape: health.and_then(|health| health.last_success).map(rfc3339),
        scrape_error: health.and_then(|health| health.last_error.clone()),
        inbound_rps: rps(Direction::Inbound),
        outbound_rps: rps(Direction::Outbound),
        spans: vitals.and_then(spans),
        series: vitals.and_then(series),
        access_log_lines_dropped: vitals.and_then(|vitals| vitals.log_lines_dropped),
        identity: member.identity.as_ref().map(ToString::to_string),
        certificate: vitals.and_then(certificate),
        process: vitals.and_then(|vitals| {
            let cpu_cores = health.and_then(|health| rates.cpu(id, health));
            process(vitals, cpu_cores, processes.shared(member))
        }),
    }
}

fn certificate(vitals: &Vitals) -> Option<MemberCertificate> {
    let expires = UNIX_EPOCH + Duration::from_secs(vitals.certificate_expires?);
    Some(MemberCertificate {
        expires: rfc3339(expires),
        issued: vitals.certificates.unwrap_or_default(),
        refused_clients: vitals.tls_refused.unwrap_or_default(),
    })
}

fn spans(vitals: &Vitals) -> Option<MemberSpans> {
    let of = |outcome| vitals.spans.get(outcome).copied();
    let (emitted, exported) = (of("emitted")?, of("exported")?);
    let dropped = vitals.spans.iter().filter_map(|(outcome, count)| {
        let reason = outcome.strip_prefix("dropped_")?;
        Some((reason.to_owned(), *count))
    });
    let dropped: BTreeMap<String, u64> = dropped.collect();
    Some(MemberSpans {
        emitted,
        exported,
        waiting: emitted.saturating_sub(exported + dropped.values().sum::<u64>()),
        dropped,
        unsampled: of("unsampled").unwrap_or_default(),
    })
}

fn series(vitals: &Vitals) -> Option<MemberSeries> {
    let (family, used) = vitals.series.iter().max_by_key(|(_, used)| **used)?;
    let dropped = vitals
        .series_dropped
        .iter()
        .filter(|(_, count)| **count > 0);
    Some(MemberSeries {
        family: family.clone(),
        used: *used,
        limit: vitals.series_limit?,
        by_family: vitals.series.clone(),
        dropped: dropped
            .map(|(family, count)| (family.clone(), *count))
            .collect(),
    })
}

fn process(
    vitals: &Vitals,
    cpu_cores: Option<f64>,
    (members, roles): (u64, Vec<String>),
) -> Option<MemberProcess> {
    let process = MemberProcess {
        members,
        roles,
        resident_bytes: vitals.resident_bytes,
        cpu_seconds: vitals.cpu_seconds,
        cpu_cores: vitals.cpu_seconds.and(cpu_cores),
        open_fds: vitals.open_fds,
    };
    let is_told = process.resident_bytes.is_some()
        || process.cpu_seconds.is_some()
        || process.open_fds.is_some();
    is_told.then_some(process)
}
