//! What `clew top` shows, as lines for a screen of a size.

use super::super::golden::success;
use super::screen::{Key, Size};
use crate::output::table::{Cell, Table};
use crate::output::{BAD, BOLD, DIM, painted, shortened, units};
use clew_api::rest::golden::{Golden, RouteStat, WorkloadStat};
use std::cmp::Ordering;

/// Columns of the five numbers of a row and the gap before each, at their widest: `100.00%`, `1.23 k`, and
/// three times `1.23 ms`.
const NUMBERS_WIDTH: usize = 7 + 6 + 3 * 7 + 5 * 2;
/// Columns of INST and the gap before it.
const INSTANCES_WIDTH: usize = 4 + 2;
/// Columns of SCORE and the gap before it.
const SCORE_WIDTH: usize = 6 + 2;
/// The rows that do not move: what is shown, and the keys.
const FIXED_ROWS: usize = 2;

/// The numbers of one answer.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// All workloads.
    pub(super) workloads: Vec<WorkloadStat>,
    /// All routes, each with its workload.
    pub(super) routes: Vec<(String, RouteStat)>,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// The most requests.
    Rps,
    /// The smallest share of successes.
    Success,
    /// The longest p99.
    Latency,
    /// The alphabet.
    Name,
}

impl Order {
    fn name(self) -> &'static str {
        match self {
            Self::Rps => "RPS",
            Self::Success => "SUCCESS",
            Self::Latency => "P99",
            Self::Name => "NAME",
        }
    }
}

/// How it is looked at.
#[derive(Debug)]
pub(super) struct View {
    window: String,
    order: Order,
    /// Lines that were scrolled past.
    offset: usize,
    /// Why there are no new numbers.
    pub(super) trouble: Option<String>,
}

impl View {
    pub(super) fn new(window: String) -> Self {
        Self {
            window,
            order: Order::Rps,
            offset: 0,
            trouble: None,
        }
    }

    /// Does what a key asks for.
    pub(super) fn press(&mut self, key: Key) {
        match key {
            Key::Up => self.offset = self.offset.saturating_sub(1),
            Key::Down => self.offset = self.offset.saturating_add(1),
            Key::Letter('r') => self.order = Order::Rps,
            Key::Letter('s') => self.order = Order::Success,
            Key::Letter('l') => self.order = Order::Latency,
            Key::Letter('n') => self.order = Order::Name,
            Key::Letter(_) | Key::End => {}
        }
    }

    /// The lines, none wider and no more than the screen.
    pub(super) fn render(&mut self, numbers: &Numbers, size: Size) -> Vec<String> {
        let title = format!("clew top   last {}   by {}", self.window, self.order.name());
        let mut lines = vec![painted(&shortened(&title, size.columns), BOLD)];
        let body =
            self.workloads(numbers, size.columns) + "\n" + &self.routes(numbers, size.columns);
        let body: Vec<&str> = body.lines().collect();
        let room = size.rows.saturating_sub(FIXED_ROWS);
        self.offset = self.offset.min(body.len().saturating_sub(room));
        let shown = body.iter().skip(self.offset).take(room);
        lines.extend(shown.map(|line| (*line).to_owned()));
        lines.resize(1 + room, String::new());
        let (foot, style) = match &self.trouble {
            Some(trouble) => (trouble.as_str(), BAD),
            None => ("q end  r RPS  s SUCCESS  l P99  n NAME  j/k scroll", DIM),
        };
        let foot = shortened(&crate::output::clean(foot), size.columns);
        lines.push(painted(&foot, style));
        lines
    }

    fn workloads(&self, numbers: &Numbers, columns: usize) -> String {
        let mut rows: Vec<(&WorkloadStat, Option<&Golden>)> = numbers
            .workloads
            .iter()
            .map(|stat| {
                // What only sends is looked at from the side that it has.
                let side = stat.inbound.as_ref().or(stat.outbound.as_ref());
                (stat, side.and_then(|side| side.golden.as_ref()))
            })
            .collect();
        rows.sort_by(|a, b| {
            let names = a.0.workload.cmp(&b.0.workload);
            self.compare(a.1, b.1).then(names)
        });
        let room = columns.saturating_sub(NUMBERS_WIDTH + INSTANCES_WIDTH + SCORE_WIDTH);
        let mut table = numbers_of(Table::new().text("NAME").number("INST")).number("SCORE");
        for (stat, golden) in rows {
            let mut cells = vec![
                Cell::new(shortened(&stat.workload, room)),
                Cell::new(stat.instances.to_string()),
            ];
            cells.extend(cells_of(golden));
            let score = stat.propagation_score.map(|score| 100.0 * score);
            cells.push(Cell::or_none(score.map(|score| format!("{score:>6.2}"))));
            table.row(cells);
        }
        table.render()
    }

    fn routes(&self, numbers: &Numbers, columns: usize) -> String {
        let mut rows: Vec<&(String, RouteStat)> = numbers.routes.iter().collect();
        rows.sort_by(|a, b| {
            let names = (&a.0, &a.1.route).cmp(&(&b.0, &b.1.route));
            self.compare(Some(&a.1.golden), Some(&b.1.golden))
                .then(names)
        });
        let room = columns.saturating_sub(NUMBERS_WIDTH + 2);
        let widest = rows.iter().map(|(name, _)| name.chars().count()).max();
        let for_names = widest.unwrap_or(0).clamp("NAME".len(), (room / 3).max(4));
        let for_routes = room.saturating_sub(for_names).max("ROUTE".len());
        let mut table = numbers_of(Table::new().text("NAME").text("ROUTE"));
        for (workload, route) in rows {
            let mut cells = vec![
                Cell::new(shortened(workload, for_names)),
                Cell::new(shortened(&route.route, for_routes)),
            ];
            cells.extend(cells_of(Some(&route.golden)));
            table.row(cells);
        }
        table.render()
    }

    /// What was not measured comes last.
    fn compare(&self, a: Option<&Golden>, b: Option<&Golden>) -> Ordering {
        let rps = |golden: Option<&Golden>| golden.map(|golden| golden.rps);
        let success = |golden: Option<&Golden>| golden.and_then(|golden| golden.success_rate);
        let p99 = |golden: Option<&Golden>| Some(golden?.latency_ms?.p99);
        match self.order {
            Order::Rps => largest_first(rps(a), rps(b)),
            Order::Success => {
                let failures = |golden| success(golden).map(|share| -share);
                largest_first(failures(a), failures(b))
            }
            Order::Latency => largest_first(p99(a), p99(b)),
            Order::Name => Ordering::Equal,
        }
    }
}

fn largest_first(a: Option<f64>, b: Option<f64>) -> Ordering {
    let order = |number: Option<f64>| number.unwrap_or(f64::NEG_INFINITY);
    order(b).total_cmp(&order(a))
}

fn numbers_of(table: Table) -> Table {
    table.numbers(&["SUCCESS", "RPS", "P50", "P95", "P99"])
}

fn cells_of(golden: Option<&Golden>) -> [Cell; 5] {
    let latency = golden.and_then(|golden| golden.latency_ms);
    // As wide as they can be, so that columns stand still.
    let time = |ms: Option<f64>| Cell::or_none(ms.map(|ms| format!("{:>7}", units::millis(ms))));
    [
        success(golden),
        Cell::or_none(golden.map(|golden| format!("{:>6}", units::rate(golden.rps)))),
        time(latency.map(|latency| latency.p50)),
        time(latency.map(|latency| latency.p95)),
        time(latency.map(|latency| latency.p99)),
    ]
}

#[cfg(test)]
mod tests;
