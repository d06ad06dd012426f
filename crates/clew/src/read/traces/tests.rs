use super::super::golden::tests::{minute, plain};
use super::*;
use clew_api::rest::traces::{Root, TraceState};
use std::collections::BTreeMap;

fn summary(id: u128, is_root: bool, errors: u64, missing_parents: u64) -> TraceSummary {
    TraceSummary {
        trace_id: format!("{id:032x}"),
        start: "2026-03-01T12:00:00.123456789Z".to_owned(),
        duration_ms: 12.34,
        root: Root {
            service: "gateway".to_owned(),
            name: "GET /books/{id}".to_owned(),
            route: Some("GET /books/{id}".to_owned()),
            http_status: Some(200),
            is_root,
        },
        roots: u64::from(is_root),
        spans: 7,
        services: BTreeMap::from([("books".to_owned(), 2), ("gateway".to_owned(), 5)]),
        errors,
        missing_parents,
        state: if is_root && missing_parents == 0 {
            TraceState::Whole
        } else {
            TraceState::Broken
        },
    }
}

#[test]
fn traces_with_what_is_wrong_with_them() {
    let whole = Traces {
        window: minute(),
        traces: vec![summary(7, true, 0, 0), summary(8, true, 2, 0)],
        truncated: false,
        searched_back_to: None,
    };
    insta::assert_snapshot!(plain(&render(&whole, false)), @r"
    TRACE_ID                          START                     DURATION  SPANS  ERRORS  ROOT
    00000000000000000000000000000007  2026-03-01 12:00:00.123Z   12.3 ms      7       0  gateway GET /books/{id}
    00000000000000000000000000000008  2026-03-01 12:00:00.123Z   12.3 ms      7       2  gateway GET /books/{id}
    ");
    let broken = Traces {
        traces: vec![summary(7, true, 0, 0), summary(9, false, 0, 1)],
        ..whole
    };
    insta::assert_snapshot!(plain(&render(&broken, false)), @r"
    TRACE_ID                          START                     DURATION  SPANS  ERRORS  MISSING_PARENTS  ROOT
    00000000000000000000000000000007  2026-03-01 12:00:00.123Z   12.3 ms      7       0                0  gateway GET /books/{id}
    00000000000000000000000000000009  2026-03-01 12:00:00.123Z   12.3 ms      7       0                1  gateway GET /books/{id} (its parent is missing)
    ");
    insta::assert_snapshot!(plain(&render(&broken, true)), @r"
    TRACE_ID                          START                     DURATION  SPANS  ERRORS  MISSING_PARENTS  ROOTS  ROOT                                             SERVICES
    00000000000000000000000000000007  2026-03-01 12:00:00.123Z   12.3 ms      7       0                0      1  gateway GET /books/{id}                          books=2 gateway=5
    00000000000000000000000000000009  2026-03-01 12:00:00.123Z   12.3 ms      7       0                1      0  gateway GET /books/{id} (its parent is missing)  books=2 gateway=5
    ");
}

#[test]
fn a_trace_that_is_still_arriving_is_not_called_broken() {
    let arriving = TraceSummary {
        state: TraceState::Arriving,
        ..summary(9, false, 0, 1)
    };
    let traces = Traces {
        window: minute(),
        traces: vec![arriving],
        truncated: false,
        searched_back_to: None,
    };
    insta::assert_snapshot!(plain(&render(&traces, false)), @r"
    TRACE_ID                          START                     DURATION  SPANS  ERRORS  MISSING_PARENTS  ROOT
    00000000000000000000000000000009  2026-03-01 12:00:00.123Z   12.3 ms      7       0                1  gateway GET /books/{id} (arriving)
    ");
}

#[test]
fn tags_are_one_parameter() {
    let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(tags(&[]), None);
    let several = [tag("http.method", "GET"), tag("a=b", "1,5 %")];
    let expected = "http.method=GET,a%3Db=1%2C5 %25";
    assert_eq!(tags(&several).as_deref(), Some(expected));
}

#[test]
fn a_time_that_is_none_is_shown_as_it_is() {
    assert_eq!(clock("2026-03-01T12:00:00Z"), "2026-03-01 12:00:00.000Z");
    assert_eq!(clock("soon"), "soon");
}
