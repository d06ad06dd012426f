#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn family(name: &str, metric: Metric, kind: MetricType) -> MetricFamily {
    MetricFamily {
        name: Some(name.to_owned()),
        help: Some("help".to_owned()),
        r#type: Some(kind.into()),
        metric: vec![metric],
        unit: None,
    }
}

#[test]
fn delimited_families_are_read_back_as_written() {
    let counter = Metric {
        label: vec![LabelPair {
            name: Some("a".into()),
            value: Some("b".into()),
        }],
        counter: Some(Counter {
            value: Some(3.0),
            exemplar: None,
            created_timestamp: Some(Timestamp::from_unix_nano(1_500_000_000_000_000_001)),
        }),
        ..Metric::default()
    };
    let mut histogram = Histogram {
        sample_count: Some(4),
        schema: Some(3),
        ..Histogram::default()
    };
    histogram.set_positive_buckets([(-3, 1), (-2, 2), (9, 1)]);
    let histogram = Metric {
        histogram: Some(histogram),
        ..Metric::default()
    };
    let families = vec![
        family("c_total", counter, MetricType::Counter),
        family("h", histogram, MetricType::Histogram),
    ];
    assert_eq!(
        decode_delimited(&encode_delimited(&families)).unwrap(),
        families
    );
}

#[test]
fn a_body_that_ends_inside_a_message_is_refused() {
    let families = [family("c_total", Metric::default(), MetricType::Counter)];
    let bytes = encode_delimited(&families);
    assert!(decode_delimited(&bytes[..bytes.len() - 1]).is_err());
}

#[test]
fn native_buckets_survive_spans_and_deltas() {
    let buckets = [(-70, 5), (-69, 1), (-68, 1), (0, 9), (1, 2), (40, 7)];
    let mut histogram = Histogram::default();
    histogram.set_positive_buckets(buckets);
    assert_eq!(histogram.positive_span.len(), 3);
    assert_eq!(histogram.positive_buckets().collect::<Vec<_>>(), buckets);
}

#[test]
fn timestamps_keep_nanoseconds() {
    let nanoseconds = 1_700_000_000_123_456_789;
    assert_eq!(
        Timestamp::from_unix_nano(nanoseconds).as_unix_nano(),
        nanoseconds
    );
}
