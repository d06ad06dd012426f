//! WebSockets, with client and server of the Python library `websockets`, each with a sidecar.

use super::golden::{Counts, routes};
use clew_testkit::metrics::Metrics;
use clew_testkit::programs::{
    LocalMesh, Program, Shell, command, eventually, finish, peer, stdout,
};
use tokio::process::Command;

struct Scene {
    mesh: LocalMesh,
    server: Program,
    caller: Shell,
}

impl Scene {
    async fn set() -> Self {
        let mesh = LocalMesh::start().await;
        let words = peer("socket_server.py", &[]);
        let server = mesh.serve("echo", &[], &words).await;
        let caller = mesh.shell("caller", &["--to", "echo"]).await;
        Self {
            mesh,
            server,
            caller,
        }
    }

    /// The service's own listener.
    fn listener(&self) -> String {
        let url = self.caller.variable("CLEW_ECHO_URL");
        url.replacen("http://", "ws://", 1)
    }

    fn client(&self, what: &str, url: &str) -> Command {
        let words = peer("socket_client.py", &[what, url]);
        let mut command = self.caller.command(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Does one thing, and gives what the client says of it.
    async fn talk(&self, what: &str) -> String {
        self.talk_at(&self.listener(), what).await
    }

    async fn talk_at(&self, url: &str, what: &str) -> String {
        let output = finish(self.client(what, url)).await;
        assert!(output.status.success(), "{output:?}");
        stdout(&output).trim_end().to_owned()
    }

    /// Connections that were counted as requests, on both sides, which must agree.
    async fn counted(&self) -> Counts {
        self.mesh.stat().await;
        let asked = routes(&self.mesh, &["caller", "--to", "echo"]).await;
        assert_eq!(asked, routes(&self.mesh, &["echo"]).await);
        let [(_, counts)] = asked[..] else {
            panic!("not one route: {asked:?}");
        };
        counts
    }
}

#[tokio::test]
async fn text_and_binary_pass_both_ways_by_the_listener_and_by_name() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk("messages").await, "7 messages");
    // The library asks its HTTP proxy for a tunnel (CONNECT).
    assert_eq!(scene.talk_at("ws://echo/", "messages").await, "7 messages");
    assert_eq!(scene.counted().await, Counts::successes(2));
}

#[tokio::test]
async fn pings_of_both_sides_are_answered() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk("pings").await, "ponged");
    assert_eq!(scene.counted().await, Counts::successes(1));
}

#[tokio::test]
async fn close_codes_and_reasons_of_both_sides_arrive() {
    let scene = Scene::set().await;
    assert_eq!(scene.talk("server_closes").await, "closed 4001 as you wish");
    scene.server.says("closed 4001 as you wish").await;
    assert_eq!(scene.talk("client_closes").await, "closed 4002 that is all");
    scene.server.says("closed 4002 that is all").await;
    assert_eq!(scene.counted().await, Counts::successes(2));
}

/// 1. A client has an answer and waits. 2. It is killed. 3. The server hears that nobody is there (1006 of RFC 6455
///    says so), and both sides have counted one stream, which is no latency.
#[tokio::test]
async fn a_client_that_dies_is_gone_for_the_server_too() {
    let scene = Scene::set().await;
    let client = scene.client("waits", &scene.listener());
    let client = Program::start("client", client);
    client.says("hello").await;

    drop(client);

    scene.server.says("closed 1006").await;
    assert_eq!(scene.counted().await.requests, 1);
    for member in scene.mesh.members().await {
        let metrics = Metrics::scrape(member.admin_address.unwrap().parse().unwrap()).await;
        assert_eq!(metrics.sum("clew_stream_duration_ms", &[]), 1);
        assert_eq!(metrics.sum("response_latency_ms", &[]), 0);
    }
}

/// From outside, as a browser does: the whole of it is one request in one trace, that is there when it has ended.
#[tokio::test]
async fn a_websocket_through_the_gateway_is_one_trace() {
    let scene = Scene::set().await;
    let (_gateway, edge) = scene.mesh.gateway(&["/=echo"]).await;
    let words = peer("socket_client.py", &["messages", &format!("ws://{edge}/")]);
    let mut client = command(&words[0]);
    client.args(&words[1..]);

    let output = finish(client).await;

    assert_eq!(stdout(&output).trim_end(), "7 messages", "{output:?}");
    let found = eventually("the trace", async || {
        let traces = scene.mesh.traces(&[]).await.traces.into_iter();
        traces.last()
    })
    .await;
    let trace = scene.mesh.trace(&found.trace_id, 3).await;
    assert_eq!(
        trace.chain(),
        ["gateway server", "gateway client", "echo server"]
    );
    for span in trace.spans() {
        assert_eq!(span.attributes["http.response.status_code"], 101);
    }
}
