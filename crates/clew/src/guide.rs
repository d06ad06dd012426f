//! What helps to use the command, made of its own command line: completions for shells, and man pages.

use crate::cli::{Cli, CompletionsArgs, ManArgs, Shell};
use crate::exit::{EXIT_CODES, Exit};
use crate::output;
use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::aot::{self, generate};
use clew_runtime::buildinfo::VERSION;
use std::io;

/// `clew completions`
pub(crate) fn completions(args: CompletionsArgs) -> anyhow::Result<Exit> {
    match output::print(&script(args)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the completions")
        }
        _ => Ok(Exit::Ok),
    }
}

fn script(args: CompletionsArgs) -> String {
    let shell = match args.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut shown(), "clew", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// `clew man`
pub(crate) fn man(args: ManArgs) -> anyhow::Result<Exit> {
    let folder = &args.folder;
    let write = || {
        std::fs::create_dir_all(folder)?;
        clap_mangen::generate_to(shown(), folder)
    };
    write().with_context(|| format!("cannot write man pages to {}", folder.display()))?;
    Ok(Exit::Ok)
}

/// The command line without what is hidden, which a reader of it need not know. A command cannot be taken
/// out of a command line, so those that are shown are put into a new one.
fn shown() -> Command {
    let all = Cli::command();
    let clew = Command::new("clew")
        .version(VERSION)
        .about(all.get_about().cloned().unwrap_or_default())
        .after_help(EXIT_CODES)
        .propagate_version(true)
        .disable_help_subcommand(true);
    let is_shown = |command: &&Command| !command.is_hide_set();
    let commands = all.get_subcommands().filter(is_shown).cloned();
    commands.fold(clew, Command::subcommand)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{CompletionsArgs, ManArgs, man, script};
    use crate::cli::Shell;

    #[test]
    fn every_shell_completes_commands_and_flags_and_none_that_are_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(CompletionsArgs { shell });
            for word in ["completions", "ready-file", "routes"] {
                assert!(script.contains(word), "{shell:?}: {word}");
            }
            assert!(!script.contains("books-app"), "{shell:?}");
        }
    }

    #[test]
    fn every_command_has_a_man_page_and_none_that_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("man1");
        man(ManArgs {
            folder: folder.clone(),
        })
        .unwrap();
        let page = std::fs::read_to_string(folder.join("clew-up.1")).unwrap();
        assert!(
            page.contains("clew\\-up") && page.contains("ready"),
            "{page}"
        );
        assert!(folder.join("clew.1").exists());
        assert!(!folder.join("clew-books-app.1").exists());
    }
}
