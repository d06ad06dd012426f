//! `clew mesh`: the state of the mesh itself.

use super::{ReadError, show};
use crate::cli::read::MeshArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::{BAD, BOLD, DOUBTFUL, clean, painted, units};
use clew_api::rest::mesh::{Mesh, MeshIngest, MeshMember, MeshStore};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(super) async fn run(args: &MeshArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let answer = api.get::<Mesh>(&Question::new("/mesh")).await?;
    show(&answer, args.output, render)?;
    Ok(Exit::Ok)
}

fn render(mesh: &Mesh, is_wide: bool) -> String {
    let mut text = String::new();
    if !mesh.members.is_empty() {
        text.push_str(&members(&mesh.members, is_wide));
        text.push('\n');
    }
    if let Some(shared) = shared(&mesh.members) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {shared}", painted("Shared:", BOLD));
    }
    let control = match &mesh.control.error {
        None => "answers".to_owned(),
        Some(error) => painted(&clean(error), BAD),
    };
    for (name, state) in [
        ("Control", control),
        ("Observe", clean(&mesh.observe.version)),
        ("Store", store(&mesh.store)),
        ("Spans in", ingest(&mesh.ingest)),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {state}", painted(&format!("{name}:"), BOLD));
    }
    text
}

fn members(members: &[MeshMember], is_wide: bool) -> String {
    let mut table = Table::new();
    if is_wide {
        table = table.text("NAMESPACE");
    }
    table = table.text("NAME").text("INSTANCE").text("STATE").numbers(&[
        "RPS_IN", "RPS_OUT", "EXPORTED", "LOST", "SERIES", "MEMORY", "CPU",
    ]);
    if is_wide {
        table = table.numbers(&["WAITING", "FDS", "PID"]).text("VERSION");
    }
    let mut shown = BTreeSet::new();
    for member in members {
        let is_told = member.process.is_some();
        let is_process_shown = is_told && !shown.insert((&member.machine, member.pid));
        table.row(row(member, is_wide, is_process_shown));
    }
    table.render()
}

/// Processes that several of the members share, in words.
fn shared(members: &[MeshMember]) -> Option<String> {
    let mut processes = BTreeMap::new();
    for member in members {
        let process = member.process.as_ref();
        if let Some(process) = process.filter(|it| it.members > 1 || !it.roles.is_empty()) {
            processes.insert((&member.machine, member.pid), process);
        }
    }
    let words = processes.into_iter().map(|((machine, pid), process)| {
        let place = machine.as_ref().map(|machine| format!(" at {machine}"));
        let proxies = if process.members == 1 {
            "proxy"
        } else {
            "proxies"
        };
        let mut parts = vec![format!("{} {proxies}", process.members)];
        parts.extend(process.roles.iter().cloned());
        let place = place.unwrap_or_default();
        clean(&format!("process {pid}{place} runs {}", parts.join(", ")))
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// `is_process_shown`: what is of the process is in a line above.
fn row(member: &MeshMember, is_wide: bool, is_process_shown: bool) -> Vec<Cell> {
    let spans = member.spans.as_ref();
    let process = member.process.as_ref();
    let count = |count: Option<u64>| Cell::or_none(count.map(|count| count.to_string()));
    let rate = |rps: Option<f64>| Cell::or_none(rps.map(units::rate));
    let of_process = |text: Option<String>| match text {
        Some(_) if is_process_shown => Cell::new("\""),
        text => Cell::or_none(text),
    };
    let resident = process.and_then(|process| process.resident_bytes);
    let cores = process.and_then(|process| process.cpu_cores);
    let mut cells = Vec::new();
    if is_wide {
        cells.push(Cell::new(&member.namespace));
    }
    cells.extend([
        Cell::new(&member.workload),
        Cell::new(&member.id),
        state(member),
        rate(member.inbound_rps),
        rate(member.outbound_rps),
        count(spans.map(|spans| spans.exported)),
        spans.map_or_else(Cell::none, |spans| lost(spans.dropped.values().sum())),
        series(member),
        of_process(resident.map(units::bytes)),
        of_process(cores.map(|cores| format!("{cores:.2}"))),
    ]);
    if is_wide {
        cells.extend([
            count(spans.map(|spans| spans.waiting)),
            of_process(
                process
                    .and_then(|process| process.open_fds)
                    .map(|fds| fds.to_string()),
            ),
            Cell::new(member.pid.to_string()),
            Cell::new(&member.version),
        ]);
    }
    cells
}

fn state(member: &MeshMember) -> Cell {
    match &member.scrape_error {
        Some(error) => Cell::styled(format!("not read: {error}"), BAD),
        None if member.leaving => Cell::styled("leaving", DOUBTFUL),
        None => Cell::new("in"),
    }
}

fn lost(spans: u64) -> Cell {
    match spans {
        0 => Cell::new("0"),
        some => Cell::styled(some.to_string(), BAD),
    }
}

fn series(member: &MeshMember) -> Cell {
    let Some(series) = &member.series else {
        return Cell::none();
    };
    let text = format!("{}/{}", series.used, series.limit);
    if series.dropped.is_empty() {
        Cell::new(text)
    } else {
        Cell::styled(text, DOUBTFUL)
    }
}

fn store(store: &MeshStore) -> String {
    let mut text = format!(
        "{} of {}, {} traces, {} series, {}",
        units::bytes(store.bytes),
        units::bytes(store.bytes_limit),
        store.traces,
        store.series,
        clean(&store.path),
    );
    append_reasons(&mut text, "lost", &store.lost);
    text
}

fn ingest(ingest: &MeshIngest) -> String {
    let mut text = format!(
        "{} stored of {}, in {} requests",
        ingest.spans_stored, ingest.spans_received, ingest.requests
    );
    append_reasons(&mut text, "spans refused", &ingest.spans_refused);
    append_reasons(&mut text, "requests refused", &ingest.requests_refused);
    text
}

fn append_reasons(text: &mut String, what: &str, reasons: &BTreeMap<String, u64>) {
    if reasons.is_empty() {
        return;
    }
    let listed = reasons
        .iter()
        .map(|(reason, count)| format!("{}={count}", clean(reason)));
    let listed: Vec<String> = listed.collect();
    let reasons = format!("{what}: {}", listed.join(" "));
    let _ = write!(text, "; {}", painted(&reasons, BAD));
}

#[cfg(test)]
mod tests;
