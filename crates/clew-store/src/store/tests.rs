#![allow(clippy::unwrap_used, clippy::expect_used)]

mod durability;
mod exemplars;
mod metrics;
mod opening;
mod over_time;
mod search;
mod traces;
mod truth;

use super::*;
use crate::histogram::{DEFAULT_SCHEMA, Histogram};
use crate::label::Label;
use crate::query::Direction;
use crate::sample::{Sample, SampleValue};
use crate::window::Window;
use clew_model::name::InstanceId;
use clew_trace::SpanId;
use clew_trace::span::{SpanKind, SpanStatus};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn open(place: StorePath) -> Store {
    Store::open(place, Retention::default()).unwrap()
}

fn temporary() -> Store {
    open(StorePath::Temporary)
}

/// A moment some seconds after a fixed one of the last hour, so that nothing expires or is compacted.
fn second(n: u64) -> SystemTime {
    static BASE: std::sync::LazyLock<SystemTime> =
        std::sync::LazyLock::new(|| SystemTime::now() - Duration::from_secs(300));
    *BASE + Duration::from_secs(n)
}

fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn sample(family: &str, pairs: &[(&str, &str)], value: SampleValue) -> Sample {
    Sample {
        family: family.into(),
        labels: labels(pairs),
        created_unix_nano: None,
        value,
    }
}

fn counter(family: &str, pairs: &[(&str, &str)], value: f64) -> Sample {
    sample(family, pairs, SampleValue::Counter(value))
}

fn latencies(pairs: &[(&str, &str)], values: &[f64]) -> Sample {
    let mut histogram = Histogram::new(DEFAULT_SCHEMA);
    values.iter().for_each(|value| histogram.observe(*value));
    sample(
        "response_latency_ms",
        pairs,
        SampleValue::Histogram(histogram),
    )
}

fn scrape(instance: &str, at: SystemTime, samples: Vec<Sample>) -> Scrape {
    Scrape {
        instance: InstanceId::from(instance),
        at,
        samples,
    }
}

fn all(group_by: &[Label]) -> SeriesQuery {
    SeriesQuery {
        window: Window::all(),
        filters: Vec::new(),
        group_by: group_by.to_vec(),
    }
}

/// Sum of a counter family over everything.
async fn total(store: &Store, family: &str) -> f64 {
    store
        .counters(family, all(&[]))
        .await
        .unwrap()
        .iter()
        .map(|row| row.value)
        .sum()
}

fn trace_id(n: u128) -> TraceId {
    TraceId::new(n).unwrap()
}

/// A span of ten milliseconds that starts `ms` after a fixed moment.
fn span(trace: u128, id: u64, parent: Option<u64>, (service, ms): (&str, u64)) -> Span {
    let start = nanos(second(0)) + ms * 1_000_000;
    Span {
        trace_id: trace_id(trace),
        span_id: SpanId::new(id).unwrap(),
        parent_span_id: parent.and_then(SpanId::new),
        kind: SpanKind::Server,
        name: format!("GET /{service}"),
        service: service.to_owned(),
        namespace: "default".to_owned(),
        instance: format!("{service}-1"),
        scope: "clew.proxy".to_owned(),
        start_unix_nano: start,
        end_unix_nano: start + 10_000_000,
        status: SpanStatus::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new().into(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

async fn insert(store: &Store, spans: Vec<Span>) {
    store.insert_spans(spans).unwrap();
    store.flush().await.unwrap();
}

async fn record(store: &Store, scrapes: Vec<Scrape>) {
    for scrape in scrapes {
        store.record_scrape(scrape).unwrap();
    }
    store.flush().await.unwrap();
}
