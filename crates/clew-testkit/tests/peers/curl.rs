//! curl, in every way in which it can send a request.

use super::golden::{Counts, inbound, outbound};
use super::h2load::authors;
use clew_api::rest::tap::{TapLine, TapRequest};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{
    LocalMesh, Program, Shell, command, eventually, finish, peer, stdout,
};
use serde_json::Value;
use std::io::Write;

const CURL: [&str; 4] = ["curl", "--silent", "--show-error", "--fail"];

/// To the service's own listener and not to `HTTP_PROXY`.
const PAST_THE_PROXY: &[&str] = &["--noproxy", "*"];

/// The service `books` in Flask, and a place to call it from.
struct Scene {
    mesh: LocalMesh,
    _books: Program,
    shell: Shell,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let shell = mesh.shell("shell", &["--to", "books"]).await;
        Self {
            mesh,
            _books: books,
            shell,
        }
    }

    /// The service's own listener, and a path.
    fn books(&self, path: &str) -> String {
        format!("{}{path}", self.shell.variable("CLEW_BOOKS_URL"))
    }

    async fn curl(&self, words: &[&str]) -> String {
        self.shell.output(&[&CURL, words].concat()).await
    }

    /// Requests that the caller's side and the server's side have counted, which must agree.
    async fn counted(&self) -> Counts {
        let stat = self.mesh.stat().await;
        let counts = outbound(&stat["shell"]);
        assert_eq!(inbound(&stat["books"]), counts);
        counts
    }
}

/// A file that is larger than any buffer on the way.
fn large_file(bytes: usize) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![b'x'; bytes]).unwrap();
    file
}

/// Requests that a tap has shown.
fn tapped(tap: &Program) -> Vec<TapRequest> {
    let lines = tap.written().into_iter();
    let lines = lines.filter_map(|line| serde_json::from_str(&line).ok());
    lines
        .filter_map(|line| match line {
            TapLine::Request(request) => Some(*request),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn curl_speaks_http_1_0_and_1_1_through_the_listener_and_through_the_proxy() {
    let scene = Scene::set().await;
    let tap = scene.mesh.clew(&["tap", "books", "-o", "json"]);
    let tap = Program::start("tap", tap);
    tap.says("watching").await;

    let listener = scene.books("/books/1");
    for (url, way) in [
        (listener.as_str(), PAST_THE_PROXY),
        ("http://books/books/1", &[]),
    ] {
        for version in ["--http1.0", "--http1.1"] {
            let answer = scene.curl(&[&[version, url], way].concat()).await;
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(answer["book"], 1);
        }
    }

    assert_eq!(scene.counted().await, Counts::successes(4));
    let seen = eventually("four requests in the tap", async || {
        let seen = tapped(&tap);
        (seen.len() == 4).then_some(seen)
    })
    .await;
    for request in &seen {
        assert_eq!(request.route, "GET /books/{id}");
        assert_eq!(request.peer_workload.as_deref(), Some("shell"));
        assert_eq!(request.path, "/books/1");
        let mut values = request.request_headers.iter().map(|header| &header.value);
        assert!(values.all(|value| value == "(redacted)"), "{request:?}");
    }
    tap.end().await;
}

#[tokio::test]
async fn a_request_inside_a_connect_tunnel_is_measured_as_any_other() {
    let scene = Scene::set().await;
    let proxy = scene.shell.variable("HTTP_PROXY");
    let tunnel = ["--proxytunnel", "--proxy", proxy, "http://books/books/4"];

    let answer: Value = serde_json::from_str(&scene.curl(&tunnel).await).unwrap();

    assert_eq!(answer["book"], 4);
    assert_eq!(scene.counted().await, Counts::successes(1));
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let scene = Scene::set().await;
    let shown = scene
        .curl(&[
            "--output",
            "/dev/null",
            "--write-out",
            "%{num_connects} ",
            &scene.books("/books/[1-20]"),
        ])
        .await;
    let connects: u32 = shown
        .split_whitespace()
        .map(|n| n.parse::<u32>().unwrap())
        .sum();
    assert_eq!(connects, 1, "{shown}");
    assert_eq!(scene.counted().await, Counts::successes(20));
}

#[tokio::test]
async fn uploads_arrive_whole_with_a_length_and_in_chunks() {
    let scene = Scene::set().await;
    let bytes = 8 * 1024 * 1024;
    let file = large_file(bytes);
    let data = format!("@{}", file.path().display());
    let url = scene.books("/upload");
    let post = ["--request", "POST", "--data-binary", &data, &url];

    let with_length = scene.curl(&post).await;
    let chunked = ["--header", "Transfer-Encoding: chunked"];
    let in_chunks = scene.curl(&[&chunked[..], &post].concat()).await;

    for answer in [with_length, in_chunks] {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["bytes"], bytes);
    }
    assert_eq!(scene.counted().await, Counts::successes(2));
}

/// 1. The server sends the first event, and the second one only when it is asked to. 2. curl shows the first
///    one while the server waits: nobody on the way may hold it. 3. The server is asked to go on.
#[tokio::test]
async fn server_sent_events_pass_as_they_come() {
    let scene = Scene::set().await;
    let mut events = scene.shell.command("curl");
    events.args(["--silent", "--no-buffer", &scene.books("/events")]);
    let mut events = Program::start("curl", events);

    events.says("data: first").await;
    assert!(!events.written().contains(&"data: second".to_owned()));
    scene.curl(&[&scene.books("/continue")]).await;
    events.says("data: second").await;
    assert_eq!(events.exit_code().await, 0);

    assert_eq!(scene.counted().await, Counts::successes(2));
    for member in scene.mesh.members().await {
        let metrics = Metrics::scrape(member.admin_address.unwrap().parse().unwrap()).await;
        let route = [("route", "GET /events")];
        assert_eq!(metrics.sum("clew_stream_duration_ms", &route), 1);
        assert_eq!(
            metrics.sum("response_latency_ms", &route),
            0,
            "a stream is no latency"
        );
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_is_counted_as_cancelled_on_both_sides() {
    let scene = Scene::set().await;
    let mut events = scene.shell.command("curl");
    events.args(["--silent", "--no-buffer", &scene.books("/events")]);
    let events = Program::start("curl", events);
    events.says("data: first").await;

    drop(events);

    assert_eq!(scene.counted().await, Counts::CANCELLED);
    // The application is let go too, so that its thread ends.
    scene.curl(&[&scene.books("/continue")]).await;
}

#[tokio::test]
async fn failures_of_the_application_are_failures_and_not_the_meshs() {
    let scene = Scene::set().await;
    let url = scene.books("/broken");
    let format = "%{http_code} %header{clew-error}.";
    let shown = scene
        .shell
        .output(&[
            "curl",
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            format,
            &url,
        ])
        .await;
    assert_eq!(shown, "500 .");
    assert_eq!(scene.counted().await, Counts::FAILURE);
}

#[tokio::test]
async fn curl_speaks_http_2_by_prior_knowledge_to_a_server_that_does_too() {
    let mesh = LocalMesh::start().await;
    let (_authors, shell) = authors(&mesh).await;
    let before = outbound(&mesh.stat().await["shell"]).successes;
    let listener = format!("{}/authors/1", shell.variable("CLEW_AUTHORS_URL"));
    let format = "%{http_version} %{http_code}";
    let h2 = [
        "--http2-prior-knowledge",
        "--output",
        "/dev/null",
        "--write-out",
        format,
    ];
    let tunnel = ["--proxytunnel", "http://authors/authors/1"];

    for way in [&[PAST_THE_PROXY, &[&listener]].concat()[..], &tunnel] {
        let shown = shell.output(&[&CURL[..], &h2, way].concat()).await;
        assert_eq!(shown, "2 200", "{way:?}");
    }

    let stat = mesh.stat().await;
    assert_eq!(outbound(&stat["shell"]).successes, before + 2);
    assert_eq!(inbound(&stat["authors"]).successes, before + 2);
}

#[tokio::test]
async fn the_gateway_speaks_both_and_refuses_what_it_has_no_route_for() {
    let mesh = LocalMesh::start().await;
    let (_authors, _shell) = authors(&mesh).await;
    let before = inbound(&mesh.stat().await["authors"]).successes;
    let (_gateway, edge) = mesh.gateway(&["/authors=authors"]).await;
    let fetch = async |flags: &[&str], path: &str| {
        let mut curl = command("curl");
        let format = "%{http_version} %{http_code} %header{clew-error}.";
        curl.args(["--silent", "--output", "/dev/null", "--write-out", format]);
        curl.args(flags).arg(format!("http://{edge}{path}"));
        stdout(&finish(curl).await).to_owned()
    };
    let h2 = "--http2-prior-knowledge";
    assert_eq!(fetch(&[], "/authors/1").await, "1.1 200 .");
    assert_eq!(fetch(&[h2], "/authors/1").await, "2 200 .");
    assert_eq!(fetch(&["--http1.0"], "/authors/1").await, "1 200 .");
    assert_eq!(fetch(&[], "/elsewhere").await, "1.1 404 no_route.");
    assert_eq!(fetch(&[h2], "/elsewhere").await, "2 404 no_route.");

    let stat = mesh.stat().await;
    assert_eq!(inbound(&stat["authors"]).successes, before + 3);
    assert_eq!(inbound(&stat["gateway"]).requests, 5);
}
