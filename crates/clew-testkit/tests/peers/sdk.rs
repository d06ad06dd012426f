//! An application with the OpenTelemetry SDK: its spans and the proxies' spans are one trace.

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
    /// books <- shelf (instrumented) <- gateway, where books can be asked for directly too.
    async fn set(propagators: &str, settings: &[&str]) -> Self {
        let mesh = LocalMesh::start().await;
        if !settings.is_empty() {
            let set = finish(mesh.clew(&[&["settings"], settings].concat())).await;
            assert!(set.status.success(), "{set:?}");
        }
        let books = mesh.serve("books", &[], &peer("books.py", &[])).await;
        let words = peer("instrumented.py", &[]);
        // The SDK sends what it has at once.
        let variables = [
            ("OTEL_PROPAGATORS", propagators),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b"),
        ];
        let shelf = mesh
            .serve_with("shelf", &["--to", "books"], &words, &variables)
            .await;
        let (gateway, edge) = mesh.gateway(&["/shelves=shelf", "/books=books"]).await;
        Self {
            mesh,
            _programs: [books, shelf, gateway],
            edge,
        }
    }

    async fn fetch(&self, path: &str) -> Value {
        let mut curl = command("curl");
        curl.args(["--silent", "--show-error", "--fail"]);
        curl.arg(format!("http://{}{path}", self.edge));
        let output = finish(curl).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_str(stdout(&output)).unwrap()
    }
}

/// The SDK's spans stand between the SERVER span of the sidecar and its CLIENT span.
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

/// The lowest bit of the flags (W3C Trace Context, section 3.2.2.5).
fn is_sampled(traceparent: &Value) -> bool {
    let flags = traceparent.as_str().unwrap().rsplit('-').next().unwrap();
    u8::from_str_radix(flags, 16).unwrap() & 1 == 1
}

fn assert_joined(trace: &WholeTrace) {
    assert_eq!(trace.chain(), CHAIN);
    let server = trace.span("shelf server (library)");
    assert_eq!(server.scope, "opentelemetry.instrumentation.flask");
    let library = trace.span("shelf client (library)");
    let proxy = trace.span("shelf client");
    // The SDK is told of which instance it is, and goes on to say what the user has told it.
    assert!(library.instance.is_some(), "{library:?}");
    assert_eq!(
        (&library.namespace, &library.instance),
        (&proxy.namespace, &proxy.instance)
    );
    assert_eq!(library.resource["team"], "a b");
    assert!(
        library.offset_ms <= proxy.offset_ms,
        "{library:?} {proxy:?}"
    );
    assert!(
        library.duration_ms >= proxy.duration_ms,
        "{library:?} {proxy:?}"
    );
}

#[tokio::test]
async fn spans_of_the_library_stand_between_those_of_the_proxy() {
    let scene = Scene::set("tracecontext,baggage", &[]).await;
    let answer = scene.fetch("/shelves/3").await;
    let traceparent = answer["book"]["traceparent"].as_str().unwrap();
    let id = traceparent.split('-').nth(1).unwrap();
    assert_joined(&scene.mesh.trace(id, CHAIN.len()).await);
}

/// A library that knows B3 only, as services that came from Zipkin have it.
#[tokio::test]
async fn a_library_that_knows_only_b3_is_joined_too() {
    let scene = Scene::set("b3", &["--write", "b3"]).await;
    // The gateway has heard of the setting: what it sends carries B3.
    eventually("the gateway to write B3", async || {
        let answer = scene.fetch("/books/1").await;
        answer["b3"].is_string().then_some(())
    })
    .await;

    let answer = scene.fetch("/shelves/3").await;

    let b3 = answer["book"]["b3"].as_str().unwrap();
    let id = b3.split('-').next().unwrap();
    assert_joined(&scene.mesh.trace(id, CHAIN.len()).await);
}

/// The decision is made once: an application's library exports nothing where the mesh does not.
#[tokio::test]
async fn the_library_heeds_the_decision_of_the_mesh() {
    let scene = Scene::set("tracecontext", &["--sample", "0"]).await;
    eventually("the gateway to sample nothing", async || {
        let answer = scene.fetch("/books/1").await;
        (!is_sampled(&answer["traceparent"])).then_some(())
    })
    .await;

    let answer = scene.fetch("/shelves/3").await;

    assert!(!is_sampled(&answer["book"]["traceparent"]), "{answer}");
    // The last word of the SDK comes when it ends.
    let Scene {
        mesh, _programs, ..
    } = scene;
    for program in _programs {
        program.end().await;
    }
    let traces = mesh.traces(&["--route", "GET /shelves/{id}"]).await.traces;
    assert!(traces.is_empty(), "{traces:#?}");
}
