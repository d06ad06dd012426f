//! `clew authz`: whose requests were admitted, and whose were refused.

use super::access::may_call;
use super::edges::peer;
use super::{ReadError, about, say_unless_json, show, show_empty};
use crate::cli::access::AuthzArgs;
use crate::cli::read::Format;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::BAD;
use crate::output::table::{Cell, Table};
use clew_api::rest::access::AccessTable;
use clew_api::rest::authz::{Authz, AuthzRow};
use clew_api::rest::golden::EdgePeer;
use std::collections::BTreeSet;

pub(super) async fn run(args: &AuthzArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/authz", &args.window)
        .with_some("workload", args.workload.as_ref())
        .with_some("refused", args.refused.then_some(true));
    let answer = api.get::<Authz>(&question).await?;
    let of = &answer.body;
    if of.admitted + of.refused == 0 {
        say_unless_json(args.output, "nobody asked for anything in this window");
        return show_empty(&answer, args.output);
    }
    if of.refused == 0 {
        say_unless_json(args.output, "nobody was refused in this window");
    }
    let access = match args.output.format {
        Format::Wide => Some(
            api.get::<AccessTable>(&Question::new("/access"))
                .await?
                .body,
        ),
        Format::Table | Format::Json => None,
    };
    // Headings above nothing say nothing.
    if !of.rows.is_empty() || args.output.format == Format::Json {
        show(&answer, args.output, |authz, _| {
            render(authz, access.as_ref())
        })?;
    }
    Ok(Exit::Ok)
}

/// All columns, where it is known who may call.
fn render(authz: &Authz, access: Option<&AccessTable>) -> String {
    let mut table = Table::new()
        .text("SERVER")
        .text("CLIENT")
        .text("ROUTE")
        .numbers(&["ADMITTED", "REFUSED"])
        .text("TLS");
    if access.is_some() {
        table = table.text("CLIENT_ID").text("MAY_CALL");
    }
    let rows = || authz.rows.iter();
    let of_servers = rows().map(|row| row.namespace.as_str());
    let of_clients = rows().filter_map(|row| row.client.namespace.as_deref());
    let namespaces: BTreeSet<&str> = of_servers.chain(of_clients).collect();
    let shows_namespace = access.is_some() || namespaces.len() > 1;
    for row in rows() {
        let mut cells = vec![
            peer(&server(row), shows_namespace),
            peer(&row.client, shows_namespace),
            Cell::new(&row.route),
            Cell::new(row.admitted.to_string()),
            refused(row.refused),
            Cell::new(&row.tls),
        ];
        if let Some(access) = access {
            cells.push(Cell::or_none(row.client_id.as_ref()));
            cells.push(Cell::or_none(grants(row, access)));
        }
        table.row(cells);
    }
    table.render()
}

fn server(row: &AuthzRow) -> EdgePeer {
    EdgePeer {
        name: Some(row.workload.clone()),
        namespace: Some(row.namespace.clone()),
        meshed: true,
    }
}

fn refused(requests: u64) -> Cell {
    match requests {
        0 => Cell::new("0"),
        more => Cell::styled(more.to_string(), BAD),
    }
}

/// Who may call the server now, by its services where it has several.
fn grants(row: &AuthzRow, access: &AccessTable) -> Option<String> {
    match row.services.as_slice() {
        [] => None,
        [one] => Some(may_call(access, one)),
        several => {
            let each = several
                .iter()
                .map(|service| format!("{service}: {}", may_call(access, service)));
            Some(each.collect::<Vec<_>>().join(" | "))
        }
    }
}

#[cfg(test)]
mod tests;
