use super::super::golden::tests::{minute, plain};
use super::*;
use clew_api::rest::mesh::{MemberProcess, MemberSeries, MemberSpans, MeshControl, MeshObserve};

fn member(id: &str) -> MeshMember {
    MeshMember {
        id: id.to_owned(),
        workload: "web".to_owned(),
        namespace: "default".to_owned(),
        role: "proxy".to_owned(),
        version: "0.1.0".to_owned(),
        pid: 7,
        machine: None,
        started: "2001-09-09T01:46:40Z".to_owned(),
        leaving: false,
        last_scrape: None,
        scrape_error: None,
        inbound_rps: None,
        outbound_rps: None,
        spans: None,
        series: None,
        access_log_lines_dropped: None,
        identity: None,
        certificate: None,
        process: None,
    }
}

fn mesh(members: Vec<MeshMember>) -> Mesh {
    Mesh {
        window: minute(),
        members,
        store: MeshStore {
            path: "/tmp/clew/store.db".to_owned(),
            bytes: 3 << 20,
            bytes_limit: 1 << 30,
            age_limit_seconds: 86_400.0,
            traces: 12,
            series: 34,
            oldest_trace: None,
            oldest_point: None,
            crowded_at: None,
            spans_written: 100,
            spans_repeated: 0,
            scrapes_written: 9,
            traces_expired: 0,
            lost: BTreeMap::new(),
            upkeep: None,
        },
        ingest: MeshIngest {
            requests: 5,
            spans_received: 100,
            spans_stored: 100,
            spans_refused: BTreeMap::new(),
            requests_refused: BTreeMap::new(),
            values_cut: 0,
        },
        observe: MeshObserve {
            version: "0.1.0".to_owned(),
            pid: 1,
        },
        control: MeshControl {
            answers: true,
            error: None,
        },
    }
}

fn count(reason: &str, count: u64) -> BTreeMap<String, u64> {
    BTreeMap::from([(reason.to_owned(), count)])
}

#[test]
fn members_that_are_well_leave_or_are_not_read() {
    let mut well = member("web-1");
    well.inbound_rps = Some(12.5);
    well.outbound_rps = Some(0.0);
    well.spans = Some(MemberSpans {
        emitted: 30,
        exported: 20,
        dropped: count("queue_full", 4),
        waiting: 6,
        unsampled: 0,
    });
    well.series = Some(MemberSeries {
        family: "response_total".to_owned(),
        used: 9,
        limit: 1_000,
        by_family: count("response_total", 9),
        dropped: BTreeMap::new(),
    });
    well.process = Some(MemberProcess {
        members: 1,
        roles: Vec::new(),
        resident_bytes: Some(12 << 20),
        cpu_seconds: Some(3.0),
        cpu_cores: Some(0.256),
        open_fds: Some(40),
    });
    let mut leaving = member("web-2");
    leaving.leaving = true;
    let mut silent = member("web-3");
    silent.scrape_error = Some("no answer within 1s".to_owned());
    let mesh = mesh(vec![well, leaving, silent]);
    insta::assert_snapshot!(plain(&render(&mesh, false)), @r"
    NAME  INSTANCE  STATE                          RPS_IN  RPS_OUT  EXPORTED  LOST  SERIES    MEMORY   CPU
    web   web-1     in                               12.5        0        20     4  9/1000  12.0 MiB  0.26
    web   web-2     leaving                             -        -         -     -       -         -     -
    web   web-3     not read: no answer within 1s       -        -         -     -       -         -     -
    
    Control: answers
    Observe: 0.1.0
    Store: 3.00 MiB of 1.00 GiB, 12 traces, 34 series, /tmp/clew/store.db
    Spans in: 100 stored of 100, in 5 requests
    ");
    insta::assert_snapshot!(plain(&render(&mesh, true)), @r"
    NAMESPACE  NAME  INSTANCE  STATE                          RPS_IN  RPS_OUT  EXPORTED  LOST  SERIES    MEMORY   CPU  WAITING  FDS  PID  VERSION
    default    web   web-1     in                               12.5        0        20     4  9/1000  12.0 MiB  0.26        6   40    7  0.1.0
    default    web   web-2     leaving                             -        -         -     -       -         -     -        -    -    7  0.1.0
    default    web   web-3     not read: no answer within 1s       -        -         -     -       -         -     -        -    -    7  0.1.0
    
    Control: answers
    Observe: 0.1.0
    Store: 3.00 MiB of 1.00 GiB, 12 traces, 34 series, /tmp/clew/store.db
    Spans in: 100 stored of 100, in 5 requests
    ");
}

#[test]
fn what_is_lost_is_named() {
    let mut mesh = mesh(Vec::new());
    mesh.control.error = Some("control did not answer within 3 s".to_owned());
    mesh.store.lost = count("samples_refused", 2);
    mesh.ingest.spans_refused = count("store_full", 7);
    mesh.ingest.requests_refused = count("shed", 1);
    insta::assert_snapshot!(plain(&render(&mesh, false)), @r"
    Control: control did not answer within 3 s
    Observe: 0.1.0
    Store: 3.00 MiB of 1.00 GiB, 12 traces, 34 series, /tmp/clew/store.db; lost: samples_refused=2
    Spans in: 100 stored of 100, in 5 requests; spans refused: store_full=7; requests refused: shed=1
    ");
}

#[test]
fn what_is_of_a_shared_process_is_shown_once() {
    let of = |id: &str, pid: u32| MeshMember {
        pid,
        process: Some(MemberProcess {
            members: if pid == 7 { 2 } else { 1 },
            roles: if pid == 7 {
                vec!["control".to_owned()]
            } else {
                Vec::new()
            },
            resident_bytes: Some(12 << 20),
            cpu_seconds: None,
            cpu_cores: None,
            open_fds: None,
        }),
        ..member(id)
    };
    // Nothing is told of the first: it is not the line above that has it.
    let members = vec![
        member("web-0"),
        of("web-1", 7),
        of("web-2", 8),
        of("web-3", 7),
    ];
    let mesh = mesh(members);
    insta::assert_snapshot!(plain(&render(&mesh, false)), @r#"
    NAME  INSTANCE  STATE  RPS_IN  RPS_OUT  EXPORTED  LOST  SERIES    MEMORY  CPU
    web   web-0     in          -        -         -     -       -         -    -
    web   web-1     in          -        -         -     -       -  12.0 MiB    -
    web   web-2     in          -        -         -     -       -  12.0 MiB    -
    web   web-3     in          -        -         -     -       -         "    -

    Shared: process 7 runs 2 proxies, control
    Control: answers
    Observe: 0.1.0
    Store: 3.00 MiB of 1.00 GiB, 12 traces, 34 series, /tmp/clew/store.db
    Spans in: 100 stored of 100, in 5 requests
    "#);
}
