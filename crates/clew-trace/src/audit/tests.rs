use super::*;

fn route(counts: &[(Evidence, f64)]) -> RouteEvidence {
    let mut route = RouteEvidence::default();
    for (evidence, requests) in counts {
        route.add(*evidence, *requests);
    }
    route
}

#[test]
fn every_evidence_has_a_name_of_its_own() {
    for evidence in Evidence::ALL {
        assert_eq!(Evidence::from_name(evidence.as_str()), Some(evidence));
    }
    assert_eq!(Evidence::from_name("nothing"), None);
}

#[test]
fn a_request_without_context_was_forgotten_where_nothing_else_explains_it() {
    let forgets = route(&[(Evidence::AbsentBusy, 3.0), (Evidence::Given, 1.0)]);
    assert_eq!(
        forgets.verdicts(),
        [(Verdict::Forwarded, 1.0), (Verdict::Dropped, 3.0)]
    );
    assert_eq!(forgets.score(), (1.0, 4.0));
}

/// A timer calls the route whether or not there are requests: those of its calls that fall together with one are not
/// to be told from calls that forgot.
#[test]
fn where_a_route_is_called_out_of_the_blue_nobody_is_blamed() {
    let timer = route(&[(Evidence::AbsentBusy, 3.0), (Evidence::AbsentIdle, 1.0)]);
    assert_eq!(
        timer.verdicts(),
        [(Verdict::Unattributed, 3.0), (Verdict::Background, 1.0)]
    );
    assert_eq!(timer.score(), (0.0, 0.0));
}

#[test]
fn only_what_was_passed_on_speaks_for_and_only_what_was_not_against() {
    for evidence in Evidence::ALL {
        let (speaks_for, speaks) = route(&[(evidence, 1.0)]).score();
        let expected = match evidence {
            Evidence::Given | Evidence::Inside => (1.0, 1.0),
            Evidence::Unusable | Evidence::AbsentBusy => (0.0, 1.0),
            _ => (0.0, 0.0),
        };
        assert_eq!((speaks_for, speaks), expected, "{evidence:?}");
    }
}

/// A library that begins traces while it serves; a queue's consumer carries others at any time.
#[test]
fn traces_that_began_here_while_requests_were_in_flight_are_restarted() {
    let mut route = RouteEvidence::default();
    route.add(Evidence::OtherBusy, 3.0);
    assert!(route.may_begin_traces());
    assert_eq!(route.verdicts(), [(Verdict::Foreign, 3.0)], "nobody knows");
    route.begins_traces();
    assert_eq!(route.verdicts(), [(Verdict::Restarted, 3.0)]);
    assert_eq!(route.score(), (0.0, 3.0));
    route.add(Evidence::OtherIdle, 1.0);
    assert!(!route.may_begin_traces());
    assert_eq!(route.verdicts(), [(Verdict::Foreign, 4.0)]);
}

#[test]
fn what_nobody_can_look_at_says_nothing() {
    let mut route = RouteEvidence::default();
    route.add(Evidence::Opaque, 2.0);
    assert_eq!(route.verdicts(), [(Verdict::Unseen, 2.0)]);
    assert_eq!(route.score(), (0.0, 0.0));
}

/// One call out of the blue says nothing against hundreds while requests were in flight; a timer that is seldom idle does.
#[test]
fn far_more_calls_than_a_timer_would_make_were_forgotten() {
    let route = |busy: f64, idle: f64, busy_seconds: f64, idle_seconds: f64| {
        let mut route = RouteEvidence::default();
        route.add(Evidence::AbsentBusy, busy);
        route.add(Evidence::AbsentIdle, idle);
        route.was_busy(busy_seconds, idle_seconds);
        route.verdict(Evidence::AbsentBusy)
    };
    assert_eq!(route(200.0, 1.0, 30.0, 30.0), Verdict::Dropped);
    assert_eq!(route(200.0, 1.0, 59.0, 1.0), Verdict::Unattributed, "busy");
    assert_eq!(route(5.0, 1.0, 30.0, 30.0), Verdict::Unattributed, "few");
    assert_eq!(route(5.0, 1.0, 1.0, 59.0), Verdict::Unattributed, "few");
    assert_eq!(
        route(200.0, 1.0, 30.0, 0.0),
        Verdict::Unattributed,
        "not known"
    );
    assert_eq!(route(1.0, 0.0, 1.0, 1.0), Verdict::Dropped);
}
