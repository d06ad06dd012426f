//! Processes that are killed under load. What is counted decides, and not how long it took.

use clew_testkit::client::{Client, get};
use clew_testkit::programs::{LocalMesh, peer};
use http::StatusCode;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::task::JoinHandle;

/// Clients that ask all the time, some on connections of their own, so that proxies shake hands all the time too.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(entry: SocketAddr) -> Self {
        let (stop, answered) = (Arc::default(), Arc::default());
        let clients = (0..4).map(|number| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(ask(entry, number % 2 == 0, stop, answered))
        });
        Self {
            clients: clients.collect(),
            stop,
            answered,
        }
    }

    /// Resolves when so many more requests were answered.
    async fn more(&self, count: u64) {
        let wanted = self.answered.load(Ordering::Relaxed) + count;
        while self.answered.load(Ordering::Relaxed) < wanted {
            // A client that has failed would be waited for in vain.
            assert!(self.clients.iter().all(|client| !client.is_finished()));
            tokio::task::yield_now().await;
        }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.unwrap();
        }
        self.answered.load(Ordering::Relaxed)
    }
}

async fn ask(
    entry: SocketAddr,
    keeps_connection: bool,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) {
    let mut client = Client::http1(entry).await;
    while !stop.load(Ordering::Relaxed) {
        let answer = client.ask(get("http://books/books/7")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answered.fetch_add(1, Ordering::Relaxed);
        if !keeps_connection {
            client = Client::http1(entry).await;
        }
    }
}

/// 1. A client and a server, each with a sidecar in a process of its own, under load. 2. The process of control and observe is
///    killed: every request goes on to be answered. 3. Roles are started again: both join them, with TLS, and are counted,
///    and still no request has failed.
#[tokio::test]
async fn control_is_killed_under_load_and_comes_back_and_no_request_fails() {
    let mut mesh = LocalMesh::start().await;
    let server = mesh.serve("books", &[], &peer("books.py", &[])).await;
    let shell = mesh.shell("shell", &["--to", "books"]).await;
    let entry = shell.variable("CLEW_BOOKS_URL").strip_prefix("http://");
    let load = Load::start(entry.unwrap().parse().unwrap());
    load.more(100).await;
    mesh.kill_roles().await;
    load.more(300).await;
    mesh.start_roles_again().await;
    mesh.joined(&server).await;
    load.more(300).await;
    let answered = load.stop().await;
    assert!(answered >= 700);
    mesh.scrape().await;
    let edges: clew_api::rest::golden::Edges = mesh.ask(&["edges"]).await;
    let edge = edges
        .edges
        .iter()
        .find(|edge| edge.server.name.as_deref() == Some("books"));
    let edge = edge.unwrap();
    assert_eq!(edge.tls, "mtls");
    let golden = edge.golden.as_ref().unwrap();
    assert_eq!((golden.failures, golden.cancelled), (0, 0));
}
