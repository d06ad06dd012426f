//! An application with py_zipkin, which shares spans as B3's older libraries do: its spans and the proxies' are one
//! trace.

use clew_api::rest::span::PROXY_SCOPE;
use clew_api::rest::traces::Trace;
use clew_testkit::programs::{
    LocalMesh, Program, WholeTrace, command, eventually, finish, peer, stdout,
};
use serde_json::Value;
use std::net::SocketAddr;

struct Scene {
    mesh: LocalMesh,
    _programs: [Program; 3],
    edge: SocketAddr,
}

impl Scene {
    /// books <- shelf (instrumented) <- gateway, which writes B3: the library reads nothing else.
    async fn set(variables: &[(&str, &str)]) -> Self {
        let mesh = LocalMesh::start().await;
        let set = finish(mesh.clew(&["settings", "--write", "b3"])).await;
        assert!(set.status.success(), "{set:?}");
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let words = peer("zipkin.py", &[]);
        let shelf = mesh
            .serve_with("shelf", &["--to", "books"], &words, variables)
            .await;
        let (gateway, edge) = mesh.gateway(&["/shelves=shelf", "/books=books"]).await;
        let scene = Self {
            mesh,
            _programs: [books, shelf, gateway],
            edge,
        };
        eventually("the gateway to write B3", async || {
            let answer = scene.fetch("/books/1").await;
            answer["b3"].is_string().then_some(())
        })
        .await;
        scene
    }

    async fn fetch(&self, path: &str) -> Value {
        let mut curl = command("curl");
        curl.args(["--silent", "--show-error", "--fail"]);
        curl.arg(format!("http://{}{path}", self.edge));
        let output = finish(curl).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_str(stdout(&output)).unwrap()
    }

    /// The trace of one request for a shelf.
    async fn trace(&self) -> WholeTrace {
        let answer = self.fetch("/shelves/3").await;
        let traceparent = answer["book"]["traceparent"].as_str().unwrap();
        let id = traceparent.split('-').nth(1).unwrap();
        self.mesh.trace(id, CHAIN.len()).await
    }
}

/// The library's spans stand between the SERVER span of the sidecar and its CLIENT span.
const CHAIN: [&str; 8] = [
    "gateway server",
    "gateway client",
    "shelf server",
    "shelf server (library)",
    "shelf internal (library)",
    "shelf client (library)",
    "shelf client",
    "books server",
];

#[tokio::test]
async fn the_spans_of_a_library_that_shares_stand_between_those_of_the_proxy() {
    let scene = Scene::set(&[]).await;

    let trace = scene.trace().await;

    assert_eq!(trace.chain(), CHAIN);
    let server = trace.span("shelf server (library)");
    assert_eq!(server.scope, "zipkin");
    assert_eq!(server.attributes["zipkin.shared"], true);
    assert_eq!(server.attributes["http.path"], "/shelves/3");
    let internal = trace.span("shelf internal (library)");
    assert_eq!(internal.events[0].name, "looked");
    let client = trace.span("shelf client (library)");
    assert_eq!(client.attributes["peer.service"], "books");
    let proxy = trace.span("shelf client");
    assert!(
        client.duration_ms >= proxy.duration_ms,
        "{client:?} {proxy:?}"
    );

    // What the proxies saw, by itself.
    let proxies: Trace = scene
        .mesh
        .ask(&["trace", trace.id(), "--scope", PROXY_SCOPE])
        .await;
    assert_eq!((proxies.spans.len(), proxies.hidden_spans), (5, 3));
    let proxies = WholeTrace::new(proxies);
    let wanted = CHAIN.iter().filter(|word| !word.ends_with("(library)"));
    assert_eq!(proxies.chain(), wanted.copied().collect::<Vec<_>>());
    assert_eq!(proxies.span("shelf client").hidden_ancestors, 3);
}

#[tokio::test]
async fn its_spans_come_as_protobuf_and_gzip_too() {
    let scene = Scene::set(&[("ZIPKIN_ENCODING", "V2_PROTO3"), ("ZIPKIN_GZIP", "1")]).await;
    assert_eq!(scene.trace().await.chain(), CHAIN);
}
