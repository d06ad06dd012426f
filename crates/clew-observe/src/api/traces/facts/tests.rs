#![allow(clippy::unwrap_used)]

use super::*;
use clew_api::rest::span::PROXY_SCOPE;
use clew_trace::{SpanId, TraceId};

fn span(id: u64, parent: Option<u64>, (service, kind): (&str, SpanKind)) -> Span {
    Span {
        trace_id: TraceId::new(1).unwrap(),
        span_id: SpanId::new(id).unwrap(),
        parent_span_id: parent.and_then(SpanId::new),
        kind,
        name: "GET /".to_owned(),
        service: service.to_owned(),
        namespace: "default".to_owned(),
        instance: format!("{service}-1"),
        scope: PROXY_SCOPE.to_owned(),
        start_unix_nano: 1_000 + id,
        end_unix_nano: 2_000,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

fn with(mut span: Span, attributes: &[(&str, AttributeValue)]) -> Span {
    let attributes = attributes.iter();
    span.attributes
        .extend(attributes.map(|(name, value)| ((*name).to_owned(), value.clone())));
    span
}

fn web() -> Span {
    span(1, None, ("web", SpanKind::Server))
}

/// Kind, name, value and both counts of each difference.
fn told(tally: &Tally) -> Vec<(TraceFact, String, String, u64, u64)> {
    let told = tally.differences().into_iter();
    told.map(|one| (one.kind, one.name, one.value, one.selected, one.rest))
        .collect()
}

#[test]
fn each_trace_counts_once_however_often_it_has_something() {
    let mut tally = Tally::default();
    let flag = [("flag", AttributeValue::Bool(true))];
    let twice = [
        with(web(), &flag),
        with(span(2, Some(1), ("web", SpanKind::Internal)), &flag),
    ];
    tally.add(&twice, true);
    tally.add(&[web()], true);
    tally.add(&[web()], false);
    assert_eq!(tally.traces(), (2, 1));
    let flag = tally.differences().remove(0);
    assert_eq!((flag.name.as_str(), flag.value.as_str()), ("flag", "true"));
    assert_eq!((flag.selected, flag.selected_share), (1, 0.5));
    assert_eq!((flag.rest, flag.rest_share, flag.difference), (0, 0.0, 0.5));
    assert_eq!(told(&tally).len(), 1, "what all have tells nothing");
}

#[test]
fn the_greatest_difference_comes_first_whatever_its_sign() {
    let mut tally = Tally::default();
    let version = |version: &str| with(web(), &[("version", version.into())]);
    for _ in 0..3 {
        tally.add(&[version("2")], true);
        tally.add(&[version("1")], false);
    }
    tally.add(&[with(version("1"), &[("retry", true.into())])], true);
    let told: Vec<_> = told(&tally).into_iter().map(|one| (one.1, one.2)).collect();
    let expected = [("version", "1"), ("version", "2"), ("retry", "true")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn what_is_another_in_each_trace_is_left_out() {
    let mut tally = Tally::default();
    for n in 0..200_i64 {
        let id = ("user.id", AttributeValue::Int(n % 150));
        let size = ("size", AttributeValue::Int(n % 90));
        let shard = ("shard", AttributeValue::Int(n % 10));
        tally.add(&[with(web(), &[id, size, shard])], n % 10 == 3);
    }
    let names: BTreeSet<String> = told(&tally).into_iter().map(|one| one.1).collect();
    let expected = ["shard", "size"].map(str::to_owned);
    assert_eq!(names, expected.into(), "150 values are too many");

    let mut few = Tally::default();
    for n in 0..8_i64 {
        few.add(
            &[with(web(), &[("user.id", AttributeValue::Int(n))])],
            n == 3,
        );
    }
    assert_eq!(told(&few), []);
}

#[test]
fn services_and_failures_tell_traces_apart() {
    let mut tally = Tally::default();
    let mut books = span(2, Some(1), ("books", SpanKind::Server));
    books.status = SpanStatus::Error;
    tally.add(&[web(), books], true);
    tally.add(&[web()], false);
    let first = tally.differences().remove(0);
    let also = first.also.into_iter();
    let told: BTreeSet<_> = also
        .map(|one| (one.kind, one.name, one.value))
        .chain([(first.kind, first.name, first.value)])
        .collect();
    for (kind, name) in [(TraceFact::Error, "error"), (TraceFact::Service, "service")] {
        let fact = (kind, name.to_owned(), "books".to_owned());
        assert!(told.contains(&fact), "{told:?}");
    }
}

#[test]
fn an_n_plus_one_shows_by_the_number_of_calls() {
    let trace = |calls: u64| {
        let ids = (0..calls).map(|call| 10 + 2 * call);
        let both = ids.flat_map(|id| {
            let client = span(id, Some(1), ("web", SpanKind::Client));
            [client, span(id + 1, Some(id), ("books", SpanKind::Server))]
        });
        std::iter::once(web()).chain(both).collect::<Vec<_>>()
    };
    let mut tally = Tally::default();
    for calls in [25, 30] {
        tally.add(&trace(calls), true);
        tally.add(&trace(calls / 10), false);
    }
    let calls: Vec<_> = told(&tally)
        .into_iter()
        .filter(|one| one.0 == TraceFact::Calls)
        .map(|one| (one.1, one.2, one.3, one.4))
        .collect();
    let of = |value: &str, selected, rest| ("books".to_owned(), value.to_owned(), selected, rest);
    assert_eq!(calls, [of("20-49", 2, 0), of("2", 0, 1), of("3-4", 0, 1)]);
}

#[test]
fn without_proxies_the_applications_say_what_was_called() {
    let mut spans = vec![web(), span(2, Some(1), ("books", SpanKind::Server))];
    spans
        .iter_mut()
        .for_each(|span| span.scope = "library".to_owned());
    let expected = [("books".to_owned(), 1), ("web".to_owned(), 1)];
    assert_eq!(calls(&spans), expected.into());
}

#[test]
fn nothing_is_told_of_everything_or_nothing() {
    let mut tally = Tally::default();
    tally.add(&[web()], true);
    assert_eq!(told(&tally), []);
}

#[test]
fn what_the_same_traces_have_is_one_difference() {
    let mut tally = Tally::default();
    let zone = ("zone", "b".into());
    tally.add(&[with(web(), &[("version", "2".into()), zone])], true);
    // As often, and not in the same traces.
    tally.add(&[with(web(), &[("retry", true.into())])], true);
    tally.add(&[web()], false);
    let told: Vec<_> = tally
        .differences()
        .into_iter()
        .map(|one| {
            let also = one.also.into_iter().map(|also| (also.name, also.value));
            (one.name, one.value, also.collect::<Vec<_>>())
        })
        .collect();
    let zone = ("zone".to_owned(), "b".to_owned());
    let expected = [
        ("retry".to_owned(), "true".to_owned(), vec![]),
        ("version".to_owned(), "2".to_owned(), vec![zone]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn of_very_many_that_the_same_traces_have_some_are_counted() {
    let mut tally = Tally::default();
    let names: Vec<String> = (0..15).map(|n| format!("n{n:02}")).collect();
    let all: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), true.into()))
        .collect();
    tally.add(&[with(web(), &all)], true);
    tally.add(&[web()], false);
    let [one] = tally.differences().try_into().unwrap();
    assert_eq!(
        (one.name.as_str(), one.also[9].name.as_str()),
        ("n00", "n10")
    );
    assert_eq!((one.also.len(), one.also_more), (10, 4));
}

#[test]
fn noise_is_left_out() {
    let mut tally = Tally::default();
    let port = [("network.peer.port", AttributeValue::Int(40_000))];
    tally.add(&[with(web(), &port)], true);
    tally.add(&[web()], false);
    assert_eq!(told(&tally), []);
}
