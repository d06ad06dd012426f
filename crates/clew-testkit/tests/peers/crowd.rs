//! Asynchronous Python: many requests in flight at once through one sidecar, each with a context of its own.

use super::golden::{Counts, inbound, outbound, routes};
use clew_testkit::programs::{LocalMesh, Program, command, peer};
use serde_json::Value;
use std::collections::BTreeSet;

/// Requests in flight at once.
const CALLERS: usize = 64;
/// Requests of each caller, one after the other.
const TIMES: usize = 2;
const REQUESTS: usize = CALLERS * TIMES;

const CHAIN: [&str; 5] = [
    "gateway server",
    "gateway client",
    "app server",
    "app client",
    "books server",
];

/// 1. Everyone asks. 2. The last server answers nobody before all have arrived: they are in flight together.
///    3. Each has got its own answer, in a trace of its own, and no trace holds anything of another.
async fn every_request_keeps_its_own_context(library: &str) {
    let mesh = LocalMesh::start().await;
    let crowd = CALLERS.to_string();
    let server = peer("crowd_server.py", &[]);
    let _books = mesh
        .serve_with("books", &[], &server, &[("CROWD", &crowd)])
        .await;
    let app = peer("crowd_app.py", &[library]);
    let _app = mesh.serve("app", &["--to", "books"], &app).await;
    let (_gateway, edge) = mesh.gateway(&["/=app"]).await;

    let mut client = client(&format!("http://{edge}"));
    assert_eq!(client.exit_code().await, 0);

    let lines = client.written();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (counted, answers) = lines.split_last().unwrap();
    assert_eq!(counted["statuses"]["200"], REQUESTS, "{counted}");
    let mut ids = BTreeSet::new();
    for line in answers {
        let (asked, page) = (&line["asked"], &line["answer"]["page"]);
        assert_eq!(&page["book"], asked, "the answer to another request");
        let traceparent = page["traceparent"].as_str().unwrap();
        let id = traceparent.split('-').nth(1).unwrap();
        assert!(ids.insert(id.to_owned()), "two requests are in trace {id}");
        assert_is_of_one_request(&mesh, id, asked).await;
    }
    assert_eq!(ids.len(), REQUESTS);
    assert_counts_agree(&mesh).await;
}

/// Callers outside of the mesh.
fn client(url: &str) -> Program {
    let (callers, times) = (CALLERS.to_string(), TIMES.to_string());
    let words = peer("crowd_client.py", &[url, &callers, &times]);
    let mut client = command(&words[0]);
    client.args(&words[1..]);
    Program::start("client", client)
}

async fn assert_is_of_one_request(mesh: &LocalMesh, id: &str, book: &Value) {
    let trace = mesh.trace(id, CHAIN.len()).await;
    assert_eq!(trace.chain(), CHAIN);
    for span in trace.spans() {
        let path = match span.kind.as_str() {
            "client" => span.attributes["url.full"].as_str().unwrap(),
            _ => span.attributes["url.path"].as_str().unwrap(),
        };
        let end = format!("/{book}");
        assert!(path.ends_with(&end), "{span:#?} is of another request");
    }
}

/// Every proxy has counted what the client has counted.
async fn assert_counts_agree(mesh: &LocalMesh) {
    let all = Counts::successes(REQUESTS as u64);
    let stat = mesh.stat().await;
    for workload in ["gateway", "app"] {
        assert_eq!(inbound(&stat[workload]), all, "{workload}");
        assert_eq!(outbound(&stat[workload]), all, "{workload}");
    }
    assert_eq!(inbound(&stat["books"]), all);
    let expected = [("GET /books/{id}".to_owned(), all)];
    assert_eq!(routes(mesh, &["books", "--from", "app"]).await, expected);
    assert_eq!(routes(mesh, &["app", "--to", "books"]).await, expected);
}

#[tokio::test]
async fn sixty_four_requests_of_httpx_in_flight_keep_their_own_context() {
    every_request_keeps_its_own_context("httpx").await;
}

#[tokio::test]
async fn sixty_four_requests_of_aiohttp_in_flight_keep_their_own_context() {
    every_request_keeps_its_own_context("aiohttp").await;
}
