#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::audit::Audit;
use crate::report::fixture::{config, hop, read_text};
use clew_api::prometheus::{
    ACCEPT_PROTOBUF, CONTENT_TYPE_OPENMETRICS, CONTENT_TYPE_PROTOBUF, decode_delimited,
};
use clew_api::wire::tap::TapRequest;
use clew_api::wire::tap::tap_client::TapClient;
use clew_runtime::logging::{self, LogFormat};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Served {
    admin: Admin,
    reports: Arc<Reports>,
    worker: crate::report::WorkerReports,
    readiness: Readiness,
    shutdowns: Arc<AtomicUsize>,
    address: SocketAddr,
    tap: SocketAddr,
}

fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// That of the process, which says nothing: all tests may share it.
fn log() -> LogControl {
    static LOG: OnceLock<LogControl> = OnceLock::new();
    let init = || logging::init(LogFormat::Json, "off").unwrap();
    LOG.get_or_init(init).clone()
}

fn serve() -> Served {
    let (reports, mut slots) = Reports::new(config(1));
    let (admin, tap) = (listener(), listener());
    let (address, tap_address) = (admin.local_addr().unwrap(), tap.local_addr().unwrap());
    let readiness = Readiness::default();
    let shutdowns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&shutdowns);
    let config = AdminConfig {
        admin,
        tap,
        audit: Arc::new(Audit::new(Instant::now(), Arc::default())),
        config: Arc::new(|| "workload: books".to_owned()),
        readiness: readiness.clone(),
        shutdown: Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }),
        log: Some(log()),
    };
    let admin = Admin::start(config, &reports).unwrap();
    Served {
        admin,
        worker: slots.remove(0).open(),
        reports,
        readiness,
        shutdowns,
        address,
        tap: tap_address,
    }
}

/// One request on a connection of its own: head and body of the answer.
async fn ask(address: SocketAddr, request: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer has a head")
        + 4;
    (
        String::from_utf8(answer[..end].to_vec()).unwrap(),
        answer[end..].to_vec(),
    )
}

async fn status(served: &Served, request: &str, headers: &str) -> (u16, String) {
    let (head, body) = ask(served.address, request, headers).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn every_page_answers() {
    let served = serve();
    assert_eq!(
        status(&served, "GET /live", "").await,
        (200, "live\n".to_owned())
    );
    assert_eq!(
        status(&served, "GET /config", "").await,
        (200, "workload: books".to_owned())
    );
    assert_eq!(status(&served, "GET /nothing", "").await.0, 404);
    assert_eq!(status(&served, "POST /metrics", "").await.0, 405);
    assert_eq!(status(&served, "GET /shutdown", "").await.0, 405);
    assert_eq!(
        status(&served, "HEAD /live", "").await,
        (200, String::new())
    );
    let (head, _) = ask(served.address, "DELETE /live", "").await;
    assert!(head.contains("allow: GET, HEAD\r\n"), "{head}");
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let served = serve();
    served.readiness.add("draining");
    assert_eq!(
        status(&served, "GET /ready", "").await,
        (503, "not ready: draining, starting\n".to_owned())
    );
    served.readiness.set_ready();
    served.readiness.remove("draining");
    assert_eq!(
        status(&served, "GET /ready", "").await,
        (200, "ready\n".to_owned())
    );
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let served = serve();
    let record = hop(|_| {});
    let series = served.worker.series(&record.key);
    served.worker.opened(&series);
    served.worker.close(&series, &record);

    let (head, body) = ask(served.address, "GET /metrics", "").await;
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    read_text(&String::from_utf8(body).unwrap(), false);

    let (head, body) = ask(
        served.address,
        "GET /metrics",
        "accept: application/openmetrics-text;version=1.0.0\r\n",
    )
    .await;
    assert!(head.contains(CONTENT_TYPE_OPENMETRICS), "{head}");
    read_text(&String::from_utf8(body).unwrap(), true);

    let (head, body) = ask(
        served.address,
        "GET /metrics",
        &format!("accept: {ACCEPT_PROTOBUF}\r\n"),
    )
    .await;
    assert!(head.contains(CONTENT_TYPE_PROTOBUF), "{head}");
    assert!(
        decode_delimited(&body)
            .unwrap()
            .iter()
            .any(|family| family.name() == "request_total")
    );
}

#[tokio::test]
async fn a_scrape_is_one_that_was_read() {
    let served = serve();
    ask(served.address, "HEAD /metrics", "").await;
    assert_eq!(served.reports.last_scraped(), None);
    let next = served.reports.next_scrape();
    let mut next = std::pin::pin!(next);
    assert!(futures_util::poll!(next.as_mut()).is_pending());
    ask(served.address, "GET /metrics", "").await;
    next.await;
}

#[tokio::test]
async fn shutdown_is_for_programs_of_this_machine() {
    let served = serve();
    assert_eq!(
        status(
            &served,
            "POST /shutdown",
            "origin: http://example.com\r\ncontent-length: 0\r\n"
        )
        .await
        .0,
        403
    );
    assert_eq!(served.shutdowns.load(Ordering::Relaxed), 0);
    assert_eq!(
        status(&served, "POST /shutdown", "content-length: 0\r\n")
            .await
            .0,
        200
    );
    assert_eq!(served.shutdowns.load(Ordering::Relaxed), 1);
    let pages = Pages {
        audit: Arc::new(Audit::new(Instant::now(), Arc::default())),
        reports: Arc::clone(&served.reports),
        readiness: Readiness::default(),
        config: Arc::new(String::new),
        log: None,
        shutdown: Arc::new(|| panic!("from far away")),
    };
    let request = http::Request::post("/shutdown").body(()).unwrap();
    let answer = pages.respond(&request, ([10, 1, 2, 3], 1).into());
    assert_eq!(answer.status(), http::StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_logged_is_shown_and_changed() {
    let served = serve();
    assert_eq!(
        status(&served, "GET /log-level", "").await,
        (200, "off\n".to_owned())
    );
    let put = async |levels: &str| {
        let headers = format!("content-length: {}\r\n\r\n{levels}", levels.len());
        status(&served, "PUT /log-level", &headers).await
    };
    let changed = put("error,clew_proxy=off\n").await;
    assert_eq!(changed, (200, "clew_proxy=off,error\n".to_owned()));
    let wrong = put("loud").await;
    assert_eq!(wrong.0, 400);
    assert!(
        wrong.1.contains("expected a level such as info"),
        "{wrong:?}"
    );
    assert_eq!(put(&"off,".repeat(300)).await.0, 413);
    assert_eq!(status(&served, "GET /log-level", "").await, changed);
    let (head, _) = ask(served.address, "POST /log-level", "").await;
    assert!(head.contains("allow: GET, HEAD, PUT\r\n"), "{head}");
}

#[tokio::test]
async fn what_is_logged_is_changed_by_programs_of_this_machine_alone() {
    let served = serve();
    let before = status(&served, "GET /log-level", "").await;
    let headers = "origin: http://example.com\r\ncontent-length: 5\r\n\r\nerror";
    assert_eq!(status(&served, "PUT /log-level", headers).await.0, 403);
    let pages = Pages {
        audit: Arc::new(Audit::new(Instant::now(), Arc::default())),
        reports: Arc::clone(&served.reports),
        readiness: Readiness::default(),
        config: Arc::new(String::new),
        log: Some(log()),
        shutdown: Arc::new(|| {}),
    };
    let request = http::Request::put("/log-level")
        .body("error".to_owned())
        .unwrap();
    let answer = pages.answer(request, ([10, 1, 2, 3], 1).into()).await;
    assert_eq!(answer.status(), http::StatusCode::FORBIDDEN);
    assert_eq!(status(&served, "GET /log-level", "").await, before);
}

#[tokio::test]
async fn tap_shows_hops_as_they_close_and_ends_with_the_proxy() {
    let served = serve();
    let endpoint =
        tonic::transport::Endpoint::from_shared(format!("http://{}", served.tap)).unwrap();
    let mut client = TapClient::new(endpoint.connect().await.unwrap());
    let mut events = client
        .watch(TapRequest::default())
        .await
        .unwrap()
        .into_inner();
    let record = hop(|_| {});
    let series = served.worker.series(&record.key);
    served.worker.close(&series, &record);
    assert_eq!(
        events.message().await.unwrap().unwrap().route,
        "GET /books/{id}"
    );
    let wrong = client
        .watch(TapRequest {
            direction: "up".to_owned(),
            ..TapRequest::default()
        })
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), tonic::Code::InvalidArgument);
    served.admin.stop().await;
    assert_eq!(events.message().await.unwrap(), None);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let served = serve();
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream
        .write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 16];
    stream.read_exact(&mut some).await.unwrap();
    served.admin.stop().await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}
