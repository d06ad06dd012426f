use super::super::golden::tests::{golden, minute, plain};
use super::*;
use clew_api::rest::golden::{Direction, RouteStat};

fn route(name: &str, service: Option<&str>, golden: clew_api::rest::golden::Golden) -> RouteStat {
    RouteStat {
        route: name.to_owned(),
        source: (name != "(unknown)").then_some(RouteSource::Learned),
        service: service.map(str::to_owned),
        namespace: "default".to_owned(),
        golden,
    }
}

#[test]
fn routes_with_and_without_what_went_wrong() {
    let routes = Routes {
        window: minute(),
        workload: "webapp".to_owned(),
        direction: Direction::Outbound,
        from: None,
        to: Some("books".to_owned()),
        routes: vec![
            route("(unknown)", None, golden(0, 0, 3)),
            route("GET /books/{id}", Some("books"), golden(300, 0, 0)),
            route("POST /books/{id}/edit", Some("books"), golden(50, 7, 1)),
        ],
    };
    insta::assert_snapshot!(plain(&render(&routes, false)), @r"
    ROUTE                  SERVICE  SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99
    (unknown)              -              -  0.05      4.20 ms      18.6 ms       1.20 s
    GET /books/{id}        books    100.00%  5.00      4.20 ms      18.6 ms       1.20 s
    POST /books/{id}/edit  books     87.71%  0.97      4.20 ms      18.6 ms       1.20 s
    ");
    insta::assert_snapshot!(plain(&render(&routes, true)), @r"
    NAMESPACE  ROUTE                  SERVICE  SOURCE   SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  STREAMS  REQUESTS  FAILURES  CANCELLED  ERRORS
    default    (unknown)              -        -              -  0.05      4.20 ms      18.6 ms       1.20 s        0         3         0          3  client_cancelled=3
    default    GET /books/{id}        books    learned  100.00%  5.00      4.20 ms      18.6 ms       1.20 s        0       300         0          0  -
    default    POST /books/{id}/edit  books    learned   87.71%  0.97      4.20 ms      18.6 ms       1.20 s        0        58         7          1  503=7 client_cancelled=1
    ");
}

#[test]
fn open_streams_are_shown_where_there_are_some() {
    let chat = clew_api::rest::golden::Golden {
        open_streams: 3,
        ..Default::default()
    };
    let routes = Routes {
        window: minute(),
        workload: "chat".to_owned(),
        direction: Direction::Inbound,
        from: None,
        to: None,
        routes: vec![
            route("GET /", None, golden(300, 0, 0)),
            route("GET /chat/{id}", None, chat),
        ],
    };
    insta::assert_snapshot!(plain(&render(&routes, false)), @r"
    ROUTE           SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  STREAMS
    GET /           100.00%  5.00      4.20 ms      18.6 ms       1.20 s        0
    GET /chat/{id}        -     0            -            -            -        3
    ");
}
