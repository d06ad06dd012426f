use super::super::golden::tests::{minute, plain};
use super::*;

fn call(route: &str, calls: u64, again: u64, pattern: Option<CallPattern>) -> RouteCall {
    RouteCall {
        service: Some("books".to_owned()),
        route: route.to_owned(),
        calls,
        callers: 10,
        per_request: calls as f64 / 20.0,
        p50: 1,
        p99: 9,
        again,
        pattern,
    }
}

#[test]
fn what_is_remarkable_is_said_in_words() {
    let calls = Calls {
        window: minute(),
        routes: vec![RouteCalls {
            workload: "webapp".to_owned(),
            namespace: "default".to_owned(),
            route: "GET /authors/{id}/books".to_owned(),
            requests: 20,
            calls: vec![
                call("GET /books", 10, 0, None),
                call("GET /books/{id}", 52, 0, Some(CallPattern::NPlusOne)),
                call("GET /settings", 30, 0, Some(CallPattern::Repeated)),
                call("GET /stock", 40, 20, Some(CallPattern::RetryStorm)),
            ],
        }],
    };
    insta::assert_snapshot!(plain(&render(&calls, false)), @r"
    NAME    ROUTE                    REQUESTS  SERVICE  CALLED           PER_REQUEST  CALLS_P50  CALLS_P99  AGAIN
    webapp  GET /authors/{id}/books        20  books    GET /books              0.50          1          9      0
    webapp  GET /authors/{id}/books        20  books    GET /books/{id}         2.60          1          9      0
    webapp  GET /authors/{id}/books        20  books    GET /settings           1.50          1          9      0
    webapp  GET /authors/{id}/books        20  books    GET /stock              2.00          1          9     20

    N+1: GET /authors/{id}/books of webapp calls GET /books/{id} of books 5.2 times a request, one after another or at once.
      One call that answers for all items would do.

    Repeated: GET /authors/{id}/books of webapp calls GET /settings of books 3.0 times a request, and its path is the same each time.
      If the answers are too, one call would do.

    Retry storm: 50.00% of the calls that GET /authors/{id}/books of webapp makes to GET /stock of books are attempts after a failure.
      Retry with a budget and growing waits, and look at why they fail: clew traces --service webapp --errors
    ");
}
