//! `clew check`: is the mesh well.

use super::{ReadError, show};
use crate::cli::read::CheckArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::{BAD, BOLD, DIM, DOUBTFUL, GOOD, clean, painted};
use clew_api::rest::check::{CheckStatus, Checks};
use std::fmt::Write;

pub(super) async fn run(args: &CheckArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let answer = api.get::<Checks>(&Question::new("/check")).await?;
    show(&answer, args.output, |checks, _| render(checks))?;
    Ok(if answer.body.status == CheckStatus::Fail {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

fn render(checks: &Checks) -> String {
    let mut text = String::new();
    let width = checks
        .checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(0);
    for check in &checks.checks {
        let name = clean(&check.name);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} {name:width$}  {}",
            sign(check.status),
            clean(&check.found)
        );
        if let Some(hint) = &check.hint {
            let _ = writeln!(
                text,
                "  {:width$}  {}",
                "",
                painted(&format!("-> {}", clean(hint)), DIM)
            );
        }
    }
    let verdict = match checks.status {
        CheckStatus::Ok => painted("all is well", GOOD),
        CheckStatus::Warn => painted("it works, and someone should look", DOUBTFUL),
        CheckStatus::Fail => painted("it does not work", BAD),
    };
    let _ = writeln!(text, "{} {verdict}", painted("Status:", BOLD));
    text
}

fn sign(status: CheckStatus) -> String {
    match status {
        CheckStatus::Ok => painted("√", GOOD),
        CheckStatus::Warn => painted("‼", DOUBTFUL),
        CheckStatus::Fail => painted("×", BAD),
    }
}

#[cfg(test)]
mod tests;
