//! Server-sent events, between an asynchronous server and an asynchronous client of Python.

use super::golden::{Counts, routes};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{LocalMesh, Program, Shell, peer};

const EVENTS: &str = "GET /events";

struct Scene {
    mesh: LocalMesh,
    server: Program,
    reader: Shell,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let words = peer("crowd_server.py", &[]);
        let server = mesh.serve("news", &[], &words).await;
        let reader = mesh.shell("reader", &["--to", "news"]).await;
        Self {
            mesh,
            server,
            reader,
        }
    }

    /// Somebody who reads the events.
    fn read(&self) -> Program {
        let words = peer("events_client.py", &["http://news/events"]);
        let mut command = self.reader.command(&words[0]);
        command.args(&words[1..]);
        Program::start("reader", command)
    }

    /// Lets the server send the next event.
    async fn go_on(&self) {
        let url = format!("{}/continue", self.reader.variable("CLEW_NEWS_URL"));
        let curl = ["curl", "--silent", "--fail", "--request", "POST", &url];
        self.reader.output(&curl).await;
    }

    /// Streams of events that both sides have counted, which must agree. They are no latency on either.
    async fn counted(&self) -> Counts {
        self.mesh.stat().await;
        let mut counted = Vec::new();
        for words in [&["news"][..], &["reader", "--to", "news"]] {
            let routes = routes(&self.mesh, words).await;
            let mut found = routes.into_iter().filter(|(name, _)| name == EVENTS);
            counted.push(found.next().unwrap().1);
        }
        assert_eq!(counted[0], counted[1]);
        for member in self.mesh.members().await {
            let metrics = Metrics::scrape(member.admin_address.unwrap().parse().unwrap()).await;
            let route = [("route", EVENTS)];
            assert_eq!(metrics.sum("clew_stream_duration_ms", &route), 1);
            assert_eq!(metrics.sum("response_latency_ms", &route), 0);
        }
        counted[0]
    }
}

/// 1. The server sends the next event only when it is asked to. 2. The reader shows each while the server waits:
///    nobody on the way holds any.
#[tokio::test]
async fn every_event_arrives_before_the_next_one_is_sent() {
    let scene = Scene::set().await;
    let mut reader = scene.read();
    reader.says("200 text/event-stream").await;
    for number in 0..3 {
        reader.says(&format!("data: event {number}")).await;
        let next = format!("data: event {}", number + 1);
        assert!(!reader.written().contains(&next), "{next}");
        scene.go_on().await;
    }
    reader.says("the end").await;
    assert_eq!(reader.exit_code().await, 0);
    assert_eq!(scene.counted().await, Counts::successes(1));
}

#[tokio::test]
async fn a_reader_that_goes_away_is_gone_for_the_server_too() {
    let scene = Scene::set().await;
    let reader = scene.read();
    reader.says("data: event 0").await;

    drop(reader);

    scene.server.says("given up").await;
    assert_eq!(scene.counted().await, Counts::CANCELLED);
}
