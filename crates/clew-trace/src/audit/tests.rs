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
