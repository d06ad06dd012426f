//! Node: an Express application that copies headers, and one with the OpenTelemetry SDK.

use super::golden::{Counts, inbound, outbound};
use clew_testkit::programs::{
    LocalMesh, Program, command, finish, node_modules, node_peer, peer, stdout,
};
use serde_json::Value;
use std::net::SocketAddr;

async fn fetch(edge: SocketAddr, path: &str) -> Value {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    curl.arg(format!("http://{edge}{path}"));
    let output = finish(curl).await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_str(stdout(&output)).unwrap()
}

/// The trace that a `traceparent` header belongs to.
fn trace_id(traceparent: &Value) -> &str {
    traceparent.as_str().unwrap().split('-').nth(1).unwrap()
}

struct Scene {
    mesh: LocalMesh,
    _programs: [Program; 3],
    edge: SocketAddr,
}

impl Scene {
    /// books (Flask) <- a Node program <- gateway.
    async fn set(name: &str, arguments: &[&str]) -> Self {
        let mesh = LocalMesh::start().await;
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let modules = node_modules();
        let variables = [
            ("NODE_PATH", modules.to_str().unwrap()),
            // The SDK sends what it has at once.
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let words = node_peer(arguments);
        let program = mesh
            .serve_with(name, &["--to", "books"], &words, &variables)
            .await;
        let (gateway, edge) = mesh.gateway(&[&format!("/={name}")]).await;
        Self {
            mesh,
            _programs: [books, program, gateway],
            edge,
        }
    }
}

#[tokio::test]
async fn an_express_application_that_copies_headers_is_in_the_trace() {
    let scene = Scene::set("pages", &["express.js"]).await;

    let answer = fetch(scene.edge, "/pages/7").await;

    assert_eq!(answer["page"]["book"], 7);
    let id = trace_id(&answer["page"]["traceparent"]);
    let trace = scene.mesh.trace(id, 5).await;
    assert_eq!(
        trace.chain(),
        [
            "gateway server",
            "gateway client",
            "pages server",
            "pages client",
            "books server"
        ]
    );
    let stat = scene.mesh.stat().await;
    assert_eq!(inbound(&stat["pages"]), Counts::successes(1));
    assert_eq!(outbound(&stat["pages"]), Counts::successes(1));
    assert_eq!(inbound(&stat["books"]), Counts::successes(1));
}

/// The SDK's spans stand between the SERVER span of the sidecar and its CLIENT span.
#[tokio::test]
async fn spans_of_the_sdk_for_node_stand_between_those_of_the_proxy() {
    let arguments = ["--require", "./instrumented.js", "shelf.js"];
    let scene = Scene::set("shelf", &arguments).await;

    let answer = fetch(scene.edge, "/shelves/3").await;

    let id = trace_id(&answer["book"]["traceparent"]);
    let trace = scene.mesh.trace(id, 8).await;
    assert_eq!(
        trace.chain(),
        [
            "gateway server",
            "gateway client",
            "shelf server",
            "shelf server (library)",
            "shelf internal (library)",
            "shelf client (library)",
            "shelf client",
            "books server",
        ]
    );
    let library = trace.span("shelf server (library)");
    assert_eq!(library.scope, "@opentelemetry/instrumentation-http");
    // Both are SERVER spans of the same service; the scope tells them apart.
    let proxy = trace.span("shelf server");
    assert_eq!(proxy.scope, clew_api::rest::span::PROXY_SCOPE);
    assert_eq!(library.service, proxy.service);
}
