use super::super::golden::tests::{minute, plain};
use super::*;
use clew_api::rest::propagation::{GivenContext, SentContext};

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
        example: None,
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
            advice: Vec::new(),
        }],
    }
}

fn advice(verdict: &str, evidence: &str) -> PropagationAdvice {
    PropagationAdvice {
        verdict: verdict.to_owned(),
        requests: 3,
        calls: vec!["GET / of authors".to_owned(), "GET / of mail".to_owned()],
        what: "came without".to_owned(),
        fix: "Copy them.".to_owned(),
        evidence: evidence.to_owned(),
    }
}

#[test]
fn who_breaks_traces_is_named_with_what_to_change() {
    let mut broken = propagation(
        vec![
            route("authors", Some(0.25), &[("dropped", 3), ("forwarded", 1)]),
            route("news", None, &[("background", 7)]),
        ],
        Some(1.0 / 6.0),
    );
    broken.workloads[0].advice = vec![advice("dropped", "absent_busy")];
    insta::assert_snapshot!(plain(&render(&broken, false)), @r"
    NAME   SCORE  SERVICE  ROUTE  VERDICTS
    books  25.00  authors  GET /  dropped=3 forwarded=1
    books      -  news     GET /  background=7

    books breaks traces: 3 requests to GET / of authors, GET / of mail came without.
      Copy them.
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

/// What came in and what went out, with ids and times.
#[test]
fn an_example_shows_what_was_given_and_what_was_sent() {
    let given = GivenContext {
        at: "2026-11-25T08:15:01.123456Z".to_owned(),
        route: "GET /books/{id}".to_owned(),
        headers: ["traceparent", "tracestate", "b3"]
            .map(str::to_owned)
            .into(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        span_id: "00f067aa0ba902b7".to_owned(),
    };
    let example = |evidence: &str, in_flight, sent| PropagationExample {
        evidence: evidence.to_owned(),
        instance: Some("books-1".to_owned()),
        in_flight,
        given: Some(given.clone()),
        sent,
    };
    let sent = SentContext {
        at: "2026-11-25T08:15:01.126500Z".to_owned(),
        headers: Vec::new(),
        trace_id: None,
        span_id: None,
        fault: None,
    };
    let restarted = SentContext {
        headers: vec!["traceparent".to_owned()],
        trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        span_id: Some("b7ad6b7169203331".to_owned()),
        ..sent.clone()
    };
    let mangled = SentContext {
        headers: vec!["traceparent".to_owned()],
        fault: Some("traceparent: the header has the wrong length or form".to_owned()),
        ..sent.clone()
    };
    let routes = [
        ("authors", "dropped", example("absent_busy", 1, sent)),
        ("mail", "restarted", example("other_busy", 3, restarted)),
        ("news", "mangled", example("unusable", 1, mangled)),
    ];
    let advice = routes
        .each_ref()
        .map(|(_, verdict, example)| advice(verdict, &example.evidence));
    let routes = routes.map(|(service, verdict, example)| RoutePropagation {
        example: Some(example),
        ..route(service, Some(0.0), &[(verdict, 2)])
    });
    let mut broken = propagation(routes.into(), Some(0.0));
    broken.workloads[0].advice = advice.into();
    insta::assert_snapshot!(plain(&render(&broken, false)), @r"
    NAME   SCORE  SERVICE  ROUTE  VERDICTS
    books   0.00  authors  GET /  dropped=2
    books   0.00  mail     GET /  restarted=2
    books   0.00  news     GET /  mangled=2

    books breaks traces: 3 requests to GET / of authors, GET / of mail came without.
      For example, in books-1 (the only request in flight):
        08:15:01.123456Z  in   GET /books/{id}  with traceparent, tracestate and b3: trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7
        08:15:01.126500Z  out  GET / of authors  without any of them
      Copy them.

    books breaks traces: 3 requests to GET / of authors, GET / of mail came without.
      For example, in books-1 (one of 3 requests in flight):
        08:15:01.123456Z  in   GET /books/{id}  with traceparent, tracestate and b3: trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7
        08:15:01.126500Z  out  GET / of mail  with traceparent: trace 0af7651916cd43dd8448eb211c80319c, span b7ad6b7169203331
      Copy them.

    books breaks traces: 3 requests to GET / of authors, GET / of mail came without.
      For example, in books-1 (the only request in flight):
        08:15:01.123456Z  in   GET /books/{id}  with traceparent, tracestate and b3: trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7
        08:15:01.126500Z  out  GET / of news  with traceparent: the header has the wrong length or form
      Copy them.
    ");
}
