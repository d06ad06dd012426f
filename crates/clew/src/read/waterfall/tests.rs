use super::super::golden::tests::plain;
use super::*;
use clew_api::rest::span::{ProxyTime, SpanEvent};
use clew_api::rest::traces::{HopTime, MissingParent};
use std::collections::BTreeMap;

/// A span from `offset_ms` on.
fn span(
    id: u64,
    parent: Option<u64>,
    service: &str,
    kind: &str,
    offset_ms: f64,
    duration_ms: f64,
) -> Span {
    Span {
        span_id: format!("{id:016x}"),
        parent_span_id: parent.map(|parent| format!("{parent:016x}")),
        hidden_ancestors: 0,
        kind: kind.to_owned(),
        service: service.to_owned(),
        namespace: Some("default".to_owned()),
        instance: Some(format!("{service}-1")),
        name: "GET /books/{id}".to_owned(),
        scope: "clew.proxy".to_owned(),
        start: "2026-03-01T12:00:00.000Z".to_owned(),
        offset_ms,
        duration_ms,
        status: "unset".to_owned(),
        status_message: String::new(),
        attributes: BTreeMap::new(),
        resource: BTreeMap::new(),
        events: Vec::new(),
        links: Vec::new(),
        proxy_time: None,
    }
}

fn timed(mut span: Span, work_us: u64, connect_us: u64) -> Span {
    let phases = BTreeMap::from([
        ("request".to_owned(), work_us),
        ("connect".to_owned(), connect_us),
    ]);
    span.proxy_time = ProxyTime::from_phases(phases);
    span
}

fn trace(duration_ms: f64, spans: Vec<Span>) -> Trace {
    Trace {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        start: "2026-03-01T12:00:00.123Z".to_owned(),
        state: TraceState::Whole,
        duration_ms,
        spans,
        missing_parents: Vec::new(),
        hidden_spans: 0,
        hops: Vec::new(),
    }
}

fn whole() -> Trace {
    let mut failed = timed(span(5, Some(4), "books", "client", 30.0, 60.0), 120, 20_000);
    failed.status = "error".to_owned();
    failed
        .attributes
        .insert("error.type".to_owned(), "connect_timeout".into());
    let mut library = span(4, Some(3), "books", "internal", 25.0, 70.0);
    library.scope = "opentelemetry.instrumentation.flask".to_owned();
    library.name = "query the shelf".to_owned();
    let mut server = timed(span(3, Some(2), "books", "server", 20.0, 76.0), 31, 0);
    server.events.push(SpanEvent {
        name: "response.head".to_owned(),
        offset_ms: 95.0,
        attributes: BTreeMap::new(),
    });
    trace(
        100.0,
        vec![
            timed(span(1, None, "gateway", "server", 0.0, 100.0), 90, 0),
            timed(span(2, Some(1), "gateway", "client", 0.2, 99.0), 60, 10_000),
            server,
            library,
            failed,
            timed(span(6, Some(4), "books", "client", 91.0, 2.0), 15, 0),
        ],
    )
}

#[test]
fn a_trace_is_a_tree_with_bars() {
    insta::assert_snapshot!(plain(&render(&whole(), 120, false)), @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  100 ms  6 spans  2 services  1 error
    SPAN                                                    DURATION   PROXY     WAIT  0 ms              50.0 ms      100 ms
    gateway server GET /books/{id}                            100 ms   90 us        -  ▓━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    └ gateway client GET /books/{id}                         99.0 ms   60 us  10.0 ms  ▓░░░░━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
      └ books server GET /books/{id}                         76.0 ms   31 us        -         ▓━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        └ books internal query the shelf                     70.0 ms       -        -           ═══════════════════════════
          ├ books client GET /books/{id} ✗ connect_timeout   60.0 ms  120 us  20.0 ms             ▓░░░░░░░━━━━━━━━━━━━━━━
          └ books client GET /books/{id}                     2.00 ms   15 us        -                                   ━━
    ━ request, as a proxy saw it   ▓ the proxy's own work (a column at least)   ░ the proxy waiting to connect   ═ span of the application's own library
    ");
}

#[test]
fn it_fits_a_narrow_terminal() {
    let text = plain(&render(&whole(), 80, false));
    insta::assert_snapshot!(text, @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  100 ms  6 spans  2 services  1 error
    SPAN                                 DURATION   PROXY     WAIT  0 ms      100 ms
    gateway server GET /books/{id}         100 ms   90 us        -  ▓━━━━━━━━━━━━━━━
    └ gateway client GET /books/{id}      99.0 ms   60 us  10.0 ms  ▓░░━━━━━━━━━━━━━
      └ books server GET /books/{id}      76.0 ms   31 us        -     ▓━━━━━━━━━━━━
        └ books internal query the she…   70.0 ms       -        -      ════════════
          ├ books client … ✗ connect_t…   60.0 ms  120 us  20.0 ms      ▓░░░━━━━━━━
          └ books client GET /books/{i…   2.00 ms   15 us        -                ━
    ━ request, as a proxy saw it   ▓ the proxy's own work (a column at least)   ░ the proxy waiting to connect   ═ span of the application's own library
    ");
    let spans = text.lines().skip(1).take(7);
    assert!(
        spans
            .map(|line| line.chars().count())
            .all(|width| width <= 80),
        "{text}"
    );
}

#[test]
fn wide_has_the_details() {
    insta::assert_snapshot!(plain(&render(&whole(), 120, true)), @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  100 ms  6 spans  2 services  1 error
    SPAN                                                    DURATION   PROXY     WAIT  0 ms              50.0 ms      100 ms
    gateway server GET /books/{id}                            100 ms   90 us        -  ▓━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    span 0000000000000001  scope clew.proxy  instance gateway-1  proxy: connect 0 ms, request 90 us
    └ gateway client GET /books/{id}                         99.0 ms   60 us  10.0 ms  ▓░░░░━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
      span 0000000000000002  scope clew.proxy  instance gateway-1  proxy: connect 10.0 ms, request 60 us
      └ books server GET /books/{id}                         76.0 ms   31 us        -         ▓━━━━━━━━━━━━━━━━━━━━━━━━━━━━
        span 0000000000000003  scope clew.proxy  instance books-1  proxy: connect 0 ms, request 31 us  response.head at 95.0 ms
        └ books internal query the shelf                     70.0 ms       -        -           ═══════════════════════════
          span 0000000000000004  scope opentelemetry.instrumentation.flask  instance books-1
          ├ books client GET /books/{id} ✗ connect_timeout   60.0 ms  120 us  20.0 ms             ▓░░░░░░░━━━━━━━━━━━━━━━
          │ span 0000000000000005  scope clew.proxy  instance books-1  proxy: connect 20.0 ms, request 120 us
          └ books client GET /books/{id}                     2.00 ms   15 us        -                                   ━━
            span 0000000000000006  scope clew.proxy  instance books-1  proxy: connect 0 ms, request 15 us
    ━ request, as a proxy saw it   ▓ the proxy's own work (a column at least)   ░ the proxy waiting to connect   ═ span of the application's own library
    ");
}

#[test]
fn missing_parents_are_named_and_their_children_are_below_them() {
    let mut broken = trace(
        10.0,
        vec![
            span(1, None, "gateway", "server", 0.0, 10.0),
            span(3, Some(9), "books", "server", 2.0, 3.0),
            span(4, Some(9), "books", "server", 6.0, 3.0),
            span(5, Some(4), "books", "client", 7.0, 1.0),
        ],
    );
    broken.missing_parents.push(MissingParent {
        span_id: format!("{:016x}", 9),
        children: Vec::new(),
    });
    broken.state = TraceState::Broken;
    insta::assert_snapshot!(plain(&render(&broken, 100, false)), @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  10.0 ms  4 spans  2 services  1 missing parent  broken
    SPAN                                           DURATION  PROXY  WAIT  0 ms           5.00 ms 10.0 ms
    gateway server GET /books/{id}                  10.0 ms      -     -  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    ? parent 0000000000000009 is missing: nobody exported it
    ├ books server GET /books/{id}                  3.00 ms      -     -        ━━━━━━━━━
    └ books server GET /books/{id}                  3.00 ms      -     -                    ━━━━━━━━━
      └ books client GET /books/{id}                1.00 ms      -     -                       ━━━
    ━ request, as a proxy saw it
    ");
    broken.state = TraceState::Arriving;
    let arriving = plain(&render(&broken, 100, false));
    assert!(
        arriving.contains("2 services  1 missing parent  arriving\n"),
        "{arriving}"
    );
    assert!(
        arriving.contains("? parent 0000000000000009 has not come yet"),
        "{arriving}"
    );
}

/// `--scope clew.proxy`: what an application's library did is not shown, and that it is not is.
#[test]
fn spans_below_hidden_ones_say_so() {
    let mut joined = span(4, Some(3), "books", "client", 4.0, 3.0);
    joined.hidden_ancestors = 3;
    let mut mesh = trace(
        10.0,
        vec![
            span(1, None, "gateway", "server", 0.0, 10.0),
            span(3, Some(1), "books", "server", 2.0, 6.0),
            joined,
        ],
    );
    mesh.hidden_spans = 3;
    insta::assert_snapshot!(plain(&render(&mesh, 100, false)), @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  10.0 ms  3 spans  2 services  3 hidden
    SPAN                                DURATION  PROXY  WAIT  0 ms                5.00 ms       10.0 ms
    gateway server GET /books/{id}       10.0 ms      -     -  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    └ books server GET /books/{id}       6.00 ms      -     -          ━━━━━━━━━━━━━━━━━━━━━━━━━
      └ ⋯ books client GET /books/{id}   3.00 ms      -     -                  ━━━━━━━━━━━━━
    ━ request, as a proxy saw it
    ⋯ spans of other scopes are between it and the span above: they are not shown
    ");
}

/// Nothing that a sender can make up keeps a span from being shown once.
#[test]
fn spans_in_circles_or_with_the_same_id_are_shown_once() {
    let strange = trace(
        0.0,
        vec![
            span(1, Some(1), "self", "server", 0.0, 0.0),
            span(2, Some(3), "circle", "server", 0.0, 0.0),
            span(3, Some(2), "circle", "client", 0.0, 0.0),
            span(4, None, "shared", "client", 0.0, 0.0),
            span(4, Some(4), "shared", "server", 0.0, 0.0),
            span(5, Some(4), "below", "server", 0.0, 0.0),
        ],
    );
    insta::assert_snapshot!(plain(&render(&strange, 80, false)), @r"
    trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-01 12:00:00.123Z  0 ms  6 spans  4 services
    SPAN                             DURATION  PROXY  WAIT  0 ms
    shared client GET /books/{id}        0 ms      -     -  ━
    ├ shared server GET /books/{id}      0 ms      -     -  ━
    └ below server GET /books/{id}       0 ms      -     -  ━
    self server GET /books/{id}          0 ms      -     -  ━
    circle server GET /books/{id}        0 ms      -     -  ━
    └ circle client GET /books/{id}      0 ms      -     -  ━
    ━ request, as a proxy saw it
    ");
}

#[test]
fn depth_is_no_danger() {
    let spans = (1..=5_000)
        .map(|id| span(id, (id > 1).then(|| id - 1), "deep", "server", 0.0, 1.0))
        .collect();
    assert_eq!(
        render(&trace(1.0, spans), 80, false).lines().count(),
        5_000 + 3
    );
}

/// The clock of books is set right by the least; a server outside of the mesh has no view of its own.
#[test]
fn where_the_time_went_is_told_hop_by_hop() {
    let hop = |depth, client: Option<&str>, server: &str, total_ms| HopTime {
        depth,
        client: client.map(str::to_owned),
        server: Some(server.to_owned()),
        name: "GET /".to_owned(),
        total_ms,
        client_proxy_ms: 0.05,
        on_path_ms: total_ms / 2.0,
        ..HopTime::default()
    };
    let trace = Trace {
        hops: vec![
            hop(0, None, "gateway", 20.0),
            HopTime {
                client_wait_ms: 0.2,
                network_ms: Some(0.3),
                application_ms: Some(12.0),
                skew_at_least_ms: Some(15.0),
                ..hop(1, Some("gateway"), "books", 19.0)
            },
            hop(2, Some("books"), "mail.example", 4.0),
        ],
        ..trace(20.0, Vec::new())
    };
    insta::assert_snapshot!(plain(&hops::render(&trace)), @r"
    Where the time went
    HOP                                 TIME  PROXIES   WAITS  NETWORK+KERNEL  APPLICATION  ON_PATH  SHARE
    -> gateway GET /                 20.0 ms    50 us    0 ms               -            -  10.0 ms  50.0%
      gateway -> books GET /         19.0 ms    50 us  200 us          300 us      12.0 ms  9.50 ms  47.5%
        books -> mail.example GET /  4.00 ms    50 us    0 ms               -            -  2.00 ms  10.0%
    the clock of books is behind that of gateway by 15.0 ms at least
    ");
}
