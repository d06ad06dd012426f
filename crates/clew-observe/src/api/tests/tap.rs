//! `tap`, over fake proxies.

use super::mesh::{TestMesh, member};
use axum::body::Body;
use axum::http::{Method, Response};
use clew_api::client::Instance;
use clew_api::rest::tap::{TapLine, TapRequest, TapSkipped, TapWatching};
use clew_api::wire::tap as wire;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::Status;
use wire::tap_server::{Tap, TapServer};

/// A proxy that hands its taps to the test.
pub(super) struct FakeProxy {
    address: SocketAddr,
    taps: mpsc::Receiver<OpenTap>,
    server: tokio::task::JoinHandle<()>,
}

/// A tap as its proxy sees it.
pub(super) struct OpenTap {
    asked: wire::TapRequest,
    pub(super) events: mpsc::Sender<Result<wire::TapEvent, Status>>,
}

struct Service(mpsc::Sender<OpenTap>);

#[tonic::async_trait]
impl Tap for Service {
    type WatchStream = BoxStream<'static, Result<wire::TapEvent, Status>>;

    async fn watch(
        &self,
        request: tonic::Request<wire::TapRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let (events, stream) = mpsc::channel(64);
        self.0
            .send(OpenTap {
                asked: request.into_inner(),
                events,
            })
            .await
            .unwrap();
        Ok(tonic::Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

impl FakeProxy {
    pub(super) async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (opened, taps) = mpsc::channel(8);
        let server =
            tonic::transport::Server::builder().add_service(TapServer::new(Service(opened)));
        let serve = async move {
            server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap()
        };
        Self {
            address,
            taps,
            server: tokio::spawn(serve),
        }
    }

    pub(super) fn as_member(&self, id: &str, workload: &str) -> Instance {
        Instance {
            tap_address: Some(self.address),
            ..member(id, workload, None)
        }
    }

    pub(super) async fn tapped(&mut self) -> OpenTap {
        self.taps.recv().await.unwrap()
    }
}

impl OpenTap {
    pub(super) async fn send(&self, path: &str, skipped: u64) {
        let event = wire::TapEvent {
            path: path.to_owned(),
            skipped,
            direction: "inbound".to_owned(),
            ..event()
        };
        self.events.send(Ok(event)).await.unwrap();
    }
}

fn event() -> wire::TapEvent {
    wire::TapEvent {
        start_unix_nano: 1_000_000_000_000_000_000,
        duration_nano: 1_500_000,
        workload: "books".to_owned(),
        namespace: "default".to_owned(),
        instance: "books-1".to_owned(),
        method: "GET".to_owned(),
        status_code: 200,
        classification: "success".to_owned(),
        request_headers: vec![wire::Header {
            name: "cookie".to_owned(),
            value: "(redacted)".to_owned(),
        }],
        proxy_time_nano: [
            ("request".to_owned(), 42_000),
            ("connect".to_owned(), 1_000_000),
        ]
        .into(),
        ..wire::TapEvent::default()
    }
}

/// The lines of an open tap.
struct Lines {
    body: Body,
    read: VecDeque<TapLine>,
}

impl Lines {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        Self {
            body: response.into_body(),
            read: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Option<TapLine> {
        while self.read.is_empty() {
            let data = self.body.frame().await?.unwrap().into_data().unwrap();
            let lines = data
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            self.read
                .extend(lines.map(|line| serde_json::from_slice::<TapLine>(line).unwrap()));
        }
        self.read.pop_front()
    }

    async fn watching(&mut self) -> TapWatching {
        loop {
            match self.next().await.unwrap() {
                TapLine::Watching(watching) => return watching,
                TapLine::Request(_) | TapLine::Skipped(_) => {}
            }
        }
    }

    async fn request(&mut self) -> TapRequest {
        loop {
            match self.next().await.unwrap() {
                TapLine::Request(request) => return *request,
                TapLine::Watching(_) | TapLine::Skipped(_) => {}
            }
        }
    }
}

async fn tap(mesh: &TestMesh, query: &str) -> Lines {
    Lines::of(mesh.ask(Method::GET, &format!("/tap{query}"), "").await)
}

fn watching(instances: &[&str], unreachable: &[&str]) -> TapWatching {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    TapWatching {
        instances: owned(instances),
        unreachable: owned(unreachable),
    }
}

#[tokio::test]
async fn requests_of_every_member_that_matches_come_as_lines() {
    let (mut books, mut other) = (FakeProxy::begin().await, FakeProxy::begin().await);
    let mesh = TestMesh::of(vec![
        books.as_member("books-1", "books"),
        other.as_member("web-1", "web"),
    ])
    .await;
    let mut lines = tap(
        &mesh,
        "?workload=books&direction=inbound&method=get&path=%2Fbooks&peer=web&failures=true",
    )
    .await;
    let (tapped, first) = tokio::join!(books.tapped(), lines.watching());
    assert_eq!(first, watching(&["books-1"], &[]));
    let asked = wire::TapRequest {
        direction: "inbound".to_owned(),
        method: "GET".to_owned(),
        path_prefix: "/books".to_owned(),
        peer_workload: "web".to_owned(),
        failures_only: true,
        max_per_second: 100,
        ..wire::TapRequest::default()
    };
    assert_eq!(tapped.asked, asked);
    tapped.send("/books/7", 0).await;
    let request = lines.request().await;
    assert_eq!(
        (
            request.path.as_str(),
            request.status_code,
            request.duration_ms
        ),
        ("/books/7", Some(200), 1.5)
    );
    assert_eq!(request.start, "2001-09-09T01:46:40Z");
    assert_eq!(request.request_headers[0].value, "(redacted)");
    let time = request.proxy_time.as_ref().unwrap();
    assert_eq!((time.work_us, time.wait_us), (42, 1_000));
    assert!(
        request.peer_workload.is_none() && request.trace_id.is_none() && request.error.is_none()
    );
    assert!(other.taps.try_recv().is_err(), "nobody asked for web");
}

#[tokio::test]
async fn a_member_that_joins_is_watched_and_one_that_leaves_is_not() {
    let (mut first, mut second) = (FakeProxy::begin().await, FakeProxy::begin().await);
    let (one, two) = (
        first.as_member("books-1", "books"),
        second.as_member("books-2", "books"),
    );
    let mesh = TestMesh::of(vec![one.clone()]).await;
    let mut lines = tap(&mesh, "").await;
    let (tapped, known) = tokio::join!(first.tapped(), lines.watching());
    assert_eq!(known, watching(&["books-1"], &[]));

    mesh.join(vec![one, two.clone()]).await;
    let (joined, known) = tokio::join!(second.tapped(), lines.watching());
    assert_eq!(known, watching(&["books-1", "books-2"], &[]));
    joined.send("/from-the-new", 0).await;
    assert_eq!(lines.request().await.path, "/from-the-new");

    mesh.join(vec![two]).await;
    assert_eq!(lines.watching().await, watching(&["books-2"], &[]));
    tapped.events.closed().await;
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_is_named() {
    let proxy = FakeProxy::begin().await;
    let gone = proxy.as_member("books-1", "books");
    proxy.server.abort();
    let _ = proxy.server.await;
    let mesh = TestMesh::of(vec![gone]).await;
    let mut lines = tap(&mesh, "").await;
    assert_eq!(lines.watching().await, watching(&[], &["books-1"]));
}

#[tokio::test]
async fn past_the_rate_requests_are_counted_not_shown() {
    let mut proxy = FakeProxy::begin().await;
    let mesh = TestMesh::of(vec![proxy.as_member("books-1", "books")]).await;
    let mut lines = tap(&mesh, "?max_rps=2").await;
    let (tapped, _) = tokio::join!(proxy.tapped(), lines.watching());
    assert_eq!(tapped.asked.max_per_second, 2);
    // Within a second or over two, at least two of five are shown; what the proxy left out is told too.
    for skipped in [0, 0, 0, 0, 7] {
        tapped.send("/", skipped).await;
    }
    let (mut shown, mut skipped) = (0, 0);
    while shown + skipped < 12 {
        match lines.next().await.unwrap() {
            TapLine::Request(_) => shown += 1,
            TapLine::Skipped(TapSkipped { requests }) => skipped += requests,
            TapLine::Watching(_) => {}
        }
    }
    assert!(
        shown >= 2 && skipped >= 7,
        "{shown} shown, {skipped} skipped"
    );
}

#[tokio::test]
async fn the_proxies_are_let_go_when_the_client_goes_away() {
    let mut proxy = FakeProxy::begin().await;
    let mesh = TestMesh::of(vec![proxy.as_member("books-1", "books")]).await;
    let mut lines = tap(&mesh, "").await;
    let (tapped, _) = tokio::join!(proxy.tapped(), lines.watching());
    drop(lines);
    tapped.events.closed().await;
}

#[tokio::test]
async fn a_tap_ends_when_the_mesh_does() {
    let mut proxy = FakeProxy::begin().await;
    let mesh = TestMesh::of(vec![proxy.as_member("books-1", "books")]).await;
    let mut lines = tap(&mesh, "").await;
    let (_tapped, _) = tokio::join!(proxy.tapped(), lines.watching());
    mesh.drain.start();
    while let Some(line) = lines.next().await {
        assert!(!matches!(line, TapLine::Request(_)));
    }
}

#[tokio::test]
async fn a_tap_of_nobody_and_one_too_many_are_refused() {
    let mesh = TestMesh::of(vec![member("web-1", "web", None)]).await;
    let unknown = mesh.refused("/tap?workload=books").await;
    assert_eq!(
        (unknown.status, unknown.known),
        (404, vec!["web".to_owned()])
    );
    assert_eq!(
        mesh.refused("/tap?direction=sideways")
            .await
            .parameter
            .as_deref(),
        Some("direction")
    );
    assert_eq!(
        mesh.refused("/tap?max_rps=0").await.parameter.as_deref(),
        Some("max_rps")
    );
    let mut open = Vec::new();
    for _ in 0..super::super::tap::MAX_TAPS {
        open.push(tap(&mesh, "").await);
    }
    assert_eq!(mesh.refused("/tap").await.status, 503);
    open.pop();
    tap(&mesh, "").await;
}
