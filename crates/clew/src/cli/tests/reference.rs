//! docs/cli.md, made of the declarations of the command line.

use crate::cli::Cli;
use crate::exit::EXIT_CODES;
use crate::output::columns::COLUMNS;
use clap::{Arg, Command, CommandFactory};
use std::fmt::Write;
use std::path::Path;

const BEGIN: &str = "\
# The command line

Written by `make docs` from the program itself. `clew COMMAND --help` says the same.

    clew demo                      # an application to look at
    clew dashboard                 # all of it in a browser
    clew stat                      # how every workload is doing
    clew settings --sample 0.1     # keep a tenth of the traces from now on, while everything runs

Commands that read take `-o table` (the columns that matter most), `-o wide` (all columns) and `-o json` (the answer
of the API, [openapi.json](openapi.json)). Colour is only for a terminal. What a command has to say to people beside its
answer goes to standard error.

## Exit codes

";

const VARIABLES: &str = "
## Variables

| variable | what |
|---|---|
| `CLEW_API` | address of the mesh's API, for every command; `--api` comes first |
| `CLEW_LOG` | what the commands that run something write to their log, on standard error: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module (`warn,clew_proxy=debug`); default `warn`, of `clew roles` `info`; `clew log-level` changes it while they run |
| `NO_COLOR` | set to anything: no colour |
| `COLUMNS` | width of `clew trace`, where it is not the terminal's |
| `XDG_STATE_HOME` | where files of local meshes are, in the folder `clew` (default `~/.local/state`) |

What `clew run` and `clew up` set for the processes that they start is in [one-machine.md](one-machine.md).
";

fn reference() -> String {
    let mut text = BEGIN.to_owned();
    for line in EXIT_CODES.lines().skip(1) {
        writeln!(text, "  {line}").unwrap();
    }
    text.push_str(VARIABLES);
    text.push_str(
        "\n## Columns\n\nA `-` says that nothing was measured.\n\n| column | what |\n|---|---|\n",
    );
    for (title, meaning) in COLUMNS {
        writeln!(text, "| `{title}` | {meaning} |").unwrap();
    }
    text.push_str("\n## Commands\n");
    let mut clew = Cli::command();
    clew.build();
    for command in clew
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        describe(command.clone(), &mut text);
    }
    text
}

fn describe(mut command: Command, text: &mut String) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command.get_about().unwrap();
    let name = command.get_name();
    write!(text, "\n### `clew {name}`\n\n{about}.\n\n    {usage}\n\n").unwrap();
    text.push_str("| argument | default | what |\n|---|---|---|\n");
    let is_shown =
        |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    for arg in command.get_arguments().filter(is_shown) {
        let row = [names(arg), default(arg), meaning(arg)].map(|cell| cell.replace('|', "\\|"));
        writeln!(text, "| {} |", row.join(" | ")).unwrap();
    }
}

/// `` `-t`, `--window WINDOW` ``.
fn names(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    let Some(long) = arg.get_long() else {
        return format!("`{value}`");
    };
    let short = arg.get_short().map(|short| format!("`-{short}`, "));
    let value = match arg.get_action().takes_values() {
        true => format!(" {value}"),
        false => String::new(),
    };
    format!("{}`--{long}{value}`", short.unwrap_or_default())
}

fn default(arg: &Arg) -> String {
    let values = arg.get_default_values().iter();
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    match values.join(" ") {
        // A switch is off.
        values if values.is_empty() || !arg.get_action().takes_values() => String::new(),
        values => format!("`{values}`"),
    }
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().unwrap().to_string();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter_map(|value| Some(format!("`{}`: {}", value.get_name(), value.get_help()?)))
        .collect();
    if !values.is_empty() {
        write!(text, ". {}", values.join("; ")).unwrap();
    }
    text
}

/// `make docs` writes it after a change.
#[test]
fn the_command_line_in_the_documents_is_what_is_declared() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let declared = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, declared).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == declared,
        "docs/cli.md is not what is declared: run `make docs`"
    );
}
