//! A trace of which nothing is missing.

use clew_api::rest::span::{PROXY_SCOPE, Span};
use clew_api::rest::traces::Trace;
use std::collections::HashSet;

/// A trace with one root, in which every span's parent is there.
#[derive(Debug)]
pub struct WholeTrace(Trace);

impl WholeTrace {
    /// Looks at it.
    ///
    /// # Panics
    /// Something is missing.
    pub fn new(trace: Trace) -> Self {
        let ids: HashSet<_> = trace.spans.iter().map(|span| &span.span_id).collect();
        assert_eq!(
            ids.len(),
            trace.spans.len(),
            "two spans have one id: {trace:#?}"
        );
        let mut roots = 0;
        for span in &trace.spans {
            match &span.parent_span_id {
                None => roots += 1,
                Some(parent) => {
                    assert!(ids.contains(parent), "no parent of {span:#?} in {trace:#?}")
                }
            }
        }
        assert_eq!(roots, 1, "a whole trace has one root: {trace:#?}");
        assert!(trace.missing_parents.is_empty(), "{trace:#?}");
        Self(trace)
    }

    /// Its id, 32 hex digits.
    pub fn id(&self) -> &str {
        &self.0.trace_id
    }

    /// All spans, by start.
    pub fn spans(&self) -> &[Span] {
        &self.0.spans
    }

    /// The only span whose [`word`] is this.
    ///
    /// # Panics
    /// There is none, or more than one.
    pub fn span(&self, wanted: &str) -> &Span {
        let mut found = self.0.spans.iter().filter(|span| word(span) == wanted);
        match (found.next(), found.next()) {
            (Some(span), None) => span,
            _ => panic!("not one {wanted} in {:?}", self.0),
        }
    }

    /// The spans in words, from the root down, where each has one child at most: `webapp server` is a span of a
    /// proxy, `webapp server (library)` one of the application's own.
    ///
    /// # Panics
    /// The trace branches.
    pub fn chain(&self) -> Vec<String> {
        let mut chain = Vec::new();
        let mut parent = None;
        while let Some(span) = self.only_child(parent) {
            chain.push(word(span));
            parent = Some(&span.span_id);
        }
        chain
    }

    fn only_child(&self, parent: Option<&String>) -> Option<&Span> {
        let is_child = |span: &&Span| span.parent_span_id.as_ref() == parent;
        let mut children = self.0.spans.iter().filter(is_child);
        let child = children.next();
        assert!(
            children.next().is_none(),
            "the trace branches: {:#?}",
            self.0
        );
        child
    }
}

/// Service, kind, and whether it is the application's own.
fn word(span: &Span) -> String {
    let library = if span.scope == PROXY_SCOPE {
        ""
    } else {
        " (library)"
    };
    format!("{} {}{library}", span.service, span.kind)
}
