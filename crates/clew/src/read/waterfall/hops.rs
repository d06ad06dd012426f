//! Below the waterfall: where the time went, hop by hop.

use crate::output::table::{Cell, Table};
use crate::output::{BOLD, painted, shortened, units};
use clew_api::rest::traces::{HopTime, Trace};

/// Columns of a name; a request is named above, too.
const MAX_NAME: usize = 56;

/// The table; empty when no proxy has a span in the trace.
pub(super) fn render(trace: &Trace) -> String {
    if trace.hops.is_empty() {
        return String::new();
    }
    let mut table = Table::new().text("HOP").numbers(&[
        "TIME",
        "PROXIES",
        "WAITS",
        "NETWORK+KERNEL",
        "APPLICATION",
        "ON_PATH",
        "SHARE",
    ]);
    for hop in &trace.hops {
        let time = |ms: f64| Cell::new(units::millis(ms));
        let share = hop.on_path_ms / trace.duration_ms.max(f64::MIN_POSITIVE);
        table.row(vec![
            Cell::new(shortened(&name(hop), MAX_NAME)),
            time(hop.total_ms),
            time(hop.client_proxy_ms + hop.server_proxy_ms),
            time(hop.client_wait_ms + hop.server_wait_ms),
            Cell::or_none(hop.network_ms.map(units::millis)),
            Cell::or_none(hop.application_ms.map(units::millis)),
            time(hop.on_path_ms),
            Cell::new(format!("{:.1}%", 100.0 * share)),
        ]);
    }
    let clocks: String = trace.hops.iter().filter_map(clock).collect();
    let heading = painted("Where the time went", BOLD);
    format!("\n{heading}\n{}{clocks}", table.render())
}

/// `webapp -> books GET /books/{id}`, below the one that it was made for.
fn name(hop: &HopTime) -> String {
    let indent = "  ".repeat(usize::try_from(hop.depth).unwrap_or_default());
    let client = hop
        .client
        .as_ref()
        .map(|client| format!("{client} "))
        .unwrap_or_default();
    let server = hop.server.as_deref().unwrap_or("?");
    format!("{indent}{client}-> {server} {}", hop.name)
}

fn clock(hop: &HopTime) -> Option<String> {
    let skew = hop.skew_at_least_ms?;
    let (client, server) = (hop.client.as_ref()?, hop.server.as_ref()?);
    let way = if skew > 0.0 { "behind" } else { "ahead of" };
    Some(format!(
        "the clock of {server} is {way} that of {client} by {} at least\n",
        units::millis(skew.abs())
    ))
}
