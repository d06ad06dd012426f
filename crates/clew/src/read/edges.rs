//! `clew edges`: who talks to whom, and how well.

use super::{ReadError, about, golden, say_unless_json, show};
use crate::cli::read::EdgesArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::{DIM, units};
use clew_api::rest::golden::{EdgePeer, Edges};

pub(super) async fn run(args: &EdgesArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/edges", &args.window).with_some("workload", args.workload.as_ref());
    let answer = api.get::<Edges>(&question).await?;
    if answer.body.edges.is_empty() {
        say_unless_json(args.output, "nobody talked to anybody in this window");
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, render)?;
    Ok(Exit::Ok)
}

fn render(edges: &Edges, is_wide: bool) -> String {
    let shows_tcp = is_wide || edges.edges.iter().any(|edge| edge.tcp.is_some());
    let columns = golden::Columns::of(is_wide, edges.edges.iter().map(|edge| edge.golden.as_ref()));
    let mut table = columns.headings(Table::new().text("CLIENT").text("SERVER"));
    if shows_tcp {
        table = table.number("TCP_CONN");
    }
    if is_wide {
        table = table
            .number("BETWEEN")
            .text("SERVICES")
            .text("TLS")
            .text("REPORTED_BY")
            .text("ERRORS")
            .text("CLIENT_ID")
            .text("SERVER_ID");
    }
    let ends = || {
        edges
            .edges
            .iter()
            .flat_map(|edge| [&edge.client, &edge.server])
    };
    let mut namespaces: Vec<&str> = ends()
        .filter_map(|peer| peer.namespace.as_deref())
        .collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let shows_namespace = is_wide || namespaces.len() > 1;
    for edge in &edges.edges {
        let mut cells = vec![
            peer(&edge.client, shows_namespace),
            peer(&edge.server, shows_namespace),
        ];
        cells.extend(columns.cells(edge.golden.as_ref()));
        if shows_tcp {
            cells.push(Cell::or_none(
                edge.tcp
                    .and_then(|tcp| tcp.open)
                    .map(|open| open.to_string()),
            ));
        }
        if is_wide {
            cells.push(Cell::or_none(edge.between_ms.map(units::millis)));
            cells.push(Cell::or_none(
                (!edge.services.is_empty()).then(|| edge.services.join(",")),
            ));
            cells.push(Cell::new(&edge.tls));
            cells.push(Cell::new(edge.reported_by.as_str()));
            cells.push(golden::errors(edge.golden.as_ref()));
            for ids in [&edge.client_ids, &edge.server_ids] {
                cells.push(Cell::or_none((!ids.is_empty()).then(|| ids.join(","))));
            }
        }
        table.row(cells);
    }
    table.render()
}

/// `books`, `books.default`, `mail.example (unmeshed)` or `(unmeshed)`.
pub(super) fn peer(peer: &EdgePeer, shows_namespace: bool) -> Cell {
    let mut name = peer.name.clone().unwrap_or_default();
    if let (true, Some(namespace)) = (shows_namespace, &peer.namespace) {
        name = format!("{name}.{namespace}");
    }
    match (peer.meshed, name.is_empty()) {
        (true, _) => Cell::new(name),
        (false, true) => Cell::styled("(unmeshed)", DIM),
        (false, false) => Cell::styled(format!("{name} (unmeshed)"), DIM),
    }
}

#[cfg(test)]
mod tests;
