//! The three formats of a scrape.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::error::Reason;
use crate::hop::{Direction, End, Exchange};
use crate::report::fixture::{config, hop, one_worker, peer, read_text, report};
use crate::report::{WorkerReports, family};
use clew_api::prometheus::exposition::Format;
use clew_api::prometheus::{MetricFamily, decode_delimited};

fn varied(worker: &WorkerReports) {
    report(worker, hop(|_| {}));
    report(
        worker,
        hop(|record| record.key.route = "GET /\"quoted\"\\and\nbroken".into()),
    );
    report(worker, hop(|record| record.exchange = Exchange::Stream));
    report(
        worker,
        hop(|record| record.key.direction = Direction::Outbound),
    );
    report(
        worker,
        hop(|record| record.outcome = End::Failed(Reason::ServerReset)),
    );
    worker.refused(Direction::Inbound, Reason::MalformedRequest);
    worker.tcp(Direction::Inbound, &peer("webapp")).opened();
}

#[tokio::test]
async fn both_text_formats_are_valid() {
    let (reports, worker) = one_worker(config(1));
    varied(&worker);
    let text = read_text(
        &String::from_utf8(reports.scrape(Format::Text).body).unwrap(),
        false,
    );
    let body = String::from_utf8(reports.scrape(Format::OpenMetrics).body).unwrap();
    let openmetrics = read_text(&body, true);
    assert!(
        body.contains("# {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 12 1709210096.801012345"),
        "{body}"
    );
    // The same series, but for bounds that are spelled in another way and created timestamps.
    let comparable = |series: &&String| {
        !series.contains("_created") && !series.contains("le=\"") && !series.starts_with("process_")
    };
    let (text, openmetrics): (Vec<_>, Vec<_>) = (
        text.keys().filter(comparable).collect(),
        openmetrics.keys().filter(comparable).collect(),
    );
    assert_eq!(text, openmetrics);
}

#[tokio::test]
async fn protobuf_has_native_histograms_and_created_timestamps() {
    let (reports, worker) = one_worker(config(1));
    varied(&worker);
    let families = decode_delimited(&reports.scrape(Format::Protobuf).body).unwrap();
    let known: Vec<_> = family::ALL.iter().map(|family| family.name).collect();
    assert!(
        families
            .iter()
            .map(MetricFamily::name)
            .all(|name| known.contains(&name))
    );
    let latency = families
        .iter()
        .find(|family| family.name() == "response_latency_ms")
        .unwrap();
    for metric in &latency.metric {
        let histogram = metric.histogram.as_ref().unwrap();
        assert!(histogram.created_timestamp.is_some());
        assert_eq!(histogram.schema(), 3);
        // 12 ms is in (2^(28/8), 2^(29/8)].
        assert_eq!(
            histogram
                .positive_buckets()
                .map(|(index, _)| index)
                .collect::<Vec<_>>(),
            [29]
        );
        assert!(
            histogram
                .bucket
                .iter()
                .any(|bucket| bucket.exemplar.is_some())
        );
    }
}
