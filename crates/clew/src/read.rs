//! The commands that read: they ask the API, print the answer, and end with an exit code.

mod access;
mod authz;
mod calls;
mod check;
mod critical_path;
mod dashboard;
mod edges;
mod golden;
mod log_level;
mod mesh;
mod propagation;
mod routes;
mod settings;
mod stat;
mod tap;
mod top;
mod trace;
mod traces;
mod version;
mod waterfall;

use crate::cli::ApiArgs;
use crate::cli::access::{AccessArgs, AuthzArgs};
use crate::cli::read::{
    CallsArgs, CheckArgs, CriticalPathArgs, DashboardArgs, EdgesArgs, Format, LogLevelArgs,
    MeshArgs, OutputArgs, PropagationArgs, RoutesArgs, SettingsArgs, StatArgs, TapArgs, TopArgs,
    TraceArgs, TracesArgs, VersionArgs, WindowArgs,
};
use crate::client::{Answer, ApiClient, ApiError, Question};
use crate::exit::Exit;
use crate::output;
use clew_runtime::signals::SignalError;
use std::io;

/// Why a command that reads could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The API did not answer as it should.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Standard output does not take the text.
    #[error("cannot write the answer")]
    Write(#[source] io::Error),
    /// The answer is not JSON.
    #[error("the answer of the mesh cannot be printed")]
    Json(#[source] serde_json::Error),
    /// The stream of requests ended although nobody asked for it.
    #[error("the mesh ended the stream")]
    StreamEnded,
    /// The program of the mesh was built without the files of the dashboard.
    #[error(
        "the mesh at {api} was built without the dashboard; `make dashboard`, before the build, adds it"
    )]
    NoDashboard {
        /// Address that was asked.
        api: String,
    },
    /// A flag's value makes no sense.
    #[error("--{flag} {given}: expected {expected}")]
    Flag {
        /// The flag, without dashes.
        flag: &'static str,
        /// Its value.
        given: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// Clients are named who could prove nothing.
    #[error("this mesh has no identities: nobody in it can prove to be {client}")]
    NoIdentities {
        /// Who was named.
        client: String,
    },
    /// Signals cannot be waited for.
    #[error(transparent)]
    Signals(#[from] SignalError),
    /// The runtime could not be made.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
}

impl ReadError {
    /// The code that the command ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Api(ApiError::Unreachable { .. } | ApiError::NotClew { .. })
            | Self::StreamEnded => Exit::Unreachable,
            Self::Api(ApiError::Refused(problem)) => match problem.status {
                404 => Exit::Empty,
                400 | 409 => Exit::Usage,
                _ => Exit::Failed,
            },
            Self::Flag { .. } | Self::NoIdentities { .. } => Exit::Usage,
            Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            _ => Exit::Failed,
        }
    }
}

/// The code that a command ends with that failed.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    error
        .downcast_ref::<ReadError>()
        .map_or(Exit::Failed, ReadError::exit)
}

/// `clew dashboard`
pub(crate) fn dashboard(args: DashboardArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| dashboard::run(&args, &api).await)
}

/// `clew stat`
pub(crate) fn stat(args: StatArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| stat::run(&args, &api).await)
}

/// `clew routes`
pub(crate) fn routes(args: RoutesArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| routes::run(&args, &api).await)
}

/// `clew edges`
pub(crate) fn edges(args: EdgesArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| edges::run(&args, &api).await)
}

/// `clew authz`
pub(crate) fn authz(args: AuthzArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| authz::run(&args, &api).await)
}

/// `clew propagation`
pub(crate) fn propagation(args: PropagationArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| propagation::run(&args, &api).await)
}

/// `clew calls`
pub(crate) fn calls(args: CallsArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| calls::run(&args, &api).await)
}

/// `clew critical-path`
pub(crate) fn critical_path(args: CriticalPathArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| critical_path::run(&args, &api).await)
}

/// `clew tap`
pub(crate) fn tap(args: TapArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| tap::run(&args, &api).await)
}

/// `clew top`
pub(crate) fn top(args: TopArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| top::run(&args, &api).await)
}

/// `clew traces`
pub(crate) fn traces(args: TracesArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| traces::run(&args, &api).await)
}

/// `clew trace`
pub(crate) fn trace(args: TraceArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| trace::run(&args, &api).await)
}

/// `clew check`
pub(crate) fn check(args: CheckArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| check::run(&args, &api).await)
}

/// `clew mesh`
pub(crate) fn mesh(args: MeshArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| mesh::run(&args, &api).await)
}

/// `clew settings`
pub(crate) fn settings(args: SettingsArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| settings::run(&args, &api).await)
}

/// `clew access`
pub(crate) fn access(args: AccessArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| access::run(&args, &api).await)
}

/// `clew log-level`
pub(crate) fn log_level(args: LogLevelArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| log_level::run(&args, &api).await)
}

/// `clew version`
pub(crate) fn version(args: VersionArgs) -> anyhow::Result<Exit> {
    ask(&args.api, async |api| version::run(&args, &api).await)
}

/// Runs one command on a runtime of its own.
fn ask(
    args: &ApiArgs,
    command: impl AsyncFnOnce(ApiClient) -> Result<Exit, ReadError>,
) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ReadError::Runtime)?;
    Ok(runtime.block_on(command(ApiClient::new(&args.url)))?)
}

/// A question about a window of time.
fn about(path: &str, window: &WindowArgs) -> Question {
    Question::new(path)
        .with("window", window.window)
        .with_some("until", window.until)
        .with_some("namespace", window.namespace.as_ref())
}

/// Prints an answer as the flags say; `render` is told whether all columns are wanted.
fn show<T>(
    answer: &Answer<T>,
    output: OutputArgs,
    render: impl FnOnce(&T, bool) -> String,
) -> Result<(), ReadError> {
    let text = match output.format {
        Format::Table => render(&answer.body, false),
        Format::Wide => render(&answer.body, true),
        Format::Json => pretty(&answer.raw)?,
    };
    output::print(&text).map_err(ReadError::Write)
}

/// The answer as it came, fields that this version does not know included.
fn pretty(raw: &[u8]) -> Result<String, ReadError> {
    let value: serde_json::Value = serde_json::from_slice(raw).map_err(ReadError::Json)?;
    let mut text = serde_json::to_string_pretty(&value).map_err(ReadError::Json)?;
    text.push('\n');
    Ok(text)
}

/// The end of a command that found nothing: scripts get the answer, people were told ([`say_unless_json`]).
fn show_empty<T>(answer: &Answer<T>, output: OutputArgs) -> Result<Exit, ReadError> {
    if output.format == Format::Json {
        show(answer, output, |_, _| String::new())?;
    }
    Ok(Exit::Empty)
}

/// A word to people, beside the answer: it goes to standard error.
fn say_unless_json(output: OutputArgs, what: &str) {
    if output.format != Format::Json {
        output::say(what);
    }
}

#[cfg(test)]
mod tests;
