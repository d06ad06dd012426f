//! Traces through a mesh whose applications know nothing of tracing.

use super::chain::{CONTEXT, Chain, SPANS, is_whole, loopback_is_trusted, sampled, span_of};
use super::pair::SUCCESS;
use clew_model::telemetry::{Sampling, TelemetrySettings, WriteFormat};
use clew_testkit::Mesh;
use clew_testkit::client::{Client, get, with};
use clew_testkit::collector::Collector;
use clew_testkit::upstream::{Answering, ok, status};
use clew_trace::span::{AttributeValue, SpanKind, SpanStatus};
use clew_trace::{Decision, Family, extract};

#[tokio::test]
async fn one_request_is_one_trace_when_the_application_copies_headers() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::begin(sampled(1.0), &collector).await;
    let passage = chain
        .ask(get("http://edge.example/authors/3?q=private"), true)
        .await;
    assert_eq!(passage.answer.text(), "a book");

    let spans = collector.exactly(SPANS).await;
    let root = is_whole(&spans);
    let edge_server = span_of(&spans, "edge", SpanKind::Server);
    assert_eq!(root.span_id, edge_server.span_id, "the gateway is the root");
    let ways = [
        ("edge", SpanKind::Client, "edge", SpanKind::Server),
        ("webapp", SpanKind::Server, "edge", SpanKind::Client),
        ("webapp", SpanKind::Client, "webapp", SpanKind::Server),
        ("books", SpanKind::Server, "webapp", SpanKind::Client),
    ];
    for (service, kind, parent, parent_kind) in ways {
        let span = span_of(&spans, service, kind);
        let parent = span_of(&spans, parent, parent_kind);
        assert_eq!(
            span.parent_span_id,
            Some(parent.span_id),
            "{service} {kind:?}"
        );
        assert_eq!(
            (span.status, span.namespace.as_str()),
            (SpanStatus::Unset, "default")
        );
        assert_eq!(span.instance, format!("{service}-1"));
        assert!(parent.end_unix_nano >= span.start_unix_nano);
    }
    for (service, name, path) in [
        ("edge", "GET /authors/{id}", "/authors/3"),
        ("webapp", "GET /authors/{id}", "/authors/3"),
        ("books", "GET /books/{id}", "/books/7"),
    ] {
        let span = span_of(&spans, service, SpanKind::Server);
        assert_eq!(span.name, name);
        assert_eq!(text(span, "url.path"), path);
    }
    let client = span_of(&spans, "edge", SpanKind::Client);
    assert_eq!(
        text(client, "url.full"),
        "http://edge.example/authors/3?REDACTED"
    );
    assert_eq!(text(client, "clew.peer.workload"), "webapp");
    let server = span_of(&spans, "books", SpanKind::Server);
    assert_eq!(text(server, "clew.peer.workload"), "webapp");
    let status = AttributeValue::Int(200);
    for span in &spans {
        assert_eq!(span.attribute("http.response.status_code"), Some(&status));
        let shown = format!("{span:?}");
        assert!(
            !shown.contains("private"),
            "the query is nobody's business: {shown}"
        );
    }
    assert_eq!(
        extract(&passage.books.headers).context.unwrap().span_id,
        server.span_id,
        "the application is told the span that serves it"
    );
    chain.stop().await;
}

fn text<'a>(span: &'a clew_trace::Span, key: &str) -> &'a str {
    span.attribute(key)
        .and_then(AttributeValue::as_str)
        .unwrap_or("")
}

#[tokio::test]
async fn a_trace_ends_exactly_where_an_application_does_not_copy_headers() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::begin(sampled(1.0), &collector).await;
    chain.ask(get("http://edge/"), false).await;
    let spans = collector.exactly(SPANS).await;
    let first = span_of(&spans, "edge", SpanKind::Server).trace_id;
    let (before, after): (Vec<_>, Vec<_>) =
        spans.into_iter().partition(|span| span.trace_id == first);
    assert_eq!((before.len(), after.len()), (3, 2));
    assert_eq!(is_whole(&before).service, "edge");
    let root = is_whole(&after);
    assert_eq!(
        (root.service.as_str(), root.kind),
        ("webapp", SpanKind::Client)
    );
    span_of(&after, "books", SpanKind::Server);
    chain.stop().await;
}

#[tokio::test]
async fn without_sampling_the_context_goes_on_and_says_so_and_metrics_are_as_before() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::begin(sampled(0.0), &collector).await;
    let passage = chain.ask(get("http://edge/"), true).await;
    let (webapp, books) = (&passage.webapp.headers, &passage.books.headers);
    let context = extract(webapp).context.unwrap();
    assert_eq!(context.decision, Decision::NotSampled);
    assert!(!context.flags().is_sampled());
    assert_eq!(
        passage.webapp.header("traceparent"),
        passage.books.header("traceparent"),
        "who keeps no span passes on unchanged what came"
    );
    assert_eq!(extract(books).context.unwrap().trace_id, context.trace_id);
    for (sidecar, hops) in [(&chain.edge, 2), (&chain.webapp, 2), (&chain.books, 1)] {
        let metrics = sidecar.metrics().await;
        assert_eq!(metrics.requests(&[]), hops);
        assert_eq!(metrics.responses(&[SUCCESS]), hops);
        assert_eq!(metrics.sum("response_latency_ms", &[]), hops);
        assert_eq!(
            metrics.sum("clew_spans_total", &[("outcome", "unsampled")]),
            hops
        );
        assert_eq!(
            metrics.sum("clew_spans_total", &[("outcome", "emitted")]),
            0
        );
    }
    chain.stop().await;
    assert_eq!(collector.rest(), []);
}

#[tokio::test]
async fn with_tracing_off_nothing_is_minted_and_what_comes_from_inside_passes() {
    let mut collector = Collector::start().await;
    let off = TelemetrySettings {
        tracing: false,
        ..TelemetrySettings::default()
    };
    let mut chain = Chain::begin(off, &collector).await;
    let passage = chain.ask(get("http://edge/"), true).await;
    for seen in [&passage.webapp, &passage.books] {
        for name in CONTEXT {
            assert_eq!(seen.header(name), "", "{name}");
        }
    }
    let mut caller = Client::http1(chain.webapp.dependency("books")).await;
    let call = with(get("http://books/"), "traceparent", SAMPLED);
    let (_, seen) = tokio::join!(
        caller.ask(call),
        chain.books_application.answer_next(ok(""))
    );
    assert_eq!(seen.header("traceparent"), SAMPLED);
    let metrics = chain.books.metrics().await;
    assert_eq!(metrics.responses(&[SUCCESS]), 2, "metrics are as before");
    assert_eq!(metrics.sum("clew_spans_total", &[]), 0);
    drop(caller);
    chain.stop().await;
    assert_eq!(collector.rest(), []);
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn context_from_outside_is_not_believed_but_linked_to() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::begin(sampled(1.0), &collector).await;
    let asked = with(get("http://edge/"), "traceparent", SAMPLED);
    let asked = with(asked, "tracestate", "vendor=1");
    let asked = with(asked, "b3", "0");
    let asked = with(asked, "baggage", "user=alice");
    let asked = with(asked, "clew-client", "default/liar/liar-1");
    let passage = chain.ask(asked, true).await;
    for name in ["tracestate", "b3", "baggage", "clew-client"] {
        assert_eq!(passage.webapp.header(name), "", "{name}");
    }
    let spans = collector.exactly(SPANS).await;
    let root = is_whole(&spans);
    assert_ne!(root.trace_id.to_string(), TRACE);
    assert_eq!(root.links.len(), 1);
    assert_eq!(root.links[0].trace_id.to_string(), TRACE);
    assert_eq!(root.links[0].span_id.to_string(), SPAN);
    assert!(spans.iter().filter(|span| !span.links.is_empty()).count() == 1);
    chain.stop().await;
}

#[tokio::test]
async fn context_from_a_trusted_ingress_goes_on() {
    let mut collector = Collector::start().await;
    let trusted = loopback_is_trusted();
    // Were the decision made anew, nothing would be kept.
    let mut chain = Chain::to(sampled(0.0), collector.address(), &trusted).await;
    let asked = with(get("http://edge/"), "traceparent", SAMPLED);
    let asked = with(asked, "tracestate", "vendor=1,other=2");
    let asked = with(asked, "baggage", "user=alice");
    let passage = chain.ask(asked, true).await;
    assert_eq!(passage.books.header("tracestate"), "vendor=1,other=2");
    assert_eq!(passage.books.header("baggage"), "user=alice");
    let spans = collector.exactly(SPANS).await;
    let edge = span_of(&spans, "edge", SpanKind::Server);
    assert_eq!(edge.parent_span_id.unwrap().to_string(), SPAN);
    assert!(edge.links.is_empty());
    for span in &spans {
        assert_eq!(span.trace_id.to_string(), TRACE);
    }

    // And a decision not to sample is kept as well.
    chain.set(sampled(1.0)).await;
    let passage = chain
        .ask(with(get("http://edge/"), "traceparent", NOT_SAMPLED), true)
        .await;
    assert_eq!(
        passage.books.header("traceparent"),
        NOT_SAMPLED,
        "unchanged to the end"
    );
    chain.stop().await;
    assert_eq!(collector.rest(), []);
}

#[tokio::test]
async fn b3_that_came_in_goes_on_in_its_own_family() {
    let mut collector = Collector::start().await;
    let trusted = loopback_is_trusted();
    let mut chain = Chain::to(sampled(0.0), collector.address(), &trusted).await;

    let single = with(get("http://edge/"), "b3", &format!("{TRACE}-{SPAN}-1"));
    let passage = chain.ask(single, true).await;
    let spans = collector.exactly(SPANS).await;
    let books = span_of(&spans, "books", SpanKind::Server);
    assert_eq!(books.trace_id.to_string(), TRACE);
    let b3 = passage.books.header("b3");
    assert!(
        b3.starts_with(&format!("{TRACE}-{}-1", books.span_id)),
        "{b3}"
    );
    assert!(
        passage.books.headers.contains_key("traceparent"),
        "W3C is always written"
    );
    assert!(!passage.books.headers.contains_key("x-b3-traceid"));

    let mut many = get("http://edge/");
    for (name, value) in [
        ("x-b3-traceid", TRACE),
        ("x-b3-spanid", SPAN),
        ("x-b3-sampled", "1"),
    ] {
        many = with(many, name, value);
    }
    let passage = chain.ask(many, true).await;
    let spans = collector.exactly(SPANS).await;
    let books = span_of(&spans, "books", SpanKind::Server);
    assert_eq!(books.trace_id.to_string(), TRACE);
    assert_eq!(passage.books.header("x-b3-traceid"), TRACE);
    assert_eq!(
        passage.books.header("x-b3-spanid"),
        books.span_id.to_string()
    );
    assert_eq!(passage.books.header("x-b3-sampled"), "1");
    assert!(!passage.books.headers.contains_key("b3"));
    for span in &spans {
        assert!(span.trace_id.to_string() == TRACE);
    }
    chain.stop().await;
}

/// 1. A caller inside the mesh says in B3 that its trace is not kept.
/// 2. That is passed on as it came, and said in W3C as well: who reads only that, as many libraries do, would
///    otherwise begin a trace of its own that is kept.
#[tokio::test]
async fn what_is_not_kept_is_said_in_every_family() {
    let collector = Collector::start().await;
    let mut chain = Chain::to(sampled(1.0), collector.address(), &loopback_is_trusted()).await;
    let line = format!("{TRACE}-{SPAN}-0");
    let passage = chain
        .ask(with(get("http://edge/"), "b3", &line), true)
        .await;
    let w3c = format!("00-{TRACE}-{SPAN}-00");
    for seen in [&passage.webapp, &passage.books] {
        assert_eq!(seen.header("b3"), line);
        assert_eq!(seen.header("traceparent"), w3c);
    }
    chain.stop().await;
}

/// `b3: d` begins a trace that is kept whatever the ratio, and says so to all who follow.
#[tokio::test]
async fn a_debug_flag_without_ids_is_kept_and_passed_on() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::to(sampled(0.0), collector.address(), &loopback_is_trusted()).await;
    let passage = chain.ask(with(get("http://edge/"), "b3", "d"), true).await;
    is_whole(&collector.exactly(SPANS).await);
    let b3 = passage.books.header("b3");
    assert_eq!(b3.split('-').nth(2), Some("d"), "{b3}");
    chain.stop().await;
}

/// `clew-debug: 1` keeps one trace, if it is a trusted caller who says it, and goes no further than the first proxy.
#[tokio::test]
async fn a_trusted_caller_can_ask_for_one_trace() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::to(sampled(0.0), collector.address(), &loopback_is_trusted()).await;
    let asked = || with(get("http://edge/"), "clew-debug", "1");
    let passage = chain.ask(asked(), true).await;
    is_whole(&collector.exactly(SPANS).await);
    for seen in [&passage.webapp, &passage.books] {
        assert!(!seen.headers.contains_key("clew-debug"));
    }
    chain.stop().await;

    let mut chain = Chain::begin(sampled(0.0), &collector).await;
    let passage = chain.ask(asked(), true).await;
    let context = extract(&passage.books.headers).context.unwrap();
    assert_eq!(
        context.decision,
        Decision::NotSampled,
        "anyone could say it"
    );
    assert!(!passage.webapp.headers.contains_key("clew-debug"));
    chain.stop().await;
    assert_eq!(collector.rest(), []);
}

#[tokio::test]
async fn settings_take_effect_while_requests_run() {
    let mut collector = Collector::start().await;
    let mut chain = Chain::begin(sampled(0.0), &collector).await;
    let passage = chain.ask(get("http://edge/"), true).await;
    assert!(!passage.webapp.headers.contains_key("b3"));

    let on = TelemetrySettings {
        write: WriteFormat::ALL.into_iter().collect(),
        ..sampled(1.0)
    };
    chain.set(on).await;
    let passage = chain.ask(get("http://edge/"), true).await;
    let spans = collector.exactly(SPANS).await;
    is_whole(&spans);
    let seen = extract(&passage.webapp.headers);
    for family in Family::ALL {
        assert!(seen.families.contains(family), "{family:?}");
    }

    let off = TelemetrySettings {
        tracing: false,
        ..sampled(1.0)
    };
    chain.set(off).await;
    let passage = chain.ask(get("http://edge/"), true).await;
    assert!(!passage.webapp.headers.contains_key("traceparent"));
    chain.stop().await;
}

#[tokio::test]
async fn a_rate_bounds_new_traces_and_none_is_kept_in_part() {
    let mut collector = Collector::start().await;
    let limited = TelemetrySettings {
        sampling: Sampling {
            ratio: 1.0,
            // One now, and the next in a quarter of an hour.
            max_per_second: Some(0.001),
        },
        ..TelemetrySettings::default()
    };
    let mut chain = Chain::begin(limited, &collector).await;
    let mut kept = 0;
    for _ in 0..5 {
        let passage = chain.ask(get("http://edge/"), true).await;
        let context = extract(&passage.books.headers).context.unwrap();
        kept += usize::from(context.flags().is_sampled());
    }
    assert_eq!(kept, 1);
    is_whole(&collector.exactly(SPANS).await);
    chain.stop().await;
    assert_eq!(collector.rest(), []);
}

#[tokio::test]
async fn refusals_and_failures_are_spans_with_a_reason() {
    let mut collector = Collector::start().await;
    let application = Answering::start(|_| async { status(500) }).await;
    let mesh = Mesh::begin().await;
    let books = mesh
        .sidecar("books")
        .serves(application.address())
        .collector(collector.address())
        .start()
        .await;
    let webapp = mesh
        .sidecar("webapp")
        .calls("books")
        .calls("nobody")
        .collector(collector.address())
        .start()
        .await;
    let mut client = Client::http1(webapp.dependency("books")).await;
    client.ask(get("http://books/")).await;
    let spans = collector.exactly(2).await;
    for span in &spans {
        assert_eq!(span.status, SpanStatus::Error);
        assert_eq!(text(span, "error.type"), "500");
    }
    let mut client = Client::http1(webapp.dependency("nobody")).await;
    client.ask(get("http://nobody/")).await;
    let spans = collector.exactly(1).await;
    assert_eq!(spans[0].status, SpanStatus::Error);
    assert_eq!(text(&spans[0], "error.type"), "no_endpoints");
    assert_eq!(text(&spans[0], "clew.dst_service"), "nobody");
    drop((client, books));
    mesh.stop().await;
}
