//! The order of a trace's lines: every span once, below its parent.

use clew_api::rest::span::Span;
use clew_api::rest::traces::Trace;
use std::collections::{HashMap, HashSet};

/// Columns of indentation, at most.
const MAX_INDENT: usize = 64;

/// What a line shows.
pub(super) enum Node<'a> {
    /// A span.
    Span(&'a Span),
    /// The id of a parent that nobody exported; the spans that name it are below.
    Missing(&'a str),
}

/// One line.
pub(super) struct Line<'a> {
    /// What it shows.
    pub(super) node: Node<'a>,
    /// The branches of the tree before it.
    pub(super) prefix: String,
    /// The branches of the tree before what belongs to it on the next line.
    pub(super) below: String,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Span(usize),
    Missing(&'a str),
}

/// One place that is still to be visited.
struct Visit<'a> {
    place: Place<'a>,
    /// Branches of its ancestors; `None` at the top.
    ancestors: Option<String>,
    is_last: bool,
}

/// All lines. Children by start; a span that is its own ancestor is shown at the top.
pub(super) fn lines(trace: &Trace) -> Vec<Line<'_>> {
    let mut order: Vec<usize> = (0..trace.spans.len()).collect();
    order.sort_by(|a, b| {
        trace.spans[*a]
            .offset_ms
            .total_cmp(&trace.spans[*b].offset_ms)
            .then(a.cmp(b))
    });
    let known: HashSet<&str> = trace
        .spans
        .iter()
        .map(|span| span.span_id.as_str())
        .collect();
    let mut children: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut tops: Vec<Place<'_>> = Vec::new();
    for at in order.iter().copied() {
        match trace.spans[at].parent_span_id.as_deref() {
            None => tops.push(Place::Span(at)),
            Some(parent) => {
                let siblings = children.entry(parent).or_default();
                if siblings.is_empty() && !known.contains(parent) {
                    tops.push(Place::Missing(parent));
                }
                siblings.push(at);
            }
        }
    }
    // Spans on a cycle hang below no top; the first of them becomes one.
    tops.extend(order.into_iter().map(Place::Span));
    let mut walk = Walk {
        trace,
        children,
        visited: HashSet::new(),
        lines: Vec::new(),
    };
    for top in tops {
        walk.from(top);
    }
    walk.lines
}

struct Walk<'a> {
    trace: &'a Trace,
    children: HashMap<&'a str, Vec<usize>>,
    visited: HashSet<usize>,
    lines: Vec<Line<'a>>,
}

impl<'a> Walk<'a> {
    /// Depth first. A stack of its own: how deep a trace goes is up to who sends it.
    fn from(&mut self, top: Place<'a>) {
        let mut stack = vec![Visit {
            place: top,
            ancestors: None,
            is_last: true,
        }];
        while let Some(visit) = stack.pop() {
            let (node, id) = match visit.place {
                Place::Missing(id) => (Node::Missing(id), id),
                Place::Span(at) if !self.visited.insert(at) => continue,
                Place::Span(at) => (
                    Node::Span(&self.trace.spans[at]),
                    self.trace.spans[at].span_id.as_str(),
                ),
            };
            let (prefix, below) = branches(visit.ancestors.as_deref(), visit.is_last);
            // Removed, not read: two spans of one id (a B3 client and server may share theirs) have
            // their children once, below the first.
            let children = self.children.remove(id).unwrap_or_default();
            for (after, child) in children.into_iter().rev().enumerate() {
                let (place, is_last) = (Place::Span(child), after == 0);
                stack.push(Visit {
                    place,
                    ancestors: Some(below.clone()),
                    is_last,
                });
            }
            self.lines.push(Line {
                node,
                prefix,
                below,
            });
        }
    }
}

/// What stands before a line, and before what is below it.
fn branches(ancestors: Option<&str>, is_last: bool) -> (String, String) {
    let Some(ancestors) = ancestors else {
        return (String::new(), String::new());
    };
    let (turn, on) = if is_last {
        ("└ ", "  ")
    } else {
        ("├ ", "│ ")
    };
    // Deeper ones are not indented further: no line has room for it, and depth is up to the sender.
    let on = if ancestors.chars().count() < MAX_INDENT {
        on
    } else {
        ""
    };
    (format!("{ancestors}{turn}"), format!("{ancestors}{on}"))
}
