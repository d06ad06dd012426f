//! What a proxy says of itself: a few numbers of each scrape, as they are. The store keeps increases, and has not what
//! was counted before observe began to read.

use clew_store::{Sample, SampleValue};
use std::collections::BTreeMap;

/// A proxy's numbers of itself and of its process. What it does not tell is `None`, or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vitals {
    /// Spans since it started, by outcome.
    pub spans: BTreeMap<String, u64>,
    /// Series that it has, by family.
    pub series: BTreeMap<String, u64>,
    /// Series that a family may have.
    pub series_limit: Option<u64>,
    /// Times since it started that a family had no room, by family.
    pub series_dropped: BTreeMap<String, u64>,
    /// Lines of the access log that were dropped since it started.
    pub log_lines_dropped: Option<u64>,
    /// When its certificate ends, in Unix seconds.
    pub certificate_expires: Option<u64>,
    /// Certificates that it has had since it started.
    pub certificates: Option<u64>,
    /// Clients since it started whose TLS handshake failed.
    pub tls_refused: Option<u64>,
    /// Memory of its process in RAM.
    pub resident_bytes: Option<u64>,
    /// Processor time of its process.
    pub cpu_seconds: Option<f64>,
    /// Open file descriptors of its process.
    pub open_fds: Option<u64>,
}

impl Vitals {
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut vitals = Self::default();
        for sample in samples {
            match sample.value {
                SampleValue::Counter(value) | SampleValue::Gauge(value) => {
                    vitals.take(sample, value)
                }
                SampleValue::Histogram(_) => {}
            }
        }
        vitals
    }

    fn take(&mut self, sample: &Sample, value: f64) {
        let whole = value.round() as u64;
        let label = |name| sample.labels.get(name).cloned().unwrap_or_default();
        match &*sample.family {
            "clew_spans_total" => {
                self.spans.insert(label("outcome"), whole);
            }
            "clew_series" => {
                self.series.insert(label("family"), whole);
            }
            "clew_series_limit" => self.series_limit = Some(whole),
            "clew_series_dropped_total" => {
                self.series_dropped.insert(label("family"), whole);
            }
            "clew_access_log_dropped_total" => self.log_lines_dropped = Some(whole),
            "identity_cert_expiration_timestamp_seconds" => self.certificate_expires = Some(whole),
            "identity_cert_refreshes_total" => self.certificates = Some(whole),
            "clew_tls_refused_total" => self.tls_refused = Some(whole),
            "process_resident_memory_bytes" => self.resident_bytes = Some(whole),
            "process_cpu_seconds_total" => self.cpu_seconds = Some(value),
            "process_open_fds" => self.open_fds = Some(whole),
            _ => {}
        }
    }
}
