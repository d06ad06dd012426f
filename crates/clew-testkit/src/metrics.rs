//! What a proxy says of itself at `/metrics`, read as observe reads it.

use crate::client::Client;
use clew_api::prometheus::{
    ACCEPT_PROTOBUF, CONTENT_TYPE_PROTOBUF, Metric, MetricFamily, decode_delimited,
};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

/// One scrape.
#[derive(Clone)]
pub struct Metrics(Vec<MetricFamily>);

/// Label and value; an empty value stands for a label that is not there.
pub type Filter<'a> = (&'a str, &'a str);

impl Metrics {
    /// Reads the admin server at the address.
    pub async fn scrape(admin: SocketAddr) -> Self {
        let scraped = Self::try_scrape(admin).await;
        scraped.expect("an admin server that answers")
    }

    /// Reads the admin server at the address, which may be about to end: `None` when it has.
    pub async fn try_scrape(admin: SocketAddr) -> Option<Self> {
        let mut client = Client::try_http1(admin).await?;
        let request = crate::client::get(&format!("http://{admin}/metrics"));
        let request = crate::client::with(request, "accept", ACCEPT_PROTOBUF);
        let (head, body) = client.send(request).await.ok()?.into_parts();
        let kind = head.headers.get("content-type")?;
        let body = crate::body::read(body).await.ok()?;
        let families = decode_delimited(&body.data).ok()?;
        (kind == CONTENT_TYPE_PROTOBUF).then_some(Self(families))
    }

    /// Sum over all series of a family whose labels are as the filters say. Of a histogram, the number of
    /// observations.
    pub fn sum(&self, family: &str, filters: &[Filter<'_>]) -> u64 {
        self.series(family, filters).map(value).sum::<f64>() as u64
    }

    /// The observations of a histogram added up, in its unit.
    pub fn total(&self, family: &str, filters: &[Filter<'_>]) -> f64 {
        let histograms = self.series(family, filters);
        histograms
            .filter_map(|metric| metric.histogram.as_ref())
            .map(|histogram| histogram.sample_sum())
            .sum()
    }

    /// As [`Metrics::sum`], by the values of one label.
    pub fn by(&self, family: &str, label: &str, filters: &[Filter<'_>]) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for metric in self.series(family, filters) {
            *sums.entry(label_of(metric, label).to_owned()).or_default() += value(metric) as u64;
        }
        sums
    }

    /// Number of series of a family whose labels are as the filters say.
    pub fn count(&self, family: &str, filters: &[Filter<'_>]) -> usize {
        self.series(family, filters).count()
    }

    /// Requests that began.
    pub fn requests(&self, filters: &[Filter<'_>]) -> u64 {
        self.sum("request_total", filters)
    }

    /// Requests that ended.
    pub fn responses(&self, filters: &[Filter<'_>]) -> u64 {
        self.sum("response_total", filters)
    }

    fn series<'a>(
        &'a self,
        family: &'a str,
        filters: &'a [Filter<'a>],
    ) -> impl Iterator<Item = &'a Metric> {
        self.0
            .iter()
            .filter(move |candidate| candidate.name() == family)
            .flat_map(|family| &family.metric)
            .filter(|metric| {
                filters
                    .iter()
                    .all(|(name, value)| label_of(metric, name) == *value)
            })
    }
}

/// Requests and responses: what a test that fails wants to see.
impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for family in [
            "request_total",
            "response_total",
            "tcp_open_total",
            "tcp_close_total",
        ] {
            for metric in self.series(family, &[]) {
                let labels = metric.label.iter();
                let labels: Vec<_> = labels
                    .map(|pair| format!("{}={}", pair.name(), pair.value()))
                    .collect();
                map.entry(&format!("{family} {}", labels.join(" ")), &value(metric));
            }
        }
        map.finish()
    }
}

fn label_of<'a>(metric: &'a Metric, name: &str) -> &'a str {
    metric
        .label
        .iter()
        .find(|pair| pair.name() == name)
        .map_or("", |pair| pair.value())
}

fn value(metric: &Metric) -> f64 {
    match (&metric.counter, &metric.gauge, &metric.histogram) {
        (Some(counter), _, _) => counter.value(),
        (_, Some(gauge), _) => gauge.value(),
        (_, _, Some(histogram)) => histogram.sample_count() as f64,
        _ => 0.0,
    }
}
