//! The command line: every command and flag, and nothing else.

pub(crate) mod access;
pub(crate) mod local;
pub(crate) mod read;

use crate::address::{DEFAULT_API, uri};
use crate::exit::EXIT_CODES;
use clap::{Args, Parser, Subcommand, ValueEnum};
use http::Uri;
use std::path::PathBuf;

/// A service mesh that knows what a request did.
#[derive(Debug, Parser)]
#[command(name = "clew", version, after_help = EXIT_CODES, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the books application, meshed and under load
    Demo(local::DemoArgs),
    /// Run a whole application from a file
    Up(local::UpArgs),
    /// Have the running `clew up` read its file again, and change what has changed
    Reload(local::ReloadArgs),
    /// Give a process a sidecar and run it in the local mesh
    Run(local::RunArgs),
    /// Run a gateway: the way into the local mesh from outside
    Gateway(local::GatewayArgs),
    /// What the programs of the local mesh wrote
    Logs(local::LogsArgs),
    /// End the local mesh
    Down(local::DownArgs),
    /// Print a token by which a `clew-proxy` beside you proves who its workload is
    Token(local::TokenArgs),
    /// Run the mesh's roles (control and observe) in the foreground
    Roles(local::RolesArgs),
    /// Be one process of the books application, which knows nothing of the mesh
    #[command(hide = true)]
    BooksApp {
        /// Which one
        #[command(subcommand)]
        process: clew_books::command::Command,
    },
    /// Open the dashboard in a browser
    Dashboard(read::DashboardArgs),
    /// Golden metrics of every workload
    Stat(read::StatArgs),
    /// Golden metrics of every route of a workload
    Routes(read::RoutesArgs),
    /// Who talks to whom, and how well
    Edges(read::EdgesArgs),
    /// Whose requests were admitted, and whose were refused
    Authz(access::AuthzArgs),
    /// Who passes trace context on, who does not, and what to change
    Propagation(read::PropagationArgs),
    /// How often a request calls what: N+1 calls and retry storms, by name
    Calls(read::CallsArgs),
    /// Where the time of a route's requests went: whose it is, of the mean and of the slowest
    CriticalPath(read::CriticalPathArgs),
    /// Requests, live
    Tap(read::TapArgs),
    /// Workloads and their routes, live, on the whole terminal
    Top(read::TopArgs),
    /// Traces, newest first
    Traces(read::TracesArgs),
    /// One trace, whole
    Trace(read::TraceArgs),
    /// Look whether the mesh is well
    Check(read::CheckArgs),
    /// Members, store and roles of the mesh: what they use, and what gets lost
    Mesh(read::MeshArgs),
    /// Show what proxies report, or change it while they run
    Settings(read::SettingsArgs),
    /// Show who may call which service, or change it while all runs
    Access(access::AccessArgs),
    /// Show what the processes of the mesh log, or change it while they run
    LogLevel(read::LogLevelArgs),
    /// Versions of this program, of the roles and of every proxy, and whether they differ
    Version(read::VersionArgs),
    /// Print a script by which a shell completes commands and flags
    Completions(CompletionsArgs),
    /// Write a man page for every command
    Man(ManArgs),
}

/// `clew completions`
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Shells that can complete commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// `source <(clew completions bash)`, in ~/.bashrc
    Bash,
    /// `clew completions zsh > _clew`, in a folder of `$fpath`
    Zsh,
    /// `clew completions fish > ~/.config/fish/completions/clew.fish`
    Fish,
}

/// `clew man`
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder to write to, which is made where it is missing: `~/.local/share/man/man1` is looked in by `man`
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

/// Where the API is. Shared by every command.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApiArgs {
    /// Address of the mesh's API
    #[arg(long = "api", value_name = "URL", env = "CLEW_API", default_value_t = uri(DEFAULT_API), value_parser = parse_api)]
    pub(crate) url: Uri,
}

/// `[http://]HOST[:PORT]`, nothing behind it.
fn parse_api(text: &str) -> Result<Uri, String> {
    let wrong = || format!("expected http://HOST:PORT, for example http://{DEFAULT_API}");
    let scheme = if text.contains("://") { "" } else { "http://" };
    let uri: Uri = format!("{scheme}{text}").parse().map_err(|_| wrong())?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if uri.scheme_str() == Some("http") && uri.authority().is_some() && is_bare {
        Ok(uri)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests;
