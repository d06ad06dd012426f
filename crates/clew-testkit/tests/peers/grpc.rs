//! Client and server of grpcio, each with a sidecar.

use super::golden::{Counts, routes};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{LocalMesh, Program, Shell, finish, peer, stdout};
use std::collections::BTreeMap;
use std::ffi::OsString;

struct Scene {
    mesh: LocalMesh,
    server: Program,
    speaker: Shell,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let words = peer("talk_server.py", &[]);
        let server = mesh.serve("talk", &["--port", "auto/grpc"], &words).await;
        let speaker = mesh.shell("speaker", &["--to", "talk"]).await;
        Self {
            mesh,
            server,
            speaker,
        }
    }

    /// Does one thing through the service's own listener, and gives what the client says of it.
    async fn talk(&self, words: &[&str]) -> String {
        self.talk_at(self.speaker.variable("CLEW_TALK_URL"), words)
            .await
    }

    async fn talk_at(&self, url: &str, words: &[&str]) -> String {
        let client = peer("talk_client.py", words);
        let mut command = self.speaker.command(&client[0]);
        command.args(&client[1..]).env("TALK_URL", url);
        let output = finish(command).await;
        assert!(output.status.success(), "{output:?}");
        stdout(&output).trim_end().to_owned()
    }

    /// A client that goes on beside the test.
    fn client(&self, words: &[&str]) -> Program {
        let client = peer("talk_client.py", words);
        let mut command = self.speaker.command(&client[0]);
        command.args(&client[1..]);
        command.env("TALK_URL", self.speaker.variable("CLEW_TALK_URL"));
        Program::start("client", command)
    }

    /// Requests of a method, as both sides have counted them, when they agree.
    async fn counted_on_both_sides(&self, route: &str) -> Option<Counts> {
        self.mesh.stat().await;
        let mut counted = [None; 2];
        for (words, counted) in [&["talk"][..], &["speaker", "--to", "talk"]]
            .into_iter()
            .zip(&mut counted)
        {
            let routes = routes(&self.mesh, words).await;
            let mut found = routes.iter().filter(|(name, _)| name == route);
            *counted = found.next().map(|(_, counts)| *counts);
        }
        assert_eq!(counted[0], counted[1], "both sides see the same");
        counted[0]
    }

    /// Responses by gRPC status on both sides, which must agree.
    async fn statuses(&self, route: &str) -> BTreeMap<String, u64> {
        // Every request has ended on both sides.
        self.mesh.stat().await;
        let mut seen = Vec::new();
        for member in self.mesh.members().await {
            let metrics = Metrics::scrape(member.admin_address.unwrap().parse().unwrap()).await;
            seen.push(metrics.by("response_total", "grpc_status", &[("route", route)]));
        }
        assert_eq!(seen[0], seen[1], "both sides see the same");
        seen.remove(0)
    }
}

fn statuses(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let pairs = expected.iter();
    pairs
        .map(|(status, count)| ((*status).to_owned(), *count))
        .collect()
}

const SAY: &str = "peers.v1.Talk/Say";
const CHAT: &str = "peers.v1.Talk/Chat";
const REPEAT: &str = "peers.v1.Talk/Repeat";

#[tokio::test]
async fn calls_of_every_kind_pass_and_are_measured_by_method() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk(&["unary"]).await, "hello");
    assert_eq!(
        scene.talk(&["server_stream"]).await,
        "again again again again again"
    );
    assert_eq!(scene.talk(&["client_stream"]).await, "ab cd ef gh ij");
    assert_eq!(scene.talk(&["chat"]).await, "ab cd ef gh ij");

    let one = Counts::successes(1);
    let methods = ["Chat", "Collect", "Repeat", "Say"];
    let expected = methods.map(|method| (format!("peers.v1.Talk/{method}"), one));
    scene.mesh.stat().await;
    assert_eq!(
        routes(&scene.mesh, &["talk", "--from", "speaker"]).await,
        expected
    );
    assert_eq!(
        routes(&scene.mesh, &["speaker", "--to", "talk"]).await,
        expected
    );
    assert_eq!(scene.statuses(SAY).await, statuses(&[("0", 1)]));
}

#[tokio::test]
async fn a_status_that_is_an_error_is_read_from_the_trailers() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk(&["unary"]).await, "hello");
    assert_eq!(scene.talk(&["fail", "5"]).await, "NOT_FOUND");
    assert_eq!(scene.talk(&["fail", "14"]).await, "UNAVAILABLE");
    assert_eq!(scene.talk(&["fail", "13"]).await, "INTERNAL");
    assert_eq!(
        scene.talk(&["server_stream_that_fails"]).await,
        "3 then INTERNAL"
    );

    let seen = scene.statuses(SAY).await;
    assert_eq!(seen, statuses(&[("0", 1), ("5", 1), ("14", 1), ("13", 1)]));
    assert_eq!(scene.statuses(REPEAT).await, statuses(&[("13", 1)]));
}

/// 1. The server says that it waits. 2. The client is told to give up. 3. The server hears of it, and both
///    sides count one cancelled request.
#[tokio::test]
async fn a_call_that_is_cancelled_is_cancelled_all_the_way() {
    let scene = Scene::set().await;
    let mut client = scene.client(&["cancel"]);
    scene.server.says("waiting").await;

    client.tell("give up").await;

    client.says("cancelled").await;
    scene.server.says("given up").await;
    assert_eq!(client.exit_code().await, 0);
    let expected = [(SAY.to_owned(), Counts::CANCELLED)];
    scene.mesh.stat().await;
    assert_eq!(routes(&scene.mesh, &["talk"]).await, expected);
    assert_eq!(
        routes(&scene.mesh, &["speaker", "--to", "talk"]).await,
        expected
    );
    assert_eq!(scene.statuses(SAY).await, statuses(&[("", 1)]));
}

#[tokio::test]
async fn a_deadline_that_passes_is_the_clients_and_counted_once() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk(&["deadline"]).await, "DEADLINE_EXCEEDED");
    scene.server.says("given up").await;
    scene.mesh.stat().await;
    for words in [&["talk"][..], &["speaker", "--to", "talk"]] {
        let seen = routes(&scene.mesh, words).await;
        let requests: Vec<_> = seen
            .iter()
            .map(|(name, c)| (name.as_str(), c.requests))
            .collect();
        // Repeat has gone before, so that every connection was there when time began to run.
        assert_eq!(requests, [(REPEAT, 1), (SAY, 1)]);
    }
}

#[tokio::test]
async fn thousands_of_messages_pass_both_ways_at_once_in_one_call() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk(&["chat_at_length"]).await, "5000 in order");
    assert_eq!(scene.statuses(CHAT).await, statuses(&[("0", 1)]));
}

/// 1. The server has answered once, and says that it waits. 2. The client is told to give up. 3. The server hears of
///    it, and both sides count one cancelled request.
#[tokio::test]
async fn a_stream_that_its_client_cancels_is_cancelled_all_the_way() {
    let scene = Scene::set().await;
    let mut client = scene.client(&["cancel_the_chat"]);
    scene.server.says("waiting").await;

    client.tell("give up").await;

    client.says("hello then CANCELLED").await;
    scene.server.says("given up").await;
    assert_eq!(client.exit_code().await, 0);
    assert_eq!(
        scene.counted_on_both_sides(CHAT).await,
        Some(Counts::CANCELLED)
    );
}

/// It is an answer, with a status that the trailers tell; no word of its caller, and no failure.
#[tokio::test]
async fn a_stream_that_its_server_cancels_ends_with_that_status_on_both_sides() {
    let scene = Scene::set().await;
    assert_eq!(
        scene.talk(&["server_cancels_the_chat"]).await,
        "hello then CANCELLED"
    );
    assert_eq!(scene.statuses(CHAT).await, statuses(&[("1", 1)]));
    assert_eq!(
        scene.counted_on_both_sides(CHAT).await,
        Some(Counts::successes(1))
    );
}

#[tokio::test]
async fn a_deadline_that_passes_in_a_stream_ends_it_on_all_sides() {
    let scene = Scene::set().await;
    assert_eq!(
        scene.talk(&["deadline_of_the_chat"]).await,
        "hello then DEADLINE_EXCEEDED"
    );
    scene.server.says("given up").await;
    let counted = scene.counted_on_both_sides(CHAT).await;
    let counted = counted.map(|counts| (counts.requests, counts.successes));
    assert_eq!(counted, Some((1, 0)));
}

/// gRPC for C, and with it Python, asks an HTTP proxy for a tunnel (CONNECT) to a name that it does not resolve.
#[tokio::test]
async fn a_client_that_knows_only_the_name_goes_through_a_tunnel() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk_at("http://talk:80", &["unary"]).await, "hello");
    assert_eq!(scene.statuses(SAY).await, statuses(&[("0", 1)]));
}

#[tokio::test]
async fn without_an_endpoint_the_call_is_unavailable() {
    let mesh = LocalMesh::start().await;
    let speaker = mesh.shell("speaker", &["--to", "nobody"]).await;
    let client: Vec<OsString> = peer("talk_client.py", &["unary"]);
    let mut command = speaker.command(&client[0]);
    command.args(&client[1..]);
    command.env("TALK_URL", speaker.variable("CLEW_NOBODY_URL"));
    let output = finish(command).await;
    assert_eq!(stdout(&output).trim_end(), "UNAVAILABLE");
    let stat = mesh.stat().await;
    let errors = &stat["speaker"]
        .outbound
        .as_ref()
        .unwrap()
        .golden
        .as_ref()
        .unwrap()
        .errors;
    assert_eq!(errors.get("no_endpoints"), Some(&1), "{errors:?}");
}

#[tokio::test]
async fn a_call_is_a_trace_of_both_sides() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk(&["fail", "5"]).await, "NOT_FOUND");
    let traces = scene.mesh.traces(&[]).await.traces;
    let found = clew_testkit::programs::eventually("the trace", async || {
        scene.mesh.traces(&[]).await.traces.into_iter().next()
    });
    let id = match traces.first() {
        Some(trace) => trace.trace_id.clone(),
        None => found.await.trace_id,
    };
    let trace = scene.mesh.trace(&id, 2).await;
    assert_eq!(trace.chain(), ["speaker client", "talk server"]);
    let (client, server) = (trace.span("speaker client"), trace.span("talk server"));
    assert_eq!((client.name.as_str(), server.name.as_str()), (SAY, SAY));
    // NOT_FOUND is an answer: no error of the server's, and one for the caller.
    assert_eq!(
        (client.status.as_str(), server.status.as_str()),
        ("error", "unset")
    );
}
