//! Writing metrics, in the format that the scraper asked for.
//!
//! Families are written one after another, series by series, so that a scrape never holds more than one
//! series twice. Labels are rendered once in the life of a series ([`Labels`]) and copied after that.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{
    CONTENT_TYPE_OPENMETRICS, CONTENT_TYPE_PROTOBUF, CONTENT_TYPE_TEXT, Counter, Gauge, Histogram,
    LabelPair, MetricFamily, MetricType, Timestamp,
};
use text::{TextFamily, escape_into};

#[cfg(test)]
mod tests;
mod text;

/// A format of exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4: no exemplars, no created timestamps, no native histograms.
    #[default]
    Text,
    /// OpenMetrics text 1.0.0: exemplars and created timestamps, no native histograms.
    OpenMetrics,
    /// Length-delimited `io.prometheus.client.MetricFamily`: everything.
    Protobuf,
}

impl Format {
    /// What an `Accept` header asks for (RFC 9110, section 12.5.1): the known format with the highest
    /// quality, of equals the richest; text where nothing known is named.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let known = accept
            .unwrap_or("")
            .split(',')
            .filter_map(Self::parse_range);
        let best = known.max_by_key(|&(format, quality)| (quality, format.richness()));
        best.map_or(Self::Text, |(format, _)| format)
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => CONTENT_TYPE_TEXT,
            Self::OpenMetrics => CONTENT_TYPE_OPENMETRICS,
            Self::Protobuf => CONTENT_TYPE_PROTOBUF,
        }
    }

    /// One media range: its format, and its quality in thousandths. `None`: not known, or refused (q=0).
    fn parse_range(range: &str) -> Option<(Self, u32)> {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
        let (mut quality, mut version, mut encoding) = (1000, None, None);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => {
                    quality = (value.trim().parse::<f64>().ok()?.clamp(0.0, 1.0) * 1000.0) as u32
                }
                "version" => version = Some(value.trim()),
                "encoding" => encoding = Some(value.trim()),
                _ => {}
            }
        }
        let format = match media_type.as_str() {
            "application/vnd.google.protobuf"
                if encoding.is_none_or(|name| name == "delimited") =>
            {
                Self::Protobuf
            }
            "application/openmetrics-text" if version.is_none_or(|version| version == "1.0.0") => {
                Self::OpenMetrics
            }
            "text/plain" | "text/*" | "*/*" if version.is_none_or(|version| version == "0.0.4") => {
                Self::Text
            }
            _ => return None,
        };
        (quality > 0).then_some((format, quality))
    }

    fn richness(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::OpenMetrics => 1,
            Self::Protobuf => 2,
        }
    }
}

/// The labels of a series, rendered: as text with escapes, and as fields of a protobuf `Metric`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    text: String,
    protobuf: Vec<u8>,
}

impl Labels {
    /// Renders names and values, in their order. A label without a value is left out, which to
    /// Prometheus is the same as an empty value.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::default().and(pairs)
    }

    /// These labels and more of them.
    pub fn and<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut labels = self.clone();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if !labels.text.is_empty() {
                labels.text.push(',');
            }
            labels.text.push_str(name);
            labels.text.push_str("=\"");
            escape_into(&mut labels.text, value, true);
            labels.text.push('"');
            let pair = LabelPair {
                name: Some(name.to_owned()),
                value: Some(value.to_owned()),
            };
            prost::encoding::message::encode(1, &pair, &mut labels.protobuf);
        }
        labels
    }

    /// `a="b",c="d"`, with backslash, quote and line feed escaped.
    pub fn as_text(&self) -> &str {
        &self.text
    }
}

/// The value of a series; its kind is the kind of the family.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter.
    Counter(Counter),
    /// Of a gauge.
    Gauge(Gauge),
    /// Of a histogram. Its classic buckets end with the one of infinity.
    Histogram(Box<Histogram>),
}

impl Value {
    /// A counter that has been counting since a moment in Unix nanoseconds.
    pub fn counter(value: f64, created_unix_nano: u64) -> Self {
        let created_timestamp = Some(Timestamp::from_unix_nano(created_unix_nano));
        Self::Counter(Counter {
            value: Some(value),
            exemplar: None,
            created_timestamp,
        })
    }

    /// A gauge.
    pub fn gauge(value: f64) -> Self {
        Self::Gauge(Gauge { value: Some(value) })
    }
}

impl From<Histogram> for Value {
    fn from(histogram: Histogram) -> Self {
        Self::Histogram(Box::new(histogram))
    }
}

/// What a family is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyName<'a> {
    /// Name; that of a counter ends in `_total`.
    pub name: &'a str,
    /// What it is, in words.
    pub help: &'a str,
    /// Type.
    pub kind: MetricType,
}

/// Writes a body of one format.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    out: Vec<u8>,
}

impl Exposition {
    /// An empty body.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            out: Vec::with_capacity(64 * 1024),
        }
    }

    /// Begins a family. Each name is to be begun once, and a family without series leaves no trace.
    pub fn family<'a>(&'a mut self, family: FamilyName<'a>) -> FamilyWriter<'a> {
        FamilyWriter {
            format: self.format,
            out: &mut self.out,
            family,
            text: String::new(),
            message: Vec::new(),
        }
    }

    /// Ends the body.
    pub fn finish(mut self) -> Vec<u8> {
        if self.format == Format::OpenMetrics {
            self.out.extend_from_slice(b"# EOF\n");
        }
        self.out
    }
}

/// Writes the series of one family. Dropping it ends the family.
#[derive(Debug)]
pub struct FamilyWriter<'a> {
    format: Format,
    out: &'a mut Vec<u8>,
    family: FamilyName<'a>,
    /// The family so far, in the text formats; empty until its first series.
    text: String,
    /// The family's message so far, in protobuf; empty until its first series.
    message: Vec<u8>,
}

impl FamilyWriter<'_> {
    /// Adds a series. A value of another kind than the family's is the caller's mistake; it is written
    /// under the family's name nevertheless.
    pub fn write(&mut self, labels: &Labels, value: &Value) {
        match self.format {
            Format::Protobuf => self.write_protobuf(labels, value),
            Format::Text | Format::OpenMetrics => self.write_text(labels, value),
        }
    }

    fn write_protobuf(&mut self, labels: &Labels, value: &Value) {
        if self.message.is_empty() {
            let head = MetricFamily {
                name: Some(self.family.name.to_owned()),
                help: Some(self.family.help.to_owned()),
                r#type: Some(self.family.kind.into()),
                ..MetricFamily::default()
            };
            self.message = head.encode_to_vec();
        }
        const METRIC: u32 = 4;
        let (tag, length) = match value {
            Value::Gauge(gauge) => (2, gauge.encoded_len()),
            Value::Counter(counter) => (3, counter.encoded_len()),
            Value::Histogram(histogram) => (7, histogram.encoded_len()),
        };
        let value_field = prost::encoding::key_len(tag)
            + prost::encoding::encoded_len_varint(length as u64)
            + length;
        encode_key(METRIC, WireType::LengthDelimited, &mut self.message);
        encode_varint(
            (labels.protobuf.len() + value_field) as u64,
            &mut self.message,
        );
        self.message.extend_from_slice(&labels.protobuf);
        match value {
            Value::Gauge(gauge) => prost::encoding::message::encode(tag, gauge, &mut self.message),
            Value::Counter(counter) => {
                prost::encoding::message::encode(tag, counter, &mut self.message)
            }
            Value::Histogram(histogram) => {
                prost::encoding::message::encode(tag, histogram.as_ref(), &mut self.message)
            }
        }
    }

    fn write_text(&mut self, labels: &Labels, value: &Value) {
        let openmetrics = self.format == Format::OpenMetrics;
        let is_new = self.text.is_empty();
        let mut text = TextFamily {
            out: &mut self.text,
            family: self.family,
            openmetrics,
        };
        if is_new {
            text.write_head();
        }
        text.write_series(labels.as_text(), value);
    }
}

impl Drop for FamilyWriter<'_> {
    fn drop(&mut self) {
        if !self.message.is_empty() {
            encode_varint(self.message.len() as u64, self.out);
        }
        self.out.extend_from_slice(&self.message);
        self.out.extend_from_slice(self.text.as_bytes());
    }
}
