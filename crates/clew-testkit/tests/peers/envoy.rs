//! Envoy as a trusted ingress in front of a gateway, with its OpenTelemetry tracer on: its span is the root.

use super::golden::{Counts, inbound};
use clew_testkit::programs::{
    LocalMesh, Program, command, envoy, eventually, finish, peer, stdout,
};
use serde_json::Value;
use std::net::SocketAddr;
use tempfile::TempDir;

/// Envoy with `tests/peers/envoy.yaml`. It ends when this is dropped.
struct Ingress {
    _envoy: Program,
    _folder: TempDir,
    address: SocketAddr,
}

impl Ingress {
    /// In front of a gateway; its spans go to this mesh.
    async fn start(mesh: &LocalMesh, gateway: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let otlp = mesh.whereabouts().otlp_grpc.unwrap();
        let settings = include_str!("../../../../tests/peers/envoy.yaml")
            .replace("@GATEWAY@", &gateway.port().to_string())
            .replace("@OTLP@", &otlp.port().to_string());
        let file = folder.path().join("envoy.yaml");
        let admin = folder.path().join("admin");
        std::fs::write(&file, settings).unwrap();
        let mut words = command(envoy());
        words.arg("--config-path").arg(file);
        words.arg("--admin-address-path").arg(&admin);
        words.args(["--use-dynamic-base-id", "--concurrency", "1"]);
        let envoy = Program::start("envoy", words);
        envoy.says("starting main dispatch loop").await;
        let admin = std::fs::read_to_string(admin).unwrap();
        let listeners = fetch(&format!("http://{admin}/listeners"), &[]).await;
        // ingress::127.0.0.1:42799
        let address = listeners.trim().strip_prefix("ingress::").unwrap();
        Self {
            address: address.parse().unwrap(),
            _envoy: envoy,
            _folder: folder,
        }
    }

    async fn fetch(&self, path: &str, flags: &[&str]) -> Value {
        let url = format!("http://{}{path}", self.address);
        serde_json::from_str(&fetch(&url, flags).await).unwrap()
    }
}

async fn fetch(url: &str, flags: &[&str]) -> String {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    curl.args(flags).arg(url);
    let output = finish(curl).await;
    assert!(output.status.success(), "{output:?}");
    stdout(&output).to_owned()
}

/// books <- webapp <- gateway <- Envoy.
struct Scene {
    mesh: LocalMesh,
    ingress: Ingress,
    _programs: [Program; 3],
}

impl Scene {
    async fn set(gateway_flags: &[&str]) -> Self {
        let mesh = LocalMesh::start().await;
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let webapp = peer("webapp.py", &[]);
        let webapp = mesh.serve("webapp", &["--to", "books"], &webapp).await;
        let (gateway, edge) = mesh.gateway_with(&["/=webapp"], gateway_flags).await;
        let ingress = Ingress::start(&mesh, edge).await;
        Self {
            mesh,
            ingress,
            _programs: [books, webapp, gateway],
        }
    }

    /// Asks Envoy for a page, and gives the trace that the last service was in.
    async fn trace_of_page(&self, flags: &[&str]) -> String {
        let page = self.ingress.fetch("/books/7", flags).await;
        let traceparent = page["page"]["traceparent"].as_str().unwrap();
        traceparent.split('-').nth(1).unwrap().to_owned()
    }
}

const OURS: [&str; 5] = [
    "gateway server",
    "gateway client",
    "webapp server",
    "webapp client",
    "books server",
];

const TRUSTED: [&str; 2] = ["--trust", "127.0.0.0/8"];

#[tokio::test]
async fn the_span_of_a_trusted_envoy_is_the_root_of_ours() {
    let scene = Scene::set(&TRUSTED).await;

    let id = scene.trace_of_page(&[]).await;

    let envoys = ["ingress server (library)", "ingress client (library)"];
    let expected = [&envoys[..], &OURS].concat();
    let trace = scene.mesh.trace(&id, expected.len()).await;
    assert_eq!(trace.chain(), expected);
    let stat = scene.mesh.stat().await;
    assert_eq!(inbound(&stat["gateway"]), Counts::successes(1));
}

/// A caller of Envoy with a trace of its own, which Envoy joins.
#[tokio::test]
async fn a_trace_that_envoy_joins_is_joined_by_all_behind_it() {
    let scene = Scene::set(&TRUSTED).await;
    let begun = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("traceparent: 00-{begun}-00f067aa0ba902b7-01");

    let id = scene.trace_of_page(&["--header", &traceparent]).await;

    assert_eq!(id, begun);
}

/// The gateway begins a trace of its own, and points at what came.
#[tokio::test]
async fn an_envoy_that_is_not_trusted_is_linked_to_and_not_joined() {
    let scene = Scene::set(&[]).await;

    let id = scene.trace_of_page(&[]).await;

    let trace = scene.mesh.trace(&id, OURS.len()).await;
    assert_eq!(trace.chain(), OURS);
    let links = &trace.span("gateway server").links;
    let [link] = &links[..] else {
        panic!("not one link: {links:?}");
    };
    assert_ne!(link.trace_id, id);
    // It is the trace of Envoy, which the mesh has taken in too.
    let envoys = eventually("the spans of Envoy", async || {
        let traces = scene.mesh.traces(&["--service", "ingress"]).await.traces;
        traces.into_iter().find(|trace| trace.spans == 2)
    })
    .await;
    assert_eq!(envoys.trace_id, link.trace_id);
}
