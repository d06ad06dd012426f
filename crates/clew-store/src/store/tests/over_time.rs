use super::*;
use crate::query::{GoldenQuery, GoldenStepsQuery, MAX_SERIES_STEPS};
use crate::steps::Steps;

fn moment(base: SystemTime, n: u64) -> SystemTime {
    base + Duration::from_secs(n)
}

/// The beginning of a second about five minutes ago.
fn base() -> SystemTime {
    let secs = second(0).duration_since(UNIX_EPOCH).unwrap().as_secs();
    UNIX_EPOCH + Duration::from_secs(secs)
}

fn answers(route: &'static str, counts: (f64, f64), latency: &[f64]) -> Vec<Sample> {
    let base = [
        ("direction", "inbound"),
        ("workload", "books"),
        ("route", route),
    ];
    let with = |class| [base.as_slice(), &[("classification", class)]].concat();
    vec![
        counter("response_total", &with("success"), counts.0),
        counter("response_total", &with("failure"), counts.1),
        latencies(&base, latency),
    ]
}

fn asked(steps: Steps, group_by: &[Label]) -> GoldenStepsQuery {
    GoldenStepsQuery {
        golden: GoldenQuery {
            series: all(group_by),
            direction: Some(Direction::Inbound),
        },
        any_of: Vec::new(),
        steps,
    }
}

/// Ten seconds in five steps.
fn steps(base: SystemTime) -> Steps {
    Steps::of(
        Window {
            from: base,
            to: moment(base, 10),
        },
        5,
    )
}

/// GET /a: 1 request in the first second, 4 more in the third; GET /b: 1 in the third.
async fn store() -> (Store, SystemTime) {
    let (store, base) = (temporary(), base());
    let first = answers("GET /a", (1.0, 0.0), &[1.0]);
    let mut third = answers("GET /a", (3.0, 2.0), &[1.0, 100.0, 100.0, 100.0, 100.0]);
    third.extend(answers("GET /b", (1.0, 0.0), &[5.0]));
    let scrapes = [(1, first), (3, third)];
    let scrapes = scrapes.map(|(at, samples)| scrape("books-1", moment(base, at), samples));
    record(&store, scrapes.into()).await;
    (store, base)
}

#[tokio::test]
async fn each_step_holds_what_ended_in_it() {
    let (store, base) = store().await;
    let found = store.golden_steps(asked(steps(base), &[])).await.unwrap();
    assert!(!found.truncated);
    let steps = &found.groups[0].steps;
    let counts: Vec<_> = steps
        .iter()
        .map(|step| (step.success, step.failure))
        .collect();
    assert_eq!(counts, [(1, 0), (3, 2), (0, 0), (0, 0), (0, 0)]);
    assert_eq!(steps[0].latency.count(), 1);
    assert!(steps[0].latency.quantile(0.5).unwrap() <= Duration::from_millis(1));
    assert!(steps[1].latency.quantile(0.9).unwrap() > Duration::from_millis(90));
    assert_eq!(
        (steps[2].success_rate(), steps[2].latency.quantile(0.5)),
        (None, None)
    );
}

#[tokio::test]
async fn steps_add_up_to_the_window() {
    let (store, base) = store().await;
    let query = asked(steps(base), &[Label::Route]);
    let mut whole = query.golden.clone();
    whole.series.window = query.steps.window();
    let found = store.golden_steps(query).await.unwrap();
    for row in store.golden(whole).await.unwrap() {
        let group = found.groups.iter().find(|group| group.labels == row.labels);
        let steps = &group.unwrap().steps;
        assert_eq!(
            steps.iter().map(|step| step.responses()).sum::<u64>(),
            row.ended.responses()
        );
        let mut latency = crate::histogram::Latency::default();
        steps.iter().for_each(|step| latency.merge(&step.latency));
        assert_eq!(latency.count(), row.ended.latency.count());
        assert_eq!(latency.quantile(0.99), row.ended.latency.quantile(0.99));
    }
}

#[tokio::test]
async fn groups_come_by_requests_and_pass_the_filters() {
    let (store, base) = store().await;
    let routes = |any_of: Vec<Vec<(Label, String)>>| {
        let (store, mut query) = (store.clone(), asked(steps(base), &[Label::Route]));
        query.any_of = any_of;
        async move {
            let found = store.golden_steps(query).await.unwrap();
            let routes = found
                .groups
                .iter()
                .map(|group| group.labels[&Label::Route].clone());
            routes.collect::<Vec<_>>()
        }
    };
    assert_eq!(routes(Vec::new()).await, ["GET /a", "GET /b"]);
    let b = vec![(Label::Route, "GET /b".to_owned())];
    let nobody = vec![
        (Label::Route, "GET /a".to_owned()),
        (Label::Workload, "other".to_owned()),
    ];
    assert_eq!(routes(vec![b, nobody]).await, ["GET /b"]);
}

#[tokio::test]
async fn of_more_groups_than_fit_the_busiest_are_there() {
    let (store, base) = (temporary(), base());
    let samples = (0..400_u32).map(|n| {
        let (route, count) = (format!("GET /{n}"), f64::from(n + 1));
        let labels = [("direction", "inbound"), ("route", route.as_str())];
        counter("response_total", &labels, count)
    });
    record(
        &store,
        vec![scrape("a-1", moment(base, 1), samples.collect())],
    )
    .await;
    let window = Window {
        from: base - Duration::from_secs(250),
        to: moment(base, 10),
    };
    let steps = Steps::of(window, 500);
    let found = store
        .golden_steps(asked(steps, &[Label::Route]))
        .await
        .unwrap();
    assert!(found.truncated);
    assert_eq!(found.groups.len(), MAX_SERIES_STEPS / steps.count());
    assert_eq!(found.groups[0].labels[&Label::Route], "GET /399");
}

#[tokio::test]
async fn histograms_of_any_family_come_in_steps() {
    let (store, base) = (temporary(), base());
    let time = |values: &[f64]| {
        let mut histogram = Histogram::new(DEFAULT_SCHEMA);
        values.iter().for_each(|value| histogram.observe(*value));
        let labels = [("direction", "inbound"), ("phase", "request")];
        let value = SampleValue::Histogram(histogram);
        vec![sample("clew_proxy_time_seconds", &labels, value)]
    };
    let scrapes = [(1, time(&[1e-6])), (9, time(&[1e-6, 1e-5, 1e-5]))];
    let scrapes = scrapes.map(|(at, samples)| scrape("a-1", moment(base, at), samples));
    record(&store, scrapes.into()).await;
    let family = "clew_proxy_time_seconds";
    let query = asked(steps(base), &[Label::Phase]);
    let groups = ["nothing", "request"].map(|phase| [(Label::Phase, phase.to_owned())].into());
    let rows = store.histogram_steps(family, query, groups.into()).await;
    let rows = rows.unwrap().into_iter();
    let counts = rows.map(|steps| steps.iter().map(Histogram::count).collect());
    let [none, counts]: [Vec<u64>; 2] = counts.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(none, [0; 5], "each group that was asked for has its steps");
    assert_eq!((counts.len(), counts[0], counts.iter().sum()), (5, 1, 3));
}
