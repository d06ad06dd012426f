//! Spans below their parents, on one clock.

use super::is_proxys;
use clew_api::rest::span::PROXY_SCOPE;
use clew_trace::span::SpanKind;
use clew_trace::{Span, SpanId};
use std::collections::HashMap;

/// The spans of one trace, each below its parent and within its time.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    spans: &'a [Span],
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    times: Vec<Time>,
    /// The span whose service each one's own time belongs to.
    owners: Vec<usize>,
}

/// When a span was open, on the clock of the first span above it; within the time of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    /// Unix time in nanoseconds.
    pub(crate) start: i128,
    /// Not before the start.
    pub(crate) end: i128,
    /// What was added to its own clock.
    shift: i128,
    /// What its clock is wrong by at least, against its parent's.
    pub(crate) skew: i128,
}

impl Time {
    /// In nanoseconds.
    pub(crate) fn length(&self) -> u64 {
        u64::try_from(self.end - self.start).unwrap_or_default()
    }
}

impl<'a> Tree<'a> {
    /// The tree of a trace. A parent that is not there, and one that would be below its own child, is none.
    pub(crate) fn new(spans: &'a [Span]) -> Self {
        let parents = without_circles(parents(spans));
        let mut children = vec![Vec::new(); spans.len()];
        let mut order = Vec::with_capacity(spans.len());
        for (child, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(child),
                None => order.push(child),
            }
        }
        let mut times: Vec<Time> = spans.iter().map(own_time).collect();
        let mut owners: Vec<usize> = (0..spans.len()).collect();
        let mut next = 0;
        while let Some(&parent) = order.get(next) {
            next += 1;
            for &child in &children[parent] {
                times[child] = within(&spans[child], &spans[parent], times[parent]);
                if is_librarys_of(&spans[child], &spans[parent]) {
                    owners[child] = owners[parent];
                }
            }
            order.extend(&children[parent]);
        }
        Self {
            spans,
            parents,
            children,
            times,
            owners,
        }
    }

    /// Number of spans.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// A span, by its place in what the tree was made of.
    pub(crate) fn span(&self, index: usize) -> &'a Span {
        &self.spans[index]
    }

    /// Whose a span's own time is: of a library in an application the workload, whatever the library calls itself.
    pub(crate) fn service(&self, index: usize) -> &'a str {
        &self.spans[self.owners[index]].service
    }

    /// The span above.
    pub(crate) fn parent(&self, index: usize) -> Option<usize> {
        self.parents[index]
    }

    /// The spans below, in no order.
    pub(crate) fn children(&self, index: usize) -> &[usize] {
        &self.children[index]
    }

    /// When a span was open.
    pub(crate) fn time(&self, index: usize) -> Time {
        self.times[index]
    }

    /// The SERVER span of the proxy that got what this proxy's CLIENT span sent.
    pub(crate) fn server_of(&self, client: usize) -> Option<usize> {
        let mut below = self.children[client].iter().copied();
        below.find(|child| is_proxys(&self.spans[*child], SpanKind::Server))
    }
}

/// The place of each span's parent. Where two spans have one id, as B3 allows it, the parent is another span than the
/// child, and rather the server's half.
fn parents(spans: &[Span]) -> Vec<Option<usize>> {
    let mut by_id: HashMap<SpanId, Vec<usize>> = HashMap::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        by_id.entry(span.span_id).or_default().push(index);
    }
    let parent = |(child, span): (usize, &Span)| {
        let candidates = by_id.get(&span.parent_span_id?)?;
        let mut others = candidates.iter().copied().filter(|other| *other != child);
        let first = others.next()?;
        let is_server = |other: &usize| spans[*other].kind == SpanKind::Server;
        Some(match others.find(is_server) {
            Some(server) if !is_server(&first) && span.span_id != spans[server].span_id => server,
            _ => first,
        })
    };
    spans.iter().enumerate().map(parent).collect()
}

/// The same with one parent less in each circle.
fn without_circles(mut parents: Vec<Option<usize>>) -> Vec<Option<usize>> {
    const NEW: usize = 0;
    // The walk on which each was first met.
    let mut met = vec![NEW; parents.len()];
    for first in 0..parents.len() {
        let walk = first + 1;
        let mut at = first;
        while met[at] == NEW {
            met[at] = walk;
            let Some(parent) = parents[at] else { break };
            if met[parent] == walk {
                parents[at] = None;
                break;
            }
            at = parent;
        }
    }
    parents
}

fn own_time(span: &Span) -> Time {
    let start = i128::from(span.start_unix_nano);
    Time {
        start,
        end: start.max(span.end_unix_nano.into()),
        shift: 0,
        skew: 0,
    }
}

/// When a span was open, seen from its parent.
///
/// A request cannot be served before it was sent, nor be answered after the answer has come: where the clocks of two
/// instances say so, the server's is moved by the least that sets it right. What is longer than its parent began no
/// earlier, and its end is cut off: nobody waited for it.
fn within(span: &Span, parent: &Span, around: Time) -> Time {
    let own = own_time(span);
    let shared = is_same_clock(span, parent);
    let mut shift = if shared { around.shift } else { 0 };
    let mut skew = 0;
    if !shared && span.kind == SpanKind::Server && parent.kind == SpanKind::Client {
        skew = if own.start < around.start {
            around.start - own.start
        } else if own.end > around.end {
            // No further than to the parent's start.
            (around.end - own.end).max(around.start - own.start)
        } else {
            0
        };
        shift = skew;
    }
    let start = (own.start + shift).clamp(around.start, around.end);
    let end = (own.end + shift).clamp(start, around.end);
    Time {
        start,
        end,
        shift,
        skew,
    }
}

/// Whether two spans were written by the same clock. Libraries may not know in which instance they are, and may go by
/// another name than their workload: they are where the span above them is, unless a request went from one to the other.
fn is_same_clock(span: &Span, parent: &Span) -> bool {
    let is_known = !span.instance.is_empty() && !parent.instance.is_empty();
    if is_known && span.instance == parent.instance {
        return true;
    }
    if is_of_proxy(span) && is_of_proxy(parent) || is_sent(span, parent) {
        return !is_known && span.service == parent.service;
    }
    true
}

/// Whether a span tells of the inside of the application that its parent tells of.
fn is_librarys_of(span: &Span, parent: &Span) -> bool {
    let is_behind = is_of_proxy(parent) && parent.kind == SpanKind::Client;
    let is_elsewhere = is_sent(span, parent) && span.service != parent.service;
    !is_of_proxy(span) && !is_behind && !is_elsewhere
}

/// Whether something was sent from the one to the other.
fn is_sent(span: &Span, parent: &Span) -> bool {
    span.kind == SpanKind::Consumer
        || parent.kind == SpanKind::Client && span.kind == SpanKind::Server
}

fn is_of_proxy(span: &Span) -> bool {
    span.scope == PROXY_SCOPE
}
