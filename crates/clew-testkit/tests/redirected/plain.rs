//! Plain connections between instances: measured on both sides, and traced.

use super::network::Network;
use clew_api::rest::golden::{Direction, Edges, Routes};
use clew_api::rest::traces::Trace;
use clew_testkit::programs::{WholeTrace, eventually, peer, python};
use serde_json::Value;

const CURL: [&str; 4] = ["curl", "--silent", "--show-error", "--fail"];

/// Edges in words: `client -> server side requests`, and whether all were successes.
async fn edges(network: &Network) -> Vec<String> {
    network.scrape().await;
    let edges: Edges = network.look(&["edges", "-t", "1h"]).await.unwrap();
    let words = edges.edges.into_iter().map(|edge| {
        let side = match edge.reported_by {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        };
        let golden = edge.golden.unwrap_or_default();
        let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
        format!(
            "{} -> {} {side} {}/{}",
            name(edge.client.name),
            name(edge.server.name),
            golden.successes,
            golden.started
        )
    });
    let mut words: Vec<_> = words.collect();
    words.sort();
    words
}

/// Routes in words: name and requests.
async fn routes(network: &Network, words: &[&str]) -> Vec<(String, u64)> {
    let words = [&["routes"], words, &["-t", "1h"]].concat();
    let routes: Option<Routes> = network.look(&words).await;
    let routes = routes.map(|routes| routes.routes).unwrap_or_default();
    routes
        .into_iter()
        .map(|route| (route.route, route.golden.requests))
        .collect()
}

async fn trace(network: &Network, traceparent: &Value, spans: usize) -> WholeTrace {
    let id = traceparent.as_str().unwrap().split('-').nth(1).unwrap();
    let trace = eventually(&format!("{spans} spans of {id}"), async || {
        let trace: Trace = network.look(&["trace", id]).await?;
        (trace.spans.len() >= spans).then_some(trace)
    })
    .await;
    assert_eq!(trace.spans.len(), spans, "{trace:#?}");
    WholeTrace::new(trace)
}

#[tokio::test]
async fn plain_requests_are_measured_on_both_sides_and_are_one_trace() {
    let network = Network::start().await;
    let books = network.instance("books", &["80,books"]).await;
    let _application = books.serve(80, &peer("books.py", &[]), &[]).await;
    let webapp = network.instance("webapp", &["8080,webapp"]).await;
    let url = format!("http://{}", books.address);
    let _webapp = webapp
        .serve(8080, &peer("webapp.py", &[]), &[("BOOKS_URL", &url)])
        .await;
    let shell = network.instance("shell", &[]).await;

    let url = format!("http://{}:8080/books/7", webapp.address);
    let answer = shell.output(&[&CURL[..], &[&url]].concat(), &[]).await;

    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["page"]["book"], 7);
    let trace = trace(&network, &answer["page"]["traceparent"], 4).await;
    assert_eq!(
        trace.chain(),
        [
            "shell client",
            "webapp server",
            "webapp client",
            "books server"
        ]
    );
    assert_eq!(
        edges(&network).await,
        [
            "shell -> webapp outbound 1/1",
            "webapp -> books outbound 1/1"
        ]
    );
    let one = [("GET /books/{id}".to_owned(), 1)];
    for words in [
        &["books", "--from", "webapp"][..],
        &["webapp", "--to", "books"],
        &["webapp", "--from", "shell"],
        &["shell", "--to", "webapp"],
    ] {
        assert_eq!(routes(&network, words).await, one, "clew routes {words:?}");
    }
}

#[tokio::test]
async fn hosts_without_a_proxy_are_called_and_call_as_before() {
    let network = Network::start().await;
    let books = network.instance("books", &["80,books"]).await;
    let _books = books.serve(80, &peer("books.py", &[]), &[]).await;
    let outside = network.host("outside").await;
    let _outside = outside.serve(80, &peer("books.py", &[]), &[]).await;

    let to_books = format!("http://{}/books/1", books.address);
    let to_outside = format!("http://{}/books/2", outside.address);
    outside
        .output(&[&CURL[..], &[&to_books]].concat(), &[])
        .await;
    let answer = books
        .output(&[&CURL[..], &[&to_outside]].concat(), &[])
        .await;

    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        answer["via"],
        Value::Null,
        "who is outside is told nothing of us"
    );
    assert!(answer["traceparent"].is_string(), "a trace goes on outside");
    let server = format!("{}:80", outside.address);
    let books_calls = format!("books -> {server} outbound 1/1");
    assert_eq!(
        edges(&network).await,
        ["- -> books inbound 1/1", books_calls.as_str()]
    );
}

/// Behind one address there may be many hosts: they are told apart by what requests are for, and not by where they go.
#[tokio::test]
async fn hosts_without_a_proxy_are_counted_by_the_names_that_requests_are_for() {
    let network = Network::start().await;
    let outside = network.host("outside").await;
    let _outside = outside.serve(80, &peer("books.py", &[]), &[]).await;
    let shell = network.instance("shell", &[]).await;
    for host in ["shop.example", "Shop.example", "bank.example", "books"] {
        let resolve = format!("{host}:80:{}", outside.address);
        let url = format!("http://{host}/books/2");
        let words = [&CURL[..], &["--resolve", &resolve, &url]].concat();
        shell.output(&words, &[]).await;
    }
    // The last could be a service of the mesh.
    let by_address = format!("shell -> {}:80 outbound 1/1", outside.address);
    let mut seen = edges(&network).await;
    seen.sort();
    assert_eq!(
        seen,
        [
            by_address.as_str(),
            "shell -> bank.example outbound 1/1",
            "shell -> shop.example outbound 2/2",
        ]
    );
}

/// 1. An application speaks TLS of its own to a host outside of the mesh, once by name and once by address.
/// 2. It gets the answer to what it asked for.
/// 3. What it has named is an edge by its name, and what it has not by its address.
#[tokio::test]
async fn tls_of_an_application_is_counted_by_the_name_that_it_asks_for() {
    let network = Network::start().await;
    let outside = network.host("outside").await;
    let _outside = outside.serve(8443, &peer("tls.py", &["serve"]), &[]).await;
    let shell = network.instance("shell", &[]).await;
    let address = outside.address.to_string();

    for (name, answer) in [
        (&["shop.example"][..], "hello of shop.example"),
        (&[], "hello of None"),
    ] {
        let words = [&["ask", &address, "8443"], name].concat();
        assert_eq!(shell.output(&peer("tls.py", &words), &[]).await, answer);
    }

    let servers = eventually("both connections to be closed", async || {
        network.scrape().await;
        let edges: Edges = network.look(&["edges", "-t", "1h"]).await?;
        let closed = edges.edges.into_iter().filter(|edge| {
            assert_eq!(edge.client.name.as_deref(), Some("shell"));
            edge.tcp.is_some_and(|tcp| tcp.closed == 1)
        });
        let mut servers: Vec<_> = closed.filter_map(|edge| edge.server.name).collect();
        servers.sort();
        (servers.len() == 2).then_some(servers)
    })
    .await;
    assert_eq!(
        servers,
        [format!("{address}:8443"), "shop.example:8443".to_owned()]
    );
}

/// Detection would wait for the client to speak first: the port is declared opaque, and nothing waits.
#[tokio::test]
async fn a_server_that_speaks_first_is_reached_on_an_opaque_port() {
    let network = Network::start().await;
    let mail = network.instance("mail", &["25,mail,opaque"]).await;
    let _mail = mail.serve(25, &peer("greeter.py", &["serve"]), &[]).await;
    let shell = network.instance("shell", &[]).await;

    let address = mail.address.to_string();
    let greet = peer("greeter.py", &["greet", &address, "25"]);
    let said = shell.output(&greet, &[]).await;

    assert_eq!(said, "220 greeter\nhello");
    let sent = u64::try_from("hello\n".len()).unwrap();
    let received = u64::try_from("220 greeter\nhello\n".len()).unwrap();
    let tcp = eventually("the connection to be closed on both sides", async || {
        network.scrape().await;
        let edges: Edges = network.look(&["edges", "-t", "1h"]).await?;
        let edge = edges
            .edges
            .into_iter()
            .find(|edge| edge.client.name.is_some())?;
        assert_eq!(edge.client.name.as_deref(), Some("shell"));
        assert_eq!(edge.server.name.as_deref(), Some("mail"));
        edge.tcp.filter(|tcp| tcp.closed == 1)
    })
    .await;
    assert_eq!((tcp.opened, tcp.open), (1, Some(0)));
    // The numbers of an edge are its client's: what it reads, the server has sent.
    assert_eq!((tcp.read_bytes, tcp.written_bytes), (received, sent));
}

#[tokio::test]
async fn grpc_calls_are_measured_by_method() {
    let network = Network::start().await;
    let talk = network.instance("talk", &["50051,talk,grpc"]).await;
    let _talk = talk.serve(50051, &peer("talk_server.py", &[]), &[]).await;
    let speaker = network.instance("speaker", &[]).await;
    let url = format!("http://{}:50051", talk.address);

    for (call, answer) in [
        (&["unary"][..], "hello"),
        (&["fail", "5"], "NOT_FOUND"),
        (&["chat"], "ab cd ef gh ij"),
        (&["server_stream"], "again again again again again"),
    ] {
        let client = peer("talk_client.py", call);
        let said = speaker.output(&client, &[("TALK_URL", &url)]).await;
        assert_eq!(said, answer, "{call:?}");
    }

    network.scrape().await;
    let method = |name: &str, calls| (format!("peers.v1.Talk/{name}"), calls);
    let expected = [method("Chat", 1), method("Repeat", 1), method("Say", 2)];
    assert_eq!(
        routes(&network, &["talk", "--from", "speaker"]).await,
        expected
    );
    assert_eq!(
        routes(&network, &["speaker", "--to", "talk"]).await,
        expected
    );
}

/// One connection of the application after the other and many requests on one: `requests.Session`.
#[tokio::test]
async fn a_connection_that_is_kept_carries_many_requests() {
    let network = Network::start().await;
    let books = network.instance("books", &["80,books"]).await;
    let server = [
        python().into_os_string(),
        "-m".into(),
        "http.server".into(),
        "80".into(),
    ];
    let mut application = books.command(&server[0]);
    application.args(&server[1..]).current_dir("/");
    let application = clew_testkit::programs::Program::start("http.server", application);
    application.says("Serving HTTP").await;
    let shell = network.instance("shell", &[]).await;

    let script = "import requests, sys\n\
                  session = requests.Session()\n\
                  print({session.get(sys.argv[1]).status_code for _ in range(50)})";
    let python = python();
    let url = format!("http://{}/", books.address);
    let said = shell
        .output(&[python.to_str().unwrap(), "-c", script, &url], &[])
        .await;

    assert_eq!(said, "{200}");
    assert_eq!(edges(&network).await, ["shell -> books outbound 50/50"]);
    assert_eq!(
        routes(&network, &["books", "--from", "shell"]).await,
        [("GET /".to_owned(), 50)]
    );
}

/// The way in for those who are outside: traces begin there, whatever a stranger sends.
#[tokio::test]
async fn a_gateway_leads_into_the_network() {
    let network = Network::start().await;
    let books = network.instance("books", &["80,books"]).await;
    let _books = books.serve(80, &peer("books.py", &[]), &[]).await;
    let webapp = network.instance("webapp", &["8080,webapp"]).await;
    let url = format!("http://{}", books.address);
    let variables = [("BOOKS_URL", url.as_str())];
    let _webapp = webapp
        .serve(8080, &peer("webapp.py", &[]), &variables)
        .await;
    let edge = network.gateway("edge", "0.0.0.0:80", &["/=webapp"]).await;
    let outside = network.host("outside").await;

    let url = format!("http://{}/books/7", edge.address);
    let theirs = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("traceparent: 00-{theirs}-00f067aa0ba902b7-01");
    let words = [&CURL[..], &["--header", &header, &url]].concat();
    let answer: Value = serde_json::from_str(&outside.output(&words, &[]).await).unwrap();

    let trace = trace(&network, &answer["page"]["traceparent"], 5).await;
    assert_eq!(
        trace.chain(),
        [
            "edge server",
            "edge client",
            "webapp server",
            "webapp client",
            "books server"
        ]
    );
    assert_ne!(trace.id(), theirs);
    let links = &trace.span("edge server").links;
    assert_eq!(links.len(), 1, "the stranger's trace is linked to");
    assert_eq!(links[0].trace_id, theirs);
    assert_eq!(
        edges(&network).await,
        [
            "- -> edge inbound 1/1",
            "edge -> webapp outbound 1/1",
            "webapp -> books outbound 1/1"
        ]
    );
}
