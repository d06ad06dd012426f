use super::*;
use crate::prometheus::{Bucket, Exemplar, decode_delimited};

fn histogram() -> Value {
    let exemplar = Exemplar {
        label: vec![LabelPair {
            name: Some("trace_id".into()),
            value: Some("ab".into()),
        }],
        value: Some(0.75),
        timestamp: Some(Timestamp {
            seconds: 17,
            nanos: 5,
        }),
    };
    let bucket = |upper_bound, count, exemplar| Bucket {
        upper_bound: Some(upper_bound),
        cumulative_count: Some(count),
        exemplar,
        cumulative_count_float: None,
    };
    Value::from(Histogram {
        sample_count: Some(3),
        sample_sum: Some(8.5),
        bucket: vec![
            bucket(0.5, 1, None),
            bucket(1.0, 2, Some(exemplar)),
            bucket(f64::INFINITY, 3, None),
        ],
        created_timestamp: Some(Timestamp {
            seconds: 16,
            nanos: 250_000_000,
        }),
        ..Histogram::default()
    })
}

fn body(format: Format) -> Vec<u8> {
    let mut exposition = Exposition::new(format);
    let labels = Labels::new([("route", "GET /a\"b\\c\n"), ("empty", ""), ("tls", "none")]);
    let counter = FamilyName {
        name: "request_total",
        help: "Says \"no\"\n\\.",
        kind: MetricType::Counter,
    };
    exposition
        .family(counter)
        .write(&labels, &Value::counter(7.0, 16_500_000_000));
    drop(exposition.family(FamilyName {
        name: "never",
        help: "",
        kind: MetricType::Gauge,
    }));
    let gauge = FamilyName {
        name: "open",
        help: "Open.",
        kind: MetricType::Gauge,
    };
    exposition
        .family(gauge)
        .write(&Labels::default(), &Value::gauge(1.5));
    let latency = FamilyName {
        name: "latency_ms",
        help: "Latency.",
        kind: MetricType::Histogram,
    };
    exposition
        .family(latency)
        .write(&Labels::new([("a", "b")]), &histogram());
    exposition.finish()
}

#[test]
fn prometheus_text_is_as_its_specification_says() {
    let expected = r##"# HELP request_total Says "no"\n\\.
# TYPE request_total counter
request_total{route="GET /a\"b\\c\n",tls="none"} 7
# HELP open Open.
# TYPE open gauge
open 1.5
# HELP latency_ms Latency.
# TYPE latency_ms histogram
latency_ms_bucket{a="b",le="0.5"} 1
latency_ms_bucket{a="b",le="1"} 2
latency_ms_bucket{a="b",le="+Inf"} 3
latency_ms_sum{a="b"} 8.5
latency_ms_count{a="b"} 3
"##;
    assert_eq!(
        String::from_utf8(body(Format::Text)).as_deref(),
        Ok(expected)
    );
}

#[test]
fn openmetrics_has_exemplars_created_timestamps_and_an_end() {
    let expected = r##"# HELP request Says \"no\"\n\\.
# TYPE request counter
request_total{route="GET /a\"b\\c\n",tls="none"} 7
request_created{route="GET /a\"b\\c\n",tls="none"} 16.500000000
# HELP open Open.
# TYPE open gauge
open 1.5
# HELP latency_ms Latency.
# TYPE latency_ms histogram
latency_ms_bucket{a="b",le="0.5"} 1
latency_ms_bucket{a="b",le="1.0"} 2 # {trace_id="ab"} 0.75 17.000000005
latency_ms_bucket{a="b",le="+Inf"} 3
latency_ms_sum{a="b"} 8.5
latency_ms_count{a="b"} 3
latency_ms_created{a="b"} 16.250000000
# EOF
"##;
    assert_eq!(
        String::from_utf8(body(Format::OpenMetrics)).as_deref(),
        Ok(expected)
    );
}

#[test]
fn protobuf_is_read_back_whole() -> Result<(), prost::DecodeError> {
    let families = decode_delimited(&body(Format::Protobuf))?;
    let names: Vec<_> = families.iter().map(MetricFamily::name).collect();
    assert_eq!(names, ["request_total", "open", "latency_ms"]);
    let counter = &families[0].metric[0];
    let labels: Vec<_> = counter
        .label
        .iter()
        .map(|label| (label.name(), label.value()))
        .collect();
    assert_eq!(labels, [("route", "GET /a\"b\\c\n"), ("tls", "none")]);
    assert_eq!(counter.counter.as_ref().map(Counter::value), Some(7.0));
    let Value::Histogram(expected) = histogram() else {
        return Ok(());
    };
    assert_eq!(families[2].metric[0].histogram, Some(*expected));
    Ok(())
}

#[test]
fn the_format_is_the_one_the_scraper_likes_best() {
    let cases = [
        (None, Format::Text),
        (Some("*/*"), Format::Text),
        (Some("text/plain;version=0.0.4"), Format::Text),
        (
            Some("application/openmetrics-text; version=1.0.0,text/plain;q=0.5"),
            Format::OpenMetrics,
        ),
        (
            Some("application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5"),
            Format::Text,
        ),
        (Some(super::super::ACCEPT_PROTOBUF), Format::Protobuf),
        (
            Some(
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.2,text/plain",
            ),
            Format::Text,
        ),
        (
            Some("application/vnd.google.protobuf;q=0,text/html"),
            Format::Text,
        ),
        (Some("application/json;q=x"), Format::Text),
    ];
    for (accept, format) in cases {
        assert_eq!(Format::negotiate(accept), format, "{accept:?}");
    }
}
