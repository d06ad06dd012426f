//! From Prometheus' families to the store's samples.
//!
//! Counters, gauges and native histograms of whole numbers are kept. Nothing else is exposed by
//! Clew's proxies, and nothing else is asked for: classic histograms, summaries and untyped values are left out.

use clew_api::prometheus::{Histogram as WireHistogram, Metric, MetricFamily, Timestamp};
use clew_store::{Histogram, Sample, SampleValue};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The samples of all families.
pub(super) fn samples(families: Vec<MetricFamily>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for family in families {
        let name: Arc<str> = family.name.unwrap_or_default().into();
        samples.extend(
            family
                .metric
                .into_iter()
                .filter_map(|metric| sample(&name, metric)),
        );
    }
    samples
}

fn sample(family: &Arc<str>, metric: Metric) -> Option<Sample> {
    let (value, created) = value(&metric)?;
    let labels: BTreeMap<String, String> = metric
        .label
        .into_iter()
        .map(|pair| {
            (
                pair.name.unwrap_or_default(),
                pair.value.unwrap_or_default(),
            )
        })
        .collect();
    Some(Sample {
        family: Arc::clone(family),
        labels,
        created_unix_nano: created.map(|t| t.as_unix_nano()),
        value,
    })
}

fn value(metric: &Metric) -> Option<(SampleValue, Option<Timestamp>)> {
    if let Some(counter) = &metric.counter {
        return Some((
            SampleValue::Counter(counter.value()),
            counter.created_timestamp,
        ));
    }
    if let Some(gauge) = &metric.gauge {
        return Some((SampleValue::Gauge(gauge.value()), None));
    }
    let histogram = metric.histogram.as_ref()?;
    Some((
        SampleValue::Histogram(native(histogram)?),
        histogram.created_timestamp,
    ))
}

/// The native buckets; `None` when there are only classic ones.
fn native(histogram: &WireHistogram) -> Option<Histogram> {
    let schema = i8::try_from(histogram.schema?)
        .ok()
        .filter(|schema| (-4..=8).contains(schema))?;
    let is_float = histogram.sample_count_float() > 0.0 || !histogram.positive_count.is_empty();
    if is_float {
        return None;
    }
    let buckets = histogram.positive_buckets();
    Some(Histogram::from_buckets(
        schema,
        histogram.zero_count(),
        histogram.sample_sum(),
        buckets,
    ))
}
