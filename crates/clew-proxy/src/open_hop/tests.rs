use super::streams::OpenStreams;
use super::*;
use crate::config::Limits;
use crate::report::Reports;
use crate::report::fixture::{config, hop, one_worker, scrape, sum};
use clew_api::wire::tap::{TapEvent, TapRequest};
use futures_util::StreamExt as _;

const LONG: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(60);

fn sink() -> (Arc<Reports>, Rc<HopSink>) {
    let (reports, worker) = one_worker(config(1));
    let limits = Limits {
        long_stream: LONG,
        stream_report_interval: INTERVAL,
        ..Limits::default()
    };
    let sink = HopSink {
        reports: worker,
        connections: Connections::default(),
        streams: OpenStreams::new(&limits),
        audit: Arc::new(Audit::new(Instant::now(), Arc::default())),
    };
    (reports, Rc::new(sink))
}

/// A hop whose head has come, and not all of its body.
fn open(sink: &Rc<HopSink>, change: impl FnOnce(&mut HopRecord)) -> OpenHop {
    let record = hop(change);
    let series = sink.reports.series(&record.key);
    let mut hop = OpenHop::new(Rc::clone(sink), record, None);
    hop.count(series);
    hop.watch();
    hop
}

fn head(hop: &mut OpenHop) -> Instant {
    hop.record().unwrap().response_start.unwrap()
}

fn open_streams(reports: &Reports) -> f64 {
    sum(&scrape(reports), "clew_open_streams", &[])
}

#[tokio::test]
async fn an_answer_is_a_stream_once_it_is_older_than_the_limit() {
    let (reports, sink) = sink();
    let mut hop = open(&sink, |_| {});
    let head = head(&mut hop);
    sink.look_at_streams(head + LONG);
    assert_eq!(open_streams(&reports), 0.0);
    sink.look_at_streams(head + LONG + Duration::from_millis(1));
    assert_eq!(open_streams(&reports), 1.0);
    hop.response_data(88);
    sink.look_at_streams(head + 2 * LONG);
    let samples = scrape(&reports);
    let bytes = sum(&samples, "clew_stream_bytes_total", &["from=\"server\""]);
    assert_eq!(bytes, 600.0, "512 and 88");
}

#[tokio::test]
async fn what_is_a_stream_by_nature_is_one_at_once_and_none_after_its_end() {
    let (reports, sink) = sink();
    let mut hop = open(&sink, |record| record.exchange = Exchange::Stream);
    sink.look_at_streams(head(&mut hop));
    assert_eq!(open_streams(&reports), 1.0);
    hop.close(End::Complete);
    sink.look_at_streams(Instant::now());
    let samples = scrape(&reports);
    assert_eq!(sum(&samples, "clew_open_streams", &[]), 0.0);
    assert_eq!(sum(&samples, "clew_stream_bytes_total", &[]), 512.0);
}

#[tokio::test]
async fn the_bytes_of_a_tunnel_are_seen_as_they_come() {
    let (reports, sink) = sink();
    let mut hop = open(&sink, |record| record.response_bytes = 0);
    let transferred = Rc::new(Transferred::default());
    hop.tunnel(&transferred);
    let bytes = |from| sum(&scrape(&reports), "clew_stream_bytes_total", &[from]);
    for round in 1..3 {
        transferred.add(crate::opaque::From::Client, 3);
        transferred.add(crate::opaque::From::Server, 5);
        sink.look_at_streams(head(&mut hop));
        assert_eq!(bytes("from=\"client\""), f64::from(3 * round));
        assert_eq!(bytes("from=\"server\""), f64::from(5 * round));
    }
    transferred.add(crate::opaque::From::Client, 1);
    drop(hop);
    assert_eq!(bytes("from=\"client\""), 7.0, "the rest, at its end");
}

#[tokio::test]
async fn a_stream_is_told_of_once_in_each_interval_and_at_its_end() {
    let (reports, sink) = sink();
    let mut events = reports.tap(TapRequest::default()).unwrap();
    let hop = open(&sink, |record| {
        record.exchange = Exchange::Tunnel;
        record.response_bytes = 0;
    });
    let start = hop.state().unwrap().record.start;
    let half = INTERVAL / 2;
    for halves in 0..6 {
        sink.look_at_streams(start + half * halves);
    }
    hop.close(End::Complete);
    let mut told = Vec::new();
    for _ in 0..3 {
        let event: TapEvent = events.next().await.unwrap().unwrap();
        told.push((event.open, event.duration_nano / 1_000_000_000));
    }
    assert_eq!(told, [(true, 60), (true, 120), (false, 0)]);
}

#[tokio::test]
async fn hops_that_end_in_any_order_leave_the_others_looked_at() {
    let (reports, sink) = sink();
    let stream = |record: &mut HopRecord| record.exchange = Exchange::Stream;
    let mut hops: Vec<_> = (0..10).map(|_| open(&sink, stream)).collect();
    for index in [9, 0, 3, 3, 0] {
        drop(hops.remove(index));
    }
    sink.look_at_streams(Instant::now());
    assert_eq!(open_streams(&reports), 5.0);
    drop(hops);
    assert_eq!(open_streams(&reports), 0.0);
}

#[tokio::test]
async fn of_very_many_hops_each_has_its_turn() {
    const HOPS: usize = 20_000;
    let (reports, sink) = sink();
    let stream = |record: &mut HopRecord| record.exchange = Exchange::Stream;
    let hops: Vec<_> = (0..HOPS).map(|_| open(&sink, stream)).collect();
    sink.look_at_streams(Instant::now());
    assert_eq!(open_streams(&reports), 2_000.0, "a tenth at a time");
    for _ in 1..10 {
        sink.look_at_streams(Instant::now());
    }
    assert_eq!(open_streams(&reports), HOPS as f64);
    drop(hops);
}
