use super::{Key, Numbers, Size, View};
use anstream::adapter::strip_str;
use clew_api::rest::golden::{Golden, Quantiles, RouteStat, SideStat, WorkloadStat};

const SIZE: Size = Size {
    columns: 80,
    rows: 24,
};

fn golden(rps: f64, success_rate: f64, p99: f64) -> Golden {
    Golden {
        rps,
        success_rate: Some(success_rate),
        latency_ms: Some(Quantiles {
            p50: 123_456.0,
            p95: 1.234,
            p99,
        }),
        ..Golden::default()
    }
}

fn workload(name: &str, golden: Option<Golden>) -> WorkloadStat {
    WorkloadStat {
        workload: name.to_owned(),
        namespace: "default".to_owned(),
        role: None,
        instances: 2,
        inbound: golden.map(|golden| SideStat {
            golden: Some(golden),
            ..SideStat::default()
        }),
        outbound: None,
        propagation_score: (name == "books").then_some(0.995),
    }
}

fn route(workload: &str, route: &str, golden: Golden) -> (String, RouteStat) {
    let route = RouteStat {
        route: route.to_owned(),
        source: None,
        service: None,
        namespace: "default".to_owned(),
        golden,
    };
    (workload.to_owned(), route)
}

fn numbers() -> Numbers {
    Numbers {
        workloads: vec![
            workload("idle", None),
            workload("books", Some(golden(1_230.0, 1.0, 900.0))),
            workload("webapp", Some(golden(40.0, 0.5, 1_230.0))),
        ],
        routes: vec![
            route("webapp", "GET /", golden(30.0, 0.9, 2.0)),
            route("books", "GET /books/{id}/edit", golden(1_000.0, 1.0, 1.0)),
        ],
    }
}

fn shown(view: &mut View, numbers: &Numbers, size: Size) -> Vec<String> {
    let lines = view.render(numbers, size);
    let plain = lines.iter().map(|line| strip_str(line).to_string());
    plain.collect()
}

/// First words of the lines of the upper table, and then of the lower one.
fn order(lines: &[String]) -> Vec<String> {
    let rows = lines
        .iter()
        .filter(|line| line.contains('%') || line.contains(" - "));
    let first = |line: &String| line.split(' ').next().map(str::to_owned);
    rows.filter_map(first).collect()
}

#[test]
fn workloads_and_routes_stand_on_one_screen_the_busiest_first() {
    let lines = shown(&mut View::new("10s".to_owned()), &numbers(), SIZE);
    assert_eq!(lines.len(), SIZE.rows);
    let expected = [
        "clew top   last 10s   by RPS",
        "NAME    INST  SUCCESS     RPS      P50      P95      P99   SCORE",
        "books      2  100.00%  1.23 k   2m 03s  1.23 ms   900 ms   99.50",
        "webapp     2   50.00%    40.0   2m 03s  1.23 ms   1.23 s       -",
        "idle       2        -       -        -        -        -       -",
        "",
        "NAME    ROUTE                 SUCCESS     RPS      P50      P95      P99",
        "books   GET /books/{id}/edit  100.00%  1.00 k   2m 03s  1.23 ms  1.00 ms",
        "webapp  GET /                  90.00%    30.0   2m 03s  1.23 ms  2.00 ms",
    ];
    assert_eq!(lines[..expected.len()], expected);
    assert!(lines[SIZE.rows - 1].starts_with("q end"));
}

#[test]
fn nothing_is_wider_than_eighty_columns_however_long_the_names_are() {
    let long = "x".repeat(300);
    let numbers = Numbers {
        workloads: vec![workload(&long, Some(golden(999_000.0, 1.0, 59_000.0)))],
        routes: vec![route(&long, &long, golden(999_000.0, 1.0, 0.5))],
    };
    let mut view = View::new("10s".to_owned());
    view.trouble = Some(long);
    for columns in [80, 120] {
        let size = Size { columns, ..SIZE };
        for line in shown(&mut view, &numbers, size) {
            assert!(line.chars().count() <= columns, "{line}");
        }
    }
}

#[test]
fn keys_choose_what_comes_first() {
    let mut view = View::new("10s".to_owned());
    for (key, expected) in [
        ('s', ["webapp", "books", "idle", "webapp", "books"]),
        ('l', ["webapp", "books", "idle", "webapp", "books"]),
        ('n', ["books", "idle", "webapp", "books", "webapp"]),
        ('r', ["books", "webapp", "idle", "books", "webapp"]),
    ] {
        view.press(Key::Letter(key));
        assert_eq!(
            order(&shown(&mut view, &numbers(), SIZE)),
            expected,
            "{key}"
        );
    }
}

#[test]
fn what_does_not_fit_is_scrolled_to_and_not_past() {
    let routes = (0..40).map(|n| route("books", &format!("GET /{n:02}"), golden(1.0, 1.0, 1.0)));
    let numbers = Numbers {
        workloads: Vec::new(),
        routes: routes.collect(),
    };
    let mut view = View::new("10s".to_owned());
    for _ in 0..100 {
        view.press(Key::Down);
        view.render(&numbers, SIZE);
    }
    let lines = shown(&mut view, &numbers, SIZE);
    assert!(lines[SIZE.rows - 2].contains("GET /39"), "{lines:#?}");
    view.press(Key::Up);
    let lines = shown(&mut view, &numbers, SIZE);
    assert!(lines[SIZE.rows - 2].contains("GET /38"), "{lines:#?}");
}
