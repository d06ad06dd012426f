use super::*;
use clew_trace::{Decision, Family, FamilySet, Malformed, TraceContext};

fn trace(id: u128) -> TraceId {
    TraceId::new(id).unwrap()
}

fn span(id: u64) -> SpanId {
    SpanId::new(id).unwrap()
}

fn context(trace_id: u128, span_id: u64) -> Extracted {
    Extracted {
        context: Some(TraceContext::root(
            trace(trace_id),
            span(span_id),
            Decision::Sampled,
        )),
        families: FamilySet::only(Family::W3c),
        ..Extracted::default()
    }
}

const HIGH: u128 = 7 << 64;

#[test]
fn a_context_tells_the_request_that_it_is_of() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now));
    let one = audit.received(trace(HIGH | 1), span(10));
    let two = audit.received(trace(HIGH | 1), span(20));
    let evidence = |trace, span| audit.evidence(&context(trace, span), now);
    assert_eq!(evidence(HIGH | 1, 10), Evidence::Given);
    assert_eq!(evidence(HIGH | 1, 20), Evidence::Given);
    assert_eq!(evidence(HIGH | 1, 30), Evidence::Inside);
    assert_eq!(evidence(1, 10), Evidence::Given, "B3 with 64 bits");
    assert_eq!(evidence(9 << 64 | 1, 10), Evidence::OtherBusy);
    assert_eq!(evidence(HIGH | 2, 10), Evidence::OtherBusy);
    drop(one);
    assert_eq!(
        evidence(HIGH | 1, 10),
        Evidence::Inside,
        "the other goes on"
    );
    drop(two);
    assert_eq!(evidence(HIGH | 1, 20), Evidence::Ended);
    assert_eq!(evidence(HIGH | 2, 20), Evidence::OtherIdle);
}

#[test]
fn without_context_it_counts_whether_there_was_something_to_pass_on() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now));
    let absent = Extracted::default();
    assert_eq!(audit.evidence(&absent, now), Evidence::AbsentIdle);
    let request = audit.received(trace(1), span(1));
    assert_eq!(audit.evidence(&absent, now), Evidence::AbsentBusy);
    drop(request);
    let after = |time| audit.evidence(&absent, Instant::now() + time);
    assert_eq!(after(Duration::ZERO), Evidence::AbsentAfter);
    assert_eq!(after(2 * JUST_ENDED), Evidence::AbsentIdle);
}

#[test]
fn what_is_no_context_is_told_from_none() {
    let now = Instant::now();
    let audit = Audit::new(now);
    let mangled = Extracted {
        unusable: Some((Family::W3c, Malformed::TraceId)),
        ..Extracted::default()
    };
    assert_eq!(audit.evidence(&mangled, now), Evidence::Unusable);
    let decision = Extracted {
        families: FamilySet::only(Family::B3Single),
        lone_decision: Decision::NotSampled,
        ..Extracted::default()
    };
    assert_eq!(audit.evidence(&decision, now), Evidence::Decision);
    // One usable family is enough.
    let one_of_two = Extracted {
        unusable: mangled.unusable,
        ..context(1, 1)
    };
    assert_eq!(audit.evidence(&one_of_two, now), Evidence::OtherIdle);
}

#[test]
fn past_its_bound_the_table_concludes_nothing() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now));
    // All in one part.
    let id = |n: usize| trace(u128::try_from((n + 1) * PARTS).unwrap());
    let requests: Vec<_> = (0..=MAX_IN_FLIGHT)
        .map(|n| audit.received(id(n), span(1)))
        .collect();
    let last = context(id(MAX_IN_FLIGHT).get(), 1);
    assert_eq!(audit.evidence(&last, now), Evidence::Forgotten);
    let first = context(id(0).get(), 1);
    assert_eq!(audit.evidence(&first, now), Evidence::Given);
    drop(requests);
    // Of those that have ended, the last are remembered.
    assert_eq!(audit.evidence(&first, now), Evidence::OtherIdle);
    let kept = context(id(MAX_IN_FLIGHT - 1).get(), 1);
    assert_eq!(audit.evidence(&kept, now), Evidence::Ended);
    let traces: usize = audit
        .parts
        .iter()
        .map(|part| part.lock().unwrap().traces.len())
        .sum();
    assert_eq!(traces, MAX_ENDED);
}
