//! `clew critical-path`: where the time of a route's requests went.

use super::{ReadError, about, say_unless_json, show};
use crate::cli::read::CriticalPathArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::units;
use clew_api::rest::critical_path::{CriticalPath, PathPart};

pub(super) async fn run(args: &CriticalPathArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/critical-path", &args.window)
        .with_some("workload", args.workload.as_ref())
        .with_some("route", args.route.as_ref());
    let answer = api.get::<CriticalPath>(&question).await?;
    if answer.body.requests == 0 {
        say_unless_json(
            args.output,
            &format!(
                "no span of {} of {} was kept in this window (`clew settings --sample` says how many are)",
                answer.body.route, answer.body.workload
            ),
        );
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, |path, _| render(path))?;
    Ok(Exit::Ok)
}

fn render(path: &CriticalPath) -> String {
    let mut table = Table::new()
        .text("TIME")
        .text("OF")
        .numbers(&["MEAN", "SHARE", "SLOWEST", "SHARE"]);
    for part in &path.parts {
        table.row(vec![
            Cell::new(name(part)),
            Cell::new(owner(part)),
            Cell::new(units::millis(part.mean_ms)),
            Cell::new(percent(part.mean_share)),
            Cell::new(units::millis(part.slowest_ms)),
            Cell::new(percent(part.slowest_share)),
        ]);
    }
    format!("{}{}{}", heading(path), table.render(), footing(path))
}

fn heading(path: &CriticalPath) -> String {
    let most = |share: fn(&PathPart) -> f64| {
        let parts = path.parts.iter();
        let most = parts.max_by(|a, b| share(a).total_cmp(&share(b)))?;
        Some((percent(share(most)), words(most)))
    };
    let (mean, mean_of) = most(|part| part.mean_share).unwrap_or_default();
    let (slowest, slowest_of) = most(|part| part.slowest_share).unwrap_or_default();
    format!(
        "{} of {}: mean {}, 99% within {}, the slowest 1% {} on average\n\
         {mean} of the mean is {mean_of}; {slowest} of the slowest is {slowest_of}.\n\n",
        path.route,
        path.workload,
        units::millis(path.mean_ms),
        units::millis(path.p99_ms),
        units::millis(path.slowest_ms),
    )
}

fn footing(path: &CriticalPath) -> String {
    let mut text = format!(
        "\nFrom the spans of {} of {} requests",
        path.requests, path.of
    );
    if path.stands_for > path.requests as f64 + 0.5 {
        text.push_str(&format!(
            ", each for those that were not kept: {:.0} in all",
            path.stands_for
        ));
    }
    if path.traces_read < path.traces_found {
        text.push_str(&format!(
            "; {} of {} traces were read",
            path.traces_read, path.traces_found
        ));
    }
    text.push_str(".\n");
    text
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn name(part: &PathPart) -> &str {
    match part.part.as_str() {
        "network" => "network and kernel",
        "outside" => "outside of the mesh",
        "unseen" => "server without a span",
        other => other,
    }
}

fn owner(part: &PathPart) -> String {
    match (&part.to, &part.side) {
        (Some(to), _) => format!("{} -> {to}", part.of),
        (None, Some(side)) => format!("{}, {side}", part.of),
        (None, None) => part.of.clone(),
    }
}

/// The part as one says it.
fn words(part: &PathPart) -> String {
    let to = part.to.as_deref().unwrap_or("somewhere");
    let of = &part.of;
    let side = part.side.as_deref().unwrap_or_default();
    match part.part.as_str() {
        "application" => format!("the application {of}"),
        "proxy" => format!("{side} work of the proxy of {of}"),
        "wait" => format!("{side} waits of the proxy of {of}"),
        "network" => format!("network and kernel between {of} and {to}"),
        "outside" => format!("{to}, which is outside of the mesh"),
        _ => format!("{to}, of which no span is there"),
    }
}

#[cfg(test)]
mod tests;
