//! `clew log-level`: what the processes of the mesh log; shown, or changed and then shown.

use super::{ReadError, say_unless_json, show};
use crate::cli::read::LogLevelArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::{BAD, clean};
use clew_api::rest::log_level::{LogLevelChange, LogLevels, ProcessLog};

/// Fails when a process could not be changed.
pub(super) async fn run(args: &LogLevelArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = Question::new("/log-level").with_some("name", args.name.as_deref());
    let answer = match args.level.clone() {
        None => api.get::<LogLevels>(&question).await?,
        Some(level) => api.put(&question, &LogLevelChange { level }).await?,
    };
    show(&answer, args.output, |levels, _| render(levels))?;
    let processes = &answer.body.processes;
    if args.level.is_some()
        && args.name.is_some()
        && let Some(shared) = processes.iter().find(|process| is_shared(process))
    {
        say_unless_json(args.output, &explain(shared));
    }
    let is_failure = processes.iter().any(|process| process.error.is_some());
    Ok(if is_failure && args.level.is_some() {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

/// More than was named logs there. That control and observe are one process is how they are.
fn is_shared(process: &ProcessLog) -> bool {
    let is_proxy = |member: &&String| !clew_api::rest::log_level::ROLES.contains(&member.as_str());
    let proxies = process.members.iter().filter(is_proxy).count();
    proxies > 1 || (proxies == 1 && process.members.len() > 1)
}

/// A process has one log, whatever runs in it.
fn explain(process: &ProcessLog) -> String {
    format!(
        "process {} has one log, so that all of it logs like this now: {}; \
         `--level warn,clew_proxy=debug` changes one module",
        process.pid,
        clean(&process.members.join(" ")),
    )
}

fn render(levels: &LogLevels) -> String {
    let mut table = Table::new().number("PID").text("LEVEL").text("OF");
    for process in &levels.processes {
        let level = match (&process.level, &process.error) {
            (Some(level), _) => Cell::new(level),
            (None, Some(error)) => Cell::styled(error, BAD),
            (None, None) => Cell::none(),
        };
        let pid = Cell::new(process.pid.to_string());
        table.row(vec![pid, level, Cell::new(process.members.join(" "))]);
    }
    table.render()
}

#[cfg(test)]
mod tests;
