//! The spans of one instrumentation scope, each below the nearest of them that is above it.

#[cfg(test)]
pub(super) mod tests;

use clew_trace::{Span, SpanId};
use std::collections::{HashMap, HashSet};

/// Spans to show.
#[derive(Debug)]
pub(super) struct Kept {
    /// In their order. The parent of each is shown too, or is missing, or there is none.
    pub(super) spans: Vec<Span>,
    /// For each, how many spans between it and its parent are not shown.
    pub(super) hidden_ancestors: Vec<u32>,
    /// Spans that are not shown.
    pub(super) hidden: usize,
}

/// All spans, or those of one scope.
pub(super) fn keep(mut spans: Vec<Span>, scope: Option<&str>) -> Kept {
    let all = spans.len();
    let Some(scope) = scope else {
        return Kept {
            hidden_ancestors: vec![0; all],
            hidden: 0,
            spans,
        };
    };
    let mut ways = Ways::new(&spans, scope);
    spans.retain(|span| span.scope == scope);
    let hidden_ancestors = spans
        .iter_mut()
        .map(|span| {
            let (parent, hidden) = ways.up_from(span.parent_span_id);
            span.parent_span_id = parent;
            hidden
        })
        .collect();
    Kept {
        hidden: all - spans.len(),
        spans,
        hidden_ancestors,
    }
}

/// The ways up a trace, past the spans that are not shown. Each is walked once: how deep a trace is, and how many
/// spans are at its end, is up to who sends it.
struct Ways {
    /// Parents of the spans that are not shown.
    hidden: HashMap<SpanId, Option<SpanId>>,
    /// Where the way from a hidden span ends, and how many hidden ones are on it, itself included.
    known: HashMap<SpanId, (Option<SpanId>, u32)>,
}

impl Ways {
    fn new(spans: &[Span], scope: &str) -> Self {
        let (shown, hidden): (Vec<&Span>, Vec<&Span>) =
            spans.iter().partition(|span| span.scope == scope);
        let shown: HashSet<SpanId> = shown.iter().map(|span| span.span_id).collect();
        // Of two spans with one id, the one that is shown is found.
        let hidden = hidden.iter().filter(|span| !shown.contains(&span.span_id));
        Self {
            hidden: hidden
                .map(|span| (span.span_id, span.parent_span_id))
                .collect(),
            known: HashMap::new(),
        }
    }

    /// From a parent, itself included, to the first span that is not hidden: one that is shown, or missing, or none.
    fn up_from(&mut self, parent: Option<SpanId>) -> (Option<SpanId>, u32) {
        let mut passed = Vec::new();
        let mut at = parent;
        let (end, mut count) = loop {
            let Some(id) = at else { break (None, 0) };
            if let Some(known) = self.known.get(&id) {
                break *known;
            }
            let Some(above) = self.hidden.get(&id) else {
                break (at, 0);
            };
            // Whoever comes here again on this walk is on a circle, which has no end above it.
            self.known.insert(id, (None, 0));
            passed.push(id);
            at = *above;
        };
        for id in passed.into_iter().rev() {
            count += 1;
            self.known.insert(id, (end, count));
        }
        (end, count)
    }
}
