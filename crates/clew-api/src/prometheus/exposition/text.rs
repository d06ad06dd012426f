//! The two text formats. They differ in what they call a counter's family, in how a whole number looks as
//! a bucket's bound, and in that only OpenMetrics has exemplars and created timestamps.

use super::{FamilyName, Value};
use crate::prometheus::{Exemplar, Histogram, MetricType, Timestamp};
use std::fmt::Write as _;

/// One family, as text. Writing to a `String` cannot fail, which is why results are dropped here.
pub(super) struct TextFamily<'a> {
    pub(super) out: &'a mut String,
    pub(super) family: FamilyName<'a>,
    pub(super) openmetrics: bool,
}

impl<'a> TextFamily<'a> {
    /// `# HELP` and `# TYPE`.
    pub(super) fn write_head(&mut self) {
        let name = self.metadata_name();
        let kind = match self.family.kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::Summary => "summary",
            MetricType::Untyped if self.openmetrics => "unknown",
            MetricType::Untyped => "untyped",
            MetricType::GaugeHistogram => "gaugehistogram",
        };
        let _ = write!(self.out, "# HELP {name} ");
        escape_into(self.out, self.family.help, self.openmetrics);
        let _ = writeln!(self.out, "\n# TYPE {name} {kind}");
    }

    pub(super) fn write_series(&mut self, labels: &str, value: &Value) {
        let name = self.family.name;
        match value {
            Value::Gauge(gauge) => self.sample(name, "", labels, gauge.value(), None),
            Value::Counter(counter) => {
                self.sample(name, "", labels, counter.value(), counter.exemplar.as_ref());
                self.created(
                    self.metadata_name(),
                    labels,
                    counter.created_timestamp.as_ref(),
                );
            }
            Value::Histogram(histogram) => self.histogram(labels, histogram),
        }
    }

    fn histogram(&mut self, labels: &str, histogram: &Histogram) {
        let name = self.family.name;
        let separator = if labels.is_empty() { "" } else { "," };
        let mut with_bound = String::with_capacity(labels.len() + 16);
        for bucket in &histogram.bucket {
            with_bound.clear();
            let _ = write!(with_bound, "{labels}{separator}le=\"");
            bound(&mut with_bound, bucket.upper_bound(), self.openmetrics);
            with_bound.push('"');
            let count = bucket.cumulative_count() as f64;
            self.sample(
                name,
                "_bucket",
                &with_bound,
                count,
                bucket.exemplar.as_ref(),
            );
        }
        self.sample(name, "_sum", labels, histogram.sample_sum(), None);
        self.sample(
            name,
            "_count",
            labels,
            histogram.sample_count() as f64,
            None,
        );
        self.created(name, labels, histogram.created_timestamp.as_ref());
    }

    /// The name in `# HELP` and `# TYPE`, which in OpenMetrics is without a counter's `_total`.
    fn metadata_name(&self) -> &'a str {
        let name = self.family.name;
        match self.family.kind {
            MetricType::Counter if self.openmetrics => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        }
    }

    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &str,
        value: f64,
        exemplar: Option<&Exemplar>,
    ) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        braced(self.out, labels);
        self.out.push(' ');
        number(self.out, value);
        if let Some(exemplar) = exemplar.filter(|_| self.openmetrics) {
            self.exemplar(exemplar);
        }
        self.out.push('\n');
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        self.out.push_str(" # {");
        for (index, label) in exemplar.label.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            let _ = write!(self.out, "{separator}{}=\"", label.name());
            escape_into(self.out, label.value(), true);
            self.out.push('"');
        }
        self.out.push_str("} ");
        number(self.out, exemplar.value());
        if let Some(timestamp) = &exemplar.timestamp {
            self.out.push(' ');
            seconds(self.out, timestamp);
        }
    }

    fn created(&mut self, base: &str, labels: &str, created: Option<&Timestamp>) {
        let Some(created) = created.filter(|_| self.openmetrics) else {
            return;
        };
        self.out.push_str(base);
        self.out.push_str("_created");
        braced(self.out, labels);
        self.out.push(' ');
        seconds(self.out, created);
        self.out.push('\n');
    }
}

fn braced(out: &mut String, labels: &str) {
    if !labels.is_empty() {
        let _ = write!(out, "{{{labels}}}");
    }
}

/// Both formats spell what is not finite in this way.
fn number(out: &mut String, value: f64) {
    let _ = match value {
        f64::INFINITY => write!(out, "+Inf"),
        f64::NEG_INFINITY => write!(out, "-Inf"),
        value if value.is_nan() => write!(out, "NaN"),
        value => write!(out, "{value}"),
    };
}

/// A bound is a label, so its spelling matters: OpenMetrics wants `1.0` where Prometheus has `1`.
fn bound(out: &mut String, value: f64, openmetrics: bool) {
    number(out, value);
    if openmetrics && value.is_finite() && value.fract() == 0.0 {
        out.push_str(".0");
    }
}

fn seconds(out: &mut String, timestamp: &Timestamp) {
    let _ = write!(out, "{}.{:09}", timestamp.seconds, timestamp.nanos);
}

/// Backslash and line feed, and in label values the quote.
pub(super) fn escape_into(out: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}
