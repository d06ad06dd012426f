//! The commands that run something on this machine: all roles on, in few processes, over loopback. What
//! a mesh does is in the crates below; here its parts are put together, and processes are cared for.
//!
//! Start reading at [`mod@run`] (one process and its sidecar) or [`mod@up`] (a whole application, [`mesh`]).

mod demo;
mod described;
mod difference;
mod down;
mod environment;
mod find;
mod foreign;
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod instance;
mod journal;
mod keys;
mod logs;
mod mesh;
mod mesh_file;
mod naming;
mod plan;
mod ports;
mod prefix;
mod process;
mod record;
mod reload;
mod restart;
mod roles;
mod run;
mod sidecar;
mod tee;
mod token;
mod up;
mod words;

pub(crate) use mesh_file::{MATCH_FORM, parse_match};

use crate::cli::local::{
    DemoArgs, DownArgs, GatewayArgs, LogsArgs, ReloadArgs, RolesArgs, RunArgs, StoreArgs,
    TokenArgs, UpArgs,
};
use crate::exit::Exit;
use crate::output::announce;
use anyhow::Context as _;
use clew_api::rest::window::TimeSpan;
use clew_books::command::Command as BooksCommand;
use clew_runtime::logging::{self, LogControl, LogFormat, LoggingError};
use clew_store::Retention;
use std::io::IsTerminal as _;

/// Threads for everything that is no request: control, observe, export, supervision.
const THREADS: usize = 2;
/// What is logged, as `clew_runtime::logging` reads it.
const LOG_VARIABLE: &str = "CLEW_LOG";

/// `clew demo`
pub(crate) fn demo(args: DemoArgs) -> anyhow::Result<Exit> {
    start("warn", |log| demo::demo(args, log))
}

/// `clew up`
pub(crate) fn up(args: UpArgs) -> anyhow::Result<Exit> {
    start("warn", |log| up::up(args, log))
}

/// `clew run`
pub(crate) fn run(args: RunArgs) -> anyhow::Result<Exit> {
    start("warn", |log| run::run(args, log))
}

/// `clew logs`
pub(crate) fn logs(args: LogsArgs) -> anyhow::Result<Exit> {
    start("warn", |_| logs::logs(args))
}

/// `clew reload`
pub(crate) fn reload(args: ReloadArgs) -> anyhow::Result<Exit> {
    start("warn", |_| reload::reload(args))
}

/// `clew gateway`
pub(crate) fn gateway(args: GatewayArgs) -> anyhow::Result<Exit> {
    start("warn", |log| gateway::gateway(args, log))
}

/// `clew down`
pub(crate) fn down(args: DownArgs) -> anyhow::Result<Exit> {
    start("warn", |_| down::down(args))
}

/// `clew token`
pub(crate) fn token(args: TokenArgs) -> anyhow::Result<Exit> {
    token::token(args)
}

/// `clew roles`
pub(crate) fn roles(args: RolesArgs) -> anyhow::Result<Exit> {
    start("info", |log| roles::command::roles(args, log))
}

/// `clew books-app`
pub(crate) fn books_app(command: BooksCommand) -> anyhow::Result<Exit> {
    clew_books::command::run(command)?;
    Ok(Exit::Ok)
}

/// Runs a command on a runtime of its own, with its log on standard error.
fn start<C>(log: &str, command: impl FnOnce(LogControl) -> C) -> anyhow::Result<Exit>
where
    C: Future<Output = anyhow::Result<Exit>>,
{
    let what = std::env::var(LOG_VARIABLE).unwrap_or_else(|_| log.to_owned());
    let colour = std::io::stderr().is_terminal();
    let log = match logging::init(LogFormat::Text { colour }, &what) {
        Ok(log) => log,
        Err(error @ LoggingError::Filter(_)) => {
            announce(&format!("{LOG_VARIABLE}: {error}"));
            return Ok(Exit::Usage);
        }
        Err(error) => return Err(error.into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .context("cannot start")?;
    let exit = runtime.block_on(command(log));
    // What blocks by nature (reading a pipe, a lock) ends with the process.
    runtime.shutdown_background();
    exit
}

/// Resolves after the time, if there is one.
async fn after(time: Option<TimeSpan>) {
    match time {
        Some(time) => tokio::time::sleep(time.duration()).await,
        None => std::future::pending().await,
    }
}

/// How much is kept: what the flags say, else what was planned.
fn kept(flags: &StoreArgs, planned: Retention) -> Retention {
    Retention {
        age: flags.keep.unwrap_or(planned.age),
        bytes: flags.keep_bytes.unwrap_or(planned.bytes),
    }
}
