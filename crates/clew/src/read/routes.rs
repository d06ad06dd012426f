//! `clew routes`: golden metrics of every route of a workload.

use super::{ReadError, about, golden, say_unless_json, show};
use crate::cli::read::RoutesArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use clew_api::rest::golden::{RouteSource, Routes};

pub(super) async fn run(args: &RoutesArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/routes", &args.window)
        .with("workload", &args.workload)
        .with_some("from", args.from.as_ref())
        .with_some("to", args.to.as_ref());
    let answer = api.get::<Routes>(&question).await?;
    if !answer.body.routes.is_empty() {
        show(&answer, args.output, render)?;
        return Ok(Exit::Ok);
    }
    let of = &args.workload;
    say_unless_json(
        args.output,
        &match (&args.from, &args.to) {
            (Some(from), _) => format!("{of} served nothing to {from} in this window"),
            (None, Some(to)) => format!("{of} asked nothing of {to} in this window"),
            (None, None) => format!("{of} served nothing in this window"),
        },
    );
    super::show_empty(&answer, args.output)
}

fn render(routes: &Routes, is_wide: bool) -> String {
    // What was served is all of the workload; a service is named where something was asked of one.
    let shows_service = is_wide || routes.routes.iter().any(|route| route.service.is_some());
    let mut table = Table::new();
    if is_wide {
        table = table.text("NAMESPACE");
    }
    table = table.text("ROUTE");
    if shows_service {
        table = table.text("SERVICE");
    }
    if is_wide {
        table = table.text("SOURCE");
    }
    let columns = golden::Columns::of(
        is_wide,
        routes.routes.iter().map(|route| Some(&route.golden)),
    );
    table = columns.headings(table);
    if is_wide {
        table = table.text("ERRORS");
    }
    for route in &routes.routes {
        let mut cells = Vec::new();
        if is_wide {
            cells.push(Cell::new(&route.namespace));
        }
        cells.push(Cell::new(&route.route));
        if shows_service {
            cells.push(Cell::or_none(route.service.as_ref()));
        }
        if is_wide {
            cells.push(Cell::or_none(route.source.map(RouteSource::as_str)));
        }
        cells.extend(columns.cells(Some(&route.golden)));
        if is_wide {
            cells.push(golden::errors(Some(&route.golden)));
        }
        table.row(cells);
    }
    table.render()
}

#[cfg(test)]
mod tests;
