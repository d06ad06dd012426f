use super::*;
use crate::query::{Exemplar, Exemplars, GoldenQuery, GoldenStepsQuery, MAX_WALKED_SPANS};
use crate::steps::Steps;

/// The beginning of the second of [`second`].
fn base() -> SystemTime {
    let secs = second(0).duration_since(UNIX_EPOCH).unwrap().as_secs();
    UNIX_EPOCH + Duration::from_secs(secs)
}

/// A span of books' proxy with the id of its trace, for the route, in milliseconds after [`base`].
fn books(id: u64, route: &str, (start, end): (u64, u64)) -> Span {
    let at = |ms| nanos(base()) + ms * 1_000_000;
    Span {
        start_unix_nano: at(start),
        end_unix_nano: at(end),
        attributes: vec![
            ("clew.route".to_owned(), route.into()),
            ("clew.peer.workload".to_owned(), "web".into()),
        ],
        ..span(id.into(), id, None, ("books", 0))
    }
}

fn failed(span: Span) -> Span {
    Span {
        status: SpanStatus::Error,
        ..span
    }
}

/// Steps of two seconds; of some requests to books.
fn asked(filters: &[(Label, &str)]) -> GoldenStepsQuery {
    let window = Window {
        from: base(),
        to: base() + Duration::from_secs(10),
    };
    let mut series = all(&[]);
    series.filters = filters
        .iter()
        .map(|(label, value)| (*label, (*value).to_owned()))
        .collect();
    GoldenStepsQuery {
        golden: GoldenQuery {
            series,
            direction: Some(Direction::Inbound),
        },
        any_of: Vec::new(),
        steps: Steps::of(window, 5),
    }
}

const OF_BOOKS: &[(Label, &str)] = &[(Label::Workload, "books"), (Label::Route, "GET /a")];

/// Ids by step.
fn ids(found: &Exemplars) -> Vec<Vec<u64>> {
    let of = |step: &Vec<Exemplar>| step.iter().map(|one| one.span_id.get()).collect();
    found.steps.iter().map(of).collect()
}

async fn find(store: &Store, asked: GoldenStepsQuery) -> Vec<Vec<u64>> {
    let found = store.exemplars(asked).await.unwrap();
    assert!(!found.truncated);
    ids(&found)
}

#[tokio::test]
async fn of_each_step_come_the_slowest_and_one_that_failed() {
    let store = temporary();
    let spans = vec![
        books(1, "GET /a", (100, 110)),
        books(2, "GET /a", (200, 900)),
        failed(books(3, "GET /a", (300, 310))),
        failed(books(4, "GET /a", (400, 420))),
        // The slowest failed itself.
        failed(books(5, "GET /a", (2_100, 3_000))),
        failed(books(6, "GET /a", (2_200, 2_300))),
        // In the step that it ended in, as the metrics have it. A step ends with its end.
        books(7, "GET /a", (3_500, 6_000)),
        books(8, "GET /a", (5_990, 6_001)),
    ];
    insert(&store, spans).await;
    let found = store.exemplars(asked(OF_BOOKS)).await.unwrap();
    let expected: [&[u64]; 5] = [&[2, 4], &[5], &[7], &[8], &[]];
    assert_eq!(ids(&found), expected);
    let slowest = Exemplar {
        trace_id: trace_id(2),
        span_id: SpanId::new(2).unwrap(),
        start_unix_nano: nanos(base()) + 200_000_000,
        duration: Duration::from_millis(700),
        failed: false,
    };
    assert_eq!(found.steps[0][0], slowest);
    assert!(found.steps[0][1].failed && !found.truncated);
}

#[tokio::test]
async fn a_request_that_began_before_the_first_step_is_in_the_one_that_it_ended_in() {
    let store = temporary();
    let mut long = books(1, "GET /a", (0, 1_000));
    long.start_unix_nano -= 5_000_000_000;
    insert(&store, vec![long, books(2, "GET /a", (0, 500))]).await;
    assert_eq!(find(&store, asked(OF_BOOKS)).await[0], [1]);
}

#[tokio::test]
async fn they_are_of_the_requests_that_the_metrics_are_of() {
    let store = temporary();
    let with = |mut span: Span, name: &str, value: &str| {
        span.attributes.retain(|(own, _)| own != name);
        span.attributes.push((name.to_owned(), value.into()));
        span
    };
    let mut of_application = books(1, "GET /a", (0, 900));
    of_application.scope = "opentelemetry.wsgi".to_owned();
    let stream = with(books(2, "GET /a", (0, 890)), "clew.exchange", "stream");
    let mut outbound = with(books(3, "GET /a", (0, 880)), "clew.dst_service", "library");
    outbound.kind = SpanKind::Client;
    let mut of_nobody = books(4, "GET /a", (0, 870));
    of_nobody.attributes.truncate(1);
    let mut elsewhere = books(5, "GET /a", (0, 860));
    elsewhere.namespace = "other".to_owned();
    let mut shop = books(6, "GET /a", (0, 850));
    shop.service = "shop".to_owned();
    let other_route = books(7, "GET /b", (0, 840));
    let plain = books(8, "GET /a", (0, 830));
    let spans = vec![of_application, stream, outbound, of_nobody];
    insert(&store, spans).await;
    insert(&store, vec![elsewhere, shop, other_route, plain]).await;
    for (filters, id) in [
        (&[] as &[_], 4),
        (&[(Label::Namespace, "other")], 5),
        (&[(Label::Workload, "shop")], 6),
        (&[(Label::ClientWorkload, "web")], 5),
        (&[(Label::ClientWorkload, "")], 4),
        (
            &[
                (Label::Workload, "books"),
                (Label::ClientWorkload, "web"),
                (Label::Namespace, "default"),
            ],
            7,
        ),
        (
            &[
                (Label::Workload, "books"),
                (Label::Route, "GET /a"),
                (Label::ClientWorkload, "web"),
                (Label::Namespace, "default"),
            ],
            8,
        ),
    ] {
        assert_eq!(find(&store, asked(filters)).await[0], [id], "{filters:?}");
    }
    let to = |service: &str| GoldenStepsQuery {
        golden: GoldenQuery {
            direction: Some(Direction::Outbound),
            ..asked(&[]).golden
        },
        any_of: vec![
            vec![(Label::DstService, service.to_owned())],
            vec![(Label::DstWorkload, service.to_owned())],
        ],
        ..asked(&[])
    };
    assert_eq!(find(&store, to("library")).await[0], [3]);
    assert_eq!(find(&store, to("web")).await[0], [3], "the workload");
    assert_eq!(find(&store, to("shop")).await[0], [0_u64; 0]);
    // What spans do not tell, none is known to have.
    let of_status = asked(&[(Label::StatusCode, "200")]);
    assert_eq!(find(&store, of_status).await[0], [0_u64; 0]);
}

/// 1. One step has more spans than may be looked at; the next steps are quiet.
/// 2. The slowest of all lies before those that are looked at.
/// 3. The answer says that it does not know of it.
#[tokio::test]
async fn of_more_spans_than_are_looked_at_come_the_newest() {
    let store = temporary();
    let micros = |id: u64| {
        let mut span = books(id, "GET /a", (0, 0));
        span.start_unix_nano += id * 10_000;
        span.end_unix_nano = span.start_unix_nano + 1_000 + id;
        // One trace has a limit of its own.
        span.trace_id = trace_id(u128::from(id / 100 + 1));
        span
    };
    let count = u64::try_from(MAX_WALKED_SPANS).unwrap();
    let mut slowest = micros(1);
    slowest.end_unix_nano += 900_000_000;
    let mut spans: Vec<Span> = (2..=count).map(micros).collect();
    spans.push(slowest);
    for part in spans.chunks(20_000) {
        insert(&store, part.to_vec()).await;
    }
    let found = store.exemplars(asked(OF_BOOKS)).await.unwrap();
    assert!(found.truncated);
    assert_eq!(ids(&found)[0], [count]);
}
