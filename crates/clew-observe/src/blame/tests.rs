use super::*;
use clew_api::rest::span::PROXY_SCOPE;
use clew_trace::span::AttributeValue;
use clew_trace::{SpanId, TraceId};

const MS: u64 = 1_000_000;

/// A span of a proxy of `service`, from and to in milliseconds.
fn span(id: u64, parent: u64, kind: SpanKind, service: &str, from: u64, to: u64) -> Span {
    Span {
        trace_id: TraceId::new(1).unwrap(),
        span_id: SpanId::new(id).unwrap(),
        parent_span_id: SpanId::new(parent),
        kind,
        name: "GET /".to_owned(),
        service: service.to_owned(),
        namespace: String::new(),
        instance: format!("{service}-1"),
        scope: PROXY_SCOPE.to_owned(),
        start_unix_nano: from * MS,
        end_unix_nano: to * MS,
        status: clew_trace::span::SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: [].into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

fn server(id: u64, parent: u64, service: &str, from: u64, to: u64) -> Span {
    took(span(id, parent, SpanKind::Server, service, from, to), 0, 0)
}

fn client(id: u64, parent: u64, service: &str, from: u64, to: u64) -> Span {
    took(span(id, parent, SpanKind::Client, service, from, to), 0, 0)
}

/// With so many milliseconds of the proxy's work and waits.
fn took(mut span: Span, work: i64, wait: i64) -> Span {
    let time = |phase: &str, ms: i64| {
        let name = format!("clew.proxy.{phase}_us");
        (name, AttributeValue::Int(ms * 1_000))
    };
    span.attributes = vec![time("request", work), time("connect", wait)];
    span
}

fn with(mut span: Span, name: &str, value: &str) -> Span {
    span.attributes
        .push((name.to_owned(), AttributeValue::String(value.to_owned())));
    span
}

/// Of an application's library.
fn library(mut span: Span) -> Span {
    span.scope = "library".to_owned();
    span.attributes.clear();
    span
}

/// What the first span's time was spent on, in milliseconds.
fn blame(spans: &[Span]) -> Vec<String> {
    let blame = Tree::new(spans).blame(0);
    let sum: u64 = blame.values().sum();
    assert_eq!(sum, spans[0].duration_nano(), "{blame:?}");
    let shown = |(owner, nanos): (Owner, u64)| {
        let to = owner.to.map(|to| format!(" to {to}")).unwrap_or_default();
        let side = owner.side.map(|side| format!(" {side}"));
        let to = to + &side.unwrap_or_default();
        format!("{} {}{to} {}", owner.part.as_str(), owner.of, nanos / MS)
    };
    blame.into_iter().map(shown).collect()
}

/// webapp asks books, which takes 60 of 100 ms; both proxies work, and one waits.
#[test]
fn the_time_of_a_request_is_told_apart() {
    let spans = [
        took(server(1, 0, "webapp", 0, 100), 2, 1),
        took(client(2, 1, "webapp", 10, 90), 3, 4),
        took(server(3, 2, "books", 20, 80), 5, 0),
    ];
    assert_eq!(
        blame(&spans),
        [
            "application books 55",
            "application webapp 17",
            "proxy books inbound 5",
            "proxy webapp inbound 2",
            "proxy webapp outbound 3",
            "wait webapp inbound 1",
            "wait webapp outbound 4",
            "network webapp to books 13",
        ]
    );
}

#[test]
fn of_two_calls_at_once_the_one_that_ends_last_is_waited_for() {
    let spans = [
        server(1, 0, "webapp", 0, 100),
        client(2, 1, "webapp", 10, 40),
        server(3, 2, "authors", 10, 40),
        client(4, 1, "webapp", 10, 90),
        server(5, 4, "books", 10, 90),
    ];
    assert_eq!(
        blame(&spans),
        ["application books 80", "application webapp 20"]
    );
}

#[test]
fn calls_one_after_another_are_all_waited_for() {
    let spans = [
        server(1, 0, "webapp", 0, 100),
        client(2, 1, "webapp", 0, 30),
        server(3, 2, "books", 0, 30),
        client(4, 1, "webapp", 30, 60),
        server(5, 4, "books", 30, 60),
        // Overtaken by the one after it.
        client(6, 1, "webapp", 0, 70),
        client(7, 1, "webapp", 60, 100),
        server(8, 7, "authors", 60, 100),
    ];
    assert_eq!(
        blame(&spans),
        ["application authors 40", "application books 60"]
    );
}

/// The clock of books is behind by at least 15 ms, that of authors ahead by 20: both are moved with all that is below.
#[test]
fn clocks_that_disagree_are_moved_by_the_least() {
    let spans = [
        server(1, 0, "webapp", 1_000, 1_100),
        client(2, 1, "webapp", 1_010, 1_050),
        server(3, 2, "books", 995, 1_025),
        client(4, 3, "books", 1_000, 1_010),
        client(5, 1, "webapp", 1_060, 1_090),
        server(6, 5, "authors", 1_090, 1_110),
    ];
    let tree = Tree::new(&spans);
    let skews: Vec<_> = (0..6)
        .map(|span| tree.time(span).skew / i128::from(MS))
        .collect();
    assert_eq!(skews, [0, 0, 15, 0, 0, -20]);
    assert_eq!(tree.time(3).start, 1_015 * i128::from(MS));
    let network: u64 = tree
        .blame(0)
        .into_iter()
        .filter(|(owner, _)| owner.part == Part::Network)
        .map(|(_, nanos)| nanos / MS)
        .sum();
    assert_eq!(network, 10 + 10, "what is longer outside than inside");
}

/// The client gave up; the server went on.
#[test]
fn what_outlives_the_one_who_waits_is_cut_off() {
    let spans = [
        server(1, 0, "webapp", 0, 50),
        client(2, 1, "webapp", 10, 40),
        server(3, 2, "books", 12, 400),
    ];
    let tree = Tree::new(&spans);
    assert_eq!(tree.time(2).length(), 30 * MS, "within its client's time");
    assert_eq!(
        blame(&spans),
        ["application books 30", "application webapp 20"]
    );
}

#[test]
fn time_in_libraries_is_the_applications() {
    let spans = [
        server(1, 0, "shelf", 0, 100),
        library(span(2, 1, SpanKind::Server, "shelf", 5, 95)),
        library(span(3, 2, SpanKind::Client, "shelf", 20, 80)),
        client(4, 3, "shelf", 30, 70),
        server(5, 4, "books", 30, 70),
    ];
    assert_eq!(
        blame(&spans),
        ["application books 40", "application shelf 60"]
    );
}

/// Outside of the mesh, in the mesh without a span, and a gateway in front.
#[test]
fn who_has_no_span_is_told_apart() {
    let gateway = span(1, 0, SpanKind::Server, "gateway", 0, 100);
    let mail = with(
        client(4, 3, "webapp", 20, 40),
        "server.address",
        "mail.example",
    );
    let lost = with(
        client(5, 3, "webapp", 40, 60),
        "clew.peer.workload",
        "books",
    );
    let spans = [
        gateway,
        took(client(2, 1, "gateway", 1, 99), 3, 0),
        server(3, 2, "webapp", 10, 90),
        mail,
        lost,
    ];
    assert_eq!(
        blame(&spans),
        [
            "application webapp 40",
            "proxy gateway inbound 2",
            "proxy gateway outbound 3",
            "network gateway to webapp 15",
            "outside webapp to mail.example 20",
            "unseen webapp to books 20",
        ]
    );
}

/// Any spans at all: circles, ids that are there twice, ends before starts, parents that are not there.
#[test]
fn whatever_spans_there_are_the_parts_add_up() {
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..2_000 {
        let spans: Vec<Span> = (0..rng.u64(1..30))
            .map(|_| {
                let kind = if rng.bool() {
                    SpanKind::Server
                } else {
                    SpanKind::Client
                };
                let service = ["a", "b", "c"][rng.usize(0..3)];
                let (from, to) = (rng.u64(0..200), rng.u64(0..200));
                let of_proxy = span(rng.u64(1..20), rng.u64(0..20), kind, service, from, to);
                match rng.u8(0..4) {
                    0 => library(of_proxy),
                    1 => of_proxy,
                    _ => took(of_proxy, rng.i64(0..50), rng.i64(0..50)),
                }
            })
            .collect();
        let tree = Tree::new(&spans);
        for entry in 0..spans.len() {
            let sum: u64 = tree.blame(entry).values().sum();
            assert_eq!(sum, tree.time(entry).length(), "round {round}");
        }
    }
}

#[test]
fn a_chain_of_spans_may_be_as_long_as_it_likes() {
    let spans: Vec<Span> = (1..=20_000)
        .map(|id| span(id, id - 1, SpanKind::Client, "a", 0, 10))
        .collect();
    let tree = Tree::new(&spans);
    assert_eq!(tree.path(0).len(), spans.len());
    assert_eq!(tree.hops().len(), spans.len());
    let served: Vec<Span> = (1..=20_000)
        .map(|id| server(id, id - 1, "a", 0, 10))
        .collect();
    assert_eq!(Tree::new(&served).hops().len(), served.len());
}

/// 1. Each request is one line, with what both proxies say of it; a gateway has no application.
/// 2. The parts of a line add up to its time where nothing runs at the same time.
/// 3. What belongs to the lines adds up to the time of the trace.
#[test]
fn a_trace_is_told_hop_by_hop() {
    let gateway = span(1, 0, SpanKind::Server, "gateway", 0, 100);
    let spans = [
        gateway,
        took(client(2, 1, "gateway", 0, 100), 3, 2),
        took(server(3, 2, "webapp", 10, 90), 1, 0),
        client(4, 3, "webapp", 20, 50),
        server(5, 4, "books", 25, 45),
        with(
            client(6, 3, "webapp", 40, 60),
            "server.address",
            "mail.example",
        ),
    ];
    let tree = Tree::new(&spans);
    let hops = tree.hops();
    let shown: Vec<_> = hops
        .iter()
        .map(|hop| {
            let ms = |nanos: u64| nanos / MS;
            let server = hop.server.map(|span| tree.span(span).service.as_str());
            (
                hop.depth,
                server,
                [
                    ms(hop.total),
                    ms(hop.client_proxy.0),
                    ms(hop.client_proxy.1),
                ],
                hop.between.map(ms),
                ms(hop.server_proxy.0),
                hop.application.map(ms),
                ms(hop.on_path),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (0, Some("gateway"), [100, 0, 0], None, 0, None, 0),
            (
                1,
                Some("webapp"),
                [100, 3, 2],
                Some(15),
                1,
                Some(39),
                20 + 60
            ),
            (2, Some("books"), [30, 0, 0], Some(10), 0, Some(20), 0),
            (2, None, [20, 0, 0], None, 0, None, 20),
        ]
    );
    assert_eq!(tree.callee(5).as_deref(), Some("mail.example"));
    let on_path: u64 = hops.iter().map(|hop| hop.on_path).sum();
    assert_eq!(on_path, 100 * MS);
}

/// A library that goes by another name than the workload, in an instance whose clock is behind by 900 ms at least: it is
/// on the clock of the proxy beside it, and its time is the workload's.
#[test]
fn a_library_may_call_itself_what_it_likes() {
    let named = |span: Span, instance: &str| Span {
        service: "shelf-app".to_owned(),
        instance: instance.to_owned(),
        ..library(span)
    };
    for instance in ["shelf-1", "", "of-its-own"] {
        let spans = [
            server(1, 0, "webapp", 1_000, 1_200),
            client(2, 1, "webapp", 1_000, 1_200),
            server(3, 2, "shelf", 100, 200),
            named(span(4, 3, SpanKind::Server, "shelf", 110, 190), instance),
            named(span(5, 4, SpanKind::Client, "shelf", 120, 180), instance),
            client(6, 5, "shelf", 130, 170),
            server(7, 6, "books", 5, 45),
        ];
        assert_eq!(
            blame(&spans),
            [
                "application books 40",
                "application shelf 60",
                "network webapp to shelf 100",
            ],
            "{instance:?}"
        );
    }
}

/// What a library of a server outside of the mesh tells is not the caller's.
#[test]
fn a_library_behind_the_mesh_is_its_own() {
    let spans = [
        server(1, 0, "webapp", 0, 100),
        with(
            client(2, 1, "webapp", 0, 100),
            "server.address",
            "mail.example",
        ),
        library(span(3, 2, SpanKind::Server, "mail", 20, 60)),
        library(span(4, 3, SpanKind::Internal, "mail", 30, 40)),
    ];
    assert_eq!(
        blame(&spans),
        ["application mail 40", "outside webapp to mail.example 60"]
    );
    let tree = Tree::new(&spans);
    let on_path: Vec<u64> = tree.hops().iter().map(|hop| hop.on_path / MS).collect();
    assert_eq!(on_path, [0, 100]);
}

/// The first attempt failed, the second one was answered: both were waited for.
#[test]
fn an_attempt_that_failed_is_waited_for_as_well() {
    let spans = [
        server(1, 0, "webapp", 0, 100),
        client(2, 1, "webapp", 0, 30),
        server(3, 2, "books", 10, 20),
        client(4, 1, "webapp", 40, 100),
        server(5, 4, "books", 50, 90),
    ];
    assert_eq!(
        blame(&spans),
        [
            "application books 50",
            "application webapp 10",
            "network webapp to books 40"
        ]
    );
}

/// Whatever spans there are, each proxy's span is in one hop, and the hops have all of the path that a proxy saw.
#[test]
fn the_hops_add_up_to_what_the_proxies_saw() {
    let mut rng = fastrand::Rng::with_seed(11);
    for round in 0..2_000 {
        let spans: Vec<Span> = (0..rng.u64(1..30))
            .map(|_| {
                let kind = [SpanKind::Server, SpanKind::Client][rng.usize(0..2)];
                let service = ["a", "b", "c"][rng.usize(0..3)];
                let (from, to) = (rng.u64(0..200), rng.u64(0..200));
                let of_proxy = span(rng.u64(1..20), rng.u64(0..20), kind, service, from, to);
                match rng.u8(0..3) {
                    0 => library(of_proxy),
                    _ => took(of_proxy, rng.i64(0..50), rng.i64(0..50)),
                }
            })
            .collect();
        let tree = Tree::new(&spans);
        let hops = tree.hops();
        let mut in_hops: Vec<usize> = hops
            .iter()
            .flat_map(|hop| [hop.client, hop.server])
            .flatten()
            .collect();
        in_hops.sort_unstable();
        let of_proxies: Vec<usize> = (0..spans.len())
            .filter(|index| spans[*index].scope == PROXY_SCOPE)
            .collect();
        assert_eq!(in_hops, of_proxies, "round {round}");
        let is_seen = |mut index: usize| {
            loop {
                if spans[index].scope == PROXY_SCOPE {
                    return true;
                }
                let Some(parent) = tree.parent(index) else {
                    return false;
                };
                index = parent;
            }
        };
        let seen: u64 = (0..spans.len())
            .filter(|index| tree.parent(*index).is_none())
            .flat_map(|root| tree.path(root))
            .filter(|(index, _)| is_seen(*index))
            .map(|(_, own)| own)
            .sum();
        let on_path: u64 = hops.iter().map(|hop| hop.on_path).sum();
        assert_eq!(on_path, seen, "round {round}");
    }
}

/// The span of the call in between is not there: what it was made for waited for it all the same.
#[test]
fn a_call_without_a_span_is_not_the_applications_own_time() {
    let spans = [
        server(1, 0, "webapp", 0, 100),
        server(2, 1, "books", 20, 80),
    ];
    let hops = Tree::new(&spans).hops();
    let own: Vec<_> = hops
        .iter()
        .map(|hop| hop.application.map(|nanos| nanos / MS))
        .collect();
    assert_eq!(own, [Some(40), Some(60)]);
}
