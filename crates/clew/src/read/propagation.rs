//! `clew propagation`: who passes trace context on, who does not, and what to change.

use super::{ReadError, say_unless_json, show};
use crate::cli::read::PropagationArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use clew_api::rest::propagation::{Propagation, RoutePropagation, WorkloadPropagation};

pub(super) async fn run(args: &PropagationArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = Question::new("/propagation")
        .with("window", args.window.window)
        .with_some("namespace", args.window.namespace.as_ref())
        .with_some("workload", args.workload.as_ref());
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
    let sum = |verdict: &str| -> u64 {
        let routes = workload.routes.iter();
        routes.filter_map(|route| route.verdicts.get(verdict)).sum()
    };
    let named = |verdict: &'static str| {
        let is_concerned = move |route: &&RoutePropagation| route.verdicts.contains_key(verdict);
        let routes = workload.routes.iter().filter(is_concerned);
        let names = routes.map(|route| match &route.service {
            Some(service) => format!("{} of {service}", route.route),
            None => route.route.clone(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let mut advice = String::new();
    if sum("dropped") > 0 {
        advice.push_str(&format!(
            "\n{} breaks traces: {} requests to {} came without trace headers, although it was serving requests that had them.\n  \
             Copy traceparent and tracestate from the request that is served onto every request that is made for it.\n",
            workload.name,
            sum("dropped"),
            named("dropped"),
        ));
    }
    if sum("mangled") > 0 {
        advice.push_str(&format!(
            "\n{} breaks traces: {} requests to {} came with trace headers that are none: cut short, or all zero.\n  \
             Copy the values of the headers whole, byte by byte.\n",
            workload.name,
            sum("mangled"),
            named("mangled"),
        ));
    }
    (!advice.is_empty()).then_some(advice)
}

#[cfg(test)]
mod tests;
