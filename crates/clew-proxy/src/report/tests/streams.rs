//! What is counted of long streams while they are open.
use std::collections::BTreeMap;
use std::thread;

use crate::hop::{Exchange, HopRecord};
use crate::report::fixture::{config, hop, one_worker, report, scrape, sum};
use crate::report::{Reports, ReportsConfig};

fn stream(request_bytes: u64, response_bytes: u64) -> HopRecord {
    hop(|record| {
        record.exchange = Exchange::Stream;
        (record.request_bytes, record.response_bytes) = (request_bytes, response_bytes);
    })
}

/// Open streams, bytes from clients, bytes from servers.
fn counted(samples: &BTreeMap<String, f64>) -> (f64, f64, f64) {
    let bytes = |from| sum(samples, "clew_stream_bytes_total", &[from]);
    (
        sum(samples, "clew_open_streams", &[]),
        bytes("from=\"client\""),
        bytes("from=\"server\""),
    )
}

#[tokio::test]
async fn a_stream_is_counted_while_it_is_open_and_each_byte_once() {
    let (reports, worker) = one_worker(config(1));
    let mut record = stream(1, 10);
    let series = worker.series(&record.key);
    worker.opened(&series);
    worker.count_open(&series, &mut record);
    assert_eq!(counted(&scrape(&reports)), (1.0, 1.0, 10.0));
    worker.count_open(&series, &mut record);
    assert_eq!(counted(&scrape(&reports)), (1.0, 1.0, 10.0), "told already");
    record.response_bytes = 25;
    worker.count_open(&series, &mut record);
    assert_eq!(counted(&scrape(&reports)), (1.0, 1.0, 25.0));
    (record.request_bytes, record.response_bytes) = (4, 30);
    worker.close(&series, &record);
    let samples = scrape(&reports);
    assert_eq!(counted(&samples), (0.0, 4.0, 30.0));
    assert_eq!(sum(&samples, "clew_stream_duration_ms_count", &[]), 1.0);
    let labels = "workload=\"books\",namespace=\"shop\",direction=\"inbound\",client_workload=\"webapp\",\
                  client_namespace=\"shop\",client_id=\"spiffe://cluster.local/ns/shop/sa/webapp\",route=\"GET /books/{id}\",tls=\"mtls\"";
    assert!(samples.contains_key(&format!("clew_open_streams{{{labels}}}")));
}

#[tokio::test]
async fn the_bytes_of_a_stream_that_was_never_looked_at_are_counted_at_its_end() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, stream(2, 20));
    assert_eq!(counted(&scrape(&reports)), (0.0, 2.0, 20.0));
}

#[tokio::test]
async fn a_route_without_streams_has_no_series_of_them() {
    let (reports, worker) = one_worker(config(1));
    report(&worker, hop(|_| {}));
    let samples = scrape(&reports);
    let is_of_streams = |series: &&String| series.contains("stream") && !series.contains("family=");
    assert_eq!(samples.keys().find(is_of_streams), None);
}

#[tokio::test]
async fn streams_of_several_threads_add_up() {
    let (reports, slots) = Reports::new(config(3));
    thread::scope(|scope| {
        for slot in slots {
            scope.spawn(move || {
                let worker = slot.open();
                let (mut ends, mut stays) = (stream(1, 1), stream(1, 1));
                let series = worker.series(&ends.key);
                for record in [&mut ends, &mut stays] {
                    worker.opened(&series);
                    worker.count_open(&series, record);
                }
                worker.close(&series, &ends);
            });
        }
    });
    assert_eq!(counted(&scrape(&reports)), (3.0, 6.0, 6.0));
}

#[tokio::test]
async fn past_the_budget_streams_are_counted_under_other() {
    let (reports, worker) = one_worker(ReportsConfig {
        max_series: 2,
        ..config(1)
    });
    for index in 0..5 {
        let mut record = stream(0, 1);
        record.key.route = format!("GET /{index}").as_str().into();
        let series = worker.series(&record.key);
        worker.opened(&series);
        worker.count_open(&series, &mut record);
    }
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "clew_open_streams", &[]), 5.0);
    assert_eq!(
        sum(&samples, "clew_open_streams", &["route=\"(other)\""]),
        3.0
    );
}
