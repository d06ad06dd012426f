//! `clew calls`: how often requests call what.

use super::{ReadError, about, say_unless_json, show};
use crate::cli::read::CallsArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::units;
use clew_api::rest::calls::{CallPattern, Calls, RouteCall, RouteCalls};

pub(super) async fn run(args: &CallsArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/calls", &args.window)
        .with_some("workload", args.workload.as_ref())
        .with_some("route", args.route.as_ref());
    let answer = api.get::<Calls>(&question).await?;
    if answer.body.routes.is_empty() {
        say_unless_json(
            args.output,
            "no request in this window called anything with its trace ids (`clew propagation` says who does not pass them on)",
        );
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, render)?;
    Ok(Exit::Ok)
}

fn render(calls: &Calls, is_wide: bool) -> String {
    let mut table = Table::new();
    if is_wide {
        table = table.text("NAMESPACE");
    }
    table = table
        .text("NAME")
        .text("ROUTE")
        .number("REQUESTS")
        .text("SERVICE")
        .text("CALLED")
        .numbers(&["PER_REQUEST", "CALLS_P50", "CALLS_P99", "AGAIN"]);
    for of in &calls.routes {
        for call in &of.calls {
            let mut cells = Vec::new();
            if is_wide {
                cells.push(Cell::new(&of.namespace));
            }
            cells.extend([
                Cell::new(&of.workload),
                Cell::new(&of.route),
                Cell::new(of.requests.to_string()),
                Cell::or_none(call.service.as_ref()),
                Cell::new(&call.route),
                Cell::new(format!("{:.2}", call.per_request)),
                Cell::new(call.p50.to_string()),
                Cell::new(call.p99.to_string()),
                Cell::new(call.again.to_string()),
            ]);
            table.row(cells);
        }
    }
    let remarks = calls.routes.iter().flat_map(|of| {
        let calls = of.calls.iter();
        calls.filter_map(move |call| remark(of, call))
    });
    let remarks: String = remarks.collect();
    format!("{}{remarks}", table.render())
}

/// What is remarkable, in words.
fn remark(of: &RouteCalls, call: &RouteCall) -> Option<String> {
    let callee = match &call.service {
        Some(service) => format!("{} of {service}", call.route),
        None => call.route.clone(),
    };
    let caller = format!("{} of {}", of.route, of.workload);
    let times = call.calls as f64 / call.callers.max(1) as f64;
    Some(match call.pattern? {
        CallPattern::NPlusOne => format!(
            "\nN+1: {caller} calls {callee} {times:.1} times a request, one after another or at once.\n  \
             One call that answers for all items would do.\n",
        ),
        CallPattern::Repeated => format!(
            "\nRepeated: {caller} calls {callee} {times:.1} times a request, and its path is the same each time.\n  \
             If the answers are too, one call would do.\n",
        ),
        CallPattern::RetryStorm => format!(
            "\nRetry storm: {} of the calls that {caller} makes to {callee} are attempts after a failure.\n  \
             Retry with a budget and growing waits, and look at why they fail: clew traces --service {} --errors\n",
            units::share(call.again as f64 / call.calls.max(1) as f64),
            of.workload,
        ),
    })
}

#[cfg(test)]
mod tests;
