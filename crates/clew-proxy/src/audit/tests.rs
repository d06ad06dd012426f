use super::calls::MAX_CALLEES;
use super::ended::MAX_ENDED;
use super::*;
use crate::hop::{Direction, Peer};
use clew_model::name::{RouteName, ServiceName};
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

/// A request in flight.
fn given(trace: TraceId, id: u64) -> Given {
    Given {
        route: RouteName::from("GET /page"),
        trace,
        span: span(id),
        families: FamilySet::only(Family::W3c),
        unix_nano: 7,
    }
}

const HIGH: u128 = 7 << 64;

/// A call of a route of `books`.
fn call(route: &str) -> SeriesKey {
    SeriesKey {
        direction: Direction::Outbound,
        peer: Arc::new(Peer {
            service: Some(ServiceName::from("books")),
            ..Peer::default()
        }),
        route: RouteName::from(route),
    }
}

fn evidence(audit: &Audit, came: &Extracted, now: Instant) -> Evidence {
    audit.look(came, &call("GET /books"), now, 0).evidence
}

#[test]
fn a_context_tells_the_request_that_it_is_of() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let one = audit.received(given(trace(HIGH | 1), 10), now);
    let two = audit.received(given(trace(HIGH | 1), 20), now);
    let shown = |trace, span| evidence(&audit, &context(trace, span), now);
    assert_eq!(shown(HIGH | 1, 10), Evidence::Given);
    assert_eq!(shown(HIGH | 1, 20), Evidence::Given);
    assert_eq!(shown(HIGH | 1, 30), Evidence::Inside);
    assert_eq!(shown(1, 10), Evidence::Given, "B3 with 64 bits");
    assert_eq!(shown(9 << 64 | 1, 10), Evidence::OtherBusy);
    assert_eq!(shown(HIGH | 2, 10), Evidence::OtherBusy);
    drop(one);
    assert_eq!(shown(HIGH | 1, 10), Evidence::Inside, "the other goes on");
    drop(two);
    assert_eq!(shown(HIGH | 1, 20), Evidence::Ended);
    assert_eq!(shown(HIGH | 2, 20), Evidence::OtherIdle);
}

#[test]
fn without_context_it_counts_whether_there_was_something_to_pass_on() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let absent = Extracted::default();
    assert_eq!(evidence(&audit, &absent, now), Evidence::AbsentIdle);
    let request = audit.received(given(trace(1), 1), now);
    assert_eq!(evidence(&audit, &absent, now), Evidence::AbsentBusy);
    drop(request);
    let after = |time| evidence(&audit, &absent, Instant::now() + time);
    assert_eq!(after(Duration::ZERO), Evidence::AbsentAfter);
    assert_eq!(after(2 * JUST_ENDED), Evidence::AbsentIdle);
}

#[test]
fn what_is_no_context_is_told_from_none() {
    let now = Instant::now();
    let audit = Audit::new(now, Arc::default());
    let mangled = Extracted {
        unusable: Some((Family::W3c, Malformed::TraceId)),
        ..Extracted::default()
    };
    assert_eq!(evidence(&audit, &mangled, now), Evidence::Unusable);
    let decision = Extracted {
        families: FamilySet::only(Family::B3Single),
        lone_decision: Decision::NotSampled,
        ..Extracted::default()
    };
    assert_eq!(evidence(&audit, &decision, now), Evidence::Decision);
    // One usable family is enough.
    let one_of_two = Extracted {
        unusable: mangled.unusable,
        ..context(1, 1)
    };
    assert_eq!(evidence(&audit, &one_of_two, now), Evidence::OtherIdle);
}

#[test]
fn past_its_bound_the_table_concludes_nothing() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    // All in one part.
    let id = |n: usize| trace(u128::try_from((n + 1) * PARTS).unwrap());
    let requests: Vec<_> = (0..=MAX_IN_FLIGHT)
        .map(|n| audit.received(given(id(n), 1), now))
        .collect();
    let last = context(id(MAX_IN_FLIGHT).get(), 1);
    assert_eq!(evidence(&audit, &last, now), Evidence::Forgotten);
    let first = context(id(0).get(), 1);
    assert_eq!(evidence(&audit, &first, now), Evidence::Given);
    drop(requests);
    // Of those that have ended, the last are remembered.
    assert_eq!(evidence(&audit, &first, now), Evidence::OtherIdle);
    let kept = context(id(MAX_IN_FLIGHT - 1).get(), 1);
    assert_eq!(evidence(&audit, &kept, now), Evidence::Ended);
    let ended = |n: &usize| evidence(&audit, &context(id(*n).get(), 1), now) == Evidence::Ended;
    assert_eq!((0..MAX_IN_FLIGHT).filter(ended).count(), MAX_ENDED);
    let parts = audit.parts.iter().map(|part| part.lock().unwrap());
    assert_eq!(parts.map(|part| part.traces.len()).sum::<usize>(), 0);
}

/// Of two requests at the same time, the time from the first one's beginning to the second one's end.
#[test]
fn the_application_is_busy_while_any_request_is_in_flight() {
    let busy = Arc::new(Busy::default());
    let begun = Instant::now();
    let audit = Arc::new(Audit::new(begun, Arc::clone(&busy)));
    assert_eq!(busy.times().0, Duration::ZERO);
    let one = audit.received(given(trace(1), 10), begun);
    let two = audit.received(given(trace(2), 20), begun);
    drop(one);
    let (before, _) = busy.times();
    let (after, _) = busy.times();
    assert!(after > before, "two is in flight");
    drop(two);
    let (done, idle) = busy.times();
    let (still, later) = busy.times();
    assert!(done == still && later > idle, "nothing is");
    assert!(done + later <= begun.elapsed() + Duration::from_millis(1));
}

/// How often each route was called, and how often again.
fn counts(calls: &[Calls]) -> Vec<(&str, u32, u32)> {
    let each = calls.iter();
    each.map(|calls| (calls.route.as_str(), calls.calls, calls.again))
        .collect()
}

#[test]
fn what_a_request_calls_is_counted_by_the_ids_that_the_calls_carry() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let one = audit.received(given(trace(1), 10), now);
    let two = audit.received(given(trace(1), 20), now);
    let look = |parent, route| audit.look(&context(1, parent), &call(route), now, 0);
    for route in ["GET /a", "GET /b", "GET /a"] {
        look(10, route);
    }
    look(20, "GET /a");
    assert_eq!(look(30, "GET /a").cause, None, "of one of the two");
    assert_eq!(counts(&one.end(now)), [("GET /a", 2, 0), ("GET /b", 1, 0)]);
    look(30, "GET /c");
    assert_eq!(counts(&two.end(now)), [("GET /a", 1, 0), ("GET /c", 1, 0)]);
}

#[test]
fn two_requests_that_were_given_the_same_span_cannot_be_told_apart() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let one = audit.received(given(trace(1), 10), now);
    let two = audit.received(given(trace(1), 10), now);
    let seen = audit.look(&context(1, 10), &call("GET /a"), now, 0);
    assert_eq!((seen.evidence, seen.cause), (Evidence::Given, None));
    assert_eq!(one.end(now), []);
    // Now it can only be the other.
    audit.look(&context(1, 10), &call("GET /a"), now, 0);
    assert_eq!(counts(&two.end(now)), [("GET /a", 1, 0)]);
}

#[test]
fn a_call_after_one_that_failed_is_an_attempt_again() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let request = audit.received(given(trace(1), 10), now);
    let look = || audit.look(&context(1, 10), &call("GET /a"), now, 0).cause;
    let first = look().unwrap();
    look();
    audit.failed(first, &call("GET /a"));
    look();
    look();
    assert_eq!(counts(&request.end(now)), [("GET /a", 4, 1)]);
    // Too late.
    audit.failed(first, &call("GET /a"));
}

#[test]
fn beyond_its_bound_what_a_request_calls_shares_a_name() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let request = audit.received(given(trace(1), 10), now);
    let last = u32::try_from(MAX_CALLEES).unwrap() - 1;
    for n in 0..=last + 1 {
        audit.look(&context(1, 10), &call(&format!("GET /{n}")), now, 0);
    }
    let calls = request.end(now);
    assert_eq!(calls.len(), MAX_CALLEES);
    assert_eq!(counts(&calls).last(), Some(&("(other)", 2, 0)));
}

/// 1. A call without context, and one with another: each is kept with a request in flight beside it.
/// 2. What speaks for the application is no example.
/// 3. A newer call takes the place of an older one, not at once.
#[test]
fn calls_that_speak_against_the_application_are_kept_with_what_it_was_given() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let _request = audit.received(given(trace(1), 10), now);
    let absent = Extracted::default();
    audit.look(&absent, &call("GET /a"), now, 100);
    audit.look(&absent, &call("GET /a"), now, 200);
    audit.look(&context(1, 10), &call("GET /a"), now, 300);
    audit.look(&context(2, 20), &call("GET /b"), now, 400);
    let later = now + Duration::from_secs(1);
    audit.look(&context(3, 30), &call("GET /b"), later, 500);
    let mut examples = audit.examples();
    examples.sort_by(|a, b| a.route.cmp(&b.route));
    let [a, b] = &examples[..] else {
        panic!("one of each: {examples:?}");
    };
    assert_eq!(
        (a.sent.evidence, a.sent.unix_nano),
        (Evidence::AbsentBusy, 100)
    );
    assert_eq!(
        (a.given.as_ref(), a.in_flight),
        (Some(&given(trace(1), 10)), 1)
    );
    assert_eq!(
        (b.sent.evidence, b.sent.unix_nano),
        (Evidence::OtherBusy, 500)
    );
    assert_eq!(b.sent.context, Some((trace(3), span(30))));
    assert_eq!(b.traces, [trace(2), trace(3)]);
}

#[test]
fn examples_have_a_bound() {
    let now = Instant::now();
    let audit = Arc::new(Audit::new(now, Arc::default()));
    let _request = audit.received(given(trace(1), 10), now);
    for n in 0..=examples::MAX_EXAMPLES {
        let later = now + Duration::from_millis(n as u64);
        audit.look(&Extracted::default(), &call(&format!("GET /{n}")), later, 0);
    }
    let examples = audit.examples();
    assert_eq!(examples.len(), examples::MAX_EXAMPLES);
    assert!(
        examples
            .iter()
            .all(|example| example.route.as_str() != "GET /0"),
        "the oldest is gone"
    );
}
