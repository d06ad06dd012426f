//! `clew propagation`: who passes trace context on, who does not, and what to change.

use super::{ReadError, about, say_unless_json, show};
use crate::cli::read::PropagationArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use clew_api::rest::propagation::{
    Propagation, PropagationAdvice, PropagationExample, RoutePropagation, WorkloadPropagation,
};

pub(super) async fn run(args: &PropagationArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question =
        about("/propagation", &args.window).with_some("workload", args.workload.as_ref());
    let answer = api.get::<Propagation>(&question).await?;
    if answer.body.workloads.is_empty() {
        say_unless_json(
            args.output,
            "nobody made a request in this window, or tracing is off",
        );
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, render)?;
    let Some(least) = args.fail_under else {
        return Ok(Exit::Ok);
    };
    Ok(judged(&answer.body, least, |what| {
        say_unless_json(args.output, what);
    }))
}

/// Whether every workload has a score of at least so many percent. Where nothing says anything of any, nothing was tried.
fn judged(propagation: &Propagation, least: f64, say: impl Fn(&str)) -> Exit {
    let scores = || {
        let workloads = propagation.workloads.iter();
        workloads.filter_map(|workload| Some((&workload.name, 100.0 * workload.score?)))
    };
    if scores().next().is_none() {
        say("no request in this window says anything of a workload");
        return Exit::Empty;
    }
    let mut exit = Exit::Ok;
    for (name, score) in scores().filter(|(_, score)| *score < least) {
        say(&format!("{name} has {score:.2}, less than {least}"));
        exit = Exit::Failed;
    }
    exit
}

fn render(propagation: &Propagation, is_wide: bool) -> String {
    let mut table = Table::new();
    if is_wide {
        table = table.text("NAMESPACE");
    }
    table = table
        .text("NAME")
        .number("SCORE")
        .text("SERVICE")
        .text("ROUTE")
        .text("VERDICTS");
    if is_wide {
        table = table.text("EVIDENCE");
    }
    for workload in &propagation.workloads {
        for route in &workload.routes {
            let mut cells = Vec::new();
            if is_wide {
                cells.push(Cell::new(&workload.namespace));
            }
            cells.extend([
                Cell::new(&workload.name),
                Cell::or_none(route.score.map(|score| format!("{:.2}", 100.0 * score))),
                Cell::or_none(route.service.as_ref()),
                Cell::new(&route.route),
                Cell::new(counts(&route.verdicts)),
            ]);
            if is_wide {
                cells.push(Cell::new(counts(&route.evidence)));
            }
            table.row(cells);
        }
    }
    let advice: String = propagation.workloads.iter().filter_map(advice).collect();
    format!("{}{advice}", table.render())
}

/// `dropped=3 forwarded=10`
fn counts(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let each = counts.iter().map(|(name, count)| format!("{name}={count}"));
    each.collect::<Vec<_>>().join(" ")
}

/// What is wrong with a workload, and what to change.
fn advice(workload: &WorkloadPropagation) -> Option<String> {
    let advice = workload.advice.iter();
    let advice: String = advice.map(|advice| said(workload, advice)).collect();
    (!advice.is_empty()).then_some(advice)
}

fn said(workload: &WorkloadPropagation, advice: &PropagationAdvice) -> String {
    let example = workload.routes.iter().find_map(|route| {
        let example = route.example.as_ref()?;
        let is_it =
            route.verdicts.contains_key(&advice.verdict) && example.evidence == advice.evidence;
        is_it.then(|| shown(route, example))
    });
    format!(
        "\n{} breaks traces: {} requests to {} {}.\n{}  {}\n",
        workload.name,
        advice.requests,
        advice.calls.join(", "),
        advice.what,
        example.unwrap_or_default(),
        advice.fix,
    )
}

/// `a, b and c`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An example: what came in, and what went out.
fn shown(route: &RoutePropagation, example: &PropagationExample) -> String {
    let instance = example.instance.as_deref().unwrap_or("an instance");
    let which = match example.in_flight {
        0 | 1 => "the only request in flight".to_owned(),
        several => format!("one of {several} requests in flight"),
    };
    let mut lines = format!("  For example, in {instance} ({which}):\n");
    if let Some(given) = &example.given {
        lines.push_str(&format!(
            "    {}  in   {}  with {}: trace {}, span {}\n",
            time_of_day(&given.at),
            given.route,
            listed(&given.headers),
            given.trace_id,
            given.span_id,
        ));
    }
    let sent = &example.sent;
    let brought = match (&sent.fault, &sent.trace_id, &sent.span_id) {
        (Some(fault), ..) => format!("with {fault}"),
        (None, Some(trace), Some(span)) => {
            format!("with {}: trace {trace}, span {span}", listed(&sent.headers))
        }
        _ => "without any of them".to_owned(),
    };
    lines.push_str(&format!(
        "    {}  out  {}  {brought}\n",
        time_of_day(&sent.at),
        route.callee(),
    ));
    lines
}

/// The time of a moment (RFC 3339): its day is today's or in `-o json`.
fn time_of_day(at: &str) -> &str {
    at.split_once('T').map_or(at, |(_, time)| time)
}

#[cfg(test)]
mod tests;
