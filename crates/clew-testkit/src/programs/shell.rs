//! Commands in the surroundings that a sidecar makes.

use super::process::{Program, command, finish};
use super::stdout;
use std::collections::HashMap;
use std::ffi::OsStr;
use tokio::process::Command;

/// The surroundings of a process that has a sidecar: its variables. The sidecar ends when this is dropped.
#[derive(Debug)]
pub struct Shell {
    /// The sidecar's process.
    pub program: Program,
    variables: HashMap<String, String>,
}

impl Shell {
    /// The surroundings of a process that has written its environment.
    pub(super) fn of(program: Program) -> Self {
        let lines = program.written();
        let variables = lines.iter().filter_map(|line| line.split_once('='));
        let variables = variables.filter(|(name, _)| is_of_sidecar(name));
        Self {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            program,
        }
    }

    /// A command as it would be run in this place.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = command(program);
        command.envs(&self.variables);
        command
    }

    /// What a variable says.
    ///
    /// # Panics
    /// It is not set.
    pub fn variable(&self, name: &str) -> &str {
        match self.variables.get(name) {
            Some(value) => value,
            None => panic!("{name} is not among {:?}", self.variables),
        }
    }

    /// Runs a command in this place, successfully, and gives what it wrote.
    ///
    /// # Panics
    /// It fails.
    pub async fn output<W: AsRef<OsStr>>(&self, words: &[W]) -> String {
        let mut command = self.command(&words[0]);
        command.args(&words[1..]);
        let what = format!("{:?}", command.as_std());
        let output = finish(command).await;
        assert!(output.status.success(), "{what}: {output:?}");
        stdout(&output).to_owned()
    }
}

/// Variables that `clew run` sets.
fn is_of_sidecar(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "port"
        || lower.ends_with("_proxy")
        || lower.starts_with("otel_")
        || (lower.starts_with("clew_") && lower.ends_with("_url"))
}
