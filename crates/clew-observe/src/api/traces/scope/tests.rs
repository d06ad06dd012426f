#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use clew_trace::TraceId;
use clew_trace::span::{SpanKind, SpanStatus};

fn id(value: u64) -> SpanId {
    SpanId::new(value).unwrap()
}

pub(in crate::api::traces) fn span(own: u64, parent: Option<u64>, scope: &str) -> Span {
    Span {
        trace_id: TraceId::new(1).unwrap(),
        span_id: id(own),
        parent_span_id: parent.map(id),
        kind: SpanKind::Internal,
        name: String::new(),
        service: String::new(),
        namespace: String::new(),
        instance: String::new(),
        scope: scope.to_owned(),
        start_unix_nano: 0,
        end_unix_nano: 0,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

/// Id, parent and hidden ones between, of what is shown of the scope `mesh`.
fn shown(spans: Vec<Span>) -> Vec<(u64, Option<u64>, u32)> {
    let kept = keep(spans, Some("mesh"));
    let hidden = kept.hidden_ancestors.iter();
    let pairs = kept.spans.iter().zip(hidden);
    pairs
        .map(|(span, hidden)| {
            let parent = span.parent_span_id.map(SpanId::get);
            (span.span_id.get(), parent, *hidden)
        })
        .collect()
}

#[test]
fn a_span_is_below_the_nearest_one_that_is_shown() {
    let spans = vec![
        span(1, None, "mesh"),
        span(2, Some(1), "library"),
        span(3, Some(2), "library"),
        span(4, Some(3), "mesh"),
        span(5, Some(3), "mesh"),
        span(6, Some(1), "mesh"),
    ];
    let wanted = [
        (1, None, 0),
        (4, Some(1), 2),
        (5, Some(1), 2),
        (6, Some(1), 0),
    ];
    assert_eq!(shown(spans.clone()), wanted);
    let all = keep(spans.clone(), None);
    assert_eq!((all.spans, all.hidden), (spans.clone(), 0));
    assert_eq!(keep(spans.clone(), Some("mesh")).hidden, 2);
    assert_eq!(keep(spans, Some("nobody")).hidden, 6);
}

#[test]
fn a_span_below_hidden_ones_alone_is_a_root_or_below_what_is_missing() {
    let spans = vec![
        span(1, None, "library"),
        span(2, Some(1), "mesh"),
        span(3, Some(9), "library"),
        span(4, Some(3), "mesh"),
    ];
    assert_eq!(shown(spans), [(2, None, 1), (4, Some(9), 1)]);
}

#[test]
fn circles_end() {
    let spans = vec![
        span(1, Some(2), "library"),
        span(2, Some(1), "library"),
        span(3, Some(1), "mesh"),
        span(4, Some(4), "mesh"),
    ];
    assert_eq!(shown(spans), [(3, None, 2), (4, Some(4), 0)]);
}

#[test]
fn depth_costs_one_walk() {
    let deep = (1..=20_000).map(|own| span(own, (own > 1).then(|| own - 1), "library"));
    let wide = (1..=20_000).map(|own| span(own + 20_000, Some(own), "mesh"));
    let spans = shown(deep.chain(wide).collect());
    assert_eq!(spans.last(), Some(&(40_000, None, 20_000)));
}
