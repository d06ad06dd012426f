//! `clew`: the command. Parses the command line, runs the command, ends with its exit code.
//!
//! The commands that run something on this machine are in [`local`], the ones that read a mesh's API in
//! [`read`]; what a mesh does is in the crates below. It is a library and no interface: the program is
//! [`main`] alone, and what reads files of users can be tried with any bytes ([`fuzzing`]).

mod address;
mod cli;
mod client;
mod exit;
mod guide;
mod label;
mod local;
mod output;
mod read;

use clap::Parser;
use cli::{Cli, Command};
use exit::Exit;
use std::process::ExitCode;

#[doc(hidden)]
pub use local::fuzzing;

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let result = match cli.command {
        Command::Demo(args) => local::demo(args),
        Command::Up(args) => local::up(args),
        Command::Run(args) => local::run(args),
        Command::Reload(args) => local::reload(args),
        Command::Logs(args) => local::logs(args),
        Command::Down(args) => local::down(args),
        Command::Token(args) => local::token(args),
        Command::Gateway(args) => local::gateway(args),
        Command::Roles(args) => local::roles(args),
        Command::BooksApp { process } => local::books_app(process),
        Command::Dashboard(args) => read::dashboard(args),
        Command::Stat(args) => read::stat(args),
        Command::Routes(args) => read::routes(args),
        Command::Edges(args) => read::edges(args),
        Command::Authz(args) => read::authz(args),
        Command::Propagation(args) => read::propagation(args),
        Command::Calls(args) => read::calls(args),
        Command::CriticalPath(args) => read::critical_path(args),
        Command::Tap(args) => read::tap(args),
        Command::Top(args) => read::top(args),
        Command::Traces(args) => read::traces(args),
        Command::Trace(args) => read::trace(args),
        Command::Check(args) => read::check(args),
        Command::Mesh(args) => read::mesh(args),
        Command::Settings(args) => read::settings(args),
        Command::Access(args) => read::access(args),
        Command::LogLevel(args) => read::log_level(args),
        Command::Version(args) => read::version(args),
        Command::Completions(args) => guide::completions(args),
        Command::Man(args) => guide::man(args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = read::exit_of(&error);
            if exit != Exit::Ok {
                output::announce(&format!("{error:#}"));
            }
            exit.into()
        }
    }
}

/// Help and version go to standard output and are no failure; everything else is wrong usage.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody reads it any more: there is nothing left to say.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Ok.into()
    }
}
