//! Values for the tests of reports: hops, reports, and a reader of the text formats that accepts only what
//! their specifications allow.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clew_api::prometheus::exposition::Format;
use clew_model::identity::Identity;
use clew_model::name::{InstanceId, RouteName, ServiceName, Workload};
use clew_trace::{SpanId, TraceFlags, TraceId, TraceState};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use super::export::ExportTimes;
use super::{LogTarget, Reports, ReportsConfig, WorkerReports};
use crate::hop::{
    Classification, Direction, End, Exchange, HopRecord, HopTrace, Peer, Phase, PhaseTimes,
    SeriesKey, Told,
};

/// 2024-02-29T12:34:56.789012345Z.
pub(crate) const START_UNIX_NANO: u64 = 1_709_210_096_789_012_345;
/// Must never be seen outside of a record.
pub(crate) const SECRET: &str = "hunter2";

/// Labels of requests of webapp to books, as the sidecar of books sees them.
pub(crate) fn key(route: &str) -> SeriesKey {
    SeriesKey {
        direction: Direction::Inbound,
        peer: peer("webapp"),
        route: RouteName::from(route),
    }
}

/// A peer of the mesh that is called like its service.
pub(crate) fn peer(name: &str) -> Arc<Peer> {
    Arc::new(Peer {
        workload: Some(Workload::new(name, "shop")),
        instance: Some(InstanceId::from("webapp-1")),
        service: Some(ServiceName::from(name)),
        identity: Identity::parse("spiffe://cluster.local/ns/shop/sa/webapp").ok(),
    })
}

/// The trace of every hop here.
pub(crate) fn trace() -> HopTrace {
    HopTrace {
        trace_id: TraceId::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736).unwrap(),
        span_id: SpanId::new(0x00f0_67aa_0ba9_02b7).unwrap(),
        parent: SpanId::new(0x53ce_929d_0e0e_4736),
        link: None,
        kept: true,
        flags: TraceFlags::new(true, false),
        state: TraceState::default(),
    }
}

/// A successful inbound `GET /books/7?token=hunter2` of 12 ms with secrets in its headers, then changed.
pub(crate) fn hop(change: impl FnOnce(&mut HopRecord)) -> HopRecord {
    let start = Instant::now();
    let mut phases = PhaseTimes::default();
    phases.add(Phase::Route, Duration::from_nanos(1_500));
    phases.add(Phase::Request, Duration::from_micros(20));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static("Bearer hunter2"));
    headers.insert("cookie", HeaderValue::from_static("session=hunter2"));
    headers.insert("x-request-id", HeaderValue::from_static("r-1"));
    let mut response_headers = HeaderMap::new();
    response_headers.insert("set-cookie", HeaderValue::from_static("session=hunter2"));
    let mut record = HopRecord {
        key: key("GET /books/{id}"),
        route_is_configured: false,
        route_path: None,
        method: Method::GET,
        scheme: "http",
        authority: Arc::from("books:7002"),
        path: "/books/7?token=hunter2".parse().unwrap(),
        version: Version::HTTP_11,
        is_grpc: false,
        peer_address: Some(([10, 1, 2, 3], 40_000).into()),
        request_headers: Some(headers),
        response_headers: Some(response_headers),
        start,
        start_unix_nano: START_UNIX_NANO,
        response_start: Some(start + Duration::from_millis(10)),
        first_body: Some(start + Duration::from_millis(11)),
        end: start + Duration::from_millis(12),
        phases,
        evidence: None,
        trace: Some(trace()),
        status: Some(StatusCode::OK),
        grpc_status: None,
        outcome: End::Complete,
        classification: Classification::Success,
        exchange: Exchange::Unary,
        request_bytes: 0,
        response_bytes: 512,
        told: Told::default(),
    };
    change(&mut record);
    record
}

/// The reports of one instance of books, without a collector.
pub(crate) fn config(workers: usize) -> ReportsConfig {
    ReportsConfig {
        workload: Workload::new("books", "shop"),
        instance: InstanceId::from("books-1"),
        workers: NonZeroUsize::new(workers).unwrap(),
        otlp: None,
        max_series: 100,
        max_queued_spans: 1_000,
        access_log: LogTarget::Writer(Box::new(tokio::io::sink())),
        export_times: ExportTimes::default(),
    }
}

/// Reports with one worker, on the thread of the test.
pub(crate) fn one_worker(config: ReportsConfig) -> (Arc<Reports>, WorkerReports) {
    let (reports, mut slots) = Reports::new(config);
    (reports, slots.remove(0).open())
}

/// Opens and closes a hop.
pub(crate) fn report(worker: &WorkerReports, record: HopRecord) {
    let series = worker.series(&record.key);
    worker.opened(&series);
    worker.close(&series, &record);
}

/// So many hops of a route.
pub(crate) fn report_many(worker: &WorkerReports, route: &str, times: usize) {
    for _ in 0..times {
        report(worker, hop(|record| record.key.route = route.into()));
    }
}

/// What a scrape shows: value by name and labels, as they are in the text.
pub(crate) fn scrape(reports: &Reports) -> BTreeMap<String, f64> {
    let body = String::from_utf8(reports.scrape(Format::Text).body).unwrap();
    read_text(&body, false)
}

/// The sum of the samples of a name whose labels contain all of these texts.
pub(crate) fn sum(samples: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let matches = |series: &str| {
        let of_name = series
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        of_name && labels.iter().all(|label| series.contains(label))
    };
    samples
        .iter()
        .filter(|(series, _)| matches(series))
        .map(|(_, value)| value)
        .sum()
}

/// Reads an exposition and panics at anything that a scraper could refuse.
pub(crate) fn read_text(body: &str, openmetrics: bool) -> BTreeMap<String, f64> {
    let mut reader = Reader {
        openmetrics,
        ..Reader::default()
    };
    assert!(body.ends_with('\n'), "the last line is not ended");
    for line in body.lines() {
        assert!(!reader.ended, "something comes after the end: {line}");
        reader.line(line);
    }
    assert_eq!(reader.ended, openmetrics, "only OpenMetrics has an end");
    reader.check_histograms();
    reader.samples
}

#[derive(Default)]
struct Reader {
    openmetrics: bool,
    helped: BTreeSet<String>,
    /// Name and type of every family so far, and of the one that is being read.
    families: BTreeSet<String>,
    current: Option<(String, String)>,
    samples: BTreeMap<String, f64>,
    ended: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if line == "# EOF" {
            self.ended = true;
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').expect("a help has a text");
            assert!(!text.is_empty());
            assert!(self.helped.insert(name.to_owned()), "two helps for {name}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type has a name");
            assert!(
                self.helped.contains(name),
                "no help before the type of {name}"
            );
            assert!(
                self.families.insert(name.to_owned()),
                "two types for {name}"
            );
            self.current = Some((name.to_owned(), kind.to_owned()));
        } else {
            self.sample(line);
        }
    }

    fn sample(&mut self, line: &str) {
        let (line, exemplar) = line
            .split_once(" # ")
            .map_or((line, None), |(line, rest)| (line, Some(rest)));
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = series.split('{').next().unwrap();
        let (family, kind) = self.current.as_ref().expect("a type comes before samples");
        let suffix = name
            .strip_prefix(family.as_str())
            .unwrap_or_else(|| panic!("{name} is not of {family}"));
        let allowed: &[&str] = match (kind.as_str(), self.openmetrics) {
            ("counter", true) => &["_total", "_created"],
            ("counter" | "gauge", _) => &[""],
            ("histogram", true) => &["_bucket", "_sum", "_count", "_created"],
            ("histogram", false) => &["_bucket", "_sum", "_count"],
            other => panic!("unknown type {other:?}"),
        };
        assert!(allowed.contains(&suffix), "{name} in a {kind}");
        check_labels(series.strip_prefix(name).unwrap());
        if let Some(exemplar) = exemplar {
            assert!(
                self.openmetrics && suffix == "_bucket",
                "an exemplar at {line}"
            );
            let (labels, rest) = exemplar.split_once("} ").expect("an exemplar has a value");
            check_labels(&format!("{labels}}}"));
            assert!(rest.split(' ').all(|number| number.parse::<f64>().is_ok()));
        }
        let value = value.parse::<f64>().expect("a value is a number");
        assert!(
            self.samples.insert(series.to_owned(), value).is_none(),
            "two samples of {series}"
        );
    }

    fn check_histograms(&self) {
        let mut last: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        let mut bounded: Vec<(String, f64, f64)> = Vec::new();
        for (series, count) in self
            .samples
            .iter()
            .filter(|(series, _)| series.contains("_bucket{"))
        {
            let (labels, bound) = series.rsplit_once("le=\"").expect("a bucket has a bound");
            let bound = bound
                .strip_suffix("\"}")
                .unwrap()
                .parse()
                .unwrap_or(f64::INFINITY);
            bounded.push((labels.trim_end_matches(',').to_owned(), bound, *count));
        }
        bounded.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (labels, bound, count) in bounded {
            if let Some((_, before)) = last.insert(labels.clone(), (bound, count)) {
                assert!(before <= count, "{labels} falls at {bound}");
            }
        }
        for (labels, (bound, count)) in last {
            assert_eq!(bound, f64::INFINITY, "{labels} has no last bucket");
            let total = format!("{}}}", labels.replacen("_bucket{", "_count{", 1));
            assert_eq!(self.samples.get(&total), Some(&count), "{total}");
        }
    }
}

/// `{name="value",...}` or nothing, with escapes as they have to be.
fn check_labels(labels: &str) {
    if labels.is_empty() {
        return;
    }
    let mut rest = labels
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .expect("labels are in braces");
    let mut names = BTreeSet::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("a label has a value");
        assert!(
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name:?}"
        );
        assert!(names.insert(name), "two labels {name}");
        let mut escaped = false;
        let end = value
            .char_indices()
            .find(|&(_, character)| {
                let ends = character == '"' && !escaped;
                assert!(
                    !escaped || matches!(character, '\\' | '"' | 'n'),
                    "\\{character}"
                );
                escaped = character == '\\' && !escaped;
                ends
            })
            .expect("a label's value ends")
            .0;
        assert!(end > 0, "an empty {name} should be left out");
        rest = value[end + 1..]
            .strip_prefix(',')
            .unwrap_or(&value[end + 1..]);
    }
}
