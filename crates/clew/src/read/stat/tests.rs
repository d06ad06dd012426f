use super::super::golden::tests::{golden, minute, plain};
use super::*;
use clew_api::rest::golden::{MeanTimes, ProxyQuantiles, Tcp};

fn workload(name: &str, inbound: Option<SideStat>, outbound: Option<SideStat>) -> WorkloadStat {
    WorkloadStat {
        workload: name.to_owned(),
        namespace: "default".to_owned(),
        role: Some("proxy".to_owned()),
        instances: 2,
        inbound,
        outbound,
        propagation_score: None,
    }
}

fn requests(successes: u64, failures: u64, cancelled: u64) -> Option<SideStat> {
    Some(SideStat {
        golden: Some(golden(successes, failures, cancelled)),
        tcp: None,
        proxy_time_ms: Some(ProxyQuantiles {
            p50: 0.041,
            p99: 0.3,
        }),
        mean_ms: Some(MeanTimes {
            latency: 6.5,
            proxy: 0.05,
            wait: 0.45,
            beyond: 6.0,
        }),
    })
}

fn mesh() -> Stat {
    let tcp = Tcp {
        opened: 3,
        closed: 1,
        open: Some(2),
        read_bytes: 1_536,
        written_bytes: 20,
    };
    let opaque = SideStat {
        golden: None,
        tcp: Some(tcp),
        ..SideStat::default()
    };
    Stat {
        window: minute(),
        workloads: vec![
            workload("books", requests(1_200_000, 1_000, 17), None),
            workload("db", Some(opaque), None),
            workload("idle", None, None),
            workload("traffic", None, requests(600, 0, 0)),
            workload("webapp", requests(560, 40, 0), requests(90, 10, 0)),
        ],
    }
}

#[test]
fn a_table_shows_who_serves_and_who_only_sends() {
    insta::assert_snapshot!(plain(&render(&mesh(), false)), @r"
    NAME     INSTANCES  DIRECTION  SUCCESS     RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  TCP_CONN
    books            2  inbound     99.91%  20.0 k      4.20 ms      18.6 ms       1.20 s         -
    db               2  inbound          -       -            -            -            -         2
    idle             2  inbound          -       -            -            -            -         -
    traffic          2  outbound   100.00%    10.0      4.20 ms      18.6 ms       1.20 s         -
    webapp           2  inbound     93.33%    10.0      4.20 ms      18.6 ms       1.20 s         -
    ");
}

#[test]
fn wide_shows_both_sides_and_every_number() {
    insta::assert_snapshot!(plain(&render(&mesh(), true)), @r"
    NAMESPACE  NAME     INSTANCES  DIRECTION  SUCCESS     RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  STREAMS  REQUESTS  FAILURES  CANCELLED  SCORE  TCP_CONN  TCP_READ  TCP_WRITTEN  PROXY_P50  PROXY_P99     MEAN  PROXY    WAIT   BEYOND  ERRORS
    default    books            2  inbound     99.91%  20.0 k      4.20 ms      18.6 ms       1.20 s        0   1201017      1000         17      -         -         -            -      41 us     300 us  6.50 ms  50 us  450 us  6.00 ms  503=1000 client_cancelled=17
    default    db               2  inbound          -       -            -            -            -        -         -         -          -      -         2  1.50 KiB         20 B          -          -        -      -       -        -  -
    default    idle             2  inbound          -       -            -            -            -        -         -         -          -      -         -         -            -          -          -        -      -       -        -  -
    default    traffic          2  outbound   100.00%    10.0      4.20 ms      18.6 ms       1.20 s        0       600         0          0      -         -         -            -      41 us     300 us  6.50 ms  50 us  450 us  6.00 ms  -
    default    webapp           2  inbound     93.33%    10.0      4.20 ms      18.6 ms       1.20 s        0       600        40          0      -         -         -            -      41 us     300 us  6.50 ms  50 us  450 us  6.00 ms  503=40
    default    webapp           2  outbound    90.00%    1.67      4.20 ms      18.6 ms       1.20 s        0       100        10          0      -         -         -            -      41 us     300 us  6.50 ms  50 us  450 us  6.00 ms  503=10
    ");
}

#[test]
fn a_namespace_is_shown_where_there_are_several() {
    let mut elsewhere = workload("books", requests(6, 0, 0), None);
    elsewhere.namespace = "staging".to_owned();
    let stat = Stat {
        window: minute(),
        workloads: vec![workload("books", requests(6, 0, 0), None), elsewhere],
    };
    insta::assert_snapshot!(plain(&render(&stat, false)), @r"
    NAMESPACE  NAME   INSTANCES  SUCCESS   RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99
    default    books          2  100.00%  0.10      4.20 ms      18.6 ms       1.20 s
    staging    books          2  100.00%  0.10      4.20 ms      18.6 ms       1.20 s
    ");
}

#[test]
fn a_score_is_shown_where_one_is_not_whole() {
    let mut stat = mesh();
    stat.workloads.truncate(1);
    stat.workloads[0].propagation_score = Some(1.0);
    assert!(!render(&stat, false).contains("SCORE"));
    stat.workloads[0].propagation_score = Some(0.25);
    insta::assert_snapshot!(plain(&render(&stat, false)), @r"
    NAME   INSTANCES  SUCCESS     RPS  LATENCY_P50  LATENCY_P95  LATENCY_P99  SCORE
    books          2   99.91%  20.0 k      4.20 ms      18.6 ms       1.20 s  25.00
    ");
}
