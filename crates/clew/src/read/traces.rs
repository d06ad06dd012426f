//! `clew traces`: traces, newest first.

use super::{ReadError, say_unless_json, show};
use crate::cli::read::TracesArgs;
use crate::client::{ApiClient, Question};
use crate::exit::Exit;
use crate::output::table::{Cell, Table};
use crate::output::{BAD, DOUBTFUL, units};
use clew_api::rest::traces::{TraceState, TraceSummary, Traces};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub(super) async fn run(args: &TracesArgs, api: &ApiClient) -> Result<Exit, ReadError> {
    let mut question = Question::new("/traces")
        .with("window", args.window)
        .with_some("until", args.until)
        .with("settled", args.settled)
        .with("limit", args.limit)
        .with_some("service", args.service.as_ref())
        .with_some("route", args.route.as_ref())
        .with_some("min_duration", args.min_duration)
        .with_some("max_duration", args.max_duration)
        .with_some("status", args.status.as_ref())
        .with_some("tags", tags(&args.tags));
    if args.errors {
        question = question.with("errors", true);
    }
    let answer = api.get::<Traces>(&question).await?;
    if answer.body.traces.is_empty() {
        let settled = args.settled;
        say_unless_json(
            args.output,
            &format!(
                "no such trace in this window that nothing was added to for {settled} (see --window, --settled)"
            ),
        );
        return super::show_empty(&answer, args.output);
    }
    show(&answer, args.output, render)?;
    if let Some(time) = &answer.body.searched_back_to {
        let time = clock(time);
        say_unless_json(
            args.output,
            &format!(
                "too many spans to look into: those before {time} were not searched (see --service, --route)"
            ),
        );
    } else if answer.body.truncated {
        say_unless_json(args.output, "there are more (see --limit)");
    }
    Ok(Exit::Ok)
}

/// As one parameter: a comma, a percent sign and an equals sign of a name or value are percent-encoded in it.
fn tags(tags: &[(String, String)]) -> Option<String> {
    const ESCAPED: &AsciiSet = &CONTROLS.add(b',').add(b'%').add(b'=');
    let encode = |text| utf8_percent_encode(text, ESCAPED);
    let tags: Vec<String> = tags
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    (!tags.is_empty()).then(|| tags.join(","))
}

fn render(traces: &Traces, is_wide: bool) -> String {
    let shows_missing = is_wide || traces.traces.iter().any(|trace| trace.missing_parents > 0);
    let mut table = Table::new()
        .text("TRACE_ID")
        .text("START")
        .number("DURATION")
        .number("SPANS")
        .number("ERRORS");
    if shows_missing {
        table = table.number("MISSING_PARENTS");
    }
    if is_wide {
        table = table.number("ROOTS");
    }
    table = table.text("ROOT");
    if is_wide {
        table = table.text("SERVICES");
    }
    for trace in &traces.traces {
        let mut cells = vec![
            Cell::new(&trace.trace_id),
            Cell::new(clock(&trace.start)),
            Cell::new(units::millis(trace.duration_ms)),
            Cell::new(trace.spans.to_string()),
            counted(trace.errors, BAD),
        ];
        if shows_missing {
            cells.push(match trace.state {
                TraceState::Arriving => Cell::new(trace.missing_parents.to_string()),
                _ => counted(trace.missing_parents, DOUBTFUL),
            });
        }
        if is_wide {
            cells.push(Cell::new(trace.roots.to_string()));
        }
        cells.push(root(trace));
        if is_wide {
            let services: Vec<String> = trace
                .services
                .iter()
                .map(|(name, spans)| format!("{name}={spans}"))
                .collect();
            cells.push(Cell::new(services.join(" ")));
        }
        table.row(cells);
    }
    table.render()
}

fn counted(count: u64, style: anstyle::Style) -> Cell {
    if count == 0 {
        Cell::new("0")
    } else {
        Cell::styled(count.to_string(), style)
    }
}

fn root(trace: &TraceSummary) -> Cell {
    let name = format!("{} {}", trace.root.service, trace.root.name);
    if trace.state == TraceState::Arriving {
        Cell::new(format!("{name} (arriving)"))
    } else if trace.root.is_root {
        Cell::new(name)
    } else {
        Cell::styled(format!("{name} (its parent is missing)"), DOUBTFUL)
    }
}

/// `2026-03-01T12:00:00.123456789Z` as `2026-03-01 12:00:00.123Z`; anything else as it is.
pub(super) fn clock(rfc3339: &str) -> String {
    let Ok(time) = rfc3339.parse::<jiff::Timestamp>() else {
        return rfc3339.to_owned();
    };
    let millis = time.round(
        jiff::TimestampRound::new()
            .smallest(jiff::Unit::Millisecond)
            .mode(jiff::RoundMode::Trunc),
    );
    millis.map_or_else(
        |_| rfc3339.to_owned(),
        |time| time.strftime("%F %H:%M:%S%.3fZ").to_string(),
    )
}

#[cfg(test)]
mod tests;
