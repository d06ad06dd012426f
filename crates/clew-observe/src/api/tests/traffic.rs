//! Numbers in the store, as proxies expose them.

use clew_model::name::InstanceId;
use clew_store::{Histogram, Sample, SampleValue, Scrape, Store};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Requests that have the same labels.
#[derive(Clone, Copy)]
pub(super) struct Hops {
    pub(super) labels: &'static [(&'static str, &'static str)],
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) cancelled: u64,
    pub(super) error: &'static str,
    pub(super) latency_ms: f64,
}

/// Requests that succeed in ten milliseconds.
pub(super) const fn good(labels: &'static [(&'static str, &'static str)], successes: u64) -> Hops {
    Hops {
        labels,
        successes,
        failures: 0,
        cancelled: 0,
        error: "",
        latency_ms: 10.0,
    }
}

/// What one proxy counted, written and readable.
pub(super) async fn record(store: &Store, instance: &str, workload: &str, hops: &[Hops]) {
    let mut proxy = Proxy::new(workload);
    for hops in hops {
        proxy.add(hops);
    }
    proxy.write(store, instance).await;
}

/// The samples of one proxy.
pub(super) struct Proxy {
    workload: String,
    at: SystemTime,
    samples: Vec<Sample>,
}

impl Proxy {
    pub(super) fn new(workload: &str) -> Self {
        Self::read_at(workload, SystemTime::now())
    }

    /// One that began to count just before it was read.
    pub(super) fn read_at(workload: &str, at: SystemTime) -> Self {
        Self {
            workload: workload.to_owned(),
            at,
            samples: Vec::new(),
        }
    }

    pub(super) fn sample(&mut self, family: &str, labels: &[(&str, &str)], value: SampleValue) {
        let mut all = BTreeMap::from([
            ("workload".to_owned(), self.workload.clone()),
            ("namespace".to_owned(), "default".to_owned()),
            ("tls".to_owned(), "none".to_owned()),
        ]);
        all.extend(
            labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        // It began to count before it was read.
        let created = self.at.duration_since(UNIX_EPOCH).unwrap().as_nanos() - 1;
        self.samples.push(Sample {
            family: family.into(),
            labels: all,
            created_unix_nano: Some(u64::try_from(created).unwrap()),
            value,
        });
    }

    pub(super) fn add(&mut self, hops: &Hops) {
        let classes = [
            ("success", hops.successes, "200", ""),
            ("failure", hops.failures, "503", hops.error),
            ("cancelled", hops.cancelled, "", "client_cancelled"),
        ];
        let mut latency = Histogram::new(3);
        for (classification, count, status, error) in
            classes.into_iter().filter(|(_, count, ..)| *count > 0)
        {
            let own = [
                ("classification", classification),
                ("status_code", status),
                ("error", error),
            ];
            let labels: Vec<_> = hops.labels.iter().copied().chain(own).collect();
            self.sample(
                "response_total",
                &labels,
                SampleValue::Counter(count as f64),
            );
            (0..count).for_each(|_| latency.observe(hops.latency_ms));
        }
        self.sample(
            "request_total",
            hops.labels,
            SampleValue::Counter(latency.count() as f64),
        );
        self.sample(
            "response_latency_ms",
            hops.labels,
            SampleValue::Histogram(latency),
        );
    }

    pub(super) async fn write(self, store: &Store, instance: &str) {
        let instance = InstanceId::from(instance);
        store
            .record_scrape(Scrape {
                instance,
                at: self.at,
                samples: self.samples,
            })
            .unwrap();
        store.flush().await.unwrap();
    }
}
