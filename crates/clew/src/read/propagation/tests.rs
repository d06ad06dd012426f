use super::super::golden::tests::{minute, plain};
use super::*;

fn route(service: &str, score: Option<f64>, verdicts: &[(&str, u64)]) -> RoutePropagation {
    RoutePropagation {
        service: Some(service.to_owned()),
        route: "GET /".to_owned(),
        score,
        verdicts: verdicts
            .iter()
            .map(|(verdict, requests)| ((*verdict).to_owned(), *requests))
            .collect(),
        evidence: [("given".to_owned(), 1)].into(),
    }
}

fn propagation(routes: Vec<RoutePropagation>, score: Option<f64>) -> Propagation {
    Propagation {
        window: minute(),
        workloads: vec![WorkloadPropagation {
            name: "books".to_owned(),
            namespace: "default".to_owned(),
            score,
            routes,
        }],
    }
}

#[test]
fn who_breaks_traces_is_named_with_what_to_change() {
    let broken = propagation(
        vec![
            route("authors", Some(0.25), &[("dropped", 3), ("forwarded", 1)]),
            route("mail", Some(0.0), &[("mangled", 2)]),
            route("news", None, &[("background", 7)]),
        ],
        Some(1.0 / 6.0),
    );
    insta::assert_snapshot!(plain(&render(&broken, false)), @r"
    NAME   SCORE  SERVICE  ROUTE  VERDICTS
    books  25.00  authors  GET /  dropped=3 forwarded=1
    books   0.00  mail     GET /  mangled=2
    books      -  news     GET /  background=7

    books breaks traces: 3 requests to GET / of authors came without trace headers, although it was serving requests that had them.
      Copy traceparent and tracestate from the request that is served onto every request that is made for it.

    books breaks traces: 2 requests to GET / of mail came with trace headers that are none: cut short, or all zero.
      Copy the values of the headers whole, byte by byte.
    ");
}

#[test]
fn who_breaks_nothing_is_left_alone() {
    let whole = propagation(
        vec![route("authors", Some(1.0), &[("forwarded", 4)])],
        Some(1.0),
    );
    insta::assert_snapshot!(plain(&render(&whole, true)), @r"
    NAMESPACE  NAME    SCORE  SERVICE  ROUTE  VERDICTS     EVIDENCE
    default    books  100.00  authors  GET /  forwarded=4  given=1
    ");
}

#[test]
fn a_score_below_the_least_is_a_failure() {
    let of = |score| judged(&propagation(Vec::new(), score), 99.0, |_| {});
    assert_eq!(of(Some(0.98)), Exit::Failed);
    assert_eq!(of(Some(0.99)), Exit::Ok);
    assert_eq!(of(None), Exit::Empty, "nothing was tried");
}
