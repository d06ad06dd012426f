//! A trace as text: a line a span, indented below its parent, with its figures and its bar on the time
//! axis.

mod bar;
mod hops;
mod tree;

use crate::output::{BAD, BOLD, DIM, DOUBTFUL, clean, painted, shortened, units};
use bar::{Glyph, Scale};
use clew_api::rest::span::Span;
use clew_api::rest::traces::{Trace, TraceState};
use std::collections::BTreeSet;
use std::fmt::Write;
use tree::{Line, Node};

/// Bars are never narrower: below, the terminal's own line break has to do.
const MIN_BAR_WIDTH: usize = 16;
/// Names are never narrower, where they need more.
const MIN_LABEL_WIDTH: usize = 24;
/// Headings of the figures.
const FIGURES: [&str; 3] = ["DURATION", "PROXY", "WAIT"];

/// Before a span whose own parent is not shown.
const HIDDEN: &str = "⋯";

/// The trace for a terminal of `width` columns; with all details when `is_wide`.
pub(super) fn render(trace: &Trace, width: usize, is_wide: bool) -> String {
    let lines = tree::lines(trace);
    let labels = lines.iter().map(|line| Label::new(line, trace.state));
    let labels: Vec<Label> = labels.collect();
    let layout = Layout::of(trace, &labels, width);
    let mut text = summary(trace);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{}", painted(layout.heading().trim_end(), BOLD));
    let mut glyphs = BTreeSet::new();
    for (line, label) in lines.iter().zip(&labels) {
        let Node::Span(span) = line.node else {
            let _ = writeln!(text, "{}", label.fitted(label.width()));
            continue;
        };
        let bar = bar::of(span, &layout.scale);
        glyphs.extend(bar.glyphs());
        let name = layout.padded(label);
        let _ = writeln!(
            text,
            "{name}{}  {}",
            layout.aligned(&figures(span)),
            bar.render()
        );
        if is_wide {
            let _ = writeln!(text, "{}{}", line.below, painted(&details(span), DIM));
        }
    }
    text.push_str(&legend(&glyphs));
    if trace.hidden_spans > 0 {
        let _ = writeln!(
            text,
            "{HIDDEN} spans of other scopes are between it and the span above: they are not shown"
        );
    }
    text.push_str(&hops::render(trace));
    text
}

/// Columns of a line: the name, the figures, the bar.
struct Layout {
    label: usize,
    figures: [usize; 3],
    scale: Scale,
}

impl Layout {
    fn of(trace: &Trace, labels: &[Label], width: usize) -> Self {
        let mut figures = FIGURES.map(str::len);
        for span in &trace.spans {
            for (figure, text) in figures.iter_mut().zip(self::figures(span)) {
                *figure = text.chars().count().max(*figure);
            }
        }
        let gaps = 2 * (figures.len() + 1);
        let taken = figures.iter().sum::<usize>() + gaps;
        let longest = labels
            .iter()
            .map(Label::width)
            .max()
            .unwrap_or(0)
            .max("SPAN".len());
        let room = (width * 45 / 100).min(width.saturating_sub(taken + MIN_BAR_WIDTH));
        let label = longest.min(room.max(MIN_LABEL_WIDTH));
        let cells = width.saturating_sub(label + taken).max(MIN_BAR_WIDTH);
        Self {
            label,
            figures,
            scale: Scale {
                total_ms: trace.duration_ms,
                cells,
            },
        }
    }

    fn heading(&self) -> String {
        let width = self.label;
        format!(
            "{:width$}{}  {}",
            "SPAN",
            self.aligned(&FIGURES),
            self.scale.axis()
        )
    }

    fn aligned(&self, figures: &[impl AsRef<str>; 3]) -> String {
        let aligned = figures.iter().zip(self.figures);
        aligned
            .map(|(figure, width)| format!("  {:>width$}", figure.as_ref()))
            .collect()
    }

    fn padded(&self, label: &Label) -> String {
        let padding = self.label.saturating_sub(label.width());
        format!("{}{:padding$}", label.fitted(self.label), "")
    }
}

fn summary(trace: &Trace) -> String {
    let services: BTreeSet<&str> = trace
        .spans
        .iter()
        .map(|span| span.service.as_str())
        .collect();
    let errors = trace.spans.iter().filter(|span| is_error(span)).count();
    let mut parts = vec![
        painted(&format!("trace {}", clean(&trace.trace_id)), BOLD),
        super::traces::clock(&trace.start),
        units::millis(trace.duration_ms),
        counted(trace.spans.len(), "span"),
        counted(services.len(), "service"),
    ];
    if errors > 0 {
        parts.push(painted(&counted(errors, "error"), BAD));
    }
    if trace.hidden_spans > 0 {
        parts.push(format!("{} hidden", trace.hidden_spans));
    }
    if !trace.missing_parents.is_empty() {
        let missing = counted(trace.missing_parents.len(), "missing parent");
        parts.push(match trace.state {
            TraceState::Arriving => missing,
            _ => painted(&missing, DOUBTFUL),
        });
    }
    match trace.state {
        TraceState::Whole => {}
        TraceState::Arriving => parts.push("arriving".to_owned()),
        TraceState::Broken => parts.push(painted("broken", DOUBTFUL)),
    }
    format!("{}\n", parts.join("  "))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn figures(span: &Span) -> [String; 3] {
    let proxy = span.proxy_time.as_ref();
    let time = |us: Option<u64>| {
        let spent = us.filter(|us| *us > 0);
        spent.map_or_else(|| "-".to_owned(), units::micros)
    };
    [
        units::millis(span.duration_ms),
        time(proxy.map(|time| time.work_us)),
        time(proxy.map(|time| time.wait_us)),
    ]
}

/// What only `-o wide` shows of a span.
fn details(span: &Span) -> String {
    let mut parts = vec![
        format!("span {}", span.span_id),
        format!("scope {}", span.scope),
    ];
    parts.extend(
        span.instance
            .as_ref()
            .map(|instance| format!("instance {instance}")),
    );
    if let Some(time) = &span.proxy_time {
        let phases: Vec<String> = time
            .phases_us
            .iter()
            .map(|(phase, us)| format!("{phase} {}", units::micros(*us)))
            .collect();
        parts.push(format!("proxy: {}", phases.join(", ")));
    }
    for event in &span.events {
        parts.push(format!(
            "{} at {}",
            event.name,
            units::millis(event.offset_ms)
        ));
    }
    for link in &span.links {
        parts.push(format!("link to {} {}", link.trace_id, link.span_id));
    }
    clean(&parts.join("  "))
}

fn legend(glyphs: &BTreeSet<Glyph>) -> String {
    if glyphs.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = glyphs
        .iter()
        .map(|glyph| format!("{} {}", glyph.render(1), glyph.meaning()))
        .collect();
    format!("{}\n", parts.join("   "))
}

/// The left column of a line.
struct Label {
    prefix: String,
    name: String,
    fault: String,
    is_missing: bool,
}

impl Label {
    fn new(line: &Line<'_>, state: TraceState) -> Self {
        let prefix = line.prefix.clone();
        match line.node {
            Node::Missing(id) => {
                let why = match state {
                    TraceState::Arriving => "has not come yet",
                    _ => "is missing: nobody exported it",
                };
                let name = format!("? parent {} {why}", clean(id));
                Self {
                    prefix,
                    name,
                    fault: String::new(),
                    is_missing: true,
                }
            }
            Node::Span(span) => {
                let hidden = match span.hidden_ancestors {
                    0 => String::new(),
                    _ => format!("{HIDDEN} "),
                };
                let name = clean(&format!("{} {} {}", span.service, span.kind, span.name));
                let name = format!("{hidden}{name}");
                let fault = if is_error(span) {
                    format!(" ✗ {}", clean(&fault(span)))
                } else {
                    String::new()
                };
                Self {
                    prefix,
                    name,
                    fault: fault.trim_end().to_owned(),
                    is_missing: false,
                }
            }
        }
    }

    fn width(&self) -> usize {
        [&self.prefix, &self.name, &self.fault]
            .iter()
            .map(|part| part.chars().count())
            .sum()
    }

    /// Painted, in at most `width` columns; the name gives way to what went wrong.
    fn fitted(&self, width: usize) -> String {
        let prefix = shortened(&self.prefix, width / 2);
        let left = width.saturating_sub(prefix.chars().count());
        let fault = shortened(&self.fault, left / 2);
        let name = shortened(&self.name, left.saturating_sub(fault.chars().count()));
        let name = if self.is_missing {
            painted(&name, DOUBTFUL)
        } else {
            name
        };
        format!("{}{name}{}", painted(&prefix, DIM), painted(&fault, BAD))
    }
}

fn is_error(span: &Span) -> bool {
    span.status == "error"
}

/// What went wrong, as short as it can be said.
fn fault(span: &Span) -> String {
    let attribute = |name: &str| {
        span.attributes.get(name).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    attribute("error.type")
        .or_else(|| attribute("http.response.status_code"))
        .or_else(|| attribute("rpc.grpc.status_code").map(|code| format!("grpc {code}")))
        .unwrap_or_else(|| span.status_message.clone())
}

#[cfg(test)]
mod tests;
