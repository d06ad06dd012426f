//! The propagation audit: what requests of an application show of the context that it was given.

use clew_api::rest::propagation::MemberExamples;
use clew_model::telemetry::TelemetrySettings;
use clew_testkit::client::{Client, get, with};
use clew_testkit::upstream::{Answering, Exchange, Scripted, ok, status};
use clew_testkit::{Mesh, Sidecar};

/// What webapp shows when it calls books with these headers.
async fn evidence_of(webapp: &Sidecar, headers: &[(&'static str, String)]) -> String {
    let count = |metrics: &clew_testkit::metrics::Metrics| {
        metrics.by("clew_propagation_total", "evidence", &[])
    };
    let before = count(&webapp.metrics().await);
    let mut books = Client::http1(webapp.dependency("books")).await;
    let call = headers
        .iter()
        .fold(get("http://books/"), |call, (name, value)| {
            with(call, name, value)
        });
    books.ask(call).await;
    let mut shown = count(&webapp.metrics().await);
    shown.retain(|evidence, requests| before.get(evidence) != Some(requests));
    let mut names = shown.into_keys();
    let name = names.next().expect("the call shows something");
    assert_eq!(names.next(), None, "it is counted once");
    name
}

const NOTHING: &[(&str, String)] = &[];

#[tokio::test]
async fn each_call_of_an_application_shows_what_became_of_the_context() {
    let books = Answering::ok().await;
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", books.address()).await;
    let webapp = mesh
        .sidecar("webapp")
        .serves(application.address())
        .calls("books")
        .start()
        .await;
    assert_eq!(evidence_of(&webapp, NOTHING).await, "absent_idle");

    let entry = webapp.inbound();
    let asking = tokio::spawn(async move {
        let mut client = Client::http1(entry).await;
        client.ask(get("http://webapp/page")).await
    });
    let exchange = application.next().await;
    let given = exchange.head.headers["traceparent"]
        .to_str()
        .unwrap()
        .to_owned();
    let [_, trace, span, _]: [&str; 4] = given.split('-').collect::<Vec<_>>().try_into().unwrap();
    let low = &trace[16..];
    let in_flight = [
        ("traceparent", given.clone(), "given"),
        ("b3", format!("{trace}-{span}-1"), "given"),
        ("b3", format!("{low}-{span}-1"), "given"),
        (
            "traceparent",
            format!("00-{trace}-00f067aa0ba902b7-01"),
            "inside",
        ),
        (
            "traceparent",
            format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01"),
            "other_busy",
        ),
        ("traceparent", given[..50].to_owned(), "unusable"),
        (
            "traceparent",
            given.replace(trace, &"0".repeat(32)),
            "unusable",
        ),
        ("b3", "0".to_owned(), "decision"),
    ];
    for (name, value, evidence) in in_flight {
        let shown = evidence_of(&webapp, &[(name, value.clone())]).await;
        assert_eq!(shown, evidence, "{name}: {value}");
    }
    assert_eq!(evidence_of(&webapp, NOTHING).await, "absent_busy");
    // One family that says it is enough.
    let both = [
        ("traceparent", "no".to_owned()),
        ("b3", format!("{trace}-{span}-1")),
    ];
    assert_eq!(evidence_of(&webapp, &both).await, "given");

    exchange.answer(ok("done"));
    asking.await.unwrap();
    assert_eq!(
        evidence_of(&webapp, &[("traceparent", given.clone())]).await,
        "ended"
    );
    assert_eq!(evidence_of(&webapp, NOTHING).await, "absent_after");
    // What goes through is counted, whatever it shows; what comes in shows nothing.
    let metrics = webapp.metrics().await;
    let shown = metrics.sum("clew_propagation_total", &[("direction", "outbound")]);
    assert_eq!(shown, metrics.responses(&[("direction", "outbound")]));
    assert_eq!(
        metrics.sum("clew_propagation_total", &[("direction", "inbound")]),
        0
    );
    mesh.stop().await;
}

/// The context that a request of the application was given.
fn given(exchange: &Exchange) -> String {
    exchange.head.headers["traceparent"]
        .to_str()
        .unwrap()
        .to_owned()
}

/// 1. An application that asks another one three times for one of its own requests: the second answer is a failure, and
///    the third call is an attempt again.
/// 2. A call without the context is no call of that request; it is an example, with the request beside it.
#[tokio::test]
async fn the_calls_of_a_request_are_counted_by_their_ids() {
    let mut books = Scripted::start().await;
    let mut application = Scripted::start().await;
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", books.address()).await;
    let webapp = mesh
        .sidecar("webapp")
        .serves(application.address())
        .calls("books")
        .start()
        .await;
    let entry = webapp.inbound();
    let asking = tokio::spawn(async move {
        let mut client = Client::http1(entry).await;
        client.ask(get("http://webapp/page")).await
    });
    let exchange = application.next().await;
    let context = given(&exchange);

    let mut client = Client::http1(webapp.dependency("books")).await;
    for code in [200, 503, 200] {
        let call = with(get("http://books/list"), "traceparent", &context);
        let (answer, _) = tokio::join!(client.ask(call), books.answer_next(status(code)));
        assert_eq!(answer.status, code);
    }
    let forgotten = get("http://books/list");
    tokio::join!(client.ask(forgotten), books.answer_next(ok("forgotten")));
    exchange.answer(ok("done"));
    asking.await.unwrap();

    let metrics = webapp.metrics().await;
    let called = [
        ("direction", "inbound"),
        ("route", "GET /page"),
        ("dst_service", "books"),
        ("dst_route", "GET /list"),
    ];
    assert_eq!(metrics.sum("clew_calls_per_request", &called), 1, "request");
    assert_eq!(metrics.total("clew_calls_per_request", &called), 3.0);
    assert_eq!(metrics.sum("clew_calls_again_total", &called), 1);

    let mut admin = Client::http1(webapp.admin()).await;
    let page = admin.ask(get("http://admin/propagation")).await;
    let page: MemberExamples = serde_json::from_str(page.text()).unwrap();
    let [example] = &page.examples[..] else {
        panic!("one example: {page:?}");
    };
    let ids = example.example.given.as_ref().unwrap();
    assert_eq!(
        (example.example.evidence.as_str(), ids.route.as_str()),
        ("absent_busy", "GET /page")
    );
    assert_eq!(context[3..52], format!("{}-{}", ids.trace_id, ids.span_id));
    assert_eq!(ids.headers, ["traceparent", "tracestate"]);
    mesh.stop().await;
}

/// Switched off while the proxy runs, nothing is compared any more; traces go on.
#[tokio::test]
async fn without_the_audit_nothing_is_counted() {
    let books = Answering::ok().await;
    let application = Answering::ok().await;
    let mesh = Mesh::begin().await;
    let _books = mesh.join("books", "books-1", books.address()).await;
    let webapp = mesh
        .sidecar("webapp")
        .serves(application.address())
        .calls("books")
        .start()
        .await;
    assert_eq!(evidence_of(&webapp, NOTHING).await, "absent_idle");
    let off = TelemetrySettings {
        audit: false,
        ..TelemetrySettings::default()
    };
    mesh.set(off.clone()).await;
    webapp.obeys(&off).await;

    let mut client = Client::http1(webapp.dependency("books")).await;
    client.ask(get("http://books/")).await;
    let metrics = webapp.metrics().await;
    assert_eq!(metrics.sum("clew_propagation_total", &[]), 1, "as before");
    let seen = books.seen();
    assert!(
        seen.iter()
            .all(|seen| !seen.header("traceparent").is_empty())
    );
    mesh.stop().await;
}
