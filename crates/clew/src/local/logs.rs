//! `clew logs`: what the programs of a mesh wrote.

use super::journal::folder_of;
use super::journal::read::{Log, Record as Line};
use super::prefix::prefix;
use super::record::{Record, own_state_dir};
use crate::cli::local::LogsArgs;
use crate::exit::Exit;
use crate::output::announce;
use anyhow::Context as _;
use jiff::{Timestamp, ToSpan as _};
use std::io::{self, Write as _};
use std::time::Duration;

/// Time between two looks for new lines.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the log, and goes on while the mesh is there when it is to be followed.
pub(crate) async fn logs(args: LogsArgs) -> anyhow::Result<Exit> {
    let (state, api) = (own_state_dir(), args.api.address);
    let mut log = Log::new(folder_of(&state, api));
    let service = args.service.as_deref();
    let news = |log: &mut Log| log.news(service).context("cannot read the log");
    let mut lines = news(&mut log)?;
    if let Some(since) = args.since {
        let seconds = i64::try_from(since.duration().as_secs()).unwrap_or(i64::MAX);
        let begin = Timestamp::now().checked_sub(seconds.seconds());
        let begin = begin.unwrap_or(Timestamp::MIN);
        lines.retain(|line| line.time >= begin);
    }
    if let Some(most) = args.lines {
        lines.drain(..lines.len().saturating_sub(most));
    }
    let is_empty = lines.is_empty();
    let mut names = Names::default();
    if !names.print(&lines, args.times)? {
        return Ok(Exit::Ok);
    }
    if args.follow {
        loop {
            // Asked before the lines are read: what was written until its end is read all the same.
            let is_running = Record::find(&state, api)?.is_some();
            if !names.print(&news(&mut log)?, args.times)? || !is_running {
                return Ok(Exit::Ok);
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
    if is_empty {
        announce(&explain(service, &log.services(), &args));
        return Ok(Exit::Empty);
    }
    Ok(Exit::Ok)
}

fn explain(service: Option<&str>, services: &[&str], args: &LogsArgs) -> String {
    match service {
        Some(service) if !services.is_empty() && !services.contains(&service) => {
            let known = services.join(", ");
            format!("the log has nothing of {service}; it has {known}")
        }
        _ if !services.is_empty() => "nothing was written in this time".to_owned(),
        _ => format!(
            "there is no log of a mesh at http://{}; `clew up` keeps one, and `clew run --log` adds to it",
            args.api.address
        ),
    }
}

/// The names that were shown, by which each has its colour.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    /// Whether anybody still reads.
    fn print(&mut self, lines: &[Line], has_times: bool) -> anyhow::Result<bool> {
        let mut text = Vec::new();
        for line in lines {
            if !self.0.contains(&line.instance) {
                self.0.push(line.instance.clone());
            }
        }
        for line in lines {
            if has_times {
                text.extend_from_slice(format!("{:.3} ", line.time).as_bytes());
            }
            text.extend_from_slice(prefix(&self.0, &line.instance).as_bytes());
            text.extend_from_slice(&line.text);
            text.push(b'\n');
        }
        let mut output = anstream::stdout().lock();
        match output.write_all(&text).and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).context("cannot write the log"),
            Ok(()) => Ok(true),
        }
    }
}
