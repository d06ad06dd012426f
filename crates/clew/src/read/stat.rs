//! `clew stat`: golden metrics of every workload.

use super::{ReadError, about, golden, say_unless_json, show};
use crate::cli::read::StatArgs;
use crate::client::ApiClient;
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::{DIM, units};
use clew_api::rest::golden::{Direction, Golden, SideStat, Stat, WorkloadStat};

pub(super) async fn run(args: &StatArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let question = about("/stat", &args.window).with_some("workload", args.workload.as_ref());
    let answer = api.get::<Stat>(&question).await?;
    if answer.body.workloads.is_empty() {
        say_unless_json(
            args.output,
            "no workload is in the mesh, and none sent or served anything in this window",
        );
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, render)?;
    Ok(Exit::Ok)
}

/// One side of a workload: one line.
struct Row<'a> {
    of: &'a WorkloadStat,
    direction: Direction,
    side: Option<&'a SideStat>,
}

impl<'a> Row<'a> {
    fn golden(&self) -> Option<&'a Golden> {
        self.side.and_then(|side| side.golden.as_ref())
    }
}

/// A workload's serving side; its sending side where it only sends, and beside the other when all is wanted.
fn rows(stat: &Stat, is_wide: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for of in &stat.workloads {
        let (inbound, outbound) = (of.inbound.as_ref(), of.outbound.as_ref());
        if inbound.is_some() || outbound.is_none() {
            rows.push(Row {
                of,
                direction: Direction::Inbound,
                side: inbound,
            });
        }
        if outbound.is_some() && (is_wide || inbound.is_none()) {
            rows.push(Row {
                of,
                direction: Direction::Outbound,
                side: outbound,
            });
        }
    }
    rows
}

/// Which columns there are besides the ones that are always there.
struct Columns {
    namespace: bool,
    direction: bool,
    golden: golden::Columns,
    score: bool,
    tcp: bool,
    is_wide: bool,
}

impl Columns {
    /// Those in which anything would differ, or all.
    fn that_matter(stat: &Stat, rows: &[Row<'_>], is_wide: bool) -> Self {
        let first = stat.workloads.first().map(|workload| &workload.namespace);
        Self {
            namespace: is_wide
                || stat
                    .workloads
                    .iter()
                    .any(|workload| Some(&workload.namespace) != first),
            direction: is_wide || rows.iter().any(|row| row.direction == Direction::Outbound),
            golden: golden::Columns::of(is_wide, rows.iter().map(Row::golden)),
            score: is_wide
                || stat
                    .workloads
                    .iter()
                    .any(|workload| workload.propagation_score.is_some_and(|score| score < 1.0)),
            tcp: is_wide
                || rows
                    .iter()
                    .any(|row| row.side.is_some_and(|side| side.tcp.is_some())),
            is_wide,
        }
    }

    fn heading(&self) -> Table {
        let mut table = Table::new();
        if self.namespace {
            table = table.text("NAMESPACE");
        }
        table = table.text("NAME").number("INSTANCES");
        if self.direction {
            table = table.text("DIRECTION");
        }
        table = self.golden.headings(table);
        if self.score {
            table = table.number("SCORE");
        }
        if self.tcp {
            table = table.number("TCP_CONN");
        }
        if self.is_wide {
            table = table
                .numbers(&["TCP_READ", "TCP_WRITTEN", "PROXY_P50", "PROXY_P99"])
                .numbers(&["MEAN", "PROXY", "WAIT", "BEYOND"])
                .text("ERRORS");
        }
        table
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Cell> {
        let golden = row.golden();
        let tcp = row.side.and_then(|side| side.tcp);
        let proxy = row.side.and_then(|side| side.proxy_time_ms);
        let mut cells = Vec::new();
        if self.namespace {
            cells.push(Cell::new(&row.of.namespace));
        }
        cells.push(Cell::new(&row.of.workload));
        cells.push(Cell::new(row.of.instances.to_string()));
        if self.direction {
            cells.push(Cell::styled(row.direction.as_str(), DIM));
        }
        cells.extend(self.golden.cells(golden));
        if self.score {
            // Of the workload, and not of a side.
            let score = row.of.propagation_score;
            cells.push(Cell::or_none(
                score.map(|score| format!("{:.2}", 100.0 * score)),
            ));
        }
        if self.tcp {
            cells.push(Cell::or_none(
                tcp.and_then(|tcp| tcp.open).map(|open| open.to_string()),
            ));
        }
        if self.is_wide {
            cells.push(Cell::or_none(tcp.map(|tcp| units::bytes(tcp.read_bytes))));
            cells.push(Cell::or_none(
                tcp.map(|tcp| units::bytes(tcp.written_bytes)),
            ));
            cells.push(Cell::or_none(proxy.map(|proxy| units::millis(proxy.p50))));
            cells.push(Cell::or_none(proxy.map(|proxy| units::millis(proxy.p99))));
            let means = row.side.and_then(|side| side.mean_ms);
            let times = means.map(|means| [means.latency, means.proxy, means.wait, means.beyond]);
            let times = (0..4).map(|n| times.map(|times| units::millis(times[n])));
            cells.extend(times.map(Cell::or_none));
            cells.push(golden::errors(golden));
        }
        cells
    }
}

fn render(stat: &Stat, is_wide: bool) -> String {
    let rows = rows(stat, is_wide);
    let columns = Columns::that_matter(stat, &rows, is_wide);
    let mut table = columns.heading();
    for row in &rows {
        table.row(columns.cells(row));
    }
    table.render()
}

#[cfg(test)]
mod tests;
