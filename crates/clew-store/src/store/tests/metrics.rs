use super::*;

/// Requests of `web` to `books`, as the proxy of `books-1` counts them.
fn golden_samples(requests: f64, ok: f64, failed: f64, latency: &[f64]) -> Vec<Sample> {
    let base = [
        ("direction", "inbound"),
        ("workload", "books"),
        ("client_workload", "web"),
        ("route", "GET /books"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [base.as_slice(), more].concat();
    let success = with(&[
        ("classification", "success"),
        ("status_code", "200"),
        ("error", ""),
    ]);
    let failure = with(&[
        ("classification", "failure"),
        ("status_code", "502"),
        ("error", "connect_refused"),
    ]);
    vec![
        counter("request_total", &base, requests),
        counter("response_total", &success, ok),
        counter("response_total", &failure, failed),
        latencies(&with(&[("classification", "success")]), latency),
    ]
}

fn by(group_by: &[Label]) -> GoldenQuery {
    GoldenQuery {
        series: all(group_by),
        direction: Some(Direction::Inbound),
    }
}

#[tokio::test]
async fn golden_numbers_are_sums_over_the_window() {
    let store = temporary();
    record(
        &store,
        vec![
            scrape(
                "books-1",
                second(1),
                golden_samples(10.0, 8.0, 2.0, &[4.0; 8]),
            ),
            scrape("books-2", second(1), golden_samples(1.0, 1.0, 0.0, &[64.0])),
            scrape(
                "books-1",
                second(2),
                golden_samples(13.0, 11.0, 2.0, &[4.0; 11]),
            ),
        ],
    )
    .await;

    let rows = store
        .golden(by(&[Label::ClientWorkload, Label::Route]))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row.labels[&Label::ClientWorkload], "web");
    assert_eq!(
        (
            row.requests,
            row.ended.success,
            row.ended.failure,
            row.ended.cancelled
        ),
        (14, 12, 2, 0)
    );
    assert_eq!(row.by_error.get("connect_refused"), Some(&2));
    assert_eq!(row.by_status.get("200"), Some(&12));
    assert_eq!(row.ended.latency.count(), 12);
    let median = row.ended.latency.quantile(0.5).unwrap();
    assert!(
        (Duration::from_micros(3_600)..=Duration::from_millis(4)).contains(&median),
        "{median:?}"
    );
    assert!((row.ended.success_rate().unwrap() - 12.0 / 14.0).abs() < 1e-9);

    let mut last_second = by(&[Label::Instance]);
    last_second.series.window = Window {
        from: second(1),
        to: second(2),
    };
    let rows = store.golden(last_second).await.unwrap();
    assert_eq!(rows.len(), 1, "a series that did not grow has no row");
    assert_eq!(
        (rows[0].labels[&Label::Instance].as_str(), rows[0].requests),
        ("books-1", 3)
    );
}

#[tokio::test]
async fn filters_hold_on_present_and_on_absent_labels() {
    let store = temporary();
    record(
        &store,
        vec![scrape(
            "books-1",
            second(1),
            golden_samples(5.0, 5.0, 0.0, &[1.0]),
        )],
    )
    .await;
    let filtered = |label, value: &str| {
        let mut query = by(&[]);
        query.series.filters = vec![(label, value.to_owned())];
        query
    };
    assert_eq!(
        store
            .golden(filtered(Label::ClientWorkload, "web"))
            .await
            .unwrap()[0]
            .requests,
        5
    );
    assert_eq!(
        store
            .golden(filtered(Label::Instance, "books-1"))
            .await
            .unwrap()[0]
            .requests,
        5
    );
    assert_eq!(
        store.golden(filtered(Label::DstService, "")).await.unwrap()[0].requests,
        5
    );
    assert_eq!(
        store
            .golden(filtered(Label::ClientWorkload, "other"))
            .await
            .unwrap(),
        []
    );
    let outbound = GoldenQuery {
        direction: Some(Direction::Outbound),
        ..by(&[])
    };
    assert_eq!(store.golden(outbound).await.unwrap(), []);
}

#[tokio::test]
async fn an_empty_label_is_the_same_series_as_none() {
    let store = temporary();
    let one = vec![counter("x_total", &[("a", "1"), ("b", "")], 4.0)];
    let other = vec![counter("x_total", &[("a", "1")], 6.0)];
    record(
        &store,
        vec![scrape("i", second(1), one), scrape("i", second(2), other)],
    )
    .await;
    assert_eq!(total(&store, "x_total").await, 6.0);
}

#[tokio::test]
async fn golden_numbers_have_open_streams_also_where_nothing_else_happened() {
    let store = temporary();
    let open = |route, direction| {
        sample(
            "clew_open_streams",
            &[("route", route), ("direction", direction)],
            SampleValue::Gauge(2.0),
        )
    };
    let samples = vec![
        open("GET /events", "inbound"),
        open("GET /events", "outbound"),
        open("GET /chat", "inbound"),
    ];
    record(&store, vec![scrape("a-1", second(1), samples)]).await;
    let mut query = by(&[Label::Route]);
    query.series.window = Window {
        from: second(0),
        to: second(5),
    };
    let rows = store.golden(query).await.unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.labels[&Label::Route].as_str(),
                row.open_streams,
                row.requests,
            )
        })
        .collect();
    assert_eq!(shown, [("GET /chat", 2, 0), ("GET /events", 2, 0)]);
}

#[tokio::test]
async fn gauges_count_while_their_instance_does() {
    let store = temporary();
    let open = |n| {
        vec![sample(
            "tcp_open_connections",
            &[("direction", "inbound")],
            SampleValue::Gauge(n),
        )]
    };
    record(
        &store,
        vec![
            scrape("a-1", second(1), open(3.0)),
            scrape("b-1", second(2), open(4.0)),
        ],
    )
    .await;
    let sum = |window| {
        let store = store.clone();
        async move {
            let query = SeriesQuery { window, ..all(&[]) };
            store
                .gauges("tcp_open_connections", query)
                .await
                .unwrap()
                .first()
                .map(|row| row.value)
        }
    };
    assert_eq!(
        sum(Window {
            from: second(0),
            to: second(5)
        })
        .await,
        Some(7.0)
    );
    assert_eq!(
        sum(Window {
            from: second(1),
            to: second(5)
        })
        .await,
        Some(4.0),
        "a-1 was not scraped since"
    );
    record(&store, vec![scrape("b-1", second(3), Vec::new())]).await;
    assert_eq!(
        sum(Window {
            from: second(0),
            to: second(5)
        })
        .await,
        Some(3.0),
        "b-1 has ended"
    );
    record(&store, vec![scrape("b-1", second(4), open(1.0))]).await;
    assert_eq!(
        sum(Window {
            from: second(0),
            to: second(5)
        })
        .await,
        Some(4.0),
        "and came back"
    );
}

/// 1. A slow question chooses its window, and is answered only after the next scrape.
/// 2. An instance whose scrape is newer than the window once counted as nothing.
#[tokio::test]
async fn gauges_are_those_of_instances_that_are_read_now() {
    let store = temporary();
    let open = |n| vec![sample("tcp_open_connections", &[], SampleValue::Gauge(n))];
    record(
        &store,
        vec![
            scrape("died-while-nobody-looked", second(1), open(3.0)),
            scrape("a-1", second(61), open(4.0)),
        ],
    )
    .await;
    let window = Window {
        from: second(0),
        to: second(60),
    };
    let query = SeriesQuery { window, ..all(&[]) };
    let rows = store.gauges("tcp_open_connections", query).await.unwrap();
    assert_eq!(rows[0].value, 4.0);
}

#[tokio::test]
async fn histograms_of_any_family_are_read() {
    let store = temporary();
    let mut histogram = Histogram::new(DEFAULT_SCHEMA);
    (0..100).for_each(|n| histogram.observe(f64::from(n) * 1e-6));
    let phase = |name| {
        sample(
            "clew_proxy_time_seconds",
            &[("phase", name)],
            SampleValue::Histogram(histogram.clone()),
        )
    };
    record(
        &store,
        vec![scrape(
            "i",
            second(1),
            vec![phase("route"), phase("balance")],
        )],
    )
    .await;
    let rows = store
        .histograms("clew_proxy_time_seconds", all(&[Label::Phase]))
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].labels[&Label::Phase], "balance");
    assert_eq!(rows[0].histogram.count(), 100);
    let p90 = rows[0].histogram.quantile(0.9).unwrap();
    assert!((85e-6..95e-6).contains(&p90), "{p90}");
    assert_eq!(
        store.histograms("no_such_family", all(&[])).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn what_cannot_be_summed_is_refused_alone() {
    let store = temporary();
    let samples = vec![
        counter("x_total", &[("n", "1")], f64::NAN),
        counter("x_total", &[("n", "2")], -1.0),
        counter("x_total", &[("n", "3")], 2.0),
    ];
    record(&store, vec![scrape("i", second(1), samples)]).await;
    assert_eq!(total(&store, "x_total").await, 2.0);
    assert_eq!(store.stats().await.unwrap().samples_refused, 2);
}

#[tokio::test]
async fn two_scrapes_in_one_millisecond_are_both_counted() {
    let store = temporary();
    let at = second(1);
    let samples = |n: usize| {
        vec![
            counter("x_total", &[], n as f64),
            latencies(&[], &vec![2.0; n]),
        ]
    };
    record(
        &store,
        vec![scrape("i", at, samples(3)), scrape("i", at, samples(5))],
    )
    .await;
    assert_eq!(total(&store, "x_total").await, 5.0);
    let rows = store
        .histograms("response_latency_ms", all(&[]))
        .await
        .unwrap();
    assert_eq!(rows[0].histogram.count(), 5);
}

#[tokio::test]
async fn gauges_of_a_window_that_ended_long_before_the_last_scrape_are_not_known() {
    let store = temporary();
    let open = |n| vec![sample("tcp_open_connections", &[], SampleValue::Gauge(n))];
    let scrapes = [("a-1", 1, 3.0), ("b-1", 61, 4.0)];
    let scrapes = scrapes.map(|(instance, at, n)| scrape(instance, second(at), open(n)));
    record(&store, scrapes.into()).await;
    let window = Window {
        from: second(0),
        to: second(5),
    };
    let query = SeriesQuery { window, ..all(&[]) };
    let rows = store.gauges("tcp_open_connections", query).await.unwrap();
    assert_eq!(rows, [], "a-1 alone would be too few");
}
