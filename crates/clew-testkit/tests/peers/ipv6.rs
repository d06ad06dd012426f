//! Programs that listen on IPv6, asked for by their address.

use super::golden::{Counts, inbound, outbound, routes};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{LocalMesh, Program, Shell, eventually, peer};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

struct Scene {
    mesh: LocalMesh,
    _books: Program,
    shell: Shell,
    /// Where books listens.
    address: SocketAddr,
    /// Bound and not listening: nobody else gets the port, and books can listen on it.
    _kept: TcpSocket,
}

impl Scene {
    async fn set() -> Self {
        let kept = TcpSocket::new_v6().unwrap();
        kept.set_reuseaddr(true).unwrap();
        kept.bind("[::1]:0".parse().unwrap()).unwrap();
        let address = kept.local_addr().unwrap();
        let mesh = LocalMesh::start().await;
        let port = address.port().to_string();
        let variables = [("HOST", "::1"), ("PORT", port.as_str())];
        let flags = ["--port", &address.to_string()];
        let words = peer("books.py", &[]);
        let books = mesh.serve_with("books", &flags, &words, &variables).await;
        let shell = mesh.shell("shell", &["--to", "books"]).await;
        Self {
            mesh,
            _books: books,
            shell,
            address,
            _kept: kept,
        }
    }

    async fn fetch(&self, url: &str, flags: &[&str]) -> Value {
        let curl = ["curl", "--silent", "--show-error", "--fail", "--globoff"];
        let words = [&curl[..], flags, &[url]].concat();
        serde_json::from_str(&self.shell.output(&words).await).unwrap()
    }
}

#[tokio::test]
async fn a_program_on_ipv6_is_reached_by_listener_by_name_and_by_its_address() {
    let scene = Scene::set().await;
    let listener = scene.shell.variable("CLEW_BOOKS_URL");
    let by_listener = format!("{listener}/books/1");
    let by_address = format!("http://{}/books/3", scene.address);
    let by_localhost = format!("http://localhost:{}/books/4", scene.address.port());

    let past_the_proxy: &[&str] = &["--noproxy", "*"];
    let answers = [
        scene.fetch(&by_listener, past_the_proxy).await,
        scene.fetch("http://books/books/2", &[]).await,
        scene.fetch(&by_address, &[]).await,
        scene.fetch(&by_localhost, &[]).await,
    ];

    for (book, answer) in (1..).zip(&answers) {
        assert_eq!(answer["book"], book, "{answer}");
    }
    let all = Counts::successes(4);
    let stat = scene.mesh.stat().await;
    assert_eq!(outbound(&stat["shell"]), all);
    assert_eq!(inbound(&stat["books"]), all);
    let expected = [("GET /books/{id}".to_owned(), all)];
    let asked = routes(&scene.mesh, &["shell", "--to", "books"]).await;
    assert_eq!(asked, expected);
    assert_eq!(
        routes(&scene.mesh, &["books", "--from", "shell"]).await,
        expected
    );
}

#[tokio::test]
async fn spans_and_numbers_of_ipv6_are_those_of_any_address() {
    let scene = Scene::set().await;
    let url = format!("http://{}/books/3", scene.address);

    let answer = scene.fetch(&url, &[]).await;

    let traceparent = answer["traceparent"].as_str().unwrap();
    let id = traceparent.split('-').nth(1).unwrap();
    let trace = scene.mesh.trace(id, 2).await;
    assert_eq!(trace.chain(), ["shell client", "books server"]);
    let client = &trace.span("shell client").attributes;
    let server = &trace.span("books server").attributes;
    for attributes in [client, server] {
        assert_eq!(attributes["server.address"], "::1", "{attributes:#?}");
        assert_eq!(attributes["server.port"], scene.address.port());
    }
    assert_eq!(client["url.full"], url);
    let member = eventually("books among the members", async || {
        let mut members = scene.mesh.members().await.into_iter();
        members.find(|member| member.workload == "books")
    })
    .await;
    let metrics = Metrics::scrape(member.admin_address.unwrap().parse().unwrap()).await;
    let labels = [("direction", "inbound"), ("client_workload", "shell")];
    assert_eq!(metrics.requests(&labels), 1);
    assert_eq!(metrics.responses(&labels), 1);
}

#[tokio::test]
async fn a_gateway_on_ipv6_lets_requests_in_and_begins_their_traces() {
    let scene = Scene::set().await;
    let mut gateway = scene.mesh.clew(&["gateway", "--listen", "[::1]:0"]);
    gateway.args(["--route", "/=books"]);
    let gateway = Program::start("gateway", gateway);
    // clew: the gateway listens on http://[::1]:40001, API ...
    let line = gateway.says("listens on http://[::1]:").await;
    let edge = line
        .split([' ', ','])
        .find(|word| word.starts_with("http://"));
    scene.mesh.joined(&gateway).await;

    let url = format!("{}/books/5", edge.unwrap());
    let answer = scene.fetch(&url, &["--noproxy", "*"]).await;

    let traceparent = answer["traceparent"].as_str().unwrap();
    let id = traceparent.split('-').nth(1).unwrap();
    let trace = scene.mesh.trace(id, 3).await;
    assert_eq!(
        trace.chain(),
        ["gateway server", "gateway client", "books server"]
    );
    let server = &trace.span("gateway server").attributes;
    assert_eq!(server["server.address"], "::1", "{server:#?}");
    assert_eq!(
        server["network.peer.address"], "::1",
        "it is the caller's: {server:#?}"
    );
}
