//! `GET` and `PUT log-level`: what processes log. A member is asked at its admin server; observe and control
//! have the log of this process.

mod member;

use super::body::load_body;
use super::described::Always;
use super::members::{MachineAndPid, machine_and_pid, own_process};
use super::query::{Asked, Parameters, Query};
use super::refusal::Refusal;
use super::{Api, names};
use axum::Json;
use axum::extract::{Request, State};
use clew_api::client::Instance;
use clew_api::rest::log_level::{LogLevelChange, LogLevels, ProcessLog, ROLES};
use clew_api::rest::problem::Problem;
use clew_runtime::logging::{self, LEVELS_FORM, LogControl};
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use utoipa::IntoParams;

/// Members that are asked at the same time.
const MAX_CONCURRENT: usize = 32;

/// Parameters of `GET` and `PUT log-level`.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogLevelParameters {
    /// Only of this workload or instance, or of `control` or `observe`
    name: Option<String>,
}

impl Parameters for LogLevelParameters {
    fn take(query: &mut Query) -> Result<Self, Refusal> {
        Ok(Self {
            name: query.name("name")?,
        })
    }
}

/// What processes log
///
/// Processes that hold several members (`clew up`) are there once: they have one log.
#[utoipa::path(
    get,
    path = "/api/v1/log-level",
    tag = "mesh",
    params(LogLevelParameters),
    responses(
        Always,
        (status = 200, body = LogLevels),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing has this name"),
    )
)]
pub(super) async fn log_level(
    State(api): State<Api>,
    Asked(asked): Asked<LogLevelParameters>,
) -> Result<Json<LogLevels>, Refusal> {
    Ok(Json(ask(select(&api, asked)?, None).await))
}

/// Change what processes log
///
/// At once, until the process ends. The answer has what is logged now, process by process; one that could not be
/// changed says why, and the others are changed.
#[utoipa::path(
    put,
    path = "/api/v1/log-level",
    tag = "mesh",
    params(LogLevelParameters),
    request_body = LogLevelChange,
    responses(
        Always,
        (status = 200, body = LogLevels),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "That is no level"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Nothing has this name"),
        (status = 408, body = Problem, content_type = "application/problem+json", description = "The body did not arrive in time"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The body is too large"),
    )
)]
pub(super) async fn change_log_level(
    State(api): State<Api>,
    Asked(asked): Asked<LogLevelParameters>,
    request: Request,
) -> Result<Json<LogLevels>, Refusal> {
    let LogLevelChange { level } = load_body(request).await?;
    // Before anyone is asked: either all may log so, or nobody.
    logging::check(&level).map_err(|_| Refusal::bad_value("level", &level, LEVELS_FORM))?;
    Ok(Json(ask(select(&api, asked)?, Some(&level)).await))
}

/// A process, and where its log is.
#[derive(Debug)]
struct Process {
    members: Vec<String>,
    pid: u32,
    log: Log,
}

#[derive(Debug)]
enum Log {
    /// That of this process; `None`: nobody may change it.
    Own(Option<LogControl>),
    /// Of the process with this admin server.
    At(Option<SocketAddr>),
}

/// The processes of everything that has this name.
fn select(api: &Api, asked: LogLevelParameters) -> Result<Vec<Process>, Refusal> {
    let members = names::members(api);
    let Some(name) = asked.name else {
        return Ok(processes(api, &members, |_| true));
    };
    let workload_of = |member: &Instance| member.workload.name.as_str() == name;
    let named: Vec<&str> = members
        .iter()
        .filter(|member| workload_of(member))
        .map(|member| member.id.as_str())
        .collect();
    let selected = processes(api, &members, |process| {
        let has = |member: &String| *member == name || named.contains(&member.as_str());
        process.members.iter().any(has)
    });
    if selected.is_empty() {
        let mut known: Vec<String> = members
            .iter()
            .map(|member| member.workload.name.to_string())
            .chain(ROLES.map(str::to_owned))
            .collect();
        known.sort();
        known.dedup();
        return Err(Refusal::unknown_name("name", &name, known));
    }
    Ok(selected)
}

/// The processes that fit, this one last.
fn processes(api: &Api, members: &[Instance], fits: impl Fn(&Process) -> bool) -> Vec<Process> {
    let own = own_process();
    let mut by_process: BTreeMap<MachineAndPid, Process> = BTreeMap::new();
    for member in members {
        let process = by_process
            .entry(machine_and_pid(member))
            .or_insert_with(|| Process {
                members: Vec::new(),
                pid: member.pid,
                log: Log::At(member.admin_address),
            });
        process.members.push(member.id.to_string());
    }
    let mut process = by_process.remove(&own).unwrap_or_else(|| Process {
        members: Vec::new(),
        pid: own.1,
        log: Log::Own(None),
    });
    process.members.sort();
    process.members.extend(ROLES.map(str::to_owned));
    process.log = Log::Own(api.sources.log.clone());
    let others = by_process.into_values().map(|mut process| {
        process.members.sort();
        process
    });
    others.chain([process]).filter(fits).collect()
}

/// What they log, after the change if there is one.
async fn ask(processes: Vec<Process>, change: Option<&str>) -> LogLevels {
    let answers = stream::iter(processes).map(async |process| {
        let answer = match &process.log {
            Log::At(address) => member::ask(*address, change).await,
            Log::Own(log) => own(log.as_ref(), change),
        };
        let (level, error) = match answer {
            Ok(level) => (Some(level), None),
            Err(error) => (None, Some(error)),
        };
        ProcessLog {
            pid: process.pid,
            members: process.members,
            level,
            error,
        }
    });
    LogLevels {
        processes: answers.buffered(MAX_CONCURRENT).collect().await,
    }
}

fn own(log: Option<&LogControl>, change: Option<&str>) -> Result<String, String> {
    let log = log.ok_or("whoever runs observe lets nobody change its log")?;
    if let Some(level) = change {
        log.set(level).map_err(|error| error.to_string())?;
    }
    log.current().map_err(|error| error.to_string())
}
