#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::propagation::{FamilySet, extract, inject};
use http::{HeaderMap, HeaderValue};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn join_with(pairs: &[(&'static str, &str)], ratio: f64) -> Joined {
    join(
        &extract(&headers(pairs)),
        &RootSampler::new(ratio, None),
        &mut fastrand::Rng::with_seed(7),
        Instant::now(),
    )
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const KEPT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NOT_KEPT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

#[test]
fn a_kept_hop_sends_its_own_span_on() {
    let joined = join_with(&[("traceparent", KEPT), ("tracestate", "a=1")], 0.0);
    assert!(joined.sampled);
    assert_eq!(joined.trace_id, TRACE.parse().unwrap());
    assert_eq!(joined.parent, Some(PARENT.parse().unwrap()));
    let onward = joined.onward.unwrap();
    assert_eq!(onward.span_id, joined.span_id);
    assert_eq!(onward.state.as_str(), "a=1");
    assert_eq!(onward.decision, Decision::Sampled);
}

#[test]
fn a_hop_that_is_not_kept_touches_nothing() {
    let joined = join_with(&[("traceparent", NOT_KEPT)], 1.0);
    assert!(!joined.sampled);
    assert_eq!(joined.onward, None);
    assert_eq!(joined.trace_id, TRACE.parse().unwrap());
}

#[test]
fn a_request_without_context_gets_one_even_when_it_is_not_kept() {
    for (ratio, flags) in [(0.0, "02"), (1.0, "03")] {
        let joined = join_with(&[], ratio);
        assert_eq!((joined.sampled, joined.parent), (ratio == 1.0, None));
        let mut out = HeaderMap::new();
        inject(&mut out, &joined.onward.unwrap(), FamilySet::EMPTY);
        let expected = format!("00-{}-{}-{flags}", joined.trace_id, joined.span_id);
        assert_eq!(
            out["traceparent"],
            HeaderValue::from_str(&expected).unwrap()
        );
    }
}

#[test]
fn b3_zero_alone_begins_a_trace_that_is_not_kept() {
    let joined = join_with(&[("b3", "0")], 1.0);
    assert!(!joined.sampled);
    assert_eq!(joined.onward.unwrap().decision, Decision::NotSampled);
    assert!(join_with(&[("x-b3-sampled", "1")], 0.0).sampled);
    assert!(join_with(&[("b3", "d")], 0.0).sampled);
}

#[test]
fn a_deferred_decision_is_made_once_and_sent_on() {
    let deferred = [("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331")];
    let kept = join_with(&deferred, 1.0);
    let onward = kept.onward.unwrap();
    assert_eq!(
        (onward.span_id, onward.decision),
        (kept.span_id, Decision::Sampled)
    );

    // Not kept: the sender stays the parent, and those who follow are told.
    let onward = join_with(&deferred, 0.0).onward.unwrap();
    assert_eq!(onward.span_id, PARENT.parse().unwrap());
    assert_eq!(onward.decision, Decision::NotSampled);
}

#[test]
fn context_that_is_mangled_begins_a_new_trace() {
    let joined = join_with(&[("traceparent", "00-0af7"), ("tracestate", "a=1")], 1.0);
    assert_eq!(joined.parent, None);
    assert!(joined.onward.unwrap().state.is_empty());
}

/// A trace that was kept with a probability says with which, so that its spans can be counted for what they stand
/// for; one that is kept for another reason says nothing.
#[test]
fn a_root_that_is_kept_by_a_ratio_says_so() {
    let state = |ratio| {
        let roots = RootSampler::new(ratio, None);
        let mut rng = fastrand::Rng::with_seed(7);
        let mut kept = std::iter::repeat_with(|| {
            join(&Extracted::default(), &roots, &mut rng, Instant::now())
        })
        .filter(|joined| joined.sampled);
        kept.next()
            .unwrap()
            .onward
            .unwrap()
            .state
            .as_str()
            .to_owned()
    };
    assert_eq!(state(0.25), "ot=th:c");
    assert_eq!(state(0.5), "ot=th:8");
    assert_eq!(state(0.1), "ot=th:e6666666666666");
    assert_eq!(state(1.0), "");
    let wanted = join_with(&[("b3", "1")], 0.25);
    assert_eq!(wanted.onward.unwrap().state.as_str(), "");
}
